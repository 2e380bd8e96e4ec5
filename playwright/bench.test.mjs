// A smoke of the benchmark: it runs, reports and shares. Its figures are those of a software GPU and are not judged.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';

import axe from 'axe-core';

import { ROOT } from '../scripts/server.mjs';
import { chromiumTest, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 180_000 };
const PHONE = { viewport: { width: 390, height: 844 } };

let site;
/** The address that shows the result of the first test. */
let shared;
before(async () => (site = await open()));
after(() => site?.close());

/** The page, and what it asks for. */
async function visit(path, options) {
  const page = await site.page(path, site.browser, options);
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  return { page, models: () => asked.filter((path) => path.endsWith('.gguf')) };
}

async function resultOf(page) {
  await page.waitForFunction(() => window.__result, undefined, { timeout: 170_000 });
  return page.evaluate(() => window.__result);
}

chromiumTest('the benchmark page measures the embedded model', TIMEOUT, async () => {
  const { page, models } = await visit('/bench.html?model=/models/embedded.gguf&pp=64&tg=16&reps=1&context=128');
  await page.waitForTimeout(500);
  assert.equal(await page.inputValue('#model'), '/models/embedded.gguf');
  assert.deepEqual(models(), [], 'an address in a link is filled in, not fetched');
  await page.click('#run');
  const result = await resultOf(page);
  assert.equal(result.error, undefined);
  console.log(`pp64 ${result.pp64}, tg16 ${result.tg16} tokens a second; load ${result.loadMs} ms`);
  assert.ok(result.pp64 > 0 && result.tg16 > 0 && result.loadMs > 0);
  assert.match(await page.textContent('#result'), /Decode, 16 tokens/);
  assert.equal(result.profileError, undefined);
  assert.ok(result.decode.kernels.length > 5);
  assert.equal(await page.locator('#kernels tbody tr').count(), result.decode.kernels.length + 1);
  assert.equal(await page.locator('svg.plot').count(), 2);
  assert.ok(result.curves.prefill.length > 1 && result.curves.decode.flat().every((n) => n > 0));
  const text = await page.inputValue('#text');
  assert.match(text, /^\| Prefill, 64 tokens \| [\d.,]+ tokens\/s \|$/m);
  shared = page.url();
  assert.ok(text.includes(shared));
  assert.deepEqual(page.errors, []);
  await page.close();
});

chromiumTest('a link shows the result without running anything', TIMEOUT, async () => {
  const { page, models } = await visit(`/bench.html${new URL(shared).hash}`);
  await page.waitForSelector('#shown:visible');
  assert.ok(await page.isVisible('#shared'));
  assert.match(await page.textContent('#result'), /Chrome \d+/);
  assert.equal(await page.locator('svg.plot').count(), 2);
  const text = await page.inputValue('#text');
  assert.match(text, /#result=/);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  for (const [button, copied] of [['#copy-table', text], ['#copy-link', page.url()]]) {
    await page.click(button);
    await page.waitForFunction(async (copied) => (await navigator.clipboard.readText()) === copied, copied);
    assert.match(await page.textContent('#copied'), /copied/);
  }
  const report = await page.evaluate(() => {
    const link = document.getElementById('report');
    link.addEventListener('click', (event) => event.preventDefault());
    link.click();
    return link.href;
  });
  assert.equal(new URL(report).searchParams.get('body'), text);
  assert.deepEqual(models(), []);
  assert.deepEqual(page.errors, []);
  await page.close();
});

chromiumTest('a damaged or foreign link says so', TIMEOUT, async () => {
  for (const text of ['AAAA', '%%%', shared.slice(shared.indexOf('=') + 1, -40)]) {
    const { page } = await visit(`/bench.html#result=${text}`);
    await page.waitForFunction(() => /damaged/.test(document.getElementById('status').textContent));
    assert.ok(!(await page.isVisible('#shown')));
    await page.close();
  }
  // A result that lacks nearly everything, and one whose figures are none.
  for (const forged of [{}, { curves: { prefill: [[1, '<b>'], 7], decode: 5 }, decode: { kernels: [{}] }, settings: null, types: 'x', parameters: 'y' }]) {
    const { page } = await visit('/bench.html');
    await page.evaluate(async (forged) => {
      const { linkTo } = await import('./bench-link.js');
      location.href = await linkTo({ engine: 'webgguf', ...forged });
      location.reload();
    }, forged);
    await page.waitForFunction(() => !document.getElementById('shown').hidden || /damaged/.test(document.getElementById('status').textContent));
    assert.deepEqual(page.errors, []);
    await page.close();
  }
});

chromiumTest('a file is measured; a run can be cancelled', TIMEOUT, async () => {
  const slow = encodeURIComponent('/fault/slow/models/embedded.gguf?ms=1000');
  const { page } = await visit(`/bench.html?model=${slow}&pp=32&tg=4&reps=1&curves=0&kernels=0`);
  await page.click('#run');
  await page.click('#cancel');
  await page.waitForFunction(() => document.getElementById('status').textContent === 'Cancelled.');
  await page.waitForSelector('#run:enabled');
  await page.evaluate(() => delete window.__result);
  await page.selectOption('#choice', 'file');
  await page.setInputFiles('#file', join(ROOT, 'www/models/embedded.gguf'));
  await page.click('#run');
  const result = await resultOf(page);
  assert.equal(result.error, undefined);
  assert.ok(result.pp32 > 0);
  assert.match(await page.textContent('#result'), /embedded\.gguf: llama, 3\.48 M parameters/);
  assert.deepEqual(page.errors, []);
  await page.close();
});

chromiumTest('what fails is said, and the page goes on', TIMEOUT, async () => {
  const { page } = await visit('/bench.html?model=/nowhere.gguf');
  await page.click('#run');
  assert.equal((await resultOf(page)).code, 'FETCH_FAILED');
  assert.match(await page.textContent('#status'), /FETCH_FAILED: .*404/);
  await page.waitForSelector('#run:enabled');
  await page.close();
});

for (const colorScheme of ['light', 'dark']) {
  chromiumTest(`the page is accessible and fits a phone, ${colorScheme}`, TIMEOUT, async () => {
    const { page } = await visit(`/bench.html${new URL(shared).hash}`, { ...PHONE, colorScheme });
    await page.waitForSelector('#shown:visible');
    for (const details of await page.locator('details:visible').all()) await details.evaluate((d) => (d.open = true));
    // A page with a strict policy takes no script as text; the developer tools may give it.
    await (await page.context().newCDPSession(page)).send('Runtime.evaluate', { expression: axe.source });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join('; ')}`), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen');
    await page.close();
  });
}
