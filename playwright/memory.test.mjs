// Whether a model fits is known before its weights are fetched, and a load keeps to it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { F16 } from './lib/gguf.mjs';
import { open } from './lib/harness.mjs';
import { writeShape } from './lib/shapes.mjs';

const SMALL = '/temp/small.gguf';
const TRAINED = 512;

let site;
let page;
let fileBytes;
before(async () => {
  site = await open();
  page = await site.page();
  fileBytes = writeShape(join(site.temp, 'small.gguf'), 'small', F16);
});
after(() => site.close());

const ask = (options, source = SMALL) =>
  page.evaluate(async ([source, options]) => webgguf.canRun(source, options), [source, options]);
const failure = (call, options, source = SMALL) =>
  page.evaluate(async ([call, source, options]) => failureOf(webgguf[call](source, options)), [call, source, options]);

test('a model that fits, and what it takes', { timeout: 60_000 }, async () => {
  const answer = await ask({});
  assert.equal(answer.fits, true);
  assert.equal(answer.contextLength, TRAINED);
  assert.equal(answer.reason, null);
  const { contextLength, weights, kvCache, activations, total } = answer.needs;
  assert.equal(contextLength, TRAINED);
  assert.equal(total, weights + kvCache + activations);
  const info = await page.evaluate(async (url) => {
    const model = await webgguf.loadModel(url);
    model.destroy();
    return model.info;
  }, SMALL);
  assert.deepEqual([info.memory.weights, info.memory.kvCache, info.memory.activations], [weights, kvCache, activations]);
  const half = await ask({ kvCache: 'f16' });
  assert.equal(half.needs.kvCache, kvCache / 2);
});

test('a budget between: the context that fits loads, one more does not', { timeout: 60_000 }, async () => {
  const [most, least] = [await ask({}), await ask({ contextLength: 1 })];
  const memoryBudget = Math.floor((most.needs.total + least.needs.total) / 2);
  const answer = await ask({ memoryBudget });
  console.log(answer.reason);
  assert.equal(answer.fits, false);
  assert.equal(answer.limit, memoryBudget);
  assert.ok(answer.contextLength > 1 && answer.contextLength < TRAINED);
  for (const number of [answer.needs.total, memoryBudget, answer.contextLength]) assert.match(answer.reason, new RegExp(`\\b${number}\\b`));
  const good = { memoryBudget, contextLength: answer.contextLength };
  const bad = { memoryBudget, contextLength: answer.contextLength + 1 };
  assert.equal((await ask(good)).fits, true);
  assert.equal((await ask(bad)).fits, false);
  assert.equal(await failure('loadModel', good), null);
  for (const worker of [false, true]) {
    const failed = await failure('loadModel', { ...bad, worker });
    assert.equal(failed.code, 'OUT_OF_GPU_MEMORY');
    assert.match(failed.message, new RegExp(`contextLength of ${answer.contextLength} fits`));
  }
});

test('a budget below the weights: nothing fits', { timeout: 60_000 }, async () => {
  const answer = await ask({ memoryBudget: 1_000_000 });
  assert.deepEqual([answer.fits, answer.contextLength, answer.limit], [false, null, 1_000_000]);
  assert.match(answer.reason, /no contextLength fits/);
});

test('only the header is fetched', { timeout: 60_000 }, async () => {
  const fresh = await site.page();
  let bytes = 0;
  fresh.on('requestfinished', async (request) => {
    if (!request.url().endsWith(SMALL)) return;
    bytes += Number((await request.response()).headers()['content-length'] ?? 0);
  });
  const code = await fresh.evaluate(async (url) => {
    const { fits } = await webgguf.canRun(url, { cache: false, memoryBudget: 1_000_000 });
    const failed = await failureOf(webgguf.loadModel(url, { cache: false, memoryBudget: 1_000_000 }));
    return [fits, failed.code];
  }, SMALL);
  assert.deepEqual(code, [false, 'OUT_OF_GPU_MEMORY']);
  console.log(`${bytes} of ${fileBytes} bytes were asked for, for an answer and a load that fails`);
  assert.ok(bytes <= 2 << 20);
  await fresh.close();
});

test('what the browser tells of memory is the default', { timeout: 60_000 }, async () => {
  const answers = await page.evaluate(async (url) => {
    const told = (gib) => Object.defineProperty(navigator, 'deviceMemory', { value: gib, configurable: true });
    const limits = [];
    for (const gib of [0.5, 4, 8, undefined]) {
      told(gib);
      limits.push((await webgguf.canRun(url)).limit);
    }
    told(0.0078125);
    const tight = await webgguf.canRun(url);
    const failed = await failureOf(webgguf.loadModel(url));
    const own = await webgguf.canRun(url, { memoryBudget: Infinity });
    delete navigator.deviceMemory;
    return { limits, tight: tight.fits, code: failed?.code, own: own.fits };
  }, SMALL);
  assert.deepEqual(answers.limits, [2 ** 28, 2 ** 31, null, null]);
  assert.deepEqual([answers.tight, answers.code, answers.own], [false, 'OUT_OF_GPU_MEMORY', true]);
});

test('a GPU without the memory: nothing stays behind', { timeout: 60_000 }, async () => {
  const context = await site.browser.newContext();
  await context.addInitScript(() => {
    globalThis.live = 0;
    globalThis.refusals = 0;
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      live++;
      device.lost.then(() => live--);
      return device;
    };
    const { popErrorScope } = GPUDevice.prototype;
    GPUDevice.prototype.popErrorScope = async function () {
      const error = await popErrorScope.call(this);
      return refusals-- > 0 ? new GPUOutOfMemoryError('out of memory, says the test') : error;
    };
  });
  const fresh = await site.page('/test/', context);
  const { failed, live, again } = await fresh.evaluate(async (url) => {
    refusals = 1;
    const failed = await failureOf(webgguf.loadModel(url));
    for (let i = 0; live > 0 && i < 50; i++) await new Promise((r) => setTimeout(r, 20));
    refusals = 0;
    const left = live;
    return { failed, live: left, again: await failureOf(webgguf.loadModel(url)) };
  }, SMALL);
  console.log(failed.message);
  assert.equal(failed.code, 'OUT_OF_GPU_MEMORY');
  assert.match(failed.message, /the GPU has no \d+ bytes for .* on top of \d+/);
  assert.equal(live, 0, 'its device is destroyed');
  assert.equal(again, null, 'another load has what it took');
  await context.close();
});

test('what can never run is an error', { timeout: 60_000 }, async () => {
  const cases = [
    [{ contextLength: TRAINED + 1 }, 'INVALID_ARGUMENT', /513, 1 to 512/],
    [{ contextLength: 0 }, 'INVALID_ARGUMENT', /0, 1 to 512/],
    [{ memoryBudget: -1 }, 'INVALID_ARGUMENT', /memoryBudget is -1/],
    [{ memoryBudget: 1.5 }, 'INVALID_ARGUMENT', /memoryBudget is 1.5/],
    [{ kvCache: 'f64' }, 'INVALID_ARGUMENT', /f64/],
    [{ temperature: 1 }, 'INVALID_ARGUMENT', /temperature/],
  ];
  for (const [options, code, words] of cases) {
    const failed = await failure('canRun', options);
    assert.equal(failed?.code, code);
    assert.match(failed.message, words);
  }
  const missing = await failure('canRun', { retry: { baseDelayMs: 1 } }, '/temp/none.gguf');
  assert.equal(missing.code, 'FETCH_FAILED');
});
