// The public API of webgguf. The types and their documentation are in index.d.ts.
import { Chat } from './chat.js';
import { aborted, failure } from './errors.js';
import { Tokenizer } from './tokenizer.js';
import init, { Engine, TextEngine } from './webgguf.js';

export { Chat, Tokenizer };

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

/** The source as the engine takes it: an absolute URL or a Blob. */
function normalize(source) {
  if (source instanceof Blob) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return new Blob([source]);
  if (typeof source === 'string' || source instanceof URL) {
    try {
      return new URL(source, globalThis.location?.href).href;
    } catch {
      throw failure('INVALID_ARGUMENT', `the source '${source}' is no URL`);
    }
  }
  throw failure('INVALID_ARGUMENT', `the source is ${source}; a URL, Blob, File, ArrayBuffer or Uint8Array is allowed`);
}

/** JSON of options. NaN and Infinity, which JSON has not, stay visible to the engine, which names what is wrong. */
function toJson(options) {
  return JSON.stringify(options, (_, value) => (typeof value === 'number' && !isFinite(value) ? `${value}` : value));
}

/** Load a model. */
export async function loadModel(source, { onProgress, signal, wasmUrl, ...options } = {}) {
  const from = normalize(source);
  needWebgpu();
  if (signal?.aborted) throw aborted('the load', signal);
  await initialize(wasmUrl);
  return new Model(await Engine.load(from, toJson(options), onProgress, signal));
}

/** Load the tokenizer and the chat templates alone. */
export async function loadTokenizer(source, { signal, wasmUrl } = {}) {
  const from = normalize(source);
  if (signal?.aborted) throw aborted('the load', signal);
  await initialize(wasmUrl);
  return new Tokenizer(await TextEngine.load(from, signal));
}

/** A loaded model. */
export class Model {
  #engine;
  #tokenizer;
  /** Settles once the step that an aborted call left on the GPU is done. */
  #idle;

  /** @internal Use loadModel. */
  constructor(engine) {
    this.#engine = engine;
    this.#tokenizer = new Tokenizer(engine.text());
    this.info = Object.freeze(JSON.parse(engine.info()));
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
    const ids = async (prompt) => {
      await this.#idle; // Then the cache is what it stays.
      return this.#live.chat_ids(prompt);
    };
    return new Chat(this, ids, options);
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

  destroy() {
    this.#engine?.destroy();
    this.#engine = undefined;
  }
}
