// Activation match: every named intermediate of every layer, prefill and decode, against llama.cpp's.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

/** Models of models/ with references in tests/fixtures/: one for each architecture that runs. */
const MODELS = ['embedded', 'gpt2-tiny'];

let site;
before(async () => (site = await open()));
after(() => site.close());

function report(title, rows) {
  const width = Math.max(...rows.map((r) => r.name.length));
  console.log(`\n${title}\n${'phase'.padEnd(8)}${'node'.padEnd(width + 1)}  max abs  mean abs   rel. L2`);
  for (const r of rows) {
    const numbers = [r.maxAbs, r.meanAbs, r.relL2].map((x) => x.toExponential(2).padStart(9)).join(' ');
    console.log(`${r.phase.padEnd(8)}${r.name.padEnd(width)} ${numbers}  ${r.problem ? `FAIL ${r.problem}` : 'pass'}`);
  }
}

for (const name of MODELS) {
  const folder = join(ROOT, 'tests/fixtures', name);
  const cases = readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name);

  describe(`activations of ${name}`, () => {
    let page;
    before(async () => {
      page = await site.page();
      await page.evaluate((url) => {
        const models = {};
        // Some architectures choose their RoPE by the context, so a case names its own.
        globalThis.modelFor = (contextLength) => (models[contextLength] ??= webgguf.loadModel(url, { contextLength }));
      }, `/models/${name}.gguf`);
    });
    after(() => page.close());

    for (const entry of cases) {
      test(`case ${entry}`, { timeout: 120_000 }, async () => {
        const result = await page.evaluate(async (fixture) => {
          const { compareCase } = await import('/test/activations.js');
          const index = await (await fetch(`${fixture}index.json`)).json();
          return compareCase(await modelFor(index.n_ctx), fixture);
        }, `/fixtures/${name}/${entry}/`);

        const failed = result.rows.filter((r) => r.problem);
        const worst = Math.max(...result.rows.filter((r) => r.problem !== 'missing').map((r) => r.relL2));
        report(`${name} ${entry}`, result.rows);
        const summary = `${result.rows.length} checkpoints, ${failed.length} failed`;
        console.log(`${summary}; worst relative L2 ${worst.toExponential(2)}`);
        if (result.extra.length) console.log(`captured without a reference: ${result.extra.join(' ')}`);
        assert.deepEqual(result.repeated, [], 'a name stands for one node');
        assert.deepEqual(result.decoded, result.wantDecoded, 'greedy ids');
        const missing = failed.filter((r) => r.problem === 'missing').map((r) => `${r.phase} ${r.name}`);
        assert.deepEqual(missing, [], 'every node is captured');
        assert.deepEqual(failed, [], 'every node matches');
      });
    }
  });
}
