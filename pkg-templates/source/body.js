// Streams of bytes, read without leaving garbage behind.

/** Bytes read at a time, at most. */
const CHUNK_BYTES = 1 << 18;

/**
 * A reader that fills a buffer of ours, or, where the browser has none such, one that brings its own. Without it each
 * chunk is garbage, and browsers let more than a hundred megabytes of that pile up.
 */
function readerOf(stream) {
  try {
    return { reader: stream.getReader({ mode: 'byob' }), byob: true };
  } catch {
    return { reader: stream.getReader(), byob: false };
  }
}

/** The bytes of a file from byte `at`, chunk by chunk. A chunk is good until the next read. */
export class Body {
  #reader;
  #buffer;
  /** What was read beyond what was asked for. */
  #left;

  constructor(stream, at) {
    const { reader, byob } = readerOf(stream);
    this.#reader = reader;
    if (byob) this.#buffer = new ArrayBuffer(CHUNK_BYTES);
    /** Where in the file the next byte is. */
    this.at = at;
  }

  /** The next bytes, `max` at most; undefined at the end. */
  async read(max) {
    let chunk = this.#left;
    this.#left = undefined;
    while (!chunk?.length) {
      const { value, done } = await this.#reader.read(this.#buffer && new Uint8Array(this.#buffer));
      if (done) return undefined;
      chunk = value;
      if (this.#buffer) this.#buffer = value.buffer;
    }
    if (chunk.length > max) {
      this.#left = chunk.subarray(max);
      chunk = chunk.subarray(0, max);
    }
    this.at += chunk.length;
    return chunk;
  }

  cancel() {
    this.#reader.cancel().catch(() => {}); // A stream that has failed refuses.
  }
}

/** Read a whole stream into a buffer. Returns the bytes, in a buffer that takes its place; undefined if it is too small. */
export async function readAll(stream, buffer) {
  const { reader, byob } = readerOf(stream);
  const room = buffer.byteLength;
  let bytes = 0;
  for (;;) {
    // A view of no bytes can't be read into: a full buffer's end is seen with one of its own.
    const full = bytes === room;
    const { value, done } = await reader.read(byob ? (full ? new Uint8Array(1) : new Uint8Array(buffer, bytes)) : undefined);
    if (byob && !full) buffer = value.buffer;
    if (done) return new Uint8Array(buffer, 0, bytes);
    if (bytes + value.length > room) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    if (!byob) new Uint8Array(buffer).set(value, bytes);
    bytes += value.length;
  }
}
