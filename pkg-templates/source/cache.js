// Files of the web, kept on disk while they stream past.
//
// An entry is a folder: `entry.json` with the address, version and size, and pieces named START-LENGTH-SHA256, each
// written once it is whole. The folder's listing is the index, so nothing has to be kept in step with it.
import { failure } from '../errors.js';
import { HttpFile, differs } from './http.js';
import { openStore } from './store.js';

/** Bytes of a piece, at most: what an interruption loses of a range, and what is held while a piece is checked. */
const PIECE_BYTES = 1 << 21;
/** Room for `entry.json`, which holds little more than an address. */
const ENTRY_BYTES = 1 << 16;
const ENTRY = 'entry.json';
const FORMAT = 1;

const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('');
const sha256 = async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes));
/** The folder of an address. */
const folderOf = async (url) => (await sha256(new TextEncoder().encode(url))).slice(0, 32);
const lockOf = (folder) => `webgguf:${folder}`;

/** The pieces of a folder, by where they start. */
function piecesOf(names) {
  const parts = names.map((name) => [name, /^(\d+)-(\d+)-([0-9a-f]{64})$/.exec(name)]).filter(([, match]) => match);
  return parts
    .map(([name, [, start, length, sum]]) => ({ name, start: Number(start), end: Number(start) + Number(length), sum }))
    .filter(({ start, end }) => end > start && end - start <= PIECE_BYTES)
    .sort((a, b) => a.start - b.start);
}

async function readEntry(folder) {
  try {
    const entry = JSON.parse(new TextDecoder().decode(await folder.read(ENTRY, new ArrayBuffer(ENTRY_BYTES))));
    return entry.format === FORMAT ? entry : undefined;
  } catch {
    return undefined; // Not there, or not whole.
  }
}

const writeEntry = (folder, entry) => folder.write(ENTRY, new TextEncoder().encode(JSON.stringify(entry)));

/** Take the lock if nobody has it. Returns what gives it back, or undefined. */
function tryLock(name) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((taken, failed) => {
    const held = (lock) => (lock ? new Promise((release) => taken(release)) : taken(undefined));
    navigator.locks.request(name, { ifAvailable: true }, held).catch(failed);
  });
}

/** A file of a server and what the disk has of it. */
export class CachedFile {
  #folder;
  #entry;
  /** Gives the lock back. Whoever has it writes; other pages read what is there. */
  #unlock;
  #writes = false;
  /** What there is can't be completed, for want of room or since the file changed: it goes when the load ends. */
  #useless = false;
  #pieces = [];
  /** Buffers of a piece's size that are free. */
  #buffers = [];
  #pending = new Set();

  /** A file of the cache. Where there is none, of the server alone, and `warnings` say why. */
  static async open(url, options) {
    const file = new CachedFile();
    file.warnings = [];
    file.cachedBytes = 0;
    try {
      const store = await openStore();
      file.kind = store.kind;
      await file.#find(store, url, options);
    } catch (e) {
      // What the browser throws has numbers for codes.
      if (typeof e?.code === 'string') {
        file.#unlock?.();
        throw e;
      }
      file.kind = 'none';
      file.#stopWriting(`the model is not cached: ${e.message}`);
    }
    if (!file.http) {
      file.http = new HttpFile(url, options);
      await file.http.open();
    }
    return file;
  }

  get size() {
    return this.http.size;
  }

  /** Whether all that a load takes is on disk. */
  get complete() {
    return Boolean(this.#entry?.complete);
  }

  /** What is on disk has no order. */
  get ranges() {
    return this.http.ranges || this.complete;
  }

  async #find(store, url, options) {
    const name = await folderOf(url);
    this.#unlock = await tryLock(lockOf(name));
    this.#writes = Boolean(this.#unlock);
    this.#folder = await store.folder(name, this.#writes);
    let entry = this.#folder && (await readEntry(this.#folder));
    if (entry) {
      const http = new HttpFile(url, { ...options, known: entry });
      const now = await http.probe();
      if (options.signal?.aborted || !now || !differs({ ...entry.validator, size: entry.size }, now)) {
        this.http = http;
        this.#entry = entry;
        this.#pieces = piecesOf(await this.#folder.names());
      } else {
        entry = undefined;
      }
    }
    if (!entry) await this.#begin(store, name, url, options);
    if (!this.#writes) return;
    await this.#checkQuota();
  }

  /** A new entry, in place of one that is out of date or broken. */
  async #begin(store, name, url, options) {
    const http = new HttpFile(url, options);
    await http.open();
    this.http = http;
    if (!this.#writes) return;
    const { size, ranges, validator } = http;
    if (!validator.etag && !validator.modified) {
      return this.#stopWriting('the model is not cached: its server gives neither ETag nor Last-Modified');
    }
    await store.remove(name);
    this.#folder = await store.folder(name, true);
    this.#entry = { format: FORMAT, url, size, ranges, validator, complete: false };
    await writeEntry(this.#folder, this.#entry);
  }

  async #checkQuota() {
    const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
    const missing = (this.size ?? 0) - this.#pieces.reduce((sum, { start, end }) => sum + end - start, 0);
    if (this.#entry?.complete || quota === undefined || missing <= quota - usage) return;
    this.#useless = true;
    this.#stopWriting(`the model is not cached: it needs ${missing} bytes of storage, ${Math.max(0, quota - usage)} are free`);
  }

  #stopWriting(warning) {
    if (this.#writes || this.kind === 'none') this.warnings.push(warning);
    this.#writes = false;
  }

  reader(start, end) {
    return new CachedReader(this, start, Math.min(end, this.size ?? Infinity));
  }

  /** The piece that has byte `at`, or the one behind it. */
  pieceFrom(at) {
    return this.#pieces.find((piece) => piece.end > at);
  }

  buffer() {
    return this.#buffers.pop() ?? new ArrayBuffer(PIECE_BYTES);
  }

  giveBack(buffer) {
    if (buffer?.byteLength) this.#buffers.push(buffer);
  }

  /** The bytes of a piece, in the buffer; undefined, and the piece gone, where they are not what was written. */
  async read(piece, buffer) {
    try {
      const bytes = await this.#folder.read(piece.name, buffer);
      if (bytes?.length === piece.end - piece.start && (await sha256(bytes)) === piece.sum) {
        this.cachedBytes += bytes.length;
        return bytes;
      }
    } catch {
      // Gone, or not to be read: the server has it.
    }
    this.#pieces = this.#pieces.filter((other) => other !== piece);
    if (this.#writes) await this.#folder.remove(piece.name).catch(() => {});
    return undefined;
  }

  get writes() {
    return this.#writes;
  }

  /** Whether an error means that what is on disk is of another version than what the server has. */
  noteError(e) {
    if (e.code !== 'SOURCE_CHANGED') return;
    this.#writes = false;
    this.#useless = true;
  }

  /** Keep bytes of the server that start at `start`. */
  write(start, bytes) {
    if (!this.#writes || !bytes.length) return undefined;
    const done = this.#write(start, bytes).finally(() => this.#pending.delete(done));
    this.#pending.add(done);
    return done;
  }

  async #write(start, bytes) {
    try {
      const sum = await sha256(bytes);
      const piece = { name: `${start}-${bytes.length}-${sum}`, start, end: start + bytes.length, sum };
      await this.#folder.write(piece.name, bytes);
      this.#pieces = [...this.#pieces, piece].sort((a, b) => a.start - b.start);
    } catch (e) {
      this.#useless = e.name === 'QuotaExceededError';
      this.#stopWriting(`the model is not cached: ${this.#useless ? 'there is no storage left for it' : e.message}`);
    }
  }

  /** The load is over; `complete` if it had all that it needs. The file can still be read, and no more is written. */
  async close(complete) {
    this.http.close();
    await Promise.all(this.#pending);
    const wrote = this.#writes;
    this.#writes = false;
    try {
      if (this.#useless && this.#unlock && this.#folder) await this.#clear();
      else if (complete && wrote && !this.#entry.complete) {
        this.#entry = { ...this.#entry, complete };
        await writeEntry(this.#folder, this.#entry);
      }
    } catch (e) {
      this.warnings.push(`the model is not cached: ${e.message}`);
    }
    this.#buffers = [];
    this.#unlock?.();
    this.#unlock = undefined;
  }

  async #clear() {
    for (const name of await this.#folder.names()) await this.#folder.remove(name);
  }
}

/** A range: pieces of the disk, and between them bytes of the server, which become pieces. */
class CachedReader {
  #file;
  #at;
  #end;
  /** Of the server, up to the next piece. */
  #gap;
  /** A buffer with `#filled` bytes from `#from` on that are to be a piece. */
  #buffer;
  #from = 0;
  #filled = 0;

  constructor(file, start, end) {
    this.#file = file;
    this.#at = start;
    this.#end = end;
  }

  async read() {
    for (;;) {
      if (this.#gap) {
        const chunk = await this.#fromServer();
        if (chunk) return chunk;
        continue;
      }
      if (this.#at >= this.#end) {
        this.#release();
        return undefined;
      }
      const piece = this.#file.pieceFrom(this.#at);
      if (piece && piece.start <= this.#at) {
        const chunk = await this.#fromDisk(piece);
        if (chunk) return chunk;
        continue;
      }
      this.#gap = this.#file.http.reader(this.#at, Math.min(this.#end, piece?.start ?? Infinity));
      this.#from = this.#at;
    }
  }

  async #fromDisk(piece) {
    const buffer = this.#buffer ?? this.#file.buffer();
    this.#buffer = undefined;
    const bytes = await this.#file.read(piece, buffer);
    if (!bytes) return undefined;
    this.#buffer = bytes.buffer;
    const chunk = bytes.subarray(this.#at - piece.start, Math.min(this.#end, piece.end) - piece.start);
    this.#at += chunk.length;
    return chunk;
  }

  async #fromServer() {
    const chunk = await this.#gap.read().catch((e) => {
      this.#file.noteError(e);
      throw e;
    });
    if (!chunk) {
      await this.#flush();
      this.#gap = undefined;
      // The file may end before the range does.
      const piece = this.#file.pieceFrom(this.#at);
      if (this.#at < Math.min(this.#end, piece?.start ?? Infinity)) this.#end = this.#at;
      return undefined;
    }
    await this.#keep(chunk);
    this.#at += chunk.length;
    return chunk;
  }

  async #keep(chunk) {
    for (let taken = 0; taken < chunk.length && this.#file.writes; ) {
      this.#buffer ??= this.#file.buffer();
      const part = chunk.subarray(taken, taken + this.#buffer.byteLength - this.#filled);
      new Uint8Array(this.#buffer).set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#buffer.byteLength) await this.#flush();
    }
  }

  async #flush() {
    const bytes = new Uint8Array(this.#buffer ?? 0, 0, this.#filled);
    const from = this.#from;
    this.#from += this.#filled;
    this.#filled = 0;
    await this.#file.write(from, bytes);
  }

  #release() {
    this.#file.giveBack(this.#buffer);
    this.#buffer = undefined;
  }

  /** What came in so far is kept. */
  cancel() {
    this.#gap?.cancel();
    if (this.#filled) this.#flush();
    this.#gap = this.#buffer = undefined;
  }
}

/** @see index.d.ts */
export async function listCached() {
  const store = await openStore().catch(() => undefined);
  const list = [];
  for (const name of (await store?.folders()) ?? []) {
    const folder = await store.folder(name, false);
    const entry = folder && (await readEntry(folder));
    if (!entry) continue;
    const bytes = piecesOf(await folder.names()).reduce((sum, { start, end }) => sum + end - start, 0);
    list.push({ url: entry.url, bytes, fileBytes: entry.size ?? null, complete: entry.complete, ...entry.validator });
  }
  return list;
}

/** Remove an entry, whole or not. Returns whether there was one. */
export async function removeEntry(url) {
  const store = await openStore().catch(() => undefined);
  const name = await folderOf(url);
  if (!(await store?.folder(name, false))) return false;
  const unlock = await tryLock(lockOf(name));
  if (!unlock) throw failure('INVALID_STATE', `'${url}' is being loaded; remove it afterwards`);
  try {
    await store.remove(name);
  } finally {
    unlock();
  }
  return true;
}

/** Ask the browser to keep what is cached when storage runs short. */
export async function persist() {
  return (await globalThis.navigator?.storage?.persist?.()) ?? false;
}

/** Storage of this site, in bytes; null where the browser does not tell. */
export async function storage() {
  const { quota, usage } = (await globalThis.navigator?.storage?.estimate?.().catch(() => undefined)) ?? {};
  return { quota: quota ?? null, usage: usage ?? null };
}
