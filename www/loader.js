// Loading a model: from an address, a local file or the page's own, with progress and a way out.
import { loadModel } from './pkg/index.js';
import { bytes, count } from './format.js';
import { clearError, showError } from './errors.js';
import { gpuName } from './gpu-name.js';

const $ = (id) => document.getElementById(id);

export const EMBEDDED = new URL('./models/embedded.gguf', import.meta.url);
const EMBEDDED_NOTE =
  'A model of 3.5 million parameters that has read one book, War and Peace. It goes on in that manner and knows nothing ' +
  'else: small enough to be here before you ask.';
/** Hugging Face shows files under /blob/ and serves them under /resolve/. */
export function fileAddress(text) {
  const url = new URL(text, location.href);
  if (url.hostname === 'huggingface.co') url.pathname = url.pathname.replace('/blob/', '/resolve/');
  return url;
}

function onProgress({ phase, loaded, total, layer }) {
  const bar = $('progress-bar');
  const known = phase === 'weights' && total > 0 && loaded > 0;
  if (known) bar.value = loaded / total;
  else bar.removeAttribute('value');
  const words = {
    header: 'Reading the header',
    weights: `${bytes(loaded)} of ${bytes(total)}${layer === null ? '' : `, layer ${layer + 1}`}`,
    ready: 'Almost there',
  };
  $('progress-text').textContent = phase === 'weights' && !loaded ? 'Compiling kernels' : words[phase];
}

/** What is known of a model before it is here. */
function announce(source) {
  const embedded = source === EMBEDDED;
  $('model-name').textContent = embedded ? 'War and Peace' : (source.name ?? source.pathname.split('/').pop());
  $('model-facts').textContent = '\u00a0';
  $('model-note').hidden = !embedded;
  $('model-note').textContent = EMBEDDED_NOTE;
}

async function describe({ info }, source) {
  announce(source);
  if (source !== EMBEDDED && info.name) $('model-name').textContent = info.name;
  const facts = [`${count(info.parameters)} parameters`, info.architecture, info.types[0], `context ${info.contextLength}`];
  $('model-facts').textContent = facts.join(' · ');
  if (info.warnings.length) {
    $('model-note').hidden = false;
    $('model-note').textContent = info.warnings.join(' ');
  }
  const { weights, kvCache, activations } = info.memory;
  $('memory').textContent = bytes(weights + kvCache + activations);
  $('memory').title = `weights ${bytes(weights)}, cache ${bytes(kvCache)}, activations ${bytes(activations)}`;
  $('gpu').textContent = await gpuName(info.gpu);
}

let loading;

/** Run a load that `start` begins, with its progress on the page; undefined where it fails or is cancelled. */
async function withProgress(start) {
  loading?.abort();
  const mine = (loading = new AbortController());
  clearError();
  $('progress').hidden = false;
  onProgress({ phase: 'header' });
  try {
    return await start({ signal: mine.signal, onProgress });
  } catch (e) {
    if (e.code !== 'ABORTED') showError(e);
    return undefined;
  } finally {
    if (loading === mine) {
      loading = undefined;
      $('progress').hidden = true;
    }
  }
}

/** Load a URL or a file; returns the model, or the one there was where the load fails or is cancelled. */
export async function load(source, current) {
  if (!current) announce(source);
  const contextLength = $('context').valueAsNumber || undefined;
  const model = await withProgress((options) => loadModel(source, { ...options, contextLength }));
  if (!model) {
    if (!current) $('model-name').textContent = 'No model';
    return current;
  }
  current?.destroy();
  await describe(model, source);
  return model;
}

/** Bring a model whose GPU was lost back; whether it is. */
export async function recover(model) {
  return await withProgress(async (options) => {
    await model.recover(options);
    return true;
  });
}

export function cancelLoading() {
  loading?.abort();
}
