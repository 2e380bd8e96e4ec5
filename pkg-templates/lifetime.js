// An engine of the wasm and the GPU device it lives on: lost, loaded again, destroyed.
import { failure, hearing, unlessAborted } from './errors.js';
import { optionsOf } from './options.js';

/** Milliseconds to wait for a GPU that comes back, and between looks. */
const GPU_RETURNS_MS = 10_000;
const LOOK_MS = 250;

/** Nothing can be asked of what is destroyed. */
export const destroyed = (what) => failure('INVALID_STATE', `${what} has been destroyed`);
/** What a call that was under way fails with. */
export const destroyedMeanwhile = (what, cause) =>
  failure('DEVICE_LOST', `${what} was destroyed while this call ran`, { cause });

/** Recoveries, one at a time: who asks during one waits for the same. */
export class Recovery {
  #running;

  /** Load again by `reload(hooks)`; `options` are those of `recover`. */
  async run(options, reload) {
    const { onProgress, signal } = optionsOf('recover', options);
    this.#running ??= hearing({ onProgress, signal }, reload).finally(() => (this.#running = undefined));
    return unlessAborted(this.#running, 'the recovery', signal);
  }

  /** Resolves once none is under way, however it ended. */
  async over() {
    await this.#running?.catch(() => {});
  }
}

export class Lifetime {
  #what;
  #load;
  #hooks;
  #engine;
  #isLost = false;
  #isDestroyed = false;
  /** Why there is no engine. */
  #gone;

  /**
   * @param {string} what  whose engine it is, in messages: 'the model'
   * @param {Function} load  loads one anew: `({ onProgress, signal }) => ({ engine, … })`
   * @param {object} hooks  `adopted(loaded)` is told what a load brought, `leaves(engine)` that one goes, `lost(message)`
   */
  constructor(what, load, hooks) {
    this.#what = what;
    this.#load = load;
    this.#hooks = hooks;
  }

  /** Take what a load brought. */
  adopt(loaded) {
    const { engine } = loaded;
    this.#engine = engine;
    this.#isLost = false;
    this.#hooks.adopted(loaded);
    const heard = (message) => {
      if (this.#engine !== engine) return;
      this.#isLost = true;
      this.#hooks.lost(message);
    };
    engine.lost().then(heard, () => {}); // Where the wasm fails, each call says so.
  }

  /** The engine; undefined where there is none. */
  get engine() {
    return this.#engine;
  }

  /** The engine of a call. */
  get live() {
    this.check();
    if (!this.#engine) throw failure('INVALID_STATE', this.#gone);
    return this.#engine;
  }

  get isLoaded() {
    return Boolean(this.#engine) && !this.#isLost;
  }

  /** Fails once it is destroyed. */
  check() {
    if (this.#isDestroyed) throw this.destroyed();
  }

  destroyed() {
    return destroyed(this.#what);
  }

  /** What a call failed with. */
  why(cause) {
    return this.#isDestroyed ? destroyedMeanwhile(this.#what, cause) : cause;
  }

  /** The engine and its GPU memory go; calls fail with the reason. */
  #release(reason) {
    const engine = this.#engine;
    this.#engine = undefined;
    this.#gone = reason;
    if (engine) this.#hooks.leaves?.(engine);
    engine?.destroy();
  }

  /** Load again, in place of what there is, once nothing runs on it: `idle` settles then. */
  async reload(hooks, idle) {
    this.check();
    this.#release(`${this.#what} is being recovered`);
    await idle;
    const end = performance.now() + GPU_RETURNS_MS;
    for (;;) {
      try {
        const loaded = await this.#load(hooks);
        if (!this.#isDestroyed) return this.adopt(loaded);
        loaded.engine.destroy();
        throw this.destroyed();
      } catch (e) {
        // After its process has ended, it takes the browser a moment to have a GPU again.
        if (e.code !== 'NO_WEBGPU' || performance.now() > end || this.#isDestroyed) {
          this.#gone = `the GPU device was lost, and the last try to recover ${this.#what} failed`;
          throw e;
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
  }

  destroy() {
    this.#isDestroyed = true;
    this.#release();
  }
}
