// Golden text of a model that others trained, stories260K, in four weight types: greedy ids and logits as a float32
// reference has them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { BROWSER, DATA, exists, open } from './lib/harness.mjs';

/** All of them natively and with WEBGGUF_ALL (`npm run test:large`). */
const VARIED = { chromium: ['q4_0'], firefox: ['q8_0'] };
const TYPES = process.env.WEBGGUF_ALL ? ['f32', 'f16', 'q8_0', 'q4_0'] : VARIED[BROWSER];
const LOGITS_TOLERANCE = 1e-4; // relative L2

let site;
before(async () => (site = await open({ stock: true })));
after(() => site.close());

/** In the page: greedy ids and text after a prompt of ids. */
async function generate([url, prompt, maxTokens]) {
  globalThis.model = await webgguf.loadModel(url);
  const { ids, text } = await collect(model, prompt, { maxTokens, temperature: 0, ignoreEnd: true });
  return { ids, text };
}

const stories = join(DATA, 'llm/stories260K');
const skip = (await exists(stories)) ? false : `SKIP: ${stories} is not there`;

for (const type of TYPES) {
  test(`greedy text of stories260K-${type}`, { skip, timeout: 180_000 }, async () => {
    const file = `stories260K-${type}.gguf`;
    const golden = JSON.parse(readFileSync(join(stories, 'stories260K.greedy.json'))).models[file];
    const [bos, ...ids] = golden.ids;
    const page = await site.page();
    const got = await page.evaluate(generate, [`/data/llm/stories260K/${file}`, [bos], ids.length]);
    assert.equal(got.ids.length, 200);
    assert.deepEqual(got.ids, ids);
    assert.equal(got.text.trimStart(), golden.text.trimStart());

    const logits = await page.evaluate(async (prompts) => {
      const { compare } = await import('/test/activations.js');
      const errors = [];
      for (const { prompt, want } of prompts) {
        const [prefill] = await model.captureActivations(prompt);
        errors.push(compare(prefill.find((a) => a.name === 'result_output').data, want).relL2);
      }
      return errors;
    }, [0, 20].map((at) => ({
      prompt: golden.ids.slice(0, at + 1),
      want: golden[`logits_step${at}`],
    })));
    await page.close();
    console.log(`${file}: 200 ids equal; logits at 0 and 20: ${logits.map((e) => e.toExponential(2)).join(', ')}`);
    assert.ok(logits.every((e) => e <= LOGITS_TOLERANCE), `relative L2 ${logits}`);
  });
}
