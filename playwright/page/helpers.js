// In the page of a test: the package, and what carries results over to Node.
import * as webgguf from '/pkg/index.js';

/** The options of `outcome`. With `?load-only` its models are loaded and never run, in the page as in workers. */
const LOAD = { contextLength: 64, cache: false };
if (new URLSearchParams(location.search).has('load-only')) {
  await import('./load-only.js');
  LOAD.workerUrl = new URL('load-only-worker.js', import.meta.url).href;
}

/** What a promise failed with, or null: an Error loses its code on the way to Node. */
async function failureOf(promise) {
  try {
    await promise;
    return null;
  } catch (e) {
    return { name: e.name, code: e.code, message: e.message, isError: e instanceof Error };
  }
}

/** Everything that a generation yields: the pieces, the ids, and its stats. */
async function collect(model, prompt, options) {
  const ids = [];
  const pieces = [];
  for await (const text of model.generate(prompt, { ...options, onToken: (id) => ids.push(id) })) pieces.push(text);
  return { ids, pieces, text: pieces.join(''), stats: model.stats };
}

/** Load, and tell how it went: the checksum of the weights on the GPU and what the model says of itself, or the failure. */
async function outcome(source, options) {
  const start = performance.now();
  let model;
  const load = async () => (model = await webgguf.loadModel(source, { ...LOAD, ...options }));
  const failed = await failureOf(load());
  const seconds = (performance.now() - start) / 1e3;
  if (failed) return { failed, seconds };
  const sum = await model.weightsChecksum();
  model.destroy();
  return { sum, seconds, info: model.info };
}

Object.assign(globalThis, { webgguf, failureOf, collect, outcome });
