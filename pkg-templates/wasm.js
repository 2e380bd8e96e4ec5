// The wasm of a family of models: found, fetched and compiled once, and how it reads files.
import { advice, unmoved } from './beside.js';
import { aborted, breakDown, failure, shown } from './errors.js';
import { platform } from './platform.js';

/** Whether the page's policy forbids wasm: all that there is of this module is its first eight bytes. */
function wasmForbidden() {
  try {
    return !new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return true;
  }
}

export function needWebgpu() {
  if (globalThis.navigator?.gpu && platform.gpu !== false) return;
  const why = globalThis.isSecureContext === false
    ? 'the page is not secure: WebGPU needs https, or localhost'
    : platform.noWebgpu ?? 'this browser has no WebGPU, or has it switched off: Chrome and Edge 113, Safari 26 and Firefox 141 have it';
  throw failure('NO_WEBGPU', why);
}

export class Wasm {
  #own;
  #init;
  #onPanic;
  #ready;

  /**
   * @param {() => URL} own  where it lies: `new URL(…, import.meta.url)`, so that bundlers find it and ship it. Called when
   *   it is needed, since code that was bundled into a script has no such address
   * @param {object} module  what wasm-bindgen made: `default` and `on_panic`
   */
  constructor(own, { default: init, on_panic: onPanic }) {
    this.#own = () => unmoved(own().href);
    this.#init = init;
    this.#onPanic = onPanic;
  }

  /** Fetch and compile it once; a failed fetch may be tried again. */
  initialize(url = this.#own()) {
    const failed = (e) => {
      this.#ready = undefined;
      const [code, why] = wasmForbidden()
        ? ['BLOCKED', "the page's Content-Security-Policy needs script-src 'wasm-unsafe-eval'"]
        : ['FETCH_FAILED', `${e.message ?? e}; ${advice('wasmUrl')}`];
      throw failure(code, `webgguf's own wasm '${shown(url)}' can't be loaded: ${why}`, { cause: e });
    };
    const compiled = () => this.#init({ module_or_path: platform.readWasm?.(url) ?? url });
    this.#ready ??= compiled().then(() => this.#onPanic(breakDown)).catch(failed);
    return this.#ready;
  }

  /** Have it read a model's files, and close them; `whole` if it reads all that there is. */
  async readFiles(files, what, { signal, wasmUrl, whole = false }, read) {
    if (signal?.aborted) throw aborted(what, signal);
    await this.initialize(wasmUrl);
    let complete = false;
    try {
      const result = await read();
      complete = whole;
      return result;
    } finally {
      await files.close(complete);
    }
  }
}
