// Loading a model, with its progress on the page and a way out.
import { loadModel } from './pkg/index.js';
import { clearError, showError } from './errors.js';
import { bytes } from './format.js';

const $ = (id) => document.getElementById(id);

/** What a phase of a load is, in words. */
const WORDS = {
  header: () => 'Reading the header',
  weights: ({ loaded, total }) => `${bytes(loaded)} of ${total ? bytes(total) : 'an unknown size'}`,
  compile: ({ loaded, total }) => `Compiling kernels, ${loaded} of ${total}`,
  ready: () => 'Ready',
};

function onProgress(progress) {
  $('progress-bar').value = progress.fraction;
  $('progress-figures').textContent = WORDS[progress.phase](progress);
}

let loading;

/** Run a load that `start` begins, with its progress on the page; undefined where it fails or is cancelled. */
async function withProgress(name, start) {
  loading?.abort();
  const mine = (loading = new AbortController());
  clearError();
  $('progress-name').textContent = `Loading ${name}`;
  onProgress({ phase: 'header', fraction: 0 });
  $('progress').hidden = false;
  try {
    return await start({ signal: mine.signal, onProgress: (progress) => loading === mine && onProgress(progress) });
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

/** In a worker, so that the page stays smooth; in the page where workers are forbidden, or have no WebGPU. */
async function loadAnywhere(source, options) {
  try {
    return await loadModel(source, { ...options, worker: true });
  } catch (e) {
    if (!['BLOCKED', 'NO_WEBGPU'].includes(e.code)) throw e;
    return loadModel(source, options);
  }
}

/** Load a URL or a file; undefined where that fails or is cancelled. */
export const load = (source, name, contextLength) =>
  withProgress(name, (options) => loadAnywhere(source, { ...options, contextLength }));

/** Bring a model whose GPU was lost back; whether it is. */
export const recover = (model, name) =>
  withProgress(name, async (options) => {
    await model.recover(options);
    return true;
  });

export const cancelLoading = () => loading?.abort();
