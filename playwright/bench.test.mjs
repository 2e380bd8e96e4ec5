// A smoke of the benchmark: it runs and reports. Its figures are those of a software GPU and are not judged.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { open } from './lib/harness.mjs';

let site;
before(async () => (site = await open({ stock: true })));
after(() => site?.close());

test('the benchmark page measures the embedded model', { timeout: 180_000 }, async () => {
  const page = await site.page('/bench.html?model=/models/embedded.gguf&pp=64&tg=16&reps=1');
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.waitForTimeout(500);
  assert.equal(await page.inputValue('#model'), '/models/embedded.gguf');
  assert.deepEqual(asked.filter((url) => url.endsWith('.gguf')), [], 'an address in a link is filled in, not fetched');
  await page.click('#run');
  await page.waitForFunction(() => window.__result, undefined, { timeout: 170_000 });
  const result = await page.evaluate(() => window.__result);
  assert.equal(result.error, undefined);
  console.log(`pp64 ${result.pp64}, tg16 ${result.tg16} tokens a second; load ${result.loadMs} ms`);
  assert.ok(result.pp64 > 0 && result.tg16 > 0 && result.loadMs > 0);
  assert.match(await page.textContent('#result'), /Decode, 16 tokens/);
  await page.close();
});
