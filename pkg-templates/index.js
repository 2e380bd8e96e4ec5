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
/** What a load fails with where the model can't run here. */
const CANNOT_RUN = ['NO_WEBGPU', 'OUT_OF_GPU_MEMORY', 'UNSUPPORTED_ARCHITECTURE', 'UNSUPPORTED_TENSOR_TYPE', 'UNSUPPORTED_TOKENIZER'];

/** What the cache has, and what becomes of it. */
export const listCached = boundary(cache.listCached);
export const persist = boundary(cache.persist);
export const removeCached = boundary(remove);

/** A part of the package that few pages need. */
async function part(path, script) {
  try {
    return await script;
  } catch (e) {
    throw failure('FETCH_FAILED', `a script of webgguf, ${path}, can't be loaded: ${e.message}`, { cause: e });
  }
}

/** What reads replies as parts: loaded by the first chat that does. A worker has no chats, and is one file in builds. */
const replies = () => part('llm/reply/index.js', import('./llm/reply/index.js'));

/** A model on a server; `why` it is not here. */
async function onServer(options, why) {
  const { connect } = await part('llm/server/index.js', import('./llm/server/index.js'));
  return Object.assign(await connect(options, why), { replies });
}

/** Load a model. */
export async function loadModel(source, options) {
  const { worker, workerUrl, profile = detectProfile(), onProgress, signal, fallback, ...more } = optionsOf('loadModel', options);
  const server = fallback && { signal, ...optionsOf('connect', fallback) };
  const load = boundary(async (hooks) => {
    const all = { ...more, ...hooks, profile };
    const parts = await normalize(source, all);
    const model = await (worker ? loadRemote(parts, workerUrl, all) : loadHere(parts, all));
    return Object.assign(model, { replies });
  });
  try {
    return await hearing({ onProgress, signal }, load);
  } catch (e) {
    if (!server || !CANNOT_RUN.includes(e?.code)) throw e;
    return onServer(server, e.message);
  }
}

/** Use a model on a server. */
export async function connect(options) {
  return boundary(onServer)(optionsOf('connect', options));
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
