// A file on a web server: by Range requests, or, where the server has none, as one stream. What fails is tried again,
// from the byte that was reached.
import { Body } from './body.js';
import { aborted, failure } from '../errors.js';

/** How failures are met; `retry` of loadModel may change them. */
export const RETRY = {
  /** Failures in a row, without progress between them, that end a range. */
  attempts: 6,
  /** The first wait; each further one is twice as long, up to `maxDelayMs`. A random half of it is left out. */
  baseDelayMs: 500,
  maxDelayMs: 15_000,
  /** The longest wait that a server may ask for by Retry-After. */
  maxRetryAfterMs: 60_000,
  /** A connection that brings nothing for so long is given up. */
  stallMs: 30_000,
};

/** A wrong address or a missing CORS header should not take long to be told: attempts before the first answer. */
const FIRST_ATTEMPTS = 3;
/** Bytes after which failures are counted anew: a server that gives less between two is not worth waiting for. */
const PROGRESS_BYTES = 1 << 16;
/** Asked for first: what the header's first read takes. */
const FIRST_BYTES = 1 << 20;
/** Answers kept open between ranges, of all files of a load. */
const MAX_KEPT = 4;
/** All bytes are here: a connection that does not end then is ended. */
const END_MS = 1_000;
/** A question about a file that is in the cache waits no longer. */
const PROBE_MS = 5_000;

/** Answers that another attempt may better. */
export const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Answers of a link that has expired. */
const EXPIRED = new Set([400, 401, 403, 404, 410]);

/** A failure that may pass. */
export class Transient extends Error {
  constructor(message, { waitMs, cause } = {}) {
    super(message, { cause });
    this.waitMs = waitMs;
  }
}

/** Milliseconds that Retry-After asks for; undefined where it is not there, or not shown across origins. */
export function retryAfterMs(headers) {
  const value = headers.get('retry-after');
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(aborted('the load', signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
  });
}

/** The promise, or a failure where it takes too long. */
export async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Transient(`${what} for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {}); // The loser may fail later.
  }
}

/**
 * What of a tag names the version. Servers that compress mark the tags of compressed answers, as weak or by the coding's
 * name: `W/"v1"`, `"v1-gzip"`, `"v1;br"`, `"v1--gzip"` are all of "v1".
 */
const versionOf = (etag) => etag.replace(/^W\//, '').replace(/[-;:]+(gzip|br|zstd|deflate)"?$/, '').replaceAll('"', '');

/** The version of a file that an answer is about. */
const validatorOf = (headers) => ({ etag: headers.get('etag'), modified: headers.get('last-modified') });

/** The size of the file that is sent whole. Of a compressed one it is not told, and across origins not whether it is one. */
function wholeSize({ type, headers }) {
  const plain = type !== 'cors' && !headers.get('content-encoding');
  return (plain && Number(headers.get('content-length'))) || undefined;
}

/** Whether two validators speak of different versions: tags where both have one; sizes and dates unless the tags are the same. */
export function differs(a, b) {
  if (a.etag && a.etag === b.etag) return false;
  if (a.etag && b.etag && versionOf(a.etag) !== versionOf(b.etag)) return true;
  if (a.size && b.size && a.size !== b.size) return true;
  return Boolean(a.modified && b.modified && a.modified !== b.modified);
}

/** Counts failures in a row, and waits longer after each. */
export class Patience {
  failures = 0;
  #bytes = 0;

  constructor(file, attempts) {
    this.file = file;
    this.attempts = attempts;
  }

  progress(bytes) {
    this.#bytes += bytes;
    if (this.#bytes < PROGRESS_BYTES) return;
    this.failures = 0;
    this.#bytes = 0;
  }

  /** Wait after a failure; throws it where there is no use in another attempt. */
  async after(e) {
    const { file } = this;
    const { baseDelayMs, maxDelayMs, maxRetryAfterMs } = file.retry;
    if (file.signal?.aborted) throw aborted('the load', file.signal);
    if (!(e instanceof Transient)) throw e;
    this.failures++;
    if (this.failures >= this.attempts) {
      throw failure('FETCH_FAILED', `${file} can't be fetched: ${e.message}; ${this.failures} attempts failed`, { cause: e.cause });
    }
    if (e.waitMs > maxRetryAfterMs) {
      const asked = `the server asks to wait ${Math.ceil(e.waitMs / 1000)} s, ${maxRetryAfterMs / 1000} s are waited at most`;
      throw failure('FETCH_FAILED', `${file} can't be fetched: ${e.message}; ${asked}`);
    }
    const backoff = Math.min(maxDelayMs, baseDelayMs * 2 ** (this.failures - 1)) * (0.5 + Math.random() / 2);
    file.retries++;
    await sleep(Math.max(backoff, e.waitMs ?? 0), file.signal);
  }
}

/** The answer to a question whose answer is short, and its JSON. It is tried again as a file is. */
export async function fetchJson(url, { headers, signal, retry }) {
  const asked = { retry: { ...RETRY, ...retry }, signal, retries: 0, toString: () => `'${url}'` };
  const patience = new Patience(asked, Math.min(FIRST_ATTEMPTS, asked.retry.attempts));
  for (;;) {
    try {
      const response = await within(asked.retry.stallMs, fetch(url, { headers, signal }), 'no answer came');
      if (PASSING.has(response.status)) {
        throw new Transient(`the server answered ${response.status}`, { waitMs: retryAfterMs(response.headers) });
      }
      const text = await within(asked.retry.stallMs, response.text(), 'no end came');
      return { response, json: parsed(text) };
    } catch (e) {
      await patience.after(e instanceof Transient ? e : new Transient(e.message, { cause: e }));
    }
  }
}

/** What is no JSON is undefined. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export class HttpFile {
  /** Where redirects led: their target is asked until it expires. */
  #target;
  /** Whether If-Range may be sent. Across origins it costs a preflight, which few servers allow. */
  #conditional = true;
  /** Whether to ask without Range: browsers refuse compressed answers to it, and some servers compress everything. */
  #whole = false;
  /** An open answer whose rest serves the next range: the first one, or that of a server without ranges. */
  #body;

  /**
   * @param {object} options  of the load
   * @param {object} [options.known]  of an earlier load: `size`, `ranges`, `validator`; `open` is not needed then
   */
  constructor(url, { signal, retry, hub, known, kept = [] } = {}) {
    this.url = url;
    this.signal = signal;
    /** Whose files want its token. */
    this.hub = hub;
    this.retry = { ...RETRY, ...retry };
    /** Files with an answer kept open, of all files of a load. */
    this.kept = kept;
    /** Undefined where the server does not tell. */
    this.size = known?.size;
    this.ranges = known?.ranges ?? true;
    /** Of the version that all bytes must be of, once it is known. */
    this.validator = known?.validator;
    this.retries = 0;
    this.networkBytes = 0;
  }

  toString() {
    return `'${this.url}'`;
  }

  /** Ask for the first bytes, and learn size, version and whether ranges work. */
  async open() {
    const patience = new Patience(this, Math.min(FIRST_ATTEMPTS, this.retry.attempts));
    while (!this.validator) {
      try {
        const body = await this.connect(0, FIRST_BYTES);
        if (body) this.keepBody(body);
      } catch (e) {
        // A server that answers is there: it deserves more patience.
        if (e.answered) patience.attempts = this.retry.attempts;
        await patience.after(e);
        this.#whole = !e.answered && patience.failures === patience.attempts - 1;
      }
    }
  }

  /** What the server says of the file now, without its bytes; undefined where it does not say. */
  async probe() {
    try {
      const headers = this.hub.headers(this.url);
      const answer = fetch(this.url, { method: 'HEAD', headers, cache: 'no-store', signal: this.signal });
      const response = await within(PROBE_MS, answer, 'no answer');
      return response.ok ? { ...validatorOf(response.headers), size: wholeSize(response) } : undefined;
    } catch {
      return undefined;
    }
  }

  /** The bytes from `start` up to `end`, in chunks; ends early where the file does. */
  reader(start, end) {
    return new HttpReader(this, start, Math.min(end, this.size ?? Infinity));
  }

  /** The kept answer, if it leads to byte `at`. */
  takeBody(at) {
    const body = this.#body;
    if (!body || body.at > at || (this.ranges && body.at !== at)) return undefined;
    this.#body = undefined;
    this.kept.splice(this.kept.indexOf(this), 1);
    return body;
  }

  /** The rest of an answer serves the next range. */
  keepBody(body) {
    this.close();
    this.#body = body;
    this.kept.push(this);
    // Browsers open six connections to a server: the parts of a split model must not hold them all.
    if (this.kept.length > MAX_KEPT) this.kept.shift().close();
  }

  /** Leave the server alone. */
  close() {
    this.#body?.cancel();
    this.#body = undefined;
    const at = this.kept.indexOf(this);
    if (at >= 0) this.kept.splice(at, 1);
  }

  /** A body that starts at byte `at` or before it; undefined where the file ends there. */
  async connect(at, end) {
    const controller = new AbortController();
    const stop = this.signal ? AbortSignal.any([this.signal, controller.signal]) : controller.signal;
    const address = this.#target ?? this.url;
    const headers = this.hub.headers(address);
    if (!this.#whole) headers.Range = `bytes=${at}-${end - 1}`;
    const condition = this.#condition();
    if (condition && !this.#whole) headers['If-Range'] = condition;
    const wasTarget = this.#target !== undefined;
    let response;
    try {
      // The browser's own cache would be a second copy on disk, and takes its time over it.
      const answer = fetch(address, { headers, signal: stop, cache: 'no-store' });
      response = await within(this.retry.stallMs, answer, 'no answer came');
    } catch (e) {
      controller.abort();
      // Either may be to blame: the next attempt asks for a fresh redirect, which may lead to another origin.
      this.#target = undefined;
      this.#conditional = false;
      throw e instanceof Transient ? e : new Transient(e.message, { cause: e });
    }
    try {
      const body = this.#bodyOf(response, at, end, wasTarget);
      if (response.redirected) this.#target = response.url;
      this.#conditional &&= new URL(response.url).origin === globalThis.location?.origin;
      return body;
    } catch (e) {
      controller.abort();
      e.answered = true;
      throw e;
    }
  }

  /** For If-Range, which takes strong validators of what is asked for. The answers' own are compared in any case. */
  #condition() {
    const { etag, modified } = this.validator ?? {};
    const sameOrigin = new URL(this.url).origin === globalThis.location?.origin;
    if (!this.#conditional || !sameOrigin || (etag && etag !== `"${versionOf(etag)}"`)) return undefined;
    return etag ?? modified ?? undefined;
  }

  #bodyOf(response, at, end, wasTarget) {
    const { status, headers } = response;
    if (status === 206) return this.#partial(response, at, end);
    if (status === 200) return this.#all(response);
    if (status === 416) return this.#beyond(at);
    const answered = `the server answered ${status}`;
    if (PASSING.has(status)) throw new Transient(answered, { waitMs: retryAfterMs(headers) });
    if (wasTarget && EXPIRED.has(status)) {
      this.#target = undefined;
      throw new Transient(`${answered} to a redirect that it gave before`);
    }
    throw failure('FETCH_FAILED', `${this} can't be fetched: ${answered}${this.hub.hint(this.url, status)}`);
  }

  #partial(response, at, end) {
    const { headers } = response;
    const encoding = headers.get('content-encoding');
    if (encoding && encoding !== 'identity') throw new Transient(`the server answered a range compressed by ${encoding}`);
    // Not shown across origins unless the server says so: then the size stays unknown.
    const range = headers.get('content-range');
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range ?? '') ?? [];
    if (range !== null && (Number(first) !== at || !(Number(last) < end))) {
      throw new Transient(`the server answered '${range}' to a request of 'bytes ${at}-${end - 1}'`);
    }
    this.#pin(headers, total === undefined || total === '*' ? undefined : Number(total));
    const length = headers.get('content-length');
    const promised = first === undefined ? undefined : Number(last) - Number(first) + 1;
    if (length !== null && (promised === undefined ? Number(length) > end - at : Number(length) !== promised)) {
      throw new Transient(`the server sends ${length} bytes as '${range ?? `bytes ${at}-${end - 1}`}'`);
    }
    return Object.assign(new Body(response.body, at), { end });
  }

  /** The whole file. To a later range it is the answer of a server that has ranges now and then, or of another version. */
  #all(response) {
    const known = this.validator !== undefined;
    this.#pin(response.headers, wholeSize(response));
    if (!known) this.ranges = false;
    return Object.assign(new Body(response.body, 0), { end: Infinity });
  }

  #beyond(at) {
    if (this.size !== undefined && at < this.size) this.#changed(`it has ${this.size} bytes, and byte ${at} is not there now`);
    this.validator ??= {};
    return undefined;
  }

  /** Take note of the version, or check that it is still the same. */
  #pin(headers, size) {
    const now = validatorOf(headers);
    if (this.validator) {
      if (differs(this.validator, now)) {
        this.#changed(`'${this.validator.etag ?? this.validator.modified}' is '${now.etag ?? now.modified}' now`);
      }
      if (size !== undefined && this.size !== undefined && size !== this.size) {
        this.#changed(`its ${this.size} bytes are ${size} now`);
      }
    }
    this.validator ??= now;
    this.size ??= size;
  }

  #changed(how) {
    throw failure('SOURCE_CHANGED', `${this} changed on its server while it was read: ${how}; load it again`);
  }
}

class HttpReader {
  #file;
  #at;
  #end;
  #body;
  #patience;
  #ended = false;
  #cancelled = false;

  constructor(file, start, end) {
    this.#file = file;
    this.#at = start;
    this.#end = end;
    this.#patience = new Patience(file, file.retry.attempts);
  }

  /** The next chunk, good until the next read; undefined at the end. */
  async read() {
    while (this.#at < this.#end && !this.#ended) {
      try {
        const chunk = await this.#next();
        if (chunk) return chunk;
      } catch (e) {
        if (this.#cancelled) return undefined;
        this.#drop();
        await this.#patience.after(e);
      }
    }
    await this.#finish();
    return undefined;
  }

  async #next() {
    const file = this.#file;
    this.#body ??= file.takeBody(this.#at) ?? (await file.connect(this.#at, this.#end));
    const body = this.#body;
    if (!body) return void (this.#ended = true);
    if (this.#cancelled) return this.#drop();
    const skip = this.#at - body.at;
    const chunk = await within(file.retry.stallMs, body.read(skip || this.#end - this.#at), 'no byte came').catch((e) => {
      throw e instanceof Transient ? e : new Transient(`the connection broke at byte ${body.at}: ${e.message}`, { cause: e });
    });
    if (!chunk) return this.#short();
    file.networkBytes += chunk.length;
    if (skip) return undefined;
    this.#at += chunk.length;
    this.#patience.progress(chunk.length);
    return chunk;
  }

  /** The answer ended before the range did. */
  #short() {
    const file = this.#file;
    const at = this.#body.at;
    // Without a size, the end of a whole file is its end; that of a range shows when it is asked to go on.
    if (file.size === undefined && !file.ranges) return void (this.#ended = true);
    if (file.size === undefined && at < this.#end && this.#patience.failures === 0) {
      this.#body = undefined;
      this.#patience.failures++;
      return;
    }
    throw new Transient(`the answer ended at byte ${at}, ${this.#end} was asked for`);
  }

  /** Take note that the answer ends here, so that its connection serves the next request. */
  async #finish() {
    const body = this.#body;
    this.#body = undefined;
    if (!body) return;
    const file = this.#file;
    if (body.at < body.end && !this.#ended) {
      // The whole file came to one range of many: no other wants the rest of it.
      return file.ranges && body.end === Infinity ? body.cancel() : file.keepBody(body);
    }
    const more = await within(END_MS, body.read(1), 'no end came').catch(() => undefined);
    body.cancel();
    if (more) throw failure('FETCH_FAILED', `${file} can't be fetched: the server sends more than it was asked for`);
  }

  #drop() {
    this.#body?.cancel();
    this.#body = undefined;
  }

  /** No more is wanted; a read under way ends. */
  cancel() {
    this.#cancelled = this.#ended = true;
    this.#drop();
  }
}
