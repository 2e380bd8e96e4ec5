// Models split into several files load as one.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { F32, u16 } from './lib/gguf.mjs';
import { open } from './lib/harness.mjs';
import { writeShape, writeSplit } from './lib/shapes.mjs';

const TIMEOUT = { timeout: 120_000 };

let site;
let page;
let whole;
before(async () => {
  site = await open();
  const at = (name) => join(site.temp, name);
  writeShape(at('whole.gguf'), 'tiny', F32);
  writeSplit(at('model'), 'tiny', F32, 3);
  writeSplit(at('many'), 'tiny', F32, 10);
  writeSplit(at('same'), 'tiny', F32, 3, (i) => ({ 'split.no': u16(Math.min(i, 1)) }));
  writeSplit(at('sum'), 'tiny', F32, 3, () => ({ 'split.tensors.count': { type: 5, value: 99 } }));
  page = await site.page('/test/?load-only');
  whole = await page.evaluate(() => outcome('/temp/whole.gguf'));
});
after(() => site.close());

const part = (name, i, n) => `/temp/${name}-0000${i}-of-${String(n).padStart(5, '0')}.gguf`;

for (const [what, url] of [
  ['the address of its first part', part('model', 1, 3)],
  ['the address of its last part', part('model', 3, 3)],
  ['more parts than a browser opens connections', part('many', 1, 10)],
  ['a server without ranges', `/fault/no-range${part('many', 1, 10)}?a=b`],
]) {
  test(`a split model by ${what}`, TIMEOUT, async () => {
    const { sum, failed } = await page.evaluate((url) => outcome(url), url);
    assert.equal(failed, undefined);
    assert.equal(sum, whole.sum);
  });
}

test('a split model as files, in any order', TIMEOUT, async () => {
  const { sum, failed, info } = await page.evaluate(async (urls) => {
    const blobs = await Promise.all(urls.map(async (url) => (await fetch(url)).blob()));
    return outcome(blobs);
  }, [2, 3, 1].map((i) => part('model', i, 3)));
  assert.equal(failed, undefined);
  assert.equal(sum, whole.sum);
  assert.ok(info.fileBytes > 0);
});

test('a split model, cached, is fetched once', TIMEOUT, async () => {
  const results = await page.evaluate(async (url) => {
    const first = await outcome(url, { cache: true });
    const second = await outcome(url, { cache: true });
    const list = await webgguf.listCached();
    return { first, second, n: list.length, removed: await webgguf.removeCached(url), left: (await webgguf.listCached()).length };
  }, part('model', 1, 3));
  assert.equal(results.first.sum, whole.sum);
  assert.equal(results.second.sum, whole.sum);
  assert.equal(results.second.info.cache.networkBytes, 0);
  assert.deepEqual([results.n, results.removed, results.left], [3, true, 0]);
});

for (const [what, source, code, words] of [
  ['a part that is not there', part('model', 1, 4), 'FETCH_FAILED', /00001-of-00004.*404/],
  ['the same part twice', part('same', 1, 3), 'MALFORMED_GGUF', /part 2 .*twice/],
  ['another number of tensors', part('sum', 1, 3), 'MALFORMED_GGUF', /99.*20 tensors/],
]) {
  test(`${what} is an error`, TIMEOUT, async () => {
    const { failed } = await page.evaluate((source) => outcome(source), source);
    console.log(`${failed?.code}: ${failed?.message}`);
    assert.equal(failed?.code, code);
    assert.match(failed.message, words);
  });
}

test('too few files are an error', TIMEOUT, async () => {
  const failed = await page.evaluate(async (url) => {
    const blob = await (await fetch(url)).blob();
    return [await outcome(blob), await outcome([blob, blob])].map((o) => o.failed);
  }, part('model', 2, 3));
  for (const { code, message } of failed) {
    assert.equal(code, 'MALFORMED_GGUF');
    assert.match(message, /part 2 of a model of 3 files, [12] were given/);
  }
});
