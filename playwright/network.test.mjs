// Networks and servers at their worst. Each case ends in the model as it should be, to the last byte on the GPU, or in
// the right code, and within its time.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { counts } from './lib/faults.mjs';
import { F32 } from './lib/gguf.mjs';
import { open } from './lib/harness.mjs';
import { writeShape } from './lib/shapes.mjs';

/** As in real life, but with shorter waits. A busy machine may be silent for seconds. */
const RETRY = { attempts: 6, baseDelayMs: 4, stallMs: 4000 };
/** What never comes is not waited for as long. */
const IMPATIENT = { ...RETRY, stallMs: 1000 };
const FILE = '/temp/small.gguf';

let site;
let page;
let sound;
const tally = { tried: 0, survived: 0, refused: 0, bytesLost: 0 };

before(async () => {
  site = await open();
  writeShape(join(site.temp, 'small.gguf'), 'small', F32);
  page = await site.page('/test/?load-only');
  sound = await page.evaluate((file) => outcome(file), FILE);
});
after(() => {
  console.log(`faults tried: ${tally.tried} cases; survived: ${tally.survived}; refused by the right code: ${tally.refused}; ` +
    `bytes lost: ${tally.bytesLost}; ${counts.faults} of ${counts.requests} requests had a fault`);
  return site.close();
});

/** What, its fault and query, 'sound' or a code, seconds it may take (30 or, to fail, 10), words of the message. */
const CASES = [
  // Answers of servers in trouble.
  ['500 once', 'status', 'code=500&times=1&skip=1', 'sound'],
  ['502 twice', 'status', 'code=502&times=2&skip=1', 'sound'],
  ['504 to the first request', 'status', 'code=504&times=1', 'sound'],
  ['408 once', 'status', 'code=408&times=1&skip=2', 'sound'],
  ['503 with Retry-After of a second', 'status', 'code=503&after=1&times=1&skip=1', 'sound'],
  ['429 with Retry-After of a second', 'status', 'code=429&after=1&times=1', 'sound'],
  ['429 with Retry-After as a date that has passed', 'status', 'code=429&after=Wed, 21 Oct 2015 07:28:00 GMT&times=1&skip=1', 'sound'],
  ['429 with Retry-After of an hour', 'status', 'code=429&after=3600&skip=1', 'FETCH_FAILED', 5, /429.*3600 s, 60 s/],
  ['500 for ever', 'status', 'code=500&skip=1', 'FETCH_FAILED', 10, /500; 6 attempts/],
  ['503 for ever, from the start', 'status', 'code=503', 'FETCH_FAILED', 10, /503; 6 attempts/],
  ['404 in the middle', 'status', 'code=404&skip=2', 'FETCH_FAILED', 5, /404/],
  ['403 from the start', 'status', 'code=403', 'FETCH_FAILED', 5, /403/],
  // Connections.
  ['a connection that breaks at once', 'cut', 'bytes=0&times=2&skip=1', 'sound'],
  ['a connection that breaks in the header', 'cut', 'bytes=70000&times=1', 'sound'],
  ['connections that break after 300 kB, each time', 'cut', 'bytes=300000', 'sound', 40],
  ['connections that break after 1001 bytes, each time', 'cut', 'bytes=1001&skip=1', 'FETCH_FAILED', 10],
  ['a server that hangs up', 'hang-up', 'times=2&skip=1', 'sound'],
  ['a server that hangs up for ever', 'hang-up', 'skip=3', 'FETCH_FAILED', 10],
  ['a body that stalls', 'stall', 'bytes=100000&times=2&skip=1', 'sound'],
  ['a body that stalls in the header', 'stall', 'bytes=1000&times=1', 'sound'],
  ['bodies that stall for ever', 'stall', 'bytes=0&skip=1', 'FETCH_FAILED', 20, /came for 1000 ms/],
  ['a server that does not answer', 'silence', 'times=2&skip=1', 'sound'],
  ['a server that never answers', 'silence', '', 'FETCH_FAILED', 10, /no answer came/],
  // Bodies.
  ['a short body', 'short', 'bytes=500000&times=2&skip=1', 'sound'],
  ['a short body, each time', 'short', 'bytes=400000', 'sound', 40],
  ['empty bodies', 'short', 'bytes=0&skip=1', 'FETCH_FAILED', 10, /ended at byte|no answer came/],
  ['a Content-Length below the Content-Range', 'short-length', 'bytes=100&times=2&skip=1', 'sound'],
  ['a Content-Length above the Content-Range', 'long', 'length&times=2&skip=1', 'sound'],
  ['a body longer than the range', 'long', 'skip=1', 'FETCH_FAILED', 10, /more than/],
  ['fewer bytes than asked for, honestly', 'fewer', 'bytes=250000', 'sound', 40],
  ['another range than asked for', 'wrong-range', 'times=2&skip=1', 'sound'],
  ['another range than asked for, always', 'wrong-range', 'skip=1', 'FETCH_FAILED', 10, /bytes \d+-\d+.*was|bytes \d+-\d+/],
  ['a compressed range', 'gzip-range', 'times=2&skip=1', 'sound'],
  ['compressed ranges, always', 'gzip-range', 'skip=1', 'FETCH_FAILED', 20],
  // Servers that know less.
  ['no ranges', 'no-range', '', 'sound'],
  ['no ranges now and then', 'no-range', 'times=2&skip=2', 'sound'],
  ['no Content-Length', 'no-length', '', 'sound'],
  ['neither ranges nor a length', 'no-range-no-length', '', 'sound'],
  ['no ranges, and the whole compressed', 'gzip-whole', '', 'sound'],
  ['no validator', 'no-validator', '', 'sound'],
  ['another origin that shows nothing', 'status', 'cors=&times=0', 'sound'],
  ['another origin that shows all', 'status', 'cors=ETag,Content-Range&times=0', 'sound'],
  ['another origin that breaks', 'cut', 'cors=&bytes=400000', 'sound', 40],
  ['another origin without ranges', 'no-range', 'cors=', 'sound'],
  // Versions.
  ['a file that changes', 'change', 'skip=2', 'SOURCE_CHANGED'],
  ['a file that changes behind the header', 'change', 'skip=1', 'SOURCE_CHANGED'],
  ['a file that changes on a server blind to If-Range', 'change', 'blind&skip=2', 'SOURCE_CHANGED'],
  ['a file that changes, known by its date', 'change', 'blind&date-only&skip=2', 'SOURCE_CHANGED'],
  ['a file that changes on another origin', 'change', 'cors=&blind&skip=2', 'SOURCE_CHANGED'],
  ['a file that changes back', 'change', 'blind&times=1&skip=2', 'SOURCE_CHANGED'],
  ['a file that grows', 'grow', 'skip=2', 'SOURCE_CHANGED'],
  ['a file that is emptied', 'vanish', 'skip=2', 'SOURCE_CHANGED'],
  // Redirects.
  ['a redirect', 'redirect', 'uses=1000', 'sound'],
  ['a redirect that expires after three requests', 'redirect', 'uses=3', 'sound'],
  ['a redirect that is good once', 'redirect', 'uses=1', 'sound'],
  ['a redirect to another origin that expires', 'redirect', 'uses=2&host&cors=', 'sound'],
  ['a redirect that is never good', 'redirect', 'uses=0', 'FETCH_FAILED', 10, /403/],
];

/** Load, and compare with what is expected. */
async function check(what, url, wanted, seconds = wanted === 'sound' ? 30 : 10, words = /./, options = {}) {
  tally.tried++;
  const result = await page.evaluate(([url, options]) => outcome(url, options), [url, { retry: RETRY, ...options }]);
  const how = result.failed ? `${result.failed.code}: ${result.failed.message}` : `sound, ${result.info.cache.retries} retries`;
  console.log(`${what}: ${how} (${result.seconds.toFixed(1)} s)`);
  if (wanted === 'sound') {
    assert.equal(result.failed, undefined, how);
    if (result.sum !== sound.sum) tally.bytesLost++;
    assert.equal(result.sum, sound.sum, 'the weights are those of the file');
    tally.survived++;
  } else {
    assert.equal(result.failed?.code, wanted, how);
    assert.match(result.failed.message, words);
    tally.refused++;
  }
  assert.ok(result.seconds < seconds, `${result.seconds} s, ${seconds} are allowed`);
  return result;
}

let id = 0;
function address(fault, query) {
  const host = /cors=/.test(query) && fault !== 'redirect' ? site.url.replace('localhost', '127.0.0.1') : site.url;
  return `${host}/fault/${fault}${FILE}?${query}&id=${id++}`;
}

for (const [what, fault, query, wanted, seconds, words] of CASES) {
  const options = /stall|silence/.test(fault) && wanted !== 'sound' ? { retry: IMPATIENT } : {};
  test(what, { timeout: 60_000 }, () => check(what, address(fault, query), wanted, seconds, words, options));
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`30 % of all requests fail, seed ${seed}`, { timeout: 90_000 }, async () => {
    const small = { retry: { ...IMPATIENT, attempts: 12 } };
    await check(`seed ${seed}`, address('weather', `rate=0.3&seed=${seed}`), 'sound', 60, /./, small);
  });
}

test('an abort during a wait is immediate', { timeout: 30_000 }, async () => {
  const url = address('status', 'code=503&after=50&skip=1');
  const { failed, ms } = await page.evaluate(async (url) => {
    const controller = new AbortController();
    let abortedAt;
    setTimeout(() => {
      abortedAt = performance.now();
      controller.abort();
    }, 1500);
    const { failed } = await outcome(url, { signal: controller.signal });
    return { failed, ms: performance.now() - abortedAt };
  }, url);
  console.log(`aborted ${ms.toFixed(0)} ms after the signal`);
  assert.equal(failed.code, 'ABORTED');
  assert.ok(ms < 500);
});

test('the options of retries are checked', { timeout: 30_000 }, async () => {
  const codes = await page.evaluate(async (file) => {
    const bad = [{ attempts: 0 }, { attempts: 'many' }, { baseDelayMs: -1 }, { stallMs: NaN }, { tries: 3 }];
    return Promise.all(bad.map(async (retry) => (await outcome(file, { retry })).failed?.code));
  }, FILE);
  assert.deepEqual(codes, Array(5).fill('INVALID_ARGUMENT'));
});

test('no failure was left to be an unhandled rejection', () => {
  // The browser itself writes a line for each request that fails.
  assert.deepEqual(page.errors.filter((e) => !/Failed to load resource|net::ERR|CORS policy/.test(e)), []);
});
