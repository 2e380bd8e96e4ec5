// A stream of chunks, and what ends it.
import { asApiError } from './errors.js';

/** A controller that a signal aborts, too, until `release` is called. */
export function stopping(signal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  return { controller, release: () => signal?.removeEventListener('abort', abort) };
}

/** A stream of chunks that its reader may end by `controller`, as that of the official client. */
export class ChunkStream {
  #chunks;
  #release;

  constructor(chunks, { controller, release }) {
    this.#chunks = chunks;
    this.#release = release;
    this.controller = controller;
  }

  async *[Symbol.asyncIterator]() {
    try {
      yield* this.#chunks;
    } catch (e) {
      if (!this.controller.signal.aborted) throw asApiError(e);
    } finally {
      this.#release();
    }
  }
}
