// The public API of webgguf. The types and their documentation are in index.d.ts.
import init, { Engine } from './webgguf.js';

/** The one way errors look: an Error with a stable `code`. */
function failure(code, message, name = 'WebggufError') {
  return Object.assign(new Error(message), { name, code });
}

const aborted = (what) => failure('ABORTED', `${what} was aborted by the caller's signal`, 'AbortError');

let ready;

/** Fetch and compile the wasm once; a failed fetch may be tried again. */
function initialize() {
  ready ??= init().catch((e) => {
    ready = undefined;
    throw failure('FETCH_FAILED', `webgguf's own wasm can't be loaded: ${e.message ?? e}`);
  });
  return ready;
}

function normalize(source) {
  if (typeof source === 'string' || source instanceof URL) return new URL(source, globalThis.location?.href).href;
  if (source instanceof Blob) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return new Blob([source]);
  throw failure('INVALID_ARGUMENT', `the source is ${source}; a URL, Blob, File, ArrayBuffer or Uint8Array is allowed`);
}

export async function loadModel(source, { onProgress, signal, ...options } = {}) {
  const from = normalize(source);
  await initialize();
  return new Model(await Engine.load(from, JSON.stringify(options), onProgress, signal));
}

export class Model {
  #engine;

  /** @internal Use loadModel. */
  constructor(engine) {
    this.#engine = engine;
    this.info = Object.freeze(JSON.parse(engine.info()));
  }

  get #live() {
    if (!this.#engine) throw failure('INVALID_STATE', 'the model has been destroyed');
    return this.#engine;
  }

  get stats() {
    return JSON.parse(this.#live.stats());
  }

  tokenize(text, { addSpecial = false, parseSpecial = true } = {}) {
    return this.#live.tokenize(text, addSpecial, parseSpecial);
  }

  detokenize(ids, { showSpecial = false } = {}) {
    return this.#live.detokenize(Uint32Array.from(ids), showSpecial);
  }

  async *generate(prompt, { signal, ...options } = {}) {
    if (signal?.aborted) throw aborted('generate');
    const stream = this.#live.generate(prompt, JSON.stringify(options));
    try {
      for (;;) {
        const text = await stream.next();
        if (signal?.aborted) throw aborted('generate');
        if (text === undefined) return;
        if (text) yield text;
      }
    } finally {
      stream.stop();
      stream.free();
    }
  }

  async captureActivations(prompt, { decodeSteps = 0 } = {}) {
    const ids = typeof prompt === 'string' ? this.tokenize(prompt, { addSpecial: true }) : Uint32Array.from(prompt);
    return this.#live.capture(ids, decodeSteps);
  }

  destroy() {
    this.#engine?.destroy();
    this.#engine = undefined;
  }
}
