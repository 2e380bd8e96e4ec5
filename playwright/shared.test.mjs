// Storage that sites share, by an imitation of the proposed API: what one site has loaded, another one need not fetch.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';
import { startHub } from './lib/hub.mjs';

const TIMEOUT = { timeout: 90_000 };
const MODEL = join(ROOT, 'tests/fixtures/models/gpt2-tiny.gguf');
const SUM = createHash('sha256').update(readFileSync(MODEL)).digest('hex');
const SOURCE = 'hf:maker/tiny:Q4_0';
const FILE = 'hf:maker/tiny/Tiny-Q4_0.gguf';

let site;
let hub;
before(async () => {
  site = await open();
  hub = await startHub({ 'maker/tiny': { files: { 'Tiny-Q4_0.gguf': MODEL } } });
});
after(async () => {
  await hub?.close();
  await site?.close();
});

/** In the page: the API of https://wicg.github.io/cross-origin-storage, whose files the test holds. */
function imitate({ refuse }) {
  const fail = (name) => Promise.reject(new DOMException('as the test wants it', name));
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('');
  const dataUrl = (blob) => new Promise((resolve) => {
    const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result) });
    reader.readAsDataURL(blob);
  });
  const writable = (value) => {
    const chunks = [];
    return {
      write: async (chunk) => void chunks.push(chunk),
      abort: async () => {},
      async close() {
        const blob = new Blob(chunks);
        if (hex(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer())) !== value) return fail('DataError');
        await sharedPut(value, await dataUrl(blob));
      },
    };
  };
  const requestFileHandle = async ({ algorithm, value }, { create = false, origins } = {}) => {
    if (algorithm !== 'SHA-256' || !/^[0-9a-f]{64}$/.test(value)) throw new TypeError('no hash');
    if (refuse) return fail('NotAllowedError');
    if (create) {
      if (origins !== '*') throw new TypeError('every site is meant');
      return { createWritable: async () => writable(value), getFile: () => fail('NotAllowedError') };
    }
    const url = await sharedGet(value);
    return url ? { getFile: async () => (await fetch(url)).blob() } : fail('NotFoundError');
  };
  Object.defineProperty(navigator, 'crossOriginStorage', { value: { requestFileHandle } });
}

/** A browser with such a storage: its files, and pages of two sites. */
async function browser({ refuse = false } = {}) {
  const context = await site.browser.newContext();
  const files = new Map();
  await context.exposeBinding('sharedGet', (_, sum) => files.get(sum));
  await context.exposeBinding('sharedPut', (_, sum, url) => void files.set(sum, url));
  await context.addInitScript(imitate, { refuse });
  const other = await context.newPage();
  await other.goto(`${site.url.replace('localhost', '127.0.0.1')}/test/?load-only`);
  await other.waitForFunction(() => globalThis.webgguf);
  return { context, files, page: await site.page('/test/?load-only', context), other };
}

const load = async (page, source, options) => {
  hub.asked.length = 0;
  const result = await page.evaluate(([source, options]) => outcome(source, options), [source, { hub: { url: hub.url }, cache: 'shared', ...options }]);
  assert.equal(result.failed, undefined);
  return { ...result, cache: result.info.cache, fetched: hub.asked.filter((r) => r.method === 'GET' && !/\/api\//.test(r.url)).length };
};

const stored = async (files) => {
  for (let i = 0; i < 100 && !files.size; i++) await new Promise((later) => setTimeout(later, 50));
  return [...files.keys()];
};

test('what one site loaded, another one has', TIMEOUT, async () => {
  const { context, files, page, other } = await browser();
  const first = await load(page, SOURCE);
  assert.ok(first.fetched > 0 && first.cache.networkBytes > 0);
  assert.equal(first.cache.kind, 'opfs');
  assert.deepEqual(await stored(files), [SUM]);
  for (const source of [SOURCE, FILE, `${hub.url}/maker/tiny/blob/main/Tiny-Q4_0.gguf`]) {
    const second = await load(other, source);
    assert.equal(second.sum, first.sum);
    assert.equal(second.fetched, 0);
    assert.deepEqual([second.cache.kind, second.cache.networkBytes], ['shared', 0]);
    assert.ok(second.cache.cachedBytes > 8e5, `${second.cache.cachedBytes} bytes`);
    assert.deepEqual(await other.evaluate(() => webgguf.listCached()), []);
  }
  // The tokenizer comes from there, too.
  const length = await other.evaluate(async ([source, url]) => {
    const tokenizer = await webgguf.loadTokenizer(source, { cache: 'shared', hub: { url } });
    return tokenizer.tokenize('Once').length;
  }, [SOURCE, hub.url]);
  assert.ok(length > 0);
  await context.close();
});

test('a header alone is not shared, nor what is of another sum', TIMEOUT, async () => {
  const { context, files, page } = await browser();
  await page.evaluate(([source, url]) => webgguf.loadTokenizer(source, { cache: 'shared', hub: { url } }), [SOURCE, hub.url]);
  assert.deepEqual([...files.keys()], []);
  // A file that is not what its sum says: another length is seen before it is used.
  files.set(SUM, 'data:,short');
  const { cache } = await load(page, SOURCE);
  assert.equal(cache.kind, 'opfs');
  await context.close();
});

test('without permission, or without the hub, it is as cache: true', TIMEOUT, async () => {
  const { context, files, page } = await browser({ refuse: true });
  const first = await load(page, FILE);
  const second = await load(page, FILE);
  assert.deepEqual([first.cache.kind, second.cache.kind, second.fetched, second.sum], ['opfs', 'opfs', 0, first.sum]);
  hub.breakDown();
  for (const source of [FILE, SOURCE]) {
    const third = await load(page, source, { retry: { attempts: 1 } });
    assert.deepEqual([third.fetched, third.cache.networkBytes, third.sum], [0, 0, first.sum]);
  }
  hub.mend();
  assert.equal(files.size, 0);
  const plain = await site.page('/test/?load-only');
  assert.equal((await load(plain, SOURCE)).cache.kind, 'opfs');
  assert.equal((await load(plain, '/models/gpt2-tiny.gguf')).cache.kind, 'opfs');
  const { message } = await plain.evaluate(() => failureOf(webgguf.loadModel('/models/gpt2-tiny.gguf', { cache: 'share' })));
  assert.equal(message, "cache is share; true, false or 'shared' is allowed");
  await plain.close();
  await context.close();
});

test('a model in a worker loads with it, too', TIMEOUT, async () => {
  const { context, page } = await browser();
  const { cache, sum } = await load(page, SOURCE, { worker: true });
  assert.ok(sum && cache.kind === 'opfs' && cache.networkBytes > 0);
  await context.close();
});
