// Real models' shapes over HTTP: they load and generate, and the page's memory stays small while they do.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';

import { F16, F32, Q8_0 } from './lib/gguf.mjs';
import { open } from './lib/harness.mjs';
import { writeShape } from './lib/shapes.mjs';

const PEAK_BYTES = 100e6;
const TOKENS = 3; // A software GPU is slow with models of this size.

const NAMES = { [F32]: 'f32', [F16]: 'f16', [Q8_0]: 'q8_0' };
const CASES = [
  ['smollm2-135m', F32],
  ['gpt2-124m', F16],
];

let site;
before(async () => (site = await open()));
after(() => site.close());

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** What the page holds, sampled until `done`: V8's heap, array buffers outside it, and the most of both at a time. */
async function samplePeaks(page, done) {
  const session = await page.context().newCDPSession(page);
  const peak = { heap: 0, buffers: 0, both: 0, samples: 0 };
  let running = true;
  done.finally(() => (running = false)).catch(() => {});
  while (running) {
    const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
    peak.heap = Math.max(peak.heap, usedSize);
    peak.buffers = Math.max(peak.buffers, backingStorageSize);
    peak.both = Math.max(peak.both, usedSize + backingStorageSize);
    peak.samples++;
    await sleep(10);
  }
  return peak;
}

/** Load in the page while its memory is watched. Says what came of it; the model stays, as `model`. */
async function watchedLoad(page, what, url, fileBytes, options) {
  const load = page.evaluate(async ([url, options]) => {
    const { default: init } = await import('/pkg/webgguf.js');
    const start = performance.now();
    globalThis.model = await webgguf.loadModel(url, { contextLength: 64, ...options });
    // The wasm's memory never shrinks: its size now is its peak. Names of exports are short, and change.
    const wasm = Object.values(await init()).find((it) => it instanceof WebAssembly.Memory).buffer.byteLength;
    return { wasm, seconds: (performance.now() - start) / 1e3, info: model.info };
  }, [url, options]);
  const peak = await samplePeaks(page, load);
  const { wasm, seconds, info } = await load;
  const rate = `${seconds.toFixed(1)} s, ${mb(fileBytes / seconds)}/s`;
  const { header, weights, compile } = info.loadMs;
  console.log(`${what}: ${mb(fileBytes)} in ${rate}; ${mb(info.memory.weights)} on the GPU; header ${header.toFixed(0)} ms, ` +
    `weights ${weights.toFixed(0)} ms, beside them kernels ${compile.toFixed(0)} ms`);
  console.log(`peak of ${peak.samples} samples: JS heap ${mb(peak.heap)}, buffers outside it ${mb(peak.buffers)}, ` +
    `both ${mb(peak.both)}; wasm memory ${mb(wasm)}`);
  // Buffers that wait for the garbage collector count, and so does the wasm's memory, if twice.
  assert.ok(peak.samples > 20, 'the load was watched');
  assert.ok(peak.both + wasm < PEAK_BYTES, `peak ${mb(peak.both + wasm)}, ${mb(PEAK_BYTES)} is allowed`);
  return info;
}

for (const [shape, type] of CASES) {
  const name = `${shape}-${NAMES[type]}`;
  test(`${name} loads over HTTP Range, in less than 100 MB of the page, and generates`, { timeout: 300_000 }, async () => {
    const fileBytes = writeShape(join(site.temp, `${name}.gguf`), shape, type);
    const page = await site.page();
    const info = await watchedLoad(page, name, `/temp/${name}.gguf`, fileBytes, { cache: false });
    const { ids, stats } = await page.evaluate((n) => collect(model, 'hello', { maxTokens: n, ignoreEnd: true }), TOKENS);
    console.log(`first token after ${(stats.firstTokenMs / 1e3).toFixed(1)} s, then ${stats.decodePerSecond.toFixed(2)} tok/s`);
    await page.close();
    assert.equal(info.ranges, true);
    assert.equal(info.fileBytes, fileBytes);
    assert.equal(ids.length, TOKENS);
  });
}

test('smollm2-135m-q8_0 loads from the server, then from the cache, each in less than 100 MB', { timeout: 300_000 }, async () => {
  const fileBytes = writeShape(join(site.temp, 'q8_0.gguf'), 'smollm2-135m', Q8_0);
  const page = await site.page();
  const sums = [];
  for (const [what, bytes] of [['from localhost', 'networkBytes'], ['from the cache', 'cachedBytes']]) {
    const { cache, warnings } = await watchedLoad(page, what, '/temp/q8_0.gguf', fileBytes, { cache: true });
    assert.deepEqual(warnings, []);
    assert.equal(cache.kind, 'opfs');
    assert.ok(cache[bytes] > 0.99 * fileBytes && cache.networkBytes + cache.cachedBytes === cache[bytes]);
    sums.push(await page.evaluate(() => model.weightsChecksum()));
    await page.reload();
    await page.waitForFunction(() => globalThis.webgguf);
  }
  assert.equal(sums[0], sums[1]);
  await page.close();
});
