// Hands in pictures and videos. The types and their documentation are in hands.d.ts.
import { unmoved } from './beside.js';
import { boundary, callWasm, failure, guarded, hearing, shown, unlessAborted } from './errors.js';
import { Events } from './events.js';
import { Lifetime, Recovery } from './lifetime.js';
import { detectProfile, optionsOf } from './options.js';
import { Files, normalize } from './source/source.js';
import { Wasm, needWebgpu } from './wasm.js';
import init, { HandsEngine, on_panic } from './webgguf_hands.js';

export { isWebggufError } from './errors.js';

const wasm = /* @__PURE__ */ new Wasm(() => new URL('./webgguf_hands_bg.wasm', import.meta.url), { default: init, on_panic });

/** The networks that come with the package. */
const ownModel = () => unmoved(new URL('./hands-lite.gguf', import.meta.url).href);

/** What can be looked at: the kind, the names of its width and height, and whether one follows the other in time. */
const PICTURES = [
  ['HTMLVideoElement', 'videoWidth', 'videoHeight', true],
  ['VideoFrame', 'displayWidth', 'displayHeight', true],
  ['HTMLCanvasElement', 'width', 'height', true],
  ['OffscreenCanvas', 'width', 'height', true],
  ['HTMLImageElement', 'naturalWidth', 'naturalHeight', false],
  ['ImageBitmap', 'width', 'height', false],
  ['ImageData', 'width', 'height', false],
];

/** The size of a picture, and whether it is one of a video. */
function describe(picture) {
  // By its name: a picture of another window is one, too.
  const names = [];
  for (let p = picture; typeof p === 'object' && p !== null; p = Object.getPrototypeOf(p)) names.push(p[Symbol.toStringTag]);
  const kind = PICTURES.find(([name]) => names.includes(name));
  if (!kind) {
    const allowed = PICTURES.map(([name]) => name).join(', ');
    throw failure('INVALID_ARGUMENT', `the picture is ${shown(picture)}; ${allowed} are allowed`);
  }
  const [name, width, height, isVideo] = kind;
  const size = { width: picture[width], height: picture[height], isVideo };
  if (!size.width || !size.height) {
    const why = name === 'HTMLVideoElement' || name === 'HTMLImageElement' ? 'it is not loaded yet' : 'it is empty, or closed';
    throw failure('INVALID_ARGUMENT', `the picture, of type ${name}, is ${size.width} x ${size.height} pixels large: ${why}`);
  }
  return size;
}

/** The pixels of a picture, by way of a canvas. */
function pixelsOf(picture, width, height) {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(picture, 0, 0, width, height);
  try {
    return context.getImageData(0, 0, width, height);
  } catch (e) {
    throw failure('INVALID_ARGUMENT', `the picture can't be read, it is of another origin that does not allow it: ${e.message}`, { cause: e });
  }
}

/** @see hands.d.ts */
export async function loadHands(source, options) {
  const { onProgress, signal, wasmUrl, cache, retry, hub, ...more } = optionsOf('loadHands', options);
  const load = boundary(async (hooks) => {
    const reading = { cache, retry, hub };
    const parts = await normalize(source ?? ownModel(), { ...reading, signal: hooks.signal });
    const loadEngine = boundary(async ({ onProgress, signal }) => {
      const files = new Files(parts, { ...reading, signal });
      needWebgpu();
      const engine = await wasm.readFiles(files, 'the load', { signal, wasmUrl, whole: true }, () =>
        callWasm(() => HandsEngine.load(files.all, { ...more, profile: detectProfile() }, onProgress, signal)));
      return { engine: guarded(engine), report: await files.report() };
    });
    return new Hands(loadEngine, await loadEngine(hooks));
  });
  return hearing({ onProgress, signal }, load);
}

/** Networks that find hands, on this thread's GPU. */
export class Hands {
  #life;
  #info;
  #stats;
  #events = new Events(['devicelost']);
  #recovery = new Recovery();
  /** Whether the next picture has nothing to do with the last one. */
  #isFresh = false;
  /** Settles once the calls so far are done. */
  #last = Promise.resolve();

  /** @internal Use loadHands. */
  constructor(load, loaded) {
    this.#life = new Lifetime('the hand tracker', load, {
      adopted: ({ engine, report: { cache } }) => (this.#info = Object.freeze({ ...engine.info(), cache })),
      leaves: (engine) => (this.#stats = engine.stats()),
      lost: (message) => this.#events.emit('devicelost', { message }),
    });
    this.#life.adopt(loaded);
  }

  get info() {
    return this.#info;
  }

  get stats() {
    this.#life.check();
    return this.#life.engine?.stats() ?? this.#stats;
  }

  get isLoaded() {
    return this.#life.isLoaded;
  }

  on(name, listener) {
    return this.#events.on(name, listener);
  }

  async detect(picture, options) {
    const { timestamp = performance.now(), tracking, signal } = optionsOf('detect', options);
    const call = this.#last.then(() => this.#detect(picture, timestamp, tracking, signal));
    this.#last = call.catch(() => {});
    return unlessAborted(call, 'detect', signal);
  }

  async #detect(picture, timestamp, tracking, signal) {
    await this.#recovery.over();
    const engine = this.#life.live;
    if (signal?.aborted) return undefined; // Nobody waits for it.
    const { width, height, isVideo } = describe(picture);
    if (this.#isFresh || !(tracking ?? isVideo)) engine.reset();
    this.#isFresh = false;
    const look = (picture) => engine.detect(picture, width, height, timestamp / 1e3);
    try {
      // Not every browser's WebGPU takes every kind.
      return await look(picture).catch((e) => {
        if (e.code !== 'INVALID_ARGUMENT' || picture instanceof ImageData) throw e;
        return look(pixelsOf(picture, width, height));
      });
    } catch (e) {
      throw this.#life.why(e);
    }
  }

  reset() {
    this.#life.check();
    this.#isFresh = true;
  }

  recover(options) {
    return this.#recovery.run(options, (hooks) => this.#life.reload(hooks, this.#last));
  }

  destroy() {
    this.#life.destroy();
  }
}
