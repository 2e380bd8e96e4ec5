// The one way errors look, and how what is thrown elsewhere comes to look so.

/** An Error with a stable `code`. */
export function failure(code, message, options) {
  return Object.assign(new Error(message, options), { name: code === 'ABORTED' ? 'AbortError' : 'WebggufError', code });
}

export const aborted = (what, signal) =>
  failure('ABORTED', `${what} was aborted by the caller's signal`, { cause: signal.reason });

/** @see index.d.ts */
export const isWebggufError = (e) =>
  typeof e?.code === 'string' && (e.name === 'WebggufError' || (e.name === 'AbortError' && e.code === 'ABORTED'));

/** A value in a message, whatever it is. */
export function shown(value) {
  try {
    return String(value);
  } catch {
    return `a ${typeof value}`;
  }
}

/** What a promise brings, unless the signal fires before. */
export async function unlessAborted(promise, what, signal) {
  let abort;
  const stopped = new Promise((_, reject) => {
    abort = () => reject(aborted(what, signal));
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
  });
  try {
    return await Promise.race([stopped, promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** What is thrown, with a code: all but our own is a defect. */
const coded = (e) => (isWebggufError(e) ? e : failure('INTERNAL', shown(e?.message ?? e), { cause: e }));

/** Why the wasm can't be called any more, once it has failed in the middle of something. */
let broken;
/** What to tell calls that wait for the wasm when it breaks: a promise of its own does not settle then. */
const waiting = new Set();

/** The wasm has failed; `why` of the first failure counts. */
export function breakDown(why) {
  broken ??= failure('INTERNAL', `webgguf's wasm has failed, load the page again, or what is in a worker: ${why}`);
  for (const reject of [...waiting]) reject(broken);
}

/** Whether an error is the wasm's end: a trap, or a stack that was too deep for it. */
const isTrap = (e) => e instanceof WebAssembly.RuntimeError || e instanceof RangeError || e?.name === 'InternalError';

// A trap in a promise's callback is nobody's to catch. Other wasm of the page has other addresses.
globalThis.addEventListener?.('error', ({ error: e }) => isTrap(e) && /webgguf\w*_bg/.test(e.stack) && breakDown(e.message));

/** The result of a call of the wasm. */
export function callWasm(call) {
  if (broken) throw broken;
  let result;
  try {
    result = call();
  } catch (e) {
    if (!isTrap(e)) throw coded(e);
    breakDown(e.message);
    throw broken;
  }
  if (!(result instanceof Promise)) return result;
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    const settled = () => waiting.delete(reject);
    result.then(resolve, (e) => reject(coded(e))).then(settled);
  });
}

/** A function whose failures all have codes. */
export const boundary =
  (call) =>
  async (...args) => {
    try {
      return await call(...args);
    } catch (e) {
      throw coded(e);
    }
  };

/**
 * Run a load, or another call, whose progress the caller hears. What `onProgress` throws ends it and comes to the caller as it is.
 */
export async function hearing({ onProgress, signal }, load) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  let thrown;
  const heard = (progress) => {
    try {
      if (!thrown) onProgress(progress);
    } catch (error) {
      thrown = { error };
      controller.abort(error);
    }
  };
  try {
    const loaded = await load({ onProgress: onProgress && heard, signal: controller.signal });
    if (thrown) loaded?.destroy?.();
    if (!thrown) return loaded;
  } catch (e) {
    if (!thrown) throw e;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  throw thrown.error;
}

/** An object of the wasm whose methods are called by `callWasm`. */
export const guarded = (object) =>
  new Proxy(object, {
    get: (target, name) =>
      typeof target[name] === 'function' ? (...args) => callWasm(() => target[name](...args)) : target[name],
  });
