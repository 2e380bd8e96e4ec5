// The cache: what was fetched once is not fetched again, whatever happens to the page, the disk or the network meanwhile.
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';

import { F32 } from './lib/gguf.mjs';
import { chromiumTest, open } from './lib/harness.mjs';
import { writeShape } from './lib/shapes.mjs';

const TIMEOUT = { timeout: 180_000 };
const PAGE = '/test/?load-only';
const FILE = '/temp/small.gguf';
/** So slow that a load can be interrupted. */
const SLOW = `/fault/slow${FILE}?ms=15`;
/** The most that an interruption may lose: a piece of each range under way, and the header's. */
const LOST_BYTES = 6 << 21;

let site;
let fileBytes;
let sum;
before(async () => {
  site = await open();
  fileBytes = writeShape(join(site.temp, 'small.gguf'), 'small', F32);
  const page = await site.page(PAGE);
  sum = (await page.evaluate((file) => outcome(file), FILE)).sum;
  await page.close();
});
after(() => site.close());

/** A browser profile of its own; `init` runs in its pages first. Its requests of the model are in `asked`. */
async function profile(init) {
  const context = await site.browser.newContext();
  if (init) await context.addInitScript(init);
  const asked = [];
  context.on('request', (request) => /\.gguf/.test(request.url()) && asked.push(request.method()));
  return { context, asked, page: await site.page(PAGE, context), gets: () => asked.splice(0).filter((m) => m === 'GET').length };
}

const load = (page, url, options = { cache: true }) => page.evaluate(([url, options]) => outcome(url, options), [url, options]);
const list = (page) => page.evaluate(() => webgguf.listCached());

/** Start a load and come back once `bytes` of its weights are here. */
async function loadUntil(page, url, bytes) {
  await page.evaluate((url) => {
    globalThis.loaded = 0;
    const onProgress = (e) => e.phase === 'weights' && (globalThis.loaded = e.loaded);
    globalThis.stop = new AbortController();
    globalThis.loading = outcome(url, { cache: true, onProgress, signal: stop.signal });
  }, url);
  await page.waitForFunction((bytes) => globalThis.loaded >= bytes, bytes, { timeout: 60_000 });
}

/** What a load after an interruption must be like. */
function checkResumed({ failed, sum: found, info }, at) {
  assert.equal(failed, undefined);
  assert.equal(found, sum);
  const { cachedBytes, networkBytes } = info.cache;
  console.log(`interrupted at ${at} of ${fileBytes} bytes: then ${cachedBytes} from disk, ${networkBytes} from the server`);
  assert.ok(cachedBytes >= at - LOST_BYTES && cachedBytes > 0, `${cachedBytes} bytes came from disk`);
  assert.ok(networkBytes <= fileBytes - cachedBytes, 'nothing is fetched twice');
}

for (const worker of [false, true]) {
  test(`a second load makes no request for weights, and works offline${worker ? ', in a worker' : ''}`, TIMEOUT, async () => {
    const { context, page, gets } = await profile();
    const options = { cache: true, worker };
    const first = await load(page, FILE, options);
    assert.equal(first.failed, undefined);
    assert.ok(gets() > 0);
    const second = await load(page, FILE, options);
    assert.equal(gets(), 0, 'no request but HEAD');
    // A worker's own script has to come from somewhere: only the model's server is gone then.
    await (worker ? context.route(/\.gguf/, (route) => route.abort()) : context.setOffline(true));
    const third = await load(page, FILE, options);
    await context.setOffline(false);
    assert.equal(gets(), 0);
    for (const { sum: found, info, failed } of [first, second, third]) {
      assert.equal(failed, undefined);
      assert.equal(found, sum);
      assert.equal(info.cache.kind, 'opfs');
      assert.deepEqual(info.warnings, []);
      assert.ok(info.cache.quota > 0 && info.cache.usage >= 0);
    }
    assert.equal(second.info.cache.networkBytes, 0);
    assert.equal(second.info.cache.cachedBytes, first.info.cache.networkBytes);
    const [entry] = await list(page);
    assert.deepEqual([entry.url, entry.complete, entry.fileBytes], [site.url + FILE, true, fileBytes]);
    console.log(`first ${first.seconds.toFixed(1)} s, from disk ${second.seconds.toFixed(1)} s, offline ${third.seconds.toFixed(1)} s`);
    const removed = await page.evaluate(async (url) => [await webgguf.removeCached(url), await webgguf.removeCached(url)], FILE);
    assert.deepEqual(removed, [true, false]);
    assert.deepEqual(await list(page), []);
    await context.close();
  });
}

test('a reload of the page in mid-download goes on where it stopped', TIMEOUT, async () => {
  const { context, page } = await profile();
  await loadUntil(page, SLOW, 16e6);
  const at = await page.evaluate(() => loaded);
  await page.reload();
  await page.waitForFunction(() => globalThis.webgguf);
  const [entry] = await list(page);
  assert.equal(entry.complete, false);
  checkResumed(await load(page, SLOW), at);
  assert.equal((await list(page))[0].complete, true);
  await context.close();
});

test('an aborted load goes on where it stopped', TIMEOUT, async () => {
  const { context, page } = await profile();
  await loadUntil(page, SLOW, 8e6);
  const at = await page.evaluate(() => loaded);
  const { failed } = await page.evaluate(() => (stop.abort(), loading));
  assert.equal(failed.code, 'ABORTED');
  checkResumed(await load(page, SLOW), at);
  await context.close();
});

chromiumTest('a page that is frozen in mid-download and thawed loads the model', TIMEOUT, async () => {
  const { context, page } = await profile();
  const session = await context.newCDPSession(page);
  await loadUntil(page, SLOW, 4e6);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await sleep(3000);
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  const { failed, sum: found } = await page.evaluate(() => loading);
  assert.equal(failed, undefined);
  assert.equal(found, sum);
  await context.close();
});

test('a tab that is hidden behind another one and shown again loads the model', TIMEOUT, async () => {
  const { context, page } = await profile();
  await loadUntil(page, SLOW, 2e6);
  const other = await context.newPage();
  await other.bringToFront();
  await sleep(2000);
  await page.bringToFront();
  const { failed, sum: found } = await page.evaluate(() => loading);
  assert.equal(failed, undefined);
  assert.equal(found, sum);
  await context.close();
});

test('two tabs that load the same file share its cache', TIMEOUT, async () => {
  const { context, page } = await profile();
  const second = await site.page(PAGE, context);
  await loadUntil(page, SLOW, 4e6);
  const busy = await second.evaluate((url) => failureOf(webgguf.removeCached(url)), SLOW);
  assert.equal(busy?.code, 'INVALID_STATE');
  const theirs = await load(second, SLOW);
  const ours = await page.evaluate(() => loading);
  for (const { failed, sum: found } of [ours, theirs]) {
    assert.equal(failed, undefined);
    assert.equal(found, sum);
  }
  const entries = await list(page);
  assert.equal(entries.length, 1);
  assert.ok(entries[0].complete && entries[0].bytes <= fileBytes, 'nothing is there twice');
  console.log(`the second tab had ${theirs.info.cache.cachedBytes} bytes from the first`);
  const [a, b] = await Promise.all([load(page, SLOW), load(second, SLOW)]);
  assert.deepEqual([a.sum, b.sum, a.info.cache.networkBytes, b.info.cache.networkBytes], [sum, sum, 0, 0]);
  await context.close();
});

test('a corrupted piece is fetched again, and only that', TIMEOUT, async () => {
  const { context, page } = await profile();
  await load(page, FILE);
  const damaged = await page.evaluate(async () => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('webgguf');
    const [folder] = await Array.fromAsync(root.values());
    const names = (await Array.fromAsync(folder.keys())).filter((name) => /^\d/.test(name)).sort();
    const change = async (name, how) => {
      const handle = await folder.getFileHandle(name);
      const writable = await handle.createWritable({ keepExistingData: true });
      await how(writable, (await handle.getFile()).size);
      await writable.close();
      return Number(name.split('-')[1]);
    };
    const flipped = await change(names[0], (w, size) => w.write({ type: 'write', position: size >> 1, data: new Uint8Array([0xa5, 0x5a, 1, 2]) }));
    const cut = await change(names[2], (w, size) => w.truncate(size - 1));
    const longer = await change(names[4], (w, size) => w.write({ type: 'write', position: size, data: new Uint8Array(4 << 20) }));
    const gone = Number(names[6].split('-')[1]);
    await folder.removeEntry(names[6]);
    return flipped + cut + longer + gone;
  });
  const { sum: found, info } = await load(page, FILE);
  assert.equal(found, sum);
  assert.equal(info.cache.networkBytes, damaged);
  const again = await load(page, FILE);
  assert.equal(again.sum, sum);
  assert.equal(again.info.cache.networkBytes, 0);
  await context.close();
});

chromiumTest('a file that changed between two loads is fetched anew', TIMEOUT, async () => {
  const { context, page } = await profile();
  const path = join(site.temp, 'changing.gguf');
  writeShape(path, 'tiny', F32);
  assert.equal((await load(page, '/temp/changing.gguf')).info.layers, 2);
  writeShape(path, 'small', F32);
  utimesSync(path, new Date(), new Date(Date.now() + 60_000));
  const { info, sum: found } = await load(page, '/temp/changing.gguf');
  assert.equal(info.layers, 4);
  assert.equal(found, sum);
  assert.equal((await list(page)).length, 1);
  await context.close();
});

test('a part of a file that has changed since is never mixed with the new one', TIMEOUT, async () => {
  const { context, page } = await profile();
  // The server says nothing to HEAD; the third GET, which goes on, finds another version.
  await loadUntil(page, `${SLOW}&id=mixed`, 8e6);
  await page.evaluate(() => (stop.abort(), loading));
  await context.route(/slow/, (route) => {
    if (route.request().method() === 'HEAD') return route.abort();
    return route.continue({ url: route.request().url().replace('/slow/', '/change/').replace('ms=15', 'blind') });
  });
  const mixed = await load(page, `${SLOW}&id=mixed`);
  assert.equal(mixed.failed?.code, 'SOURCE_CHANGED');
  await context.unroute(/slow/);
  assert.equal((await load(page, `${SLOW}&id=mixed`)).sum, sum, 'the next load starts afresh');
  await context.close();
});

chromiumTest('a quota that is too small leaves the model uncached, with a warning', TIMEOUT, async () => {
  // Chromium estimates 10 GB and more whatever there is, so as not to tell sites apart by it.
  const { context, page } = await profile(() => {
    navigator.storage.estimate = async () => ({ quota: 9e6, usage: 1e6 });
  });
  const { sum: found, info } = await load(page, FILE);
  console.log(info.warnings.join('; '));
  assert.equal(found, sum);
  assert.match(info.warnings.join(), /not cached: it needs \d+ bytes of storage, \d+ are free/);
  assert.ok((await list(page)).every((entry) => entry.bytes === 0));
  await context.close();
});

for (const worker of [false, true]) {
  chromiumTest(`a disk that fills up on the way leaves the model uncached${worker ? ', in a worker' : ''}`, TIMEOUT, async () => {
    const { context, page } = await profile();
    const session = await context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.url, quotaSize: 9e6 });
    // What the browser estimates is more than there is.
    await context.route(/cache\.js/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `navigator.storage.estimate = async () => ({ quota: 1e12, usage: 0 });\n${await response.text()}` });
    });
    await page.reload();
    await page.waitForFunction(() => globalThis.webgguf);
    const { sum: found, info, failed } = await load(page, FILE, { cache: true, worker });
    assert.equal(failed, undefined);
    console.log(info.warnings.join('; '));
    assert.equal(found, sum);
    assert.match(info.warnings.join(), /not cached: there is no storage left/);
    assert.ok((await list(page)).every((entry) => entry.bytes === 0), 'nothing useless is left');
    await context.close();
  });
}

test('where OPFS refuses, as in private windows, the Cache API serves', TIMEOUT, async () => {
  const { context, page, gets } = await profile(() => {
    navigator.storage.getDirectory = () => Promise.reject(new DOMException('refused', 'SecurityError'));
  });
  const first = await load(page, FILE);
  assert.equal(first.info.cache.kind, 'cache-api');
  gets();
  const second = await load(page, FILE);
  assert.equal(gets(), 0);
  assert.deepEqual([first.sum, second.sum, second.info.cache.networkBytes], [sum, sum, 0]);
  assert.equal((await list(page))[0].complete, true);
  assert.equal(await page.evaluate((url) => webgguf.removeCached(url), FILE), true);
  assert.deepEqual(await list(page), []);
  await context.close();
});

test('where both refuse, the model loads without a cache', TIMEOUT, async () => {
  const { context, page } = await profile(() => {
    navigator.storage.getDirectory = () => Promise.reject(new DOMException('OPFS refused', 'SecurityError'));
    caches.open = () => Promise.reject(new DOMException('caches refused', 'SecurityError'));
  });
  const { sum: found, info } = await load(page, FILE);
  assert.equal(found, sum);
  assert.equal(info.cache.kind, 'none');
  assert.match(info.warnings.join(), /not cached: OPFS refused; caches refused/);
  assert.deepEqual(await list(page), []);
  await context.close();
});

test('where writing fails half-way, the model loads without a cache', TIMEOUT, async () => {
  const { context, page } = await profile(() => {
    let writes = 0;
    const { createWritable } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createWritable = function (...args) {
      if (writes++ > 3) return Promise.reject(new DOMException('the disk is on fire', 'InvalidStateError'));
      return createWritable.apply(this, args);
    };
  });
  const { sum: found, info } = await load(page, FILE);
  assert.equal(found, sum);
  assert.match(info.warnings.join(), /the disk is on fire/);
  await context.close();
});

chromiumTest('a file without a validator is not cached', TIMEOUT, async () => {
  const { context, page } = await profile();
  const { sum: found, info } = await load(page, `/fault/no-validator${FILE}`);
  assert.equal(found, sum);
  assert.match(info.warnings.join(), /neither ETag nor Last-Modified/);
  assert.deepEqual(await list(page), []);
  await context.close();
});

test('a bad network and the cache together: 30 % of requests fail, with interruptions', TIMEOUT, async () => {
  const { context, page } = await profile();
  const url = `/fault/weather${FILE}?rate=0.3&seed=11&id=cached`;
  const retry = { attempts: 12, baseDelayMs: 4, stallMs: 1000 };
  await page.evaluate(([url, retry]) => {
    const stop = new AbortController();
    return outcome(url, { cache: true, retry, signal: stop.signal, onProgress: (e) => e.loaded > 10e6 && stop.abort() });
  }, [url, retry]);
  const { failed, sum: found, info } = await load(page, url, { cache: true, retry });
  assert.equal(failed, undefined);
  assert.equal(found, sum);
  console.log(`${info.cache.cachedBytes} from disk, ${info.cache.networkBytes} from the server, ${info.cache.retries} retries`);
  const last = await load(page, url, { cache: true, retry });
  assert.equal(last.sum, sum);
  await context.close();
});

/** Tags of a range and of the whole file, which servers compress, by the servers' habits. */
const SAME = [
  ['"v1"', 'W/"v1"'],
  ['W/"v1"', '"v1"'],
  ['"v1"', '"v1-gzip"'],
  ['"v1-gzip"', '"v1"'],
  ['"v1"', '"v1;gzip"'],
  ['"v1"', '"v1--gzip"'],
  ['"v1"', 'W/"v1-br"'],
  ['"v1-br"', '"v1-gzip"'],
];
const OTHER = [
  ['"v1"', '"v2-gzip"'],
  ['"v1"', 'W/"v2"'],
  ['"gzip"', '"br"'],
  ['"v1-1"', '"v1-2"'],
];

test('a tag marked by a coding is still that of the same version', TIMEOUT, async () => {
  const { context, page, gets } = await profile();
  for (const [get, head] of SAME) {
    const url = `/fault/tags${FILE}?get=${encodeURIComponent(get)}&head=${encodeURIComponent(head)}`;
    assert.equal((await load(page, url)).sum, sum, `${get}: the first load`);
    gets();
    const again = await load(page, url);
    assert.equal(again.sum, sum);
    assert.equal(gets(), 0, `${head} is the version of ${get}`);
  }
  await context.close();
});

test('a tag of another version is one, and so is another date beside a tag that is only alike', TIMEOUT, async () => {
  const { context, page, gets } = await profile();
  for (const [get, head, more] of [...OTHER.map((tags) => [...tags, '']), ['"v1"', 'W/"v1"', '&later']]) {
    const url = `/fault/tags${FILE}?get=${encodeURIComponent(get)}&head=${encodeURIComponent(head)}${more}`;
    await load(page, url);
    gets();
    assert.equal((await load(page, url)).sum, sum);
    assert.ok(gets() > 0, `${head} is not the version of ${get}`);
  }
  await context.close();
});

test('ranges whose tags differ by coding make one file, those of two versions do not', TIMEOUT, async () => {
  const { context, page } = await profile();
  const tags = (name, get) => `/fault/${name}${FILE}?id=${Math.random()}&skip=2&get=${encodeURIComponent(get)}`;
  const { etag } = await page.evaluate(async (file) => {
    const response = await fetch(file, { method: 'HEAD' });
    return { etag: response.headers.get('etag') };
  }, FILE);
  for (const alike of [`W/${etag}`, etag.replace(/"$/, '-gzip"')]) {
    const { failed, sum: found } = await load(page, tags('tags', alike), { cache: false });
    assert.equal(failed, undefined, failed?.message);
    assert.equal(found, sum, alike);
  }
  const { failed } = await load(page, tags('tags', '"other"'), { cache: false });
  assert.equal(failed?.code, 'SOURCE_CHANGED');
  await context.close();
});
