// Activation match: every named intermediate of every layer, prefill and decode, against llama.cpp's.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

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
  for (const entry of readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory())) {
    test(`activations of ${name}, case ${entry.name}`, { timeout: 120_000 }, async () => {
      const page = await site.page();
      const result = await page.evaluate(async ([model, fixture]) => {
        const { compareCase } = await import('/test/activations.js');
        const index = await (await fetch(`${fixture}index.json`)).json();
        // Some architectures choose their RoPE by the context.
        const loaded = await webgguf.loadModel(model, { contextLength: index.n_ctx });
        return compareCase(loaded, fixture);
      }, [`/models/${name}.gguf`, `/fixtures/${name}/${entry.name}/`]);
      await page.close();

      const failed = result.rows.filter((r) => r.problem);
      const worst = Math.max(...result.rows.filter((r) => r.problem !== 'missing').map((r) => r.relL2));
      report(`${name} ${entry.name}`, result.rows);
      console.log(`${result.rows.length} checkpoints, ${failed.length} failed; worst relative L2 ${worst.toExponential(2)}`);
      if (result.extra.length) console.log(`captured without a reference: ${result.extra.join(' ')}`);
      assert.deepEqual(result.repeated, [], 'a name stands for one node');
      assert.deepEqual(result.decoded, result.wantDecoded, 'greedy ids');
      const missing = failed.filter((r) => r.problem === 'missing').map((r) => `${r.phase} ${r.name}`);
      assert.deepEqual(missing, [], 'every node is captured');
      assert.deepEqual(failed, [], 'every node matches');
    });
  }
}
