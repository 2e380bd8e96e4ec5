// Vectors of texts. The types and their documentation are in embed.d.ts.
import { boundary, callWasm, failure, guarded, hearing, shown, unlessAborted } from './errors.js';
import { Events } from './events.js';
import { Lifetime, Recovery } from './lifetime.js';
import { detectProfile, optionsOf } from './options.js';
import { Files, normalize } from './source/source.js';
import { Wasm, needWebgpu } from './wasm.js';
import init, { EmbedEngine, on_panic } from './webgguf_embed.js';

export { isWebggufError } from './errors.js';

const wasm = /* @__PURE__ */ new Wasm(() => new URL('./webgguf_embed_bg.wasm', import.meta.url), { default: init, on_panic });

/** @see embed.d.ts */
export async function loadEmbedder(source, options) {
  const { onProgress, signal, wasmUrl, cache, retry, hub, profile = detectProfile(), ...more } = optionsOf('loadEmbedder', options);
  const load = boundary(async (hooks) => {
    const reading = { cache, retry, hub };
    const parts = await normalize(source, { ...reading, signal: hooks.signal });
    const loadEngine = boundary(async ({ onProgress, signal }) => {
      const files = new Files(parts, { ...reading, signal });
      needWebgpu();
      const engine = await wasm.readFiles(files, 'the load', { signal, wasmUrl, whole: true }, () =>
        callWasm(() => EmbedEngine.load(files.all, { ...more, profile }, onProgress, signal)));
      return { engine: guarded(engine), report: await files.report() };
    });
    return new Embedder(loadEngine, await loadEngine(hooks));
  });
  return hearing({ onProgress, signal }, load);
}

/** What is embedded: strings. */
function checked(texts) {
  const odd = Array.isArray(texts) ? texts.findIndex((text) => typeof text !== 'string') : -1;
  if (Array.isArray(texts) && odd < 0) return texts;
  const what = Array.isArray(texts) ? `text ${odd} is ${shown(texts[odd])}` : `the texts are ${shown(texts)}`;
  throw failure('INVALID_ARGUMENT', `${what}; a string or an array of strings is allowed`);
}

/** An encoder, on this thread's GPU. */
export class Embedder {
  #life;
  #info;
  #events = new Events(['devicelost']);
  #recovery = new Recovery();
  /** Settles once the calls so far are done. */
  #last = Promise.resolve();

  /** @internal Use loadEmbedder. */
  constructor(load, loaded) {
    this.#life = new Lifetime('the embedder', load, {
      adopted: ({ engine, report: { cache } }) => (this.#info = Object.freeze({ ...engine.info(), cache })),
      lost: (message) => this.#events.emit('devicelost', { message }),
    });
    this.#life.adopt(loaded);
  }

  get info() {
    return this.#info;
  }

  get isLoaded() {
    return this.#life.isLoaded;
  }

  on(name, listener) {
    return this.#events.on(name, listener);
  }

  async embed(texts, options) {
    const { signal, onProgress, ...more } = optionsOf('embed', options);
    const all = typeof texts === 'string' ? [texts] : [...checked(texts)];
    this.#life.check();
    const run = (hooks) => {
      const call = this.#last.then(() => this.#embed(all, more, hooks));
      this.#last = call.catch(() => {});
      return unlessAborted(call, 'embed', hooks.signal);
    };
    const vectors = await hearing({ signal, onProgress }, run);
    return typeof texts === 'string' ? vectors[0] : vectors;
  }

  async #embed(texts, options, { signal, onProgress }) {
    await this.#recovery.over();
    const engine = this.#life.live;
    if (signal.aborted) return undefined; // Nobody waits for it.
    try {
      const { data, dimensions } = await engine.embed(texts, options, onProgress, signal);
      return texts.map((_, i) => data.subarray(i * dimensions, (i + 1) * dimensions));
    } catch (e) {
      throw this.#life.why(e);
    }
  }

  count(text, options) {
    const { prefix = '' } = optionsOf('embedder.count', options);
    const [checkedText] = checked([text]);
    return this.#life.live.count(checkedText, prefix);
  }

  recover(options) {
    return this.#recovery.run(options, (hooks) => this.#life.reload(hooks, this.#last));
  }

  destroy() {
    this.#life.destroy();
  }
}

/** @see embed.d.ts */
export function similarity(a, b) {
  if (!(a?.length === b?.length && a?.length >= 0)) {
    throw failure('INVALID_ARGUMENT', `vectors of ${shown(a?.length)} and of ${shown(b?.length)} elements are compared; they must have the same number`);
  }
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  const lengths = Math.sqrt(aa * bb);
  return lengths > 0 ? Math.min(1, Math.max(-1, ab / lengths)) : 0;
}
