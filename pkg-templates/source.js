// Where a model's bytes come from, as the engine reads them.
//
// A file has `size` (undefined where it is not known), `ranges` (whether ranges can be read in any order, several at a
// time) and `reader(start, end)`, whose `read()` promises the next chunk, good until the next call, or undefined at the
// end, and whose `cancel()` gives the rest up.
import { Body } from './body.js';
import { CachedFile, removeEntry, storage } from './cache.js';
import { failure, shown } from './errors.js';
import { HttpFile } from './http.js';

class BlobFile {
  ranges = true;

  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
  }

  reader(start, end) {
    const body = new Body(this.blob.slice(start, end).stream(), start);
    return {
      cancel: () => body.cancel(),
      read: () =>
        body.read(Infinity).catch((e) => {
          throw failure('FETCH_FAILED', `the file can't be read: ${e.message}`, { cause: e });
        }),
    };
  }

  close() {}
}

/** More than the largest models are split into. */
const MAX_PARTS = 999;

/** The addresses of a split model's parts, by any of them; of another file, its own. */
export function partUrls(url) {
  const match = /-(\d{5})-of-(\d{5})(\.gguf)(?=$|[?#])/i.exec(url);
  const n = Number(match?.[2] ?? 1);
  if (!(n > 1)) return [url];
  if (n > MAX_PARTS) throw failure('INVALID_ARGUMENT', `'${url}' is one of ${n} parts, at most ${MAX_PARTS} are allowed`);
  const before = url.slice(0, match.index);
  const after = url.slice(match.index + match[0].length);
  return Array.from({ length: n }, (_, i) => `${before}-${String(i + 1).padStart(5, '0')}-of-${match[2]}${match[3]}${after}`);
}

/** What can be fetched. */
const SCHEMES = ['http:', 'https:', 'blob:', 'data:'];

/** An address as `fetch` reads it: a page's `<base href>` counts. */
export function absolute(address, what = 'source') {
  let url;
  try {
    url = new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch {
    throw failure('INVALID_ARGUMENT', `the ${what} '${shown(address)}' is no URL`);
  }
  // Pages of other schemes, such as an extension's, read what is beside them.
  if (!SCHEMES.includes(url.protocol) && !url.href.startsWith(`${globalThis.origin}/`)) {
    const allowed = `${SCHEMES.join(', ')} or the page's own origin is allowed`;
    throw failure('INVALID_ARGUMENT', `the ${what} '${shown(address)}' has the scheme '${url.protocol}'; ${allowed}`);
  }
  return url.href;
}

/** A source as absolute URLs and Blobs: one, or a split model's parts. */
export function normalize(source) {
  if (source instanceof Blob) return [source];
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return [new Blob([source])];
  if (typeof source === 'string' || source instanceof URL) return partUrls(absolute(source));
  if (Array.isArray(source) && source.length && source.length <= MAX_PARTS) {
    return source.flatMap((part) => (typeof part === 'string' || part instanceof URL ? [absolute(part)] : normalize(part)));
  }
  const allowed = `a URL, Blob, File, ArrayBuffer, Uint8Array or an array of up to ${MAX_PARTS} of these is allowed`;
  throw failure('INVALID_ARGUMENT', `the source is ${Array.isArray(source) ? `an array of ${source.length}` : shown(source)}; ${allowed}`);
}

/** An option that counts something. */
function checkNumber(name, value, min) {
  if (value === undefined || (Number.isFinite(value) && value >= min)) return;
  throw failure('INVALID_ARGUMENT', `${name} is ${shown(value)}, a number of ${min} or more is allowed`);
}

function checkRetry(retry) {
  if (typeof retry !== 'object' || retry === null) throw failure('INVALID_ARGUMENT', `retry is ${shown(retry)}; an object is allowed`);
  const { attempts, baseDelayMs, stallMs, ...unknown } = retry;
  const [name] = Object.keys(unknown);
  if (name) throw failure('INVALID_ARGUMENT', `retry.${name} is unknown; attempts, baseDelayMs and stallMs are allowed`);
  checkNumber('retry.attempts', attempts, 1);
  checkNumber('retry.baseDelayMs', baseDelayMs, 0);
  checkNumber('retry.stallMs', stallMs, 1);
  // An undefined value would hide the default.
  return Object.fromEntries(Object.entries(retry).filter(([, value]) => value !== undefined));
}

async function openFile(part, cache, options) {
  if (part instanceof Blob) return new BlobFile(part);
  if (cache && /^https?:/.test(part)) return CachedFile.open(part, options);
  const file = new HttpFile(part, options);
  await file.open();
  return file;
}

/** A file that is opened when it is first read: a split model has many, and browsers few connections. */
class LazyFile {
  #open;
  #opening;

  constructor(open) {
    this.#open = open;
  }

  get size() {
    return this.opened?.size;
  }

  get ranges() {
    return this.opened?.ranges ?? true;
  }

  reader(start, end) {
    let reader;
    return {
      cancel: () => reader?.cancel(),
      read: async () => {
        this.#opening ??= this.#open();
        this.opened ??= await this.#opening;
        reader ??= this.opened.reader(start, end);
        return reader.read();
      },
    };
  }
}

/** The files of a load. */
export class Files {
  /** What `normalize` returned, to be opened. */
  constructor(parts, { signal, retry = {}, cache = true } = {}) {
    const options = { signal, retry: checkRetry(retry), kept: [] };
    this.all = parts.map((part) => new LazyFile(() => openFile(part, cache, options)));
  }

  get #opened() {
    return this.all.map((file) => file.opened).filter(Boolean);
  }

  /** The load is over; `complete` if it had all that it needs. */
  async close(complete) {
    await Promise.all(this.#opened.map((file) => file.close(complete)));
  }

  /** What there is to say of the files: for `model.info`. */
  async report() {
    const sum = (value) => this.#opened.reduce((total, file) => total + (value(file) ?? 0), 0);
    return {
      cache: {
        kind: this.#opened[0]?.kind ?? 'none',
        cachedBytes: sum((file) => file.cachedBytes),
        networkBytes: sum((file) => (file.http ?? file).networkBytes),
        retries: sum((file) => (file.http ?? file).retries),
        ...(await storage()),
      },
      warnings: [...new Set(this.#opened.flatMap((file) => file.warnings ?? []))],
    };
  }
}

/** @see index.d.ts */
export async function removeCached(url) {
  let removed = false;
  for (const part of partUrls(absolute(url))) removed = (await removeEntry(part)) || removed;
  return removed;
}
