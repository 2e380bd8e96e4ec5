// The page of hands: a clip or the camera, and what is found in it.
import { loadHands } from './pkg/hands.js';
import { bytes } from './format.js';
import { openClip } from './hands-clip.js';
import { drawHands } from './hands-draw.js';

const $ = (id) => document.getElementById(id);
const ms = (value) => `${value.toFixed(1)} ms`;

const view = $('view');
const context = view.getContext('2d');

/** What is looked at: `canvas` or `video`, and `draw(seconds)` where a frame has to be made. */
let source;
let hands;
/** Counts the sources: a loop ends when its own is gone. */
let turn = 0;

function show(error) {
  $('error').hidden = !error;
  $('error').textContent = error?.message ?? '';
}

/** Figures, as a mean over the last frames. */
const means = {};
function mean(id, value) {
  means[id] = means[id] === undefined ? value : means[id] * 0.9 + value * 0.1;
  $(id).textContent = ms(means[id]);
}

async function look(mine) {
  while (mine === turn && hands.isLoaded) {
    source.draw?.(performance.now() / 1e3);
    const frame = source.video ?? source.canvas;
    const start = performance.now();
    const found = await hands.detect(frame);
    mean('frame', performance.now() - start);
    if (mine !== turn) return;
    [view.width, view.height] = [frame.videoWidth ?? frame.width, frame.videoHeight ?? frame.height];
    context.drawImage(frame, 0, 0);
    drawHands(context, found);
    const { uploadMs, palmsMs, landmarksMs } = hands.stats;
    mean('upload', uploadMs);
    mean('palms', palmsMs);
    mean('landmarks', landmarksMs);
    $('hands').textContent = found.map(({ handedness }) => handedness.toLowerCase()).join(', ') || 'none';
    await new Promise(requestAnimationFrame);
  }
}

/** Look at another source from now on. */
function begin(next) {
  source?.stop?.();
  source = next;
  hands.reset();
  look(++turn).catch(show);
}

async function useClip() {
  const clip = await openClip('pictures/hands.jpg');
  $('camera').hidden = false;
  $('clip').hidden = true;
  begin(clip);
}

async function useCamera() {
  show();
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: 640, height: 480 } });
  const video = document.createElement('video');
  video.srcObject = stream;
  video.playsInline = video.muted = true;
  await video.play();
  $('mirror').checked = true;
  mirror();
  $('camera').hidden = true;
  $('clip').hidden = false;
  begin({ video, stop: () => stream.getTracks().forEach((track) => track.stop()) });
}

const mirror = () => $('stage').classList.toggle('mirrored', $('mirror').checked);

async function load() {
  $('status').textContent = 'Loading the networks';
  const onProgress = ({ fraction }) => ($('status').textContent = `Loading the networks, ${Math.round(fraction * 100)} %`);
  hands?.destroy();
  hands = await loadHands(undefined, { onProgress, smoothing: $('smooth').checked });
  const { palms, landmarks, memory, gpu } = hands.info;
  $('about').textContent =
    `Palms: ${palms.variant}, ${palms.inputSize} pixels. Landmarks: ${landmarks.variant}, ${landmarks.inputSize} pixels. ` +
    `${bytes(memory.weights + memory.activations)} of GPU memory · ${gpu.adapter || 'a GPU without a name'}`;
  hands.on('devicelost', ({ message }) => show({ message: `The GPU was lost: ${message} Load the page again.` }));
  $('status').textContent = '';
  $('camera').disabled = $('clip').disabled = false;
}

$('camera').addEventListener('click', () => useCamera().catch(show));
$('clip').addEventListener('click', () => useClip().catch(show));
$('mirror').addEventListener('change', mirror);
$('smooth').addEventListener('change', async () => {
  turn += 1;
  try {
    await load();
    begin(source);
  } catch (e) {
    show(e);
  }
});

try {
  await load();
  await useClip();
} catch (e) {
  $('status').textContent = '';
  show(e);
}
