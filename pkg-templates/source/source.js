// Where a model's bytes come from, as the engine reads them.
//
// A file has `size` (undefined where it is not known), `ranges` (whether ranges can be read in any order, several at a
// time) and `reader(start, end)`, whose `read()` promises the next chunk, good until the next call, or undefined at the
// end, and whose `cancel()` gives the rest up.
import { Body } from './body.js';
import { CachedFile, listCached, removeEntry, storage } from './cache.js';
import { failure, shown } from '../errors.js';
import { HttpFile } from './http.js';
import { Hub, choose } from './hub.js';
import { optionsOf } from '../options.js';
import { platform } from '../platform.js';
import { readShared, sharesFiles, writeShared } from './shared.js';
import { keepsFiles } from './store.js';

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

/** A file that sites share. */
class SharedFile extends BlobFile {
  kind = 'shared';
  cachedBytes = 0;

  reader(start, end) {
    const { cancel, read } = super.reader(start, end);
    const counted = async () => {
      const chunk = await read();
      this.cachedBytes += chunk?.length ?? 0;
      return chunk;
    };
    return { cancel, read: counted };
  }
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
    const allowed = `hf:, ${SCHEMES.join(', ')} or the page's own origin is allowed`;
    throw failure('INVALID_ARGUMENT', `the ${what} '${shown(address)}' has the scheme '${url.protocol}'; ${allowed}`);
  }
  return url.href;
}

/** The model that an address of a hub's repository means. What the hub does not answer, the cache may know. */
async function lookUp(place, hub, options) {
  let models;
  try {
    models = await hub.models(place, options);
  } catch (e) {
    if (e.code !== 'FETCH_FAILED' || options.cache === false) throw e;
    models = hub.cachedModels(place, await listCached());
    if (!models.length) throw e;
  }
  return choose(place, models);
}

/** What a hub knows of some of its files; nothing where it does not answer. */
async function known(urls, place, hub, options) {
  const models = await hub.models(place, options).catch((e) => {
    if (e.code === 'ABORTED') throw e;
    return [];
  });
  return urls.map((url) => models.flat().find((file) => file.url === url) ?? { url });
}

/** A file as an address; with its sum where sites may share it. */
const asPart = ({ url, size, sha256 }) => (sha256 ? { url, size, sha256 } : url);

const isAddress = (source) => typeof source === 'string' || source instanceof URL;

/** An address that is none of a hub's, as it is read: of a page, or of a file on disk. */
const plain = (source) => platform.addressOf?.(source) ?? absolute(source);

/** The addresses of a file; `whole` if any part of a split model stands for all. */
async function addressesOf(source, whole, hub, options) {
  const place = hub.parse(String(source));
  const url = place ? place.url : plain(source);
  const urls = url && (whole ? partUrls(url) : [url]);
  if (urls && !place) return urls;
  if (options.cache === 'shared' && sharesFiles()) {
    return (urls ? await known(urls, place, hub, options) : await lookUp(place, hub, options)).map(asPart);
  }
  return urls ?? (await lookUp(place, hub, options)).map((file) => file.url);
}

/**
 * A source as absolute URLs and Blobs: one, or a split model's parts. A file that sites may share is `{ url, size, sha256 }`.
 * @param {object} options  of the call: `hub`, `signal`, `retry`, `cache`
 */
export async function normalize(source, { hub, retry = {}, ...options } = {}) {
  const ours = new Hub(hub);
  const asked = { ...options, retry: checkRetry(retry) };
  const filesOf = async (part, whole) => {
    if (part instanceof Blob) return [part];
    if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return [new Blob([part])];
    if (isAddress(part)) return addressesOf(part, whole, ours, asked);
    if (Array.isArray(part) && part.length && part.length <= MAX_PARTS) {
      return (await Promise.all(part.map((one) => filesOf(one, false)))).flat();
    }
    const allowed = `a URL, Blob, File, ArrayBuffer, Uint8Array or an array of up to ${MAX_PARTS} of these is allowed`;
    throw failure('INVALID_ARGUMENT', `the source is ${Array.isArray(part) ? `an array of ${part.length}` : shown(part)}; ${allowed}`);
  };
  return filesOf(source, true);
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

/** A file of which sites share one copy; else, of this site's cache, to be shared when it is whole. */
async function openShared({ url, size, sha256 }, options) {
  const shared = await readShared(sha256, size);
  return shared ? new SharedFile(shared) : Object.assign(await CachedFile.open(url, options), { sha256 });
}

async function openFile(part, cache, options) {
  if (part instanceof Blob) return new BlobFile(part);
  if (part.sha256) return openShared(part, options);
  if (part.startsWith('file:') && platform.openFile) return platform.openFile(part);
  if (cache && keepsFiles() && /^https?:/.test(part)) return CachedFile.open(part, options);
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
  constructor(parts, { signal, retry = {}, cache = true, hub } = {}) {
    if (![true, false, 'shared'].includes(cache)) {
      throw failure('INVALID_ARGUMENT', `cache is ${shown(cache)}; true, false or 'shared' is allowed`);
    }
    const options = { signal, retry: checkRetry(retry), hub: new Hub(hub), kept: [] };
    this.all = parts.map((part) => new LazyFile(() => openFile(part, cache, options)));
  }

  get #opened() {
    return this.all.map((file) => file.opened).filter(Boolean);
  }

  /** The load is over; `complete` if it had all that it needs. */
  async close(complete) {
    await Promise.all(this.#opened.map((file) => file.close(complete)));
    if (complete) this.#share();
  }

  /** Give other sites what this one's cache has now. The load does not wait for it. */
  async #share() {
    for (const file of this.#opened) {
      if (file.sha256 && file.complete) await writeShared(file.sha256, file.reader(0, file.size));
    }
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

/** The addresses that the cache may have a source under. */
async function cachedAddresses(source, hub) {
  const place = hub.parse(shown(source));
  if (!place || place.url) return partUrls(place?.url ?? plain(source));
  const models = hub.cachedModels(place, await listCached());
  return place.quantisation && !models.length ? [] : choose(place, models).map(({ url }) => url);
}

/** @see index.d.ts */
export async function removeCached(source, options) {
  const { hub } = optionsOf('removeCached', options);
  let removed = false;
  for (const url of await cachedAddresses(source, new Hub(hub))) removed = (await removeEntry(url)) || removed;
  return removed;
}
