// The demo page as a visitor has it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const READY = { timeout: 60_000 };
const TIMEOUT = { timeout: 120_000 };

let site;
let page;
before(async () => {
  site = await open({ stock: true });
  page = await site.page('/');
  await ready(page);
});
after(() => site.close());

const ready = (page) => page.waitForSelector('#run:enabled', READY);
const text = (id) => page.locator(`#${id}`).textContent();
const press = (name) => page.getByRole('button', { name, exact: true }).click();
/** Type over a number: Playwright's `fill` adds to it in Firefox. */
async function type(page, label, value) {
  const field = page.getByLabel(label);
  await field.press('ControlOrMeta+a');
  await field.pressSequentially(value);
}
const textLongerThan = (n) =>
  page.waitForFunction((n) => document.getElementById('text-new').textContent.length > n, n, READY);
const idle = () => page.waitForFunction(() => document.getElementById('run').textContent === 'Generate', null, READY);

test('opens with the built-in model ready, its facts and its limits', TIMEOUT, async () => {
  assert.equal(await text('model-name'), 'War and Peace');
  assert.match(await text('model-facts'), /3\.48 M parameters · llama · Q8_0 · context 512/);
  assert.match(await text('model-note'), /War and Peace/);
  assert.match(await text('gpu'), /\w/);
  assert.match(await text('memory'), /\d MB/);
  assert.ok((await page.getByLabel('Prompt').inputValue()).length > 10, 'there is a prompt to start with');
  assert.equal(await page.locator('#settings').getAttribute('open'), null, 'sampling is folded away');
});

test('generates, streams, stops', TIMEOUT, async () => {
  await press('Generate');
  await textLongerThan(10);
  const early = await text('text-new');
  await textLongerThan(early.length);
  await press('Stop');
  await idle();
  const stopped = await text('text-new');
  assert.ok(stopped.startsWith(early));
  assert.match(await text('speed'), /tok\/s/);
  assert.match(await text('first'), /\d m?s/);
  await page.waitForTimeout(1000);
  assert.equal(await text('text-new'), stopped, 'nothing comes after Stop');
  assert.ok(!(await page.locator('#error').isVisible()), 'stopping is no error');
});

test('generates to its end by keyboard, with the settings given; the same seed gives the same text', TIMEOUT, async () => {
  await page.getByText('Sampling').click();
  await type(page, 'Length', '8');
  await type(page, 'Seed', '5');
  const texts = [];
  for (let i = 0; i < 2; i++) {
    await page.getByLabel('Prompt').focus();
    await page.keyboard.press('Control+Enter');
    await textLongerThan(0);
    await idle();
    texts.push(await text('text-new'));
  }
  assert.equal(await text('tokens'), '8');
  assert.equal(texts[0], texts[1]);
});

test('a setting out of range is not sent', TIMEOUT, async () => {
  await type(page, 'Top p', '2');
  await press('Generate');
  assert.equal(await text('run'), 'Generate');
  await type(page, 'Top p', '0.95');
});

test('an address that holds no model gives an error in words, and the model that was there stays', TIMEOUT, async () => {
  await press('Change model');
  for (const [path, title, code] of [
    ['/fault/not-found/models/embedded.gguf', /can’t be fetched/, 'FETCH_FAILED'],
    ['/fault/wrong-magic/models/embedded.gguf', /not a sound GGUF/, 'MALFORMED_GGUF'],
  ]) {
    await page.getByLabel('Address of a GGUF file').fill(site.url + path);
    await press('Load');
    await page.waitForFunction((c) => document.getElementById('error-code').textContent === c, code, READY);
    assert.match(await text('error-title'), title);
    assert.ok((await text('error-advice')).length > 20, 'and what to do');
    await ready(page);
    assert.equal(await text('model-name'), 'War and Peace');
  }
  await press('Generate');
  await textLongerThan(0);
  await idle();
  assert.ok(!(await page.locator('#error').isVisible()), 'the error goes when work goes on');
});

test('an address and a local file load; the built-in model comes back', TIMEOUT, async () => {
  await page.getByLabel('Address of a GGUF file').fill(`${site.url}/models/gpt2-tiny.gguf`);
  await press('Load');
  await page.waitForFunction(() => /gpt2/.test(document.getElementById('model-facts').textContent), null, READY);
  await page.locator('#file').setInputFiles(join(ROOT, 'models/gpt2-tiny.gguf'));
  await page.waitForSelector('#progress:not([hidden])');
  await ready(page);
  assert.match(await text('model-facts'), /gpt2/);
  await press('Load the built-in model');
  await page.waitForFunction(() => /llama/.test(document.getElementById('model-facts').textContent), null, READY);
  await ready(page);
});

test('a load can be cancelled', TIMEOUT, async () => {
  await page.getByLabel('Address of a GGUF file').fill(`${site.url}/fault/slow/models/embedded.gguf?ms=200`);
  await press('Load');
  await press('Cancel');
  await ready(page);
  assert.ok(!(await page.locator('#error').isVisible()));
  assert.equal(await text('model-name'), 'War and Peace');
});

test('an address in the page’s own is filled in, not fetched', TIMEOUT, async () => {
  const other = await site.browser.newPage();
  const asked = [];
  other.on('request', (request) => asked.push(request.url()));
  await other.goto(`${site.url}/?model=${encodeURIComponent(`${site.url}/models/gpt2-tiny.gguf`)}`);
  await ready(other);
  assert.equal(await other.getByLabel('Address of a GGUF file').inputValue(), `${site.url}/models/gpt2-tiny.gguf`);
  assert.ok(!asked.some((url) => new URL(url).pathname.endsWith('gpt2-tiny.gguf')));
  await other.close();
});

test('fits phones and large screens, open or folded, in any state', TIMEOUT, async () => {
  // The page as the tests above left it: everything unfolded. An error makes it fuller still.
  await page.evaluate(() => (document.getElementById('error').hidden = false));
  for (const width of [320, 360, 390, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const { scrollWidth, wide } = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      wide: [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth).length,
    }));
    assert.ok(scrollWidth <= width && wide === 0, `${width}: ${scrollWidth} wide, ${wide} elements stick out`);
  }
});

test('every control has a name, and every target is large enough for a thumb', TIMEOUT, async () => {
  const problems = await page.evaluate(() =>
    [...document.querySelectorAll('button, input:not(.unseen), textarea, summary')].flatMap((e) => {
      const named = e.labels?.length || e.textContent.trim() || e.ariaLabel;
      const { height, width } = e.getBoundingClientRect();
      const small = height > 0 && (height < 24 || width < 24);
      return [!named && `${e.outerHTML} has no name`, small && `${e.id || e.name} is ${width} by ${height}`].filter(Boolean);
    }));
  assert.deepEqual(problems, []);
});

test('without WebGPU the page says so', TIMEOUT, async () => {
  const other = await site.browser.newPage();
  await other.addInitScript(() => Object.defineProperty(navigator, 'gpu', { value: undefined }));
  await other.goto(site.url);
  await other.waitForSelector('#error:not([hidden])');
  assert.equal(await other.locator('#error-code').textContent(), 'NO_WEBGPU');
  assert.match(await other.locator('#error').textContent(), /Chrome/);
  await other.close();
});

test('nothing was written to the console as an error', () => {
  // The browser itself notes the 404 that a test asks for.
  assert.deepEqual(page.errors.filter((e) => !/404/.test(e)), []);
});

test('a lost GPU: tap to restart, and the text goes on', TIMEOUT, async () => {
  const lost = await site.browser.newPage({ viewport: { width: 390, height: 844 } });
  await lost.addInitScript(() => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      globalThis.device = await requestDevice.apply(this, args);
      return globalThis.device;
    };
  });
  await lost.goto(site.url);
  await lost.waitForFunction(() => !document.querySelector('#run').disabled, undefined, { timeout: 60_000 });
  await lost.locator('#settings summary').click();
  await type(lost, 'Length', '60');
  await lost.getByRole('button', { name: 'Generate' }).click();
  await lost.waitForFunction(() => document.querySelector('#text-new').textContent.length > 20, undefined, { timeout: 60_000 });
  const before = await lost.textContent('#text-new');
  await lost.evaluate(() => globalThis.device.destroy());
  const restart = lost.getByRole('button', { name: 'Tap to restart' });
  await restart.click({ timeout: 30_000 });
  await lost.waitForFunction((n) => document.querySelector('#text-new').textContent.length > n + 10, before.length, { timeout: 90_000 });
  assert.ok((await lost.textContent('#text-new')).startsWith(before));
  assert.ok(await restart.isHidden());
  await lost.close();
});
