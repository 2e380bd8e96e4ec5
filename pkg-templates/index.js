// The public API of webgguf. The types and their documentation are in index.d.ts.
import * as cache from './cache.js';
import { Chat } from './chat.js';
import { aborted, boundary, breakDown, callWasm, failure, given, guarded, shown, toJson } from './errors.js';
import { Events } from './events.js';
import { withBudget } from './memory.js';
import { loadRemote } from './remote.js';
import { Files, normalize, removeCached as remove } from './source.js';
import { Tokenizer, chatArguments } from './tokenizer.js';
import init, { Engine, TextEngine, can_run, on_panic } from './webgguf.js';

export { Chat, Tokenizer };
export { isWebggufError } from './errors.js';
/** What the cache has, and what becomes of it. */
export const listCached = boundary(cache.listCached);
export const persist = boundary(cache.persist);
export const removeCached = boundary(remove);

/**
 * Where the wasm lies: beside this file. Written so that bundlers find it and ship it. Vite before version 8 moves
 * this file, not the wasm, into its cache when it serves a page in development.
 */
function ownWasm() {
  const { href } = new URL('./webgguf_bg.wasm', import.meta.url);
  return href.replace(/\/\.vite\/deps\/webgguf_bg\.wasm$/, '/webgguf/webgguf_bg.wasm');
}

/** Whether the page's policy forbids wasm: all that there is of this module is its first eight bytes. */
function wasmForbidden() {
  try {
    return !new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return true;
  }
}

let ready;

/** Fetch and compile the wasm once; a failed fetch may be tried again. */
function initialize(url = ownWasm()) {
  const failed = (e) => {
    ready = undefined;
    const [code, why] = wasmForbidden()
      ? ['BLOCKED', "the page's Content-Security-Policy needs script-src 'wasm-unsafe-eval'"]
      : ['FETCH_FAILED', e.message ?? e];
    throw failure(code, `webgguf's own wasm '${shown(url)}' can't be loaded: ${why}`, { cause: e });
  };
  ready ??= init({ module_or_path: url }).then(() => on_panic(breakDown)).catch(failed);
  return ready;
}

function needWebgpu() {
  if (globalThis.navigator?.gpu) return;
  const why = globalThis.isSecureContext === false
    ? 'the page is not secure: WebGPU needs https, or localhost'
    : 'this browser has no WebGPU, or has it switched off: Chrome and Edge 113, Safari 26 and Firefox 141 have it';
  throw failure('NO_WEBGPU', why);
}

const WHOLE = ['a whole number from 0 to 4294967295', (v) => Number.isInteger(v) && v >= 0 && v < 2 ** 32];
const NUMBER = ['a number', Number.isFinite];
const FLAG = ['true or false', (v) => typeof v === 'boolean'];
const NAME = ['a name', (v) => typeof v === 'string'];

/** What the engine's options are. Their ranges, and options that there are not, it names itself. */
const KINDS = {
  contextLength: WHOLE,
  kvCache: NAME,
  profile: NAME,
  maxTokens: WHOLE,
  temperature: NUMBER,
  topK: WHOLE,
  topP: NUMBER,
  minP: NUMBER,
  repeatPenalty: NUMBER,
  seed: WHOLE,
  ignoreEnd: FLAG,
  showSpecial: FLAG,
};

/** JSON of options; null is as good as nothing. */
function optionsJson(options) {
  for (const [name, [allowed, is]] of Object.entries(KINDS)) {
    const value = options[name] ?? undefined;
    if (value === undefined || is(value)) continue;
    const found = typeof value === 'string' ? `"${value}"` : shown(value);
    throw failure('INVALID_ARGUMENT', `${name} is ${found}, ${allowed} is allowed`);
  }
  return toJson('the options', options);
}

/** What Safari on phones and tablets bears is less than it says. Tablets call themselves Macintosh. */
function detectProfile({ userAgent = '', maxTouchPoints = 0 } = globalThis.navigator ?? {}) {
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1) ? 'ios' : 'full';
}

/** Have the wasm read a model's files, and close them; `whole` if it reads all that there is. */
async function readFiles(files, what, { signal, wasmUrl, whole = false }, read) {
  if (signal?.aborted) throw aborted(what, signal);
  await initialize(wasmUrl);
  let complete = false;
  try {
    const result = await read();
    complete = whole;
    return result;
  } finally {
    await files.close(complete);
  }
}

/** Load a model. */
export const loadModel = boundary(async (source, options) => {
  const { worker = false, profile = detectProfile(), ...all } = given(options);
  const parts = normalize(source);
  if (worker) return loadRemote(parts, { ...all, profile });
  const { onProgress, signal, wasmUrl, cache, retry, ...more } = all;
  /** Load the engine; again, if its device was lost. */
  const load = boundary(async ({ onProgress, signal }) => {
    const files = new Files(parts, { signal, cache, retry });
    needWebgpu();
    const engine = await readFiles(files, 'the load', { signal, wasmUrl, whole: true }, () =>
      callWasm(() => Engine.load(files.all, optionsJson(withBudget({ ...more, profile })), onProgress, signal)));
    return { engine: guarded(engine), report: await files.report() };
  });
  return new Model(load, await load({ onProgress, signal }));
});

/** Whether a model would run here. */
export const canRun = boundary(async (source, options) => {
  const { signal, wasmUrl, cache, retry, profile = detectProfile(), ...more } = given(options);
  const files = new Files(normalize(source), { signal, cache, retry });
  needWebgpu();
  const json = await readFiles(files, 'the question', { signal, wasmUrl }, () =>
    callWasm(() => can_run(files.all, optionsJson(withBudget({ ...more, profile })), signal)));
  return JSON.parse(json);
});

/** Load the tokenizer and the chat templates alone. */
export const loadTokenizer = boundary(async (source, options) => {
  const { signal, wasmUrl, cache, retry } = given(options);
  const files = new Files(normalize(source), { signal, cache, retry });
  const load = () => callWasm(() => TextEngine.load(files.all, signal));
  return new Tokenizer(guarded(await readFiles(files, 'the load', { signal, wasmUrl }, load)));
});

const RECOVERING = 'the model is being recovered';
const LOST = 'the GPU device was lost, and the last try to recover the model failed';

/** Milliseconds to wait for a GPU that comes back, and between looks. */
const GPU_RETURNS_MS = 10_000;
const LOOK_MS = 250;

/** A loaded model. */
export class Model {
  #load;
  #engine;
  #tokenizer;
  #info;
  #events = new Events(['devicelost']);
  #history = [];
  /** Where in it what the model wrote begins, and the end of that text which the caller has not got. */
  #from = 0;
  #missing = '';
  /** Why there is no engine. */
  #gone;
  /** Settles once the step that an aborted call left on the GPU is done. */
  #idle;

  /** @internal Use loadModel. */
  constructor(load, loaded) {
    this.#load = load;
    this.#adopt(loaded);
  }

  #adopt({ engine, report: { cache, warnings } }) {
    this.#engine = engine;
    this.#tokenizer = new Tokenizer(guarded(engine.text()));
    const info = JSON.parse(engine.info());
    this.#info = Object.freeze({ ...info, cache, warnings: [...info.warnings, ...warnings] });
    const heard = (message) => this.#engine === engine && this.#events.emit('devicelost', { message });
    engine.lost().then(heard, () => {}); // Where the wasm fails, each call says so.
  }

  get #live() {
    if (!this.#engine) throw failure('INVALID_STATE', this.#gone);
    return this.#engine;
  }

  /** The engine and its GPU memory go; calls fail with the reason. */
  #release(reason) {
    const engine = this.#engine;
    this.#engine = undefined;
    this.#gone = reason;
    engine?.destroy();
  }

  get info() {
    return this.#info;
  }

  get history() {
    return Uint32Array.from(this.#history);
  }

  on(name, listener) {
    return this.#events.on(name, listener);
  }

  async recover(options) {
    const { onProgress, signal } = given(options);
    if (!this.#engine && this.#gone !== LOST) throw failure('INVALID_STATE', this.#gone);
    this.#release(RECOVERING);
    await this.#idle;
    const end = performance.now() + GPU_RETURNS_MS;
    for (;;) {
      try {
        const loaded = await this.#load({ onProgress, signal });
        if (this.#gone === RECOVERING) return this.#adopt(loaded);
        return loaded.engine.destroy(); // The model was destroyed meanwhile.
      } catch (e) {
        // After its process has ended, it takes the browser a moment to have a GPU again.
        if (e.code !== 'NO_WEBGPU' || performance.now() > end || this.#gone !== RECOVERING) {
          if (this.#gone === RECOVERING) this.#gone = LOST;
          throw e;
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
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

  tokenizeChat(messages, options) {
    return this.#text.tokenizeChat(messages, options);
  }

  chat(options) {
    return new Chat(this, options);
  }

  /** @internal As `tokenizeChat`, but what the model wrote in an earlier turn stays in the ids that it wrote. */
  async chatIds(messages, options) {
    await this.#idle; // Then the cache is what it stays.
    return this.#live.chat_ids(...chatArguments(messages, options));
  }

  async *generate(prompt, options) {
    const { signal, onToken, stop = [], parseSpecial, ...more } = given(options);
    if (signal?.aborted) throw aborted('generate', signal);
    await this.#idle;
    const promptIds = this.#text.promptIds(prompt, { parseSpecial });
    const goesOn = promptIds.length === this.#history.length && promptIds.every((id, i) => id === this.#history[i]);
    const [from, missing] = goesOn ? [this.#from, this.#missing] : [promptIds.length, ''];
    const json = optionsJson({ ...more, stop: [stop].flat() });
    const stream = guarded(this.#live.generate(promptIds, json, promptIds.length - from, missing));
    this.#history = Array.from(promptIds);
    [this.#from, this.#missing] = [from, missing];
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
        const ids = stream.take_ids();
        for (const id of ids) this.#history.push(id);
        this.#missing = stream.missing();
        if (onToken) ids.forEach((id) => onToken(id));
        if (text === undefined) return;
        if (text) yield text;
      }
      throw aborted('generate', signal);
    } finally {
      signal?.removeEventListener('abort', abort);
      stream.stop();
      this.#idle = Promise.allSettled([step]).then(() => stream.free()).catch(() => {});
    }
  }

  async captureActivations(prompt, options) {
    const { decodeSteps = 0 } = given(options);
    await this.#idle;
    return this.#live.capture(this.#text.promptIds(prompt), decodeSteps);
  }

  /** @internal What the weights on the GPU are: for tests of loading. */
  async weightsChecksum() {
    await this.#idle;
    return this.#live.weights_checksum();
  }

  destroy() {
    this.#release('the model has been destroyed');
  }
}
