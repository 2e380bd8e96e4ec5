// A long life: many generations on one model, many loads and destroys in one page, and nothing that grows.
// `npm run test:soak`; too slow for `npm test`.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { open } from './lib/harness.mjs';

const MODEL = '/models/gpt2-tiny.gguf';
const GENERATIONS = Number(process.env.SOAK_GENERATIONS ?? 1000);
const LOADS = Number(process.env.SOAK_LOADS ?? 50);
/** SOAK_KERNELS=0 loads without compiling kernels, which takes a software GPU seconds, and without generating. */
const KERNELS = process.env.SOAK_KERNELS !== '0';
/** Figures are taken so often; the first of them are the warm-up. */
const SAMPLES = 10;
const WARM_UP = 2;
/** What V8's heap may vary by between two collections. */
const HEAP_BYTES = 1.5e6;

let site;
before(async () => (site = await open()));
after(() => site.close());

/** In the page, before the package: counts the GPU's objects that live. */
function countGpuObjects() {
  const live = { buffers: 0, devices: 0 };
  const destroyed = new WeakSet();
  globalThis.gpuObjects = live;
  const destroying = (prototype, kind) => {
    const { destroy } = prototype;
    prototype.destroy = function () {
      if (!destroyed.has(this)) {
        destroyed.add(this);
        live[kind]--;
      }
      return destroy.call(this);
    };
  };
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    live.buffers++;
    return createBuffer.call(this, descriptor);
  };
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    live.devices++;
    return device;
  };
  destroying(GPUBuffer.prototype, 'buffers');
  destroying(GPUDevice.prototype, 'devices');
}

async function soakPage(path = '/test/') {
  const context = await site.browser.newContext();
  await context.addInitScript(countGpuObjects);
  const page = await site.page(path, context);
  const session = await context.newCDPSession(page);
  return { page, session };
}

/** What the page holds, after a collection. */
async function sample(page, session) {
  for (let i = 0; i < 3; i++) await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
  const { wasm, buffers, devices } = await page.evaluate(async () => {
    const { default: init } = await import('/pkg/webgguf.js');
    return { ...gpuObjects, wasm: Object.values(await init()).find((it) => it instanceof WebAssembly.Memory).buffer.byteLength };
  });
  return { heap: usedSize, outside: backingStorageSize, wasm, buffers, devices };
}

/** Run `step(i)` n times, with samples, and check that nothing grows behind the warm-up. */
async function soak(what, n, page, session, step) {
  const samples = [];
  for (let i = 0; i < SAMPLES; i++) {
    await step(Math.round(n / SAMPLES));
    samples.push(await sample(page, session));
    const { heap, outside, wasm, buffers, devices } = samples.at(-1);
    console.log(`${what} ${Math.round((n / SAMPLES) * (i + 1))}: JS heap ${(heap / 1e6).toFixed(2)} MB, outside it ` +
      `${(outside / 1e6).toFixed(2)} MB, wasm ${(wasm / 1e6).toFixed(2)} MB, ${buffers} GPU buffers, ${devices} devices`);
  }
  const [first, last] = [samples[WARM_UP], samples.at(-1)];
  assert.equal(last.wasm, first.wasm, 'wasm memory');
  assert.equal(last.buffers, first.buffers, 'GPU buffers');
  assert.equal(last.devices, first.devices, 'GPU devices');
  assert.ok(last.heap - first.heap < HEAP_BYTES, `JS heap grew by ${last.heap - first.heap} bytes`);
  assert.ok(last.outside - first.outside < HEAP_BYTES, `buffers outside the heap grew by ${last.outside - first.outside} bytes`);
}

test(`${GENERATIONS} generations`, { timeout: 3_600_000 }, async () => {
  const { page, session } = await soakPage();
  await page.evaluate(async (url) => (globalThis.model = await webgguf.loadModel(url, { cache: false })), MODEL);
  let seed = 0;
  await soak('generations', GENERATIONS, page, session, (n) =>
    page.evaluate(async ([n, seed]) => {
      for (let i = 0; i < n; i++) {
        const prompt = ['Prince', 'The', 'War', 'And so'][i % 4];
        // Whole ones, ones that are left, and ones that are aborted.
        const controller = new AbortController();
        const options = { maxTokens: 8, seed: seed + i, signal: controller.signal };
        try {
          for await (const text of model.generate(prompt, options)) {
            if (i % 10 === 3 && text) break;
            if (i % 10 === 7 && text) controller.abort();
          }
        } catch (e) {
          if (e.code !== 'ABORTED') throw e;
        }
      }
    }, [n, (seed += n)]));
  await page.close();
});

for (const cache of [false, true]) {
  test(`${LOADS} loads and destroys${cache ? ', from the cache' : ''}`, { timeout: 3_600_000 }, async () => {
    const { page, session } = await soakPage(KERNELS ? '/test/' : '/test/?load-only');
    await soak('loads', LOADS, page, session, (n) =>
      page.evaluate(async ([n, url, cache, generate]) => {
        for (let i = 0; i < n; i++) {
          const model = await webgguf.loadModel(url, { cache });
          if (generate) await collect(model, 'Prince', { maxTokens: 2 });
          model.destroy();
        }
      }, [n, MODEL, cache, KERNELS]));
    const { buffers, devices } = await sample(page, session);
    assert.equal(devices, 0, 'every device is destroyed');
    assert.equal(buffers, 0, 'every buffer is destroyed');
    await page.close();
  });
}
