// The public API of webgguf. The types and their documentation are in index.d.ts.
import * as cache from './source/cache.js';
import { boundary, callWasm, failure, guarded, hearing } from './errors.js';
import { wasm } from './llm-wasm.js';
import { engineOptions } from './llm/memory.js';
import { loadHere } from './llm/model.js';
import { detectProfile, optionsOf } from './options.js';
import { loadRemote } from './remote.js';
import { Files, normalize, removeCached as remove } from './source/source.js';
import { Tokenizer } from './llm/tokenizer.js';
import { needWebgpu } from './wasm.js';
import { TextEngine, can_run, inspect as inspect_files } from './webgguf.js';

export { Chat } from './llm/chat.js';
export { isWebggufError } from './errors.js';
export { Model } from './llm/model.js';
export { Tokenizer };
/** What the cache has, and what becomes of it. */
export const listCached = boundary(cache.listCached);
export const persist = boundary(cache.persist);
export const removeCached = boundary(remove);

/** What reads replies as parts: loaded by the first chat that does. A worker has no chats, and is one file in builds. */
const replies = () =>
  import('./llm/reply/index.js').catch((e) => {
    throw failure('FETCH_FAILED', `a script of webgguf, llm/reply/index.js, can't be loaded: ${e.message}`, { cause: e });
  });

/** Load a model. */
export async function loadModel(source, options) {
  const { worker, workerUrl, profile = detectProfile(), onProgress, signal, ...more } = optionsOf('loadModel', options);
  const load = boundary(async (hooks) => {
    const all = { ...more, ...hooks, profile };
    const parts = await normalize(source, all);
    const model = await (worker ? loadRemote(parts, workerUrl, all) : loadHere(parts, all));
    return Object.assign(model, { replies });
  });
  return hearing({ onProgress, signal }, load);
}

/** Whether a model would run here. */
export const canRun = boundary(async (source, options) => {
  const { signal, wasmUrl, cache, retry, hub, profile = detectProfile(), ...more } = optionsOf('canRun', options);
  const reading = { signal, cache, retry, hub };
  const files = new Files(await normalize(source, reading), reading);
  needWebgpu();
  const ask = () => callWasm(() => can_run(files.all, engineOptions({ ...more, profile }), signal));
  return wasm.readFiles(files, 'the question', { signal, wasmUrl }, ask);
});

/** Load the tokenizer and the chat templates alone. */
export const loadTokenizer = boundary(async (source, options) => {
  const { wasmUrl, ...reading } = optionsOf('loadTokenizer', options);
  const files = new Files(await normalize(source, reading), reading);
  const { signal } = reading;
  const load = () => callWasm(() => TextEngine.load(files.all, signal));
  return new Tokenizer(guarded(await wasm.readFiles(files, 'the load', { signal, wasmUrl }, load)));
});

/** What a file says of itself: its header, and no more of it, is read. */
export const inspect = boundary(async (source, options) => {
  const { wasmUrl, ...reading } = optionsOf('inspect', options);
  const files = new Files(await normalize(source, reading), reading);
  const { signal } = reading;
  const read = () => callWasm(() => inspect_files(files.all, signal));
  return await wasm.readFiles(files, 'the inspection', { signal, wasmUrl }, read);
});
