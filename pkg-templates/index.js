// The public API of webgguf. The types and their documentation are in index.d.ts.
import { Chat } from './chat.js';
import { aborted, failure } from './errors.js';
import { withBudget } from './memory.js';
import { loadRemote } from './remote.js';
import { Files, normalize } from './source.js';
import { Tokenizer } from './tokenizer.js';
import init, { Engine, TextEngine, can_run } from './webgguf.js';

export { Chat, Tokenizer };
export { listCached, persist } from './cache.js';
export { removeCached } from './source.js';

/**
 * Where the wasm lies: beside this file. Written so that bundlers find it and ship it. Vite before version 8 moves
 * this file, not the wasm, into its cache when it serves a page in development.
 */
function ownWasm() {
  const { href } = new URL('./webgguf_bg.wasm', import.meta.url);
  return href.replace(/\/\.vite\/deps\/webgguf_bg\.wasm$/, '/webgguf/webgguf_bg.wasm');
}

let ready;

/** Fetch and compile the wasm once; a failed fetch may be tried again. */
function initialize(url = ownWasm()) {
  ready ??= init({ module_or_path: url }).catch((e) => {
    ready = undefined;
    throw failure('FETCH_FAILED', `webgguf's own wasm '${url}' can't be loaded: ${e.message ?? e}`, { cause: e });
  });
  return ready;
}

function needWebgpu() {
  if (globalThis.navigator?.gpu) return;
  const why = globalThis.isSecureContext === false
    ? 'the page is not secure: WebGPU needs https, or localhost'
    : 'this browser has no WebGPU, or has it switched off: Chrome and Edge 113, Safari 26 and Firefox 141 have it';
  throw failure('NO_WEBGPU', why);
}

/** JSON of options. NaN and Infinity, which JSON has not, stay visible to the engine, which names what is wrong. */
function toJson(options) {
  return JSON.stringify(options, (_, value) => (typeof value === 'number' && !isFinite(value) ? `${value}` : value));
}

/** Load a model. */
export async function loadModel(source, { worker = false, ...all } = {}) {
  if (worker) return loadRemote(normalize(source), all);
  const { onProgress, signal, wasmUrl, cache, retry, ...options } = all;
  const files = new Files(normalize(source), { signal, cache, retry });
  needWebgpu();
  if (signal?.aborted) throw aborted('the load', signal);
  await initialize(wasmUrl);
  let engine;
  try {
    engine = await Engine.load(files.all, toJson(withBudget(options)), onProgress, signal);
  } finally {
    await files.close(Boolean(engine));
  }
  return new Model(engine, await files.report());
}

/** Whether a model would run here. */
export async function canRun(source, { signal, wasmUrl, cache, retry, ...options } = {}) {
  const files = new Files(normalize(source), { signal, cache, retry });
  needWebgpu();
  if (signal?.aborted) throw aborted('the question', signal);
  await initialize(wasmUrl);
  try {
    return JSON.parse(await can_run(files.all, toJson(withBudget(options)), signal));
  } finally {
    await files.close(false);
  }
}

/** Load the tokenizer and the chat templates alone. */
export async function loadTokenizer(source, { signal, wasmUrl, cache, retry } = {}) {
  const files = new Files(normalize(source), { signal, cache, retry });
  if (signal?.aborted) throw aborted('the load', signal);
  await initialize(wasmUrl);
  try {
    return new Tokenizer(await TextEngine.load(files.all, signal));
  } finally {
    await files.close(false);
  }
}

/** A loaded model. */
export class Model {
  #engine;
  #tokenizer;
  /** Settles once the step that an aborted call left on the GPU is done. */
  #idle;

  /** @internal Use loadModel. */
  constructor(engine, { cache, warnings }) {
    this.#engine = engine;
    this.#tokenizer = new Tokenizer(engine.text());
    const info = JSON.parse(engine.info());
    this.info = Object.freeze({ ...info, cache, warnings: [...info.warnings, ...warnings] });
  }

  get #live() {
    if (!this.#engine) throw failure('INVALID_STATE', 'the model has been destroyed');
    return this.#engine;
  }

  get stats() {
    return JSON.parse(this.#live.stats());
  }

  get #text() {
    return this.#live && this.#tokenizer;
  }

  tokenize(text, options) {
    return this.#text.tokenize(text, options);
  }

  detokenize(ids, options) {
    return this.#text.detokenize(ids, options);
  }

  formatChat(messages, options) {
    return this.#text.formatChat(messages, options);
  }

  chat(options) {
    return new Chat(this, options);
  }

  /** @internal The ids of a chat's prompt. What the model wrote in an earlier turn stays in the ids that it wrote. */
  async chatIds(prompt) {
    await this.#idle; // Then the cache is what it stays.
    return this.#live.chat_ids(prompt);
  }

  async *generate(prompt, { signal, onToken, stop = [], ...options } = {}) {
    if (signal?.aborted) throw aborted('generate', signal);
    await this.#idle;
    const stream = this.#live.generate(this.#text.promptIds(prompt), toJson({ ...options, stop: [stop].flat() }));
    let step;
    let abort;
    const stopped = new Promise((_, reject) => {
      abort = () => reject(aborted('generate', signal));
      signal?.addEventListener('abort', abort, { once: true });
    });
    stopped.catch(() => {}); // It may fire while the caller holds a piece of text; the loop sees it then.
    try {
      while (!signal?.aborted) {
        step = stream.next();
        const text = await Promise.race([stopped, step]);
        if (onToken) stream.take_ids().forEach((id) => onToken(id));
        if (text === undefined) return;
        if (text) yield text;
      }
      throw aborted('generate', signal);
    } finally {
      signal?.removeEventListener('abort', abort);
      stream.stop();
      this.#idle = Promise.allSettled([step]).then(() => stream.free());
    }
  }

  async captureActivations(prompt, { decodeSteps = 0 } = {}) {
    await this.#idle;
    return this.#live.capture(this.#text.promptIds(prompt), decodeSteps);
  }

  /** @internal What the weights on the GPU are: for tests of loading. */
  async weightsChecksum() {
    await this.#idle;
    return this.#live.weights_checksum();
  }

  destroy() {
    this.#engine?.destroy();
    this.#engine = undefined;
  }
}
