// A server's misdeeds. `/fault/NAME/PATH?…` answers with the file at /PATH as the fault NAME has it.
//
// With `id`, requests are counted, and the fault befalls `times` of them (all, if not given) from number `skip` on
// (0, if not given); the others are answered honestly. `cors` lets other origins read the answers.
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip, gzipSync } from 'node:zlib';

import { answer, parseRange, resolve, sendError, sendFile } from '../../scripts/server.mjs';

/** Send an answer whose body goes through `spoil(chunk, at)`, which returns bytes, or null to break the connection. */
async function sendSpoilt(response, { status, headers, body }, file, spoil) {
  response.writeHead(status, headers);
  if (!body) return void response.end();
  let at = body.start;
  for await (const chunk of createReadStream(file.path, body)) {
    const bytes = await spoil(chunk, at);
    if (!bytes || response.destroyed) return void response.destroy();
    response.write(bytes);
    at += chunk.length;
  }
  response.end();
}

/** Let `limit` bytes of an answer pass, then call `after`. */
const limited = (limit, after) => {
  let sent = 0;
  return async (chunk) => {
    const room = limit - sent;
    sent += chunk.length;
    if (chunk.length <= room) return chunk;
    return after(chunk.subarray(0, Math.max(0, room)));
  };
};

/** What is written must leave before the connection goes. */
const sendAll = async (response, bytes) => {
  if (bytes.length) await new Promise((sent) => response.write(bytes, sent));
  await sleep(20);
};

const readBytes = async (file, range) => Buffer.concat(await createReadStream(file.path, range).toArray());

/** Seeded numbers from 0 to 1: mulberry32 (Ettinger 2017). */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A new version of a file: other bytes, of the same length, another tag and date. */
const newer = (file) => ({ ...file, modified: new Date(file.modified.getTime() + 60_000) });

/** Each takes the request, the response, the honest file and the URL's query. */
const FAULTS = {
  /** The file is not there. */
  'not-found': (request, response) => sendError(response, 404, 'no such file'),

  /** Range headers are not looked at. */
  'no-range': (request, response, file) => {
    delete request.headers.range;
    return sendFile(request, response, file);
  },

  /** The file ends after `size` bytes, as far as the server knows. */
  'truncated': (request, response, file, query) =>
    sendFile(request, response, { ...file, size: Math.min(file.size, Number(query.get('size'))) }),

  /** The connection breaks at byte `at` of the file, in whichever answer it falls. */
  'drop': (request, response, file, query) => {
    const limit = Number(query.get('at'));
    return sendSpoilt(response, answer(request, file), file, async (chunk, at) => {
      if (at + chunk.length <= limit) return chunk;
      // What was written must leave before the connection goes.
      if (at < limit) await new Promise((sent) => response.write(chunk.subarray(0, limit - at), sent));
      await sleep(20);
      return null;
    });
  },

  /** The file does not start with GGUF. */
  'wrong-magic': (request, response, file) =>
    sendSpoilt(response, answer(request, file), file, (chunk, at) => {
      if (at === 0) chunk.write('GGML');
      return chunk;
    }),

  /** `ms` milliseconds pass before each 64 kB. */
  'slow': (request, response, file, query) =>
    sendSpoilt(response, answer(request, file), file, async (chunk) => {
      await sleep(Number(query.get('ms') ?? 20));
      return chunk;
    }),

  /** The status `code`, with Retry-After where `after` is given. */
  'status': (request, response, file, query) => {
    if (query.has('after')) response.setHeader('Retry-After', query.get('after'));
    sendError(response, Number(query.get('code')), 'as asked for');
  },

  /** The connection breaks after `bytes` of each answer. */
  'cut': (request, response, file, query) =>
    sendSpoilt(response, answer(request, file), file, limited(Number(query.get('bytes')), async (last) => {
      await sendAll(response, last);
      return null;
    })),

  /** The connection breaks before the answer starts. */
  'hang-up': (request) => request.socket.destroy(),

  /** Nothing comes after `bytes` of each answer, and the connection stays open. */
  'stall': (request, response, file, query) =>
    sendSpoilt(response, answer(request, file), file, limited(Number(query.get('bytes')), async (last) => {
      await sendAll(response, last);
      await new Promise((closed) => response.once('close', closed));
      return null;
    })),

  /** No answer at all. */
  'silence': (request, response) => new Promise((closed) => response.once('close', closed)),

  /** A sound answer's header, and a body without length that ends after `bytes`. */
  'short': async (request, response, file, query) => {
    const { status, headers, body } = answer(request, file);
    delete headers['Content-Length'];
    response.writeHead(status, headers);
    response.end((await readBytes(file, body)).subarray(0, Number(query.get('bytes'))));
  },

  /** The answer says how many bytes it has: `bytes` fewer than its Content-Range. */
  'short-length': async (request, response, file, query) => {
    const { status, headers, body } = answer(request, file);
    const bytes = (await readBytes(file, body)).subarray(0, -Number(query.get('bytes')));
    response.writeHead(status, { ...headers, 'Content-Length': bytes.length }).end(bytes);
  },

  /** More bytes than Content-Range says; with `length` the answer's length tells it. */
  'long': async (request, response, file, query) => {
    const { status, headers, body } = answer(request, file);
    const bytes = Buffer.concat([await readBytes(file, body), Buffer.alloc(5000)]);
    if (query.has('length')) headers['Content-Length'] = bytes.length;
    else delete headers['Content-Length'];
    response.writeHead(status, headers).end(bytes);
  },

  /** Less than was asked for, honestly: at most `bytes`. */
  'fewer': (request, response, file, query) => {
    const { start, end } = parseRange(request.headers.range, file.size);
    request.headers.range = `bytes=${start}-${Math.min(end, start + Number(query.get('bytes')) - 1)}`;
    return sendFile(request, response, file);
  },

  /** Another range than the one asked for, with the header that goes with it. */
  'wrong-range': (request, response, file) => {
    const { start, end } = parseRange(request.headers.range, file.size);
    const by = start >= 4096 ? -4096 : 4096;
    request.headers.range = `bytes=${start + by}-${end + by}`;
    return sendFile(request, response, file);
  },

  /** Whole answers without their length. */
  'no-length': (request, response, file) => {
    const { status, headers, body } = answer(request, file);
    delete headers['Content-Length'];
    return sendSpoilt(response, { status, headers, body }, file, (chunk) => chunk);
  },

  /** Neither ranges nor a length. */
  'no-range-no-length': (request, response, file) => {
    delete request.headers.range;
    return FAULTS['no-length'](request, response, file);
  },

  /** Neither ETag nor Last-Modified. */
  'no-validator': (request, response, file) => {
    const { status, headers, body } = answer(request, file);
    delete headers.ETag;
    delete headers['Last-Modified'];
    return sendSpoilt(response, { status, headers, body }, file, (chunk) => chunk);
  },

  /** Honest bytes, under the tag `head` in answers to HEAD and `get` in others; with `later`, as of another date. */
  'tags': (request, response, file, query) => {
    const whose = request.method === 'HEAD' ? 'head' : 'get';
    // What is tagged otherwise than the server's own files is not found by their tag.
    if (request.headers['if-range'] === query.get('get')) delete request.headers['if-range'];
    const { status, headers, body } = answer(request, file);
    headers.ETag = query.get(whose);
    if (query.has('later') && whose === 'head') headers['Last-Modified'] = newer(file).modified.toUTCString();
    return sendSpoilt(response, { status, headers, body }, file, (chunk) => chunk);
  },

  /** A range, compressed. */
  'gzip-range': async (request, response, file) => {
    const { status, headers, body } = answer(request, file);
    const bytes = gzipSync(await readBytes(file, body), { level: 0 });
    response.writeHead(status, { ...headers, 'Content-Length': bytes.length, 'Content-Encoding': 'gzip' }).end(bytes);
  },

  /** The whole file, compressed: what some hosts do with every file. */
  'gzip-whole': (request, response, file) => {
    delete request.headers.range;
    const { headers } = answer(request, file);
    delete headers['Content-Length'];
    response.writeHead(200, { ...headers, 'Content-Encoding': 'gzip' });
    const packed = createReadStream(file.path).pipe(createGzip({ level: 0 }));
    response.on('close', () => packed.destroy());
    packed.pipe(response);
  },

  /** The file has changed. Unless `blind`, the server looks at If-Range, and sends the whole of it. */
  'change': (request, response, file, query) => {
    if (query.has('blind')) delete request.headers['if-range'];
    const { status, headers, body } = answer(request, newer(file));
    if (query.has('date-only')) delete headers.ETag;
    return sendSpoilt(response, { status, headers, body }, file, (chunk) => chunk.map((byte) => byte ^ 0xff));
  },

  /** The file has become longer, and its server says nothing of versions. */
  'grow': (request, response, file) => {
    delete request.headers['if-range'];
    const { status, headers, body } = answer(request, file);
    delete headers.ETag;
    delete headers['Last-Modified'];
    headers['Content-Range'] = headers['Content-Range'].replace(/\d+$/, String(file.size + 1));
    return sendSpoilt(response, { status, headers, body }, file, (chunk) => chunk);
  },

  /** The file has become empty. */
  'vanish': (request, response, file) => sendFile(request, response, { ...file, size: 0 }),

  /** To an address that is good for `uses` requests, and for 403 after that. */
  'redirect': (request, response, file, query, url) => {
    const ticket = `${tickets.size}`;
    tickets.set(ticket, Number(query.get('uses')));
    const to = new URL(url);
    to.pathname = to.pathname.replace('/redirect/', '/ticket/');
    to.searchParams.set('ticket', ticket);
    if (query.has('host')) to.host = `127.0.0.1:${request.socket.localPort}`;
    else to.host = request.headers.host;
    response.writeHead(302, { Location: to.href }).end();
  },

  'ticket': (request, response, file, query) => {
    const left = tickets.get(query.get('ticket'));
    tickets.set(query.get('ticket'), left - 1);
    return left > 0 ? sendFile(request, response, file) : sendError(response, 403, 'this link has expired');
  },

  /** One of the faults that pass, at random: `rate` of the requests have one. */
  'weather': (request, response, file, query, url, draw) => {
    if (draw() >= Number(query.get('rate'))) return sendFile(request, response, file);
    const [name, options] = WEATHER[Math.floor(draw() * WEATHER.length)];
    counts.weather[name] = (counts.weather[name] ?? 0) + 1;
    return FAULTS[name](request, response, file, new URLSearchParams(options));
  },
};

const WEATHER = [
  ['status', 'code=500'],
  ['status', 'code=502'],
  ['status', 'code=503&after=0'],
  ['status', 'code=429&after=0'],
  ['cut', 'bytes=0'],
  ['cut', 'bytes=100000'],
  ['cut', 'bytes=700001'],
  ['hang-up', ''],
  ['stall', 'bytes=50000'],
  ['silence', ''],
  ['short', 'bytes=300000'],
  ['short-length', 'bytes=1000'],
  ['fewer', 'bytes=200000'],
  ['wrong-range', ''],
  ['gzip-range', ''],
  ['no-range', ''],
];

/** Requests that an address of 'redirect' is still good for. */
const tickets = new Map();

/** What happened so far: for tests to look at. */
export const counts = { requests: 0, faults: 0, weather: {} };

/** Requests of an `id`, and its random numbers. */
const ids = new Map();

/** Which request of its id this is, and the id's random numbers. */
function numberOf(query) {
  const id = query.get('id');
  if (!ids.has(id)) ids.set(id, { n: 0, draw: random(Number(query.get('seed') ?? 1)) });
  const state = ids.get(id);
  return { n: id === null ? 0 : state.n++, draw: state.draw };
}

function allowOthers(request, response, exposed) {
  response.setHeader('Access-Control-Allow-Origin', '*');
  if (exposed) response.setHeader('Access-Control-Expose-Headers', exposed);
  return request.method === 'OPTIONS';
}

/** A route for `serve`. */
export function faults(mounts) {
  return async (request, response, url) => {
    const [, name, path] = /^\/fault\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    if (!name) return false;
    const query = url.searchParams;
    // A preflight is refused, as most hosts of files do.
    if (query.has('cors') && allowOthers(request, response, query.get('cors'))) return sendError(response, 403, 'no preflight'), true;
    const file = await resolve(mounts, path);
    const fault = FAULTS[name];
    // What a fault leaves in the browser's cache would be the next one's.
    response.setHeader('Cache-Control', 'no-store');
    const { n, draw } = numberOf(query);
    const skip = Number(query.get('skip') ?? 0);
    const befalls = n >= skip && n < skip + Number(query.get('times') ?? Infinity);
    counts.requests++;
    if (!fault || !file) sendError(response, 500, `the test asks for fault '${name}' of '${path}', one of which is not there`);
    else if (!befalls) await sendFile(request, response, file);
    else {
      counts.faults++;
      await fault(request, response, file, query, url, draw);
    }
    return true;
  };
}
