// Variants of the kernels under the browser's WGSL compiler, Tint in Chromium: no errors, no warnings, and a pipeline.
// In Chromium each that has changed since all were compiled, and a sample of the others; in Firefox, whose compiler is naga, a
// sample of those that need no subgroups, which it has not. With WEBGGUF_ALL all of them (`npm run test:large`).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { BROWSER, open } from './lib/harness.mjs';

/** Values for the overrides, mostly those of a SmolLM2-135M. A new override wants its line here. */
const OVERRIDES = {
  BASIS_PITCH: 6,
  C16: 4,
  C4: 16,
  C: 32,
  CAPACITY: 2048,
  CHUNKS_STRIDE4: 68,
  CONV_STRIDE: 2,
  CUT: 3,
  DILATION: 1,
  EPS: 1e-5,
  EXPERT0: 0,
  H: 256,
  HEADS: 12,
  HEAD_DIM: 64,
  IN_H: 96,
  IN_W: 96,
  K16: 4,
  K: 64,
  KERNEL: 5,
  LANES: 16,
  LEAK: 0.1,
  LOGIT_SCALE: 1,
  LOGIT_SOFTCAP: 0,
  MIN_SPLIT: 32,
  MIRROR: 1,
  MIXED_STRIDE4: 128,
  N: 1536,
  N_CTX_ORIG: 4096,
  N_EXPERT: 128,
  N_HEAD: 9,
  N_HEAD_KV: 3,
  N_K: 2,
  N_POS: 64,
  N_ROT: 64,
  N_SIGMOID: 2,
  N_SPLIT: 16,
  N_USED: 8,
  N_V: 4,
  N_VOCAB: 49152,
  N_WORKGROUPS: 64,
  OTHER_COL4: 0,
  OTHER_PITCH: 144,
  OUT_H: 48,
  OUT_W: 48,
  PAD: 1,
  PAD_X: 1,
  PAD_Y: 1,
  PLACES: 2304,
  QK_EPS: 1e-6,
  REPEAT: 1,
  RESIDUAL_PITCH: 144,
  RESIDUAL_SCALE: 1,
  ROW0: 0,
  ROW_D4: 240,
  SCALE: 0.125,
  SCORE_SCALE: 0.125,
  SKIP_C: 16,
  SKIP_W: 96,
  SLICES: 1,
  SOFTCAP: 0,
  STRIDE: 1536,
  STRIDE4: 432,
  STYLE: 0,
  SUBGROUP: 4,
  TEMPERATURE: 0.1,
  TILE_T: 64,
  UP_N: 256,
  WG: 64,
  WINDOW: 0xffffffff,
  WORKGROUPS_X: 65535,
  X_COL4: 0,
  X_PITCH: 144,
  X_ROWS: 1,
  Y_COL4: 0,
  Y_PITCH: 144,
  Y_STRIDE: 576,
  Y_STRIDE4: 144,
};

const ALL = Boolean(process.env.WEBGGUF_ALL);
/** One of this many variants is compiled in any case. */
const EVERY = { chromium: 25, firefox: 5 }[BROWSER];
/** Hashes of the variants that Chromium compiled when all were tried. */
const COMPILED = join(ROOT, 'tests/fixtures/kernels.hashes');
const SHADERS = join(ROOT, 'target/shaders.json');
const hash = (code) => createHash('sha256').update(code).digest('hex').slice(0, 12);

let site;
before(async () => (site = await open()));
after(() => site.close());

/** In the page: what the compiler says of each variant, and how long the slowest pipelines took. */
async function compileAll([overrides, wanted]) {
  const all = await (await fetch('/target/shaders.json')).json();
  const adapter = await navigator.gpu.requestAdapter();
  const requiredFeatures = ['subgroups', 'shader-f16'].filter((f) => adapter.features.has(f));
  const device = await adapter.requestDevice({ requiredFeatures });
  const known = all.filter(([, code]) => device.features.has('subgroups') || !/^enable subgroups;/m.test(code));
  const names = new Set(wanted);
  const variants = known.filter(([name]) => names.has(name));
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

test(ALL ? 'every kernel variant compiles without a warning' : 'kernel variants compile without a warning', { timeout: 1_500_000 }, async () => {
  const args = ['run', '--quiet', '--all-features', '--example', 'shaders', '--', SHADERS];
  execFileSync('cargo', args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const all = JSON.parse(readFileSync(SHADERS));
  const compiled = new Set(BROWSER === 'chromium' ? readFileSync(COMPILED, 'utf8').split('\n') : all.map(([, code]) => hash(code)));
  const wanted = all.filter(([, code], i) => ALL || i % EVERY === 0 || !compiled.has(hash(code))).map(([name]) => name);
  const page = await site.page();
  const { n, nAll, problems, slowest, totalMs } = await page.evaluate(compileAll, [OVERRIDES, wanted]);
  console.log(`${n} of ${nAll} variants in ${(totalMs / 1e3).toFixed(1)} s; the slowest:`);
  for (const [ms, name] of slowest) console.log(`${ms.toFixed(0).padStart(6)} ms  ${name}`);
  assert.ok(BROWSER === 'chromium' ? n === wanted.length : n > 0);
  assert.deepEqual(problems, []);
  if (ALL && BROWSER === 'chromium') writeFileSync(COMPILED, [...new Set(all.map(([, code]) => hash(code)))].sort().join('\n'));
});
