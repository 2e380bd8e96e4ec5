// The package against what it was when it was made: tokens in Node.js; text and every intermediate in a browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { loadTokenizer } from '{{name}}';
import { inBrowser } from './browser.js';

const references = JSON.parse(readFileSync(new URL('./references.json', import.meta.url), 'utf8'));
/** Of an intermediate's root mean square. */
const TOLERANCE = 1e-3;

test('tokens', async () => {
  const tokenizer = await loadTokenizer();
  assert.deepEqual([...tokenizer.tokenize(references.prompt, { addSpecial: true, parseSpecial: true })], references.ids);
  assert.equal(tokenizer.detokenize([...tokenizer.tokenize('Ünïcode, 你好')]), 'Ünïcode, 你好');
});

test('text and intermediates', { timeout: 600_000 }, async (t) => {
  const got = await inBrowser(t, async ({ prompt, maxTokens, activations }) => {
    const { loadModel } = await import('/index.js');
    const model = await loadModel({ kvCache: 'f32', cache: false });
    let text = '';
    for await (const piece of model.generate(prompt, { maxTokens, temperature: 0 })) text += piece;
    const [prefill] = await model.captureActivations(prompt);
    // As many values as the references have, evenly spread.
    const cut = ({ name, data }) => {
      const n = activations[name]?.values.length ?? 0;
      const values = Array.from({ length: n }, (_, i) => data[Math.floor((i * data.length) / n)]);
      return [name, { length: data.length, values }];
    };
    return { text, activations: Object.fromEntries(prefill.map(cut)) };
  }, references);
  if (!got) return;
  assert.equal(got.text, references.text);
  let compared = 0;
  let worst = 0;
  for (const [name, { length, rms, values }] of Object.entries(references.activations)) {
    // Kernels differ by device: what one keeps apart, another computes in one go.
    const other = got.activations[name];
    if (!other) continue;
    assert.equal(other.length, length, name);
    for (const [i, value] of values.entries()) {
      const error = Math.abs(other.values[i] - value) / (rms || 1);
      assert.ok(error <= TOLERANCE, `${name}: ${other.values[i]} instead of ${value}, where ${rms} is usual`);
      worst = Math.max(worst, error);
    }
    compared++;
  }
  t.diagnostic(`${compared} intermediates, at most ${worst.toExponential(1)} of their root mean square off`);
  assert.ok(compared > 0.9 * Object.keys(references.activations).length);
});
