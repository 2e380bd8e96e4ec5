// Every fixture model against llama.cpp: each named intermediate of each layer, prefill and decode; greedy text; and
// the dispatches of a decode step.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { BROWSER, open } from './lib/harness.mjs';

const FIXTURES = join(ROOT, 'tests/fixtures');
/** A model that has references in tests/fixtures/ is tested. */
const ALL = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, 'greedy.json')));
/**
 * One model of each kind of block: the native tests run the same kernels with all models. So does this file with WEBGGUF_ALL
 * (`npm run test:large`). A second browser needs fewer still.
 */
const VARIED = {
  chromium: ['embedded', 'gemma3-tiny', 'gpt2-tiny', 'granite-bias', 'lfm2', 'olmo3', 'phi3-longrope', 'qwen35', 'qwen3moe'],
  firefox: ['embedded', 'gpt2-tiny', 'qwen3moe'],
};
const MODELS = process.env.WEBGGUF_ALL ? ALL : VARIED[BROWSER];

/** The most dispatches of a decode step. An expert that all tokens share is a network of its own. */
const PER_LAYER = 8;
const PER_SHARED_EXPERT = 4;
const WITH_SHARED_EXPERT = ['qwen35moe'];
const BESIDE = 4;

let site;
before(async () => (site = await open()));
after(() => site.close());

/** For scripts/test/coverage-table.mjs. */
function record(model, entry, architecture, rows, worst) {
  const folder = join(ROOT, 'target/coverage', BROWSER);
  mkdirSync(folder, { recursive: true });
  const result = { model, case: entry, architecture, nodes: rows.length, worst };
  writeFileSync(join(folder, `${model}.${entry}.json`), `${JSON.stringify(result)}\n`);
}

function report(title, rows) {
  const width = Math.max(...rows.map((r) => r.name.length));
  console.log(`\n${title}\n${'phase'.padEnd(8)}${'node'.padEnd(width + 1)}  max abs  mean abs   rel. L2`);
  for (const r of rows) {
    const numbers = [r.maxAbs, r.meanAbs, r.relL2].map((x) => x.toExponential(2).padStart(9)).join(' ');
    console.log(`${r.phase.padEnd(8)}${r.name.padEnd(width)} ${numbers}  ${r.problem ? `FAIL ${r.problem}` : 'pass'}`);
  }
}

for (const name of MODELS) {
  const folder = join(FIXTURES, name);
  const cases = readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name);

  describe(name, () => {
    let page;
    before(async () => {
      page = await site.page();
      await page.evaluate((url) => {
        const models = {};
        // Some architectures choose their RoPE by the context, so a case names its own.
        globalThis.modelFor = (contextLength, kvCache) =>
          (models[`${contextLength} ${kvCache}`] ??= webgguf.loadModel(url, { contextLength, kvCache }));
      }, `/models/${name}.gguf`);
    });
    after(() => page.close());

    const capture = (entry, kvCache, tolerance) =>
      page.evaluate(async ([fixture, kvCache, tolerance]) => {
        const { compareCase } = await import('/test/activations.js');
        const index = await (await fetch(`${fixture}index.json`)).json();
        const model = await modelFor(index.n_ctx, kvCache);
        return { ...(await compareCase(model, fixture, tolerance)), architecture: model.info.architecture };
      }, [`/fixtures/${name}/${entry}/`, kvCache, tolerance]);

    for (const entry of cases) {
      test(`${name}: activations of case ${entry}`, { timeout: 120_000 }, async () => {
        const result = await capture(entry, 'f32', 1e-4);

        const failed = result.rows.filter((r) => r.problem);
        const worst = Math.max(...result.rows.filter((r) => r.problem !== 'missing').map((r) => r.relL2));
        report(`${name} ${entry}`, result.rows);
        const summary = `${result.rows.length} checkpoints, ${failed.length} failed`;
        console.log(`${summary}; worst relative L2 ${worst.toExponential(2)}`);
        record(name, entry, result.architecture, result.rows, worst);
        if (result.extra.length) console.log(`captured without a reference: ${result.extra.join(' ')}`);
        assert.deepEqual(result.repeated, [], 'a name stands for one node');
        assert.deepEqual(result.decoded, result.wantDecoded, 'greedy ids');
        const missing = failed.filter((r) => r.problem === 'missing').map((r) => `${r.phase} ${r.name}`);
        assert.deepEqual(missing, [], 'every node is captured');
        assert.deepEqual(failed, [], 'every node matches');
      });
    }

    test(`${name}: activations with a cache in f16`, { timeout: 120_000 }, async () => {
      const { rows } = await capture('t7', 'f16', 5e-3);
      console.log(`${rows.length} checkpoints; worst relative L2 ${Math.max(...rows.map((r) => r.relL2)).toExponential(2)}`);
      assert.deepEqual(rows.filter((r) => r.problem), [], 'every node matches');
    });

    test(`${name}: greedy text`, { timeout: 120_000 }, async () => {
      const { n_ctx, prompt_tokens, tokens, text } = JSON.parse(readFileSync(join(folder, 'greedy.json')));
      const got = await page.evaluate(async ([contextLength, prompt, maxTokens]) => {
        const model = await modelFor(contextLength, 'f32');
        const { ids, text } = await collect(model, prompt, { maxTokens, temperature: 0, ignoreEnd: true });
        const detokenized = (options) =>
          model.detokenize([...prompt, ...ids], options).slice(model.detokenize(prompt, options).length);
        return { ids, text, whole: detokenized(), special: detokenized({ showSpecial: true }) };
      }, [n_ctx, prompt_tokens, tokens.length]);
      assert.deepEqual(got.ids, tokens);
      // llama.cpp writes special tokens out and takes spaces before punctuation away; trained models write neither.
      assert.equal(got.special.replaceAll(' ,', ','), text);
      assert.equal(got.text, got.whole, 'streamed as in one');
    });

    test(`${name}: dispatches of a token`, async () => {
      const { decodeDispatches, layers } = await page.evaluate(async () => (await modelFor(256, 'f32')).info);
      const limit = (PER_LAYER + (WITH_SHARED_EXPERT.includes(name) ? PER_SHARED_EXPERT : 0)) * layers + BESIDE;
      console.log(`${name}: ${decodeDispatches} dispatches a token, ${layers} layers`);
      assert.ok(decodeDispatches > 0 && decodeDispatches <= limit, `${decodeDispatches}, ${limit} are allowed`);
    });
  });
}
