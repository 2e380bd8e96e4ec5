// The device as others would have it: the limits and habits of Safari on phones; features that are there and wrong.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 240_000 };
const FIXTURE = join(ROOT, 'tests/fixtures/embedded');
const golden = JSON.parse(readFileSync(join(FIXTURE, 'greedy.json')));

let site;
before(async () => (site = await open()));
after(() => site?.close());

/** Greedy text of the embedded model, `runs` times, and its info. */
const greedy = (page, options, runs = 1, maxTokens = 16) =>
  page.evaluate(async ([options, prompt, maxTokens, runs]) => {
    const model = await webgguf.loadModel('/models/embedded.gguf', options);
    const all = [];
    for (let i = 0; i < runs; i++) {
      all.push((await collect(model, prompt, { maxTokens, temperature: 0, ignoreEnd: true })).ids);
    }
    const { info } = model;
    model.destroy();
    return { all, info };
  }, [options, golden.prompt_tokens, maxTokens, runs]);

/** Count dispatches and passes of submits, before the page makes a device. */
const spy = (page) =>
  page.evaluate(() => {
    globalThis.seen = { dispatches: 0, passes: 0, mostDispatches: 0, mostPasses: 0 };
    const wrap = (prototype, name, before) => {
      const original = prototype[name];
      prototype[name] = function (...args) {
        before(...args);
        return original.apply(this, args);
      };
    };
    wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => seen.dispatches++);
    wrap(GPUCommandEncoder.prototype, 'beginComputePass', () => seen.passes++);
    wrap(GPUQueue.prototype, 'submit', () => {
      seen.mostDispatches = Math.max(seen.mostDispatches, seen.dispatches);
      seen.mostPasses = Math.max(seen.mostPasses, seen.passes);
      seen.dispatches = seen.passes = 0;
    });
  });

test('ios: at most 25 dispatches a submit in one pass, the golden text, 10 runs in a row', TIMEOUT, async () => {
  const page = await site.page();
  await spy(page);
  const { all, info } = await greedy(page, { profile: 'ios' }, 10, 8);
  for (const ids of all) assert.deepEqual(ids, golden.tokens.slice(0, 8));
  const seen = await page.evaluate(() => seen);
  console.log(`${seen.mostDispatches} dispatches and ${seen.mostPasses} pass a submit at most`);
  assert.ok(seen.mostDispatches <= 25 && seen.mostPasses === 1, JSON.stringify(seen));
  assert.equal(info.gpu.subgroupSize, 0);
  assert.equal(info.gpu.dispatchesPerSubmit, 25);
  assert.ok(info.gpu.maxBindingBytes <= 128 << 20);
  await page.close();
});

test('ios: every intermediate matches', TIMEOUT, async () => {
  const page = await site.page();
  const result = await page.evaluate(async () => {
    const { compareCase } = await import('/test/activations.js');
    const fixture = '/fixtures/embedded/t7/';
    const { n_ctx: contextLength } = await (await fetch(`${fixture}index.json`)).json();
    const model = await webgguf.loadModel('/models/embedded.gguf', { profile: 'ios', contextLength, kvCache: 'f32' });
    const result = await compareCase(model, fixture);
    model.destroy();
    return result;
  });
  const worst = Math.max(...result.rows.map((row) => row.relL2));
  console.log(`${result.rows.length} nodes, worst ${worst.toExponential(1)}`);
  assert.ok(result.rows.length > 100 && worst <= 1e-4, `worst ${worst}`);
  await page.close();
});

test('ios is what an iPhone gets', TIMEOUT, async () => {
  const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1';
  const page = await site.page('/test/', undefined, { userAgent });
  const { all, info } = await greedy(page, {});
  assert.deepEqual(all[0], golden.tokens.slice(0, 16));
  assert.equal(info.gpu.dispatchesPerSubmit, 25);
  await page.close();
});

test('without async iteration of streams', TIMEOUT, async () => {
  const page = await site.page();
  await page.evaluate(() => {
    delete ReadableStream.prototype[Symbol.asyncIterator];
    delete ReadableStream.prototype.values;
  });
  const { all } = await greedy(page, { profile: 'ios', cache: false });
  assert.deepEqual(all[0], golden.tokens.slice(0, 16));
  await page.close();
});

test('subgroups that compute wrong sums are not used', TIMEOUT, async () => {
  const page = await site.page();
  await page.evaluate(() => {
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function ({ code, ...rest }) {
      // Each invocation gets its own value back.
      return createShaderModule.call(this, { ...rest, code: code.replace(/subgroupShuffleXor\(([^,]+),[^)]*\)/g, 'subgroupShuffleXor($1, 0u)') });
    };
  });
  const { all, info } = await greedy(page, {});
  console.log(JSON.stringify(info.gpu.features));
  assert.deepEqual(all[0], golden.tokens.slice(0, 16));
  assert.equal(info.gpu.subgroupSize, 0);
  const subgroups = info.gpu.features.find(({ name }) => name === 'subgroups');
  assert.ok(!subgroups.used && /off by/.test(subgroups.reason), subgroups.reason);
  await page.close();
});

/** Have the page take SwiftShader for a GPU that has f16. */
const disguise = (page) =>
  page.evaluate(() => {
    const { has } = GPUSupportedFeatures.prototype;
    GPUSupportedFeatures.prototype.has = function (name) {
      return name === 'shader-f16' || has.call(this, name);
    };
    for (const { prototype } of [GPUAdapter, GPUAdapterInfo]) {
      if ('isFallbackAdapter' in prototype) Object.defineProperty(prototype, 'isFallbackAdapter', { get: () => false });
    }
  });

test('a device with every feature: each is tried, and the text is the same', TIMEOUT, async () => {
  const page = await site.page();
  await disguise(page);
  const { all, info } = await greedy(page, {});
  console.log(JSON.stringify(info.gpu.features));
  assert.deepEqual(all[0], golden.tokens.slice(0, 16));
  assert.deepEqual(info.gpu.features.map(({ name }) => name), ['subgroups', 'f16 cache', 'int8 products']);
  // Which is faster here is SwiftShader's affair.
  assert.match(info.gpu.features[1].reason, /^attention took|no timestamps/);
  assert.equal(info.memory.kvCacheType, info.gpu.features[1].used ? 'f16' : 'f32');
  assert.match(info.gpu.features[2].reason, /^a matmul took|no timestamps/);
  await page.close();
});

test('f16 and integer products that are off are not used', TIMEOUT, async () => {
  const page = await site.page();
  await disguise(page);
  await page.evaluate(() => {
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function ({ code, ...rest }) {
      const broken = code.replaceAll('pack2x16float(v.', 'pack2x16snorm(v.').replaceAll('dot4I8Packed(a.w', 'dot4I8Packed(a.z');
      return createShaderModule.call(this, { ...rest, code: broken });
    };
  });
  const { all, info } = await greedy(page, {});
  console.log(JSON.stringify(info.gpu.features));
  assert.deepEqual(all[0], golden.tokens.slice(0, 16));
  assert.equal(info.memory.kvCacheType, 'f32');
  for (const { used, reason } of info.gpu.features.slice(1)) assert.ok(!used && /off by|no timestamps/.test(reason), reason);
  await page.close();
});

test('f16 that is reported but broken changes nothing', TIMEOUT, async () => {
  const page = await site.page();
  await page.evaluate(() => {
    const { has } = GPUSupportedFeatures.prototype;
    GPUSupportedFeatures.prototype.has = function (name) {
      return name === 'shader-f16' || has.call(this, name);
    };
  });
  const { all } = await greedy(page, { profile: 'ios' });
  assert.deepEqual(all[0], golden.tokens.slice(0, 16));
  await page.close();
});
