// Every variant of every kernel under the browser's WGSL compiler, Tint in Chromium: no errors, no warnings, and a
// pipeline. In Firefox, whose compiler is naga, a sample of those that need no subgroups, which it has not; or all of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { BROWSER, open } from './lib/harness.mjs';

/** Values for the overrides that have none, mostly those of a SmolLM2-135M. A new override wants its line here. */
const OVERRIDES = {
  CAPACITY: 2048,
  EPS: 1e-5,
  HEAD_DIM: 64,
  K: 64,
  K16: 4,
  MIN_SPLIT: 32,
  N: 1536,
  N_EXPERT: 128,
  N_HEAD: 9,
  N_HEAD_KV: 3,
  N_POS: 64,
  N_ROT: 64,
  N_SPLIT: 16,
  N_USED: 8,
  N_VOCAB: 49152,
  N_WORKGROUPS: 64,
  QK_EPS: 1e-6,
  ROW_D4: 240,
  SCALE: 0.125,
  SLICES: 1,
  STRIDE: 1536,
  WINDOW: 0xffffffff,
  X_ROWS: 1,
  Y_STRIDE: 576,
};

/** One variant of so many is compiled. */
const EVERY = BROWSER === 'chromium' || process.env.WEBGGUF_ALL_KERNELS ? 1 : 5;

let site;
before(async () => (site = await open()));
after(() => site.close());

/** In the page: what the compiler says of each variant, and how long the slowest pipelines took. */
async function compileAll([overrides, every]) {
  const all = await (await fetch('/target/shaders.json')).json();
  const adapter = await navigator.gpu.requestAdapter();
  const requiredFeatures = ['subgroups', 'shader-f16'].filter((f) => adapter.features.has(f));
  const device = await adapter.requestDevice({ requiredFeatures });
  const known = all.filter(([, code]) => device.features.has('subgroups') || !/^enable subgroups;/m.test(code));
  const variants = known.filter((_, i) => i % every === 0);
  const problems = [];
  const timed = [];
  const compile = async ([name, code]) => {
    const module = device.createShaderModule({ label: name, code });
    const { messages } = await module.getCompilationInfo();
    for (const m of messages) problems.push(`${name}: ${m.type} at ${m.lineNum}:${m.linePos}: ${m.message}`);
    if (messages.some((m) => m.type === 'error')) return;
    const required = [...code.matchAll(/^override (\w+):[^=;\n]*;/gm)].map((m) => m[1]);
    const lacking = required.filter((o) => !(o in overrides));
    if (lacking.length) {
      problems.push(`${name}: this test has no value for override ${lacking}`);
      return;
    }
    const constants = Object.fromEntries(required.map((o) => [o, overrides[o]]));
    const start = performance.now();
    await device
      .createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main', constants } })
      .catch((e) => problems.push(`${name}: no pipeline: ${e.message}`));
    timed.push([performance.now() - start, name]);
  };
  const started = performance.now();
  // Four at a time, for browsers that compile side by side.
  const queue = variants.values();
  const drain = async () => {
    for (const variant of queue) await compile(variant);
  };
  await Promise.all([drain(), drain(), drain(), drain()]);
  timed.sort((a, b) => b[0] - a[0]);
  return { n: variants.length, nAll: all.length, problems, slowest: timed.slice(0, 5), totalMs: performance.now() - started };
}

test(`${EVERY === 1 ? 'every kernel variant' : 'a sample of kernel variants'} compiles in the browser without a warning`, { timeout: 1_500_000 }, async () => {
  const args = ['run', '--quiet', '--all-features', '--example', 'shaders', '--', 'target/shaders.json'];
  execFileSync('cargo', args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const page = await site.page();
  const { n, nAll, problems, slowest, totalMs } = await page.evaluate(compileAll, [OVERRIDES, EVERY]);
  console.log(`${n} of ${nAll} variants in ${(totalMs / 1e3).toFixed(1)} s; the slowest:`);
  for (const [ms, name] of slowest) console.log(`${ms.toFixed(0).padStart(6)} ms  ${name}`);
  assert.ok(BROWSER === 'chromium' ? n === nAll : n > 0);
  assert.deepEqual(problems, []);
});
