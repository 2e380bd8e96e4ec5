// The demo page: a model, a prompt, and the text as it comes.
import { clearError, showError } from './errors.js';
import { duration, rate } from './format.js';
import { EMBEDDED, cancelLoading, fileAddress, load, recover } from './loader.js';

const $ = (id) => document.getElementById(id);

let model;
/** Of the generation that runs. */
let running;

// ---- the model

/** A model larger than this goes before the next one comes. */
const LARGE_BYTES = 200e6;

let uses = 0;

async function use(source) {
  const mine = ++uses;
  running?.abort();
  $('run').disabled = true;
  if (model?.info.memory.weights > LARGE_BYTES) {
    model.destroy();
    model = undefined;
  }
  const before = model;
  model = await load(source, model);
  if (model !== before) model.on('devicelost', ({ message }) => showError({ code: 'DEVICE_LOST', message }));
  if (mine !== uses) return; // Another one is being loaded.
  $('run').disabled = !model;
  // The way to another model stays open where there is none.
  if (!model) showSource(true);
}

function showSource(open) {
  $('source').hidden = !open;
  $('change').setAttribute('aria-expanded', open);
}

function useFile(file) {
  if (file) use(file);
}

$('change').addEventListener('click', () => {
  showSource($('source').hidden);
  if (!$('source').hidden) $('url').focus();
});
$('source').addEventListener('submit', (event) => {
  event.preventDefault();
  if ($('url').value) use(fileAddress($('url').value));
});
$('file').addEventListener('change', () => {
  useFile($('file').files[0]);
  $('file').value = ''; // so that the same file can be chosen again
});
$('embedded').addEventListener('click', () => use(EMBEDDED));
$('cancel').addEventListener('click', cancelLoading);

let dragDepth = 0;
const hasFile = (event) => event.dataTransfer?.types.includes('Files');
const showDrop = (depth) => ($('drop').hidden = (dragDepth = depth) === 0);
addEventListener('dragenter', (event) => hasFile(event) && showDrop(dragDepth + 1));
addEventListener('dragleave', (event) => hasFile(event) && showDrop(Math.max(0, dragDepth - 1)));
addEventListener('dragover', (event) => hasFile(event) && event.preventDefault());
addEventListener('drop', (event) => {
  if (!hasFile(event)) return;
  event.preventDefault();
  showDrop(0);
  useFile(event.dataTransfer.files[0]);
});

// ---- the text

const SHORTCUT = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘ Return' : 'Ctrl Enter';

/** The form's values as `generate` takes them; empty fields are left out. */
function options() {
  const values = {};
  for (const { name, type, value, valueAsNumber } of $('settings').querySelectorAll('input')) {
    if (value !== '') values[name] = type === 'number' ? valueAsNumber : value;
  }
  return values;
}

function setRunning(controller) {
  running = controller;
  $('run').textContent = running ? 'Stop' : 'Generate';
  $('run').toggleAttribute('data-running', !!running);
  $('text').setAttribute('aria-busy', !!running);
  $('shortcut').textContent = running ? 'Esc' : SHORTCUT;
}

/** Keep the end of the text in view, unless the reader has scrolled away from it. */
function follow(change) {
  const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 40;
  change();
  if (atEnd) scrollTo({ top: document.documentElement.scrollHeight });
}

/** Continue the prompt, or, with `ids`, what stands there already. */
async function generate(ids) {
  clearError();
  if (!ids) {
    $('text-prompt').textContent = $('prompt').value;
    $('text-new').textContent = '';
  }
  const controller = new AbortController();
  setRunning(controller);
  const start = performance.now();
  let first;
  let n = 0;
  const onToken = () => {
    n += 1;
    first ??= performance.now();
    $('first').textContent = duration(first - start);
    $('tokens').textContent = n;
    if (n > 1) $('speed').textContent = rate(((n - 1) * 1e3) / (performance.now() - first));
  };
  try {
    for await (const text of model.generate(ids ?? $('prompt').value, { ...options(), signal: controller.signal, onToken })) {
      follow(() => $('text-new').append(text));
    }
    interrupted = false;
    const { finishReason } = model.stats;
    if (finishReason === 'context') $('tokens').textContent = `${n}, context full`;
  } catch (e) {
    interrupted = e.code === 'DEVICE_LOST';
    if (e.code !== 'ABORTED') showError(e);
  } finally {
    if (running === controller) setRunning(undefined);
  }
}

/** Whether the GPU was lost in the middle of a text. */
let interrupted = false;

$('restart').addEventListener('click', async () => {
  if ((await recover(model)) && interrupted) await generate(model.history);
});
$('generate').addEventListener('submit', (event) => {
  event.preventDefault();
  if (running) running.abort();
  else if (model) generate();
});
addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !running) {
    event.preventDefault();
    $('generate').requestSubmit();
  }
  if (event.key === 'Escape') running?.abort();
});
// A field out of range must be seen to be mended.
$('generate').addEventListener('invalid', () => ($('settings').open = true), true);

// ---- at first

setRunning(undefined);
// An address in the page's own (?model=…) is filled in, not fetched: it may be large.
const wanted = new URLSearchParams(location.search).get('model');
if (wanted) {
  $('url').value = wanted;
  showSource(true);
}
// A phone loads what it is told to, and nothing by itself.
if (/Mobi|Android|iPhone|iPad/.test(navigator.userAgent)) showSource(true);
else use(EMBEDDED);
