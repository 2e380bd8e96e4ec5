// The page of speech: a model by address or file, a text, a voice.
import { loadSpeech, toWav } from './pkg/speech.js';
import { bytes } from './format.js';
import { Player } from './speech-player.js';
import { drawWave } from './speech-wave.js';

const $ = (id) => document.getElementById(id);
const player = new Player();

let speech;
/** Ends what is being loaded or spoken. */
let stop;

function show(error) {
  $('error').hidden = !error || error.code === 'ABORTED';
  $('error').textContent = error?.message ?? '';
}

/** Load a model and its voices, from addresses or files. */
async function load(model, voices) {
  show();
  stop?.abort();
  stop = new AbortController();
  $('load').disabled = true;
  $('progress').hidden = false;
  const onProgress = ({ fraction }) => {
    $('progress').value = fraction;
    $('status').textContent = `Loading, ${Math.round(fraction * 100)} %`;
  };
  try {
    speech?.destroy();
    speech = await loadSpeech(model, { voices, onProgress, signal: stop.signal });
    speech.on('devicelost', ({ message }) => show({ message: `The GPU was lost: ${message} Load the model again.` }));
    $('voice').replaceChildren(...speech.voices.map((name) => new Option(name)));
    const { memory, gpu } = speech.info;
    $('about').textContent = `Kokoro-82M, weights in 8 bits · ${bytes(memory.weights)} of GPU memory · ${gpu.adapter || 'a GPU without a name'}`;
    $('speaker').hidden = false;
    $('status').textContent = '';
    $('text').focus();
  } catch (e) {
    $('status').textContent = '';
    show(e);
  } finally {
    $('load').disabled = false;
    $('progress').hidden = true;
  }
}

/** A model's file and that of voices among some files: voices are the smaller one. */
function chosen(files) {
  const [voices, model] = [...files].sort((a, b) => a.size - b.size);
  if (!model) throw new Error('Choose two files: the model and its voices.');
  return [model, voices];
}

/** Pieces of sound as one. */
function joined(pieces) {
  const samples = new Float32Array(pieces.reduce((sum, piece) => sum + piece.samples.length, 0));
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece.samples, at);
    at += piece.samples.length;
  }
  return { samples, sampleRate: pieces[0].sampleRate };
}

async function speak() {
  show();
  stop?.abort();
  player.stop();
  stop = new AbortController();
  const { signal } = stop;
  const pieces = [];
  const saved = $('save').href;
  if (saved) URL.revokeObjectURL(saved);
  $('save').hidden = true;
  $('said').textContent = '';
  $('stop').disabled = false;
  player.start();
  const start = performance.now();
  let busy = 0;
  let last;
  try {
    const options = { voice: $('voice').value, speed: Number($('speed').value), signal };
    for await (const piece of speech.stream($('text').value, options)) {
      if (!pieces.length) $('first').textContent = `${Math.round(performance.now() - start)} ms`;
      pieces.push(piece);
      const { textMs, recordMs, audioMs } = speech.stats;
      busy += textMs + recordMs + audioMs;
      last = player.play(piece);
      const seconds = pieces.reduce((sum, { samples, sampleRate }) => sum + samples.length / sampleRate, 0);
      $('length').textContent = `${seconds.toFixed(1)} s`;
      $('factor').textContent = (seconds / (busy / 1e3)).toFixed(1);
      $('said').textContent = pieces.map(({ phonemes }) => phonemes).join(' ');
      drawWave($('wave'), pieces);
    }
    $('save').href = URL.createObjectURL(toWav(joined(pieces)));
    $('save').hidden = false;
    await last;
  } catch (e) {
    show(e);
  } finally {
    if (!signal.aborted) $('stop').disabled = true;
  }
}

$('load').addEventListener('click', () => load($('model').value, $('voices').value));
$('files').addEventListener('change', ({ target }) => {
  try {
    load(...chosen(target.files));
  } catch (e) {
    show(e);
  }
});
$('speak').addEventListener('click', speak);
$('stop').addEventListener('click', () => {
  stop?.abort();
  player.stop();
  $('stop').disabled = true;
});
$('speed').addEventListener('input', ({ target }) => ($('speed-value').textContent = Number(target.value).toFixed(1)));

// A link can bring the model along.
const query = new URLSearchParams(location.search);
for (const name of ['model', 'voices']) $(name).value = query.get(name) ?? '';
