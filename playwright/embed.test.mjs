// webgguf/embed: vectors of texts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const WORDS = 'the old countess looked at natasha and said what news do you bring us from the army'.split(' ');

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await page.evaluate(async (words) => {
    globalThis.embed = await import('/pkg/embed.js');
    globalThis.progress = [];
    globalThis.embedder = await embed.loadEmbedder('/models/bert.gguf', { onProgress: ({ fraction }) => progress.push(fraction) });
    globalThis.failureOf = (promise) => promise.then(() => undefined, ({ code, message }) => ({ code, message }));
    /** Texts of one to 16 words. */
    globalThis.texts = (n) => Array.from({ length: n }, (_, i) => Array.from({ length: 1 + i % 16 }, (_, k) => words[(i * 7 + k) % words.length]).join(' '));
    globalThis.same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);
  }, WORDS);
});
after(() => site?.close());

test('what is loaded says what it is', TIMEOUT, async () => {
  const { info, isLoaded, progress } = await page.evaluate(() => ({ info: embedder.info, isLoaded: embedder.isLoaded, progress }));
  assert.deepEqual([info.architecture, info.dimensions, info.contextLength, info.pooling, info.layers], ['bert', 64, 512, 'mean', 2]);
  assert.ok(info.memory.weights > 4e5 && info.memory.activations > info.memory.weights && isLoaded);
  assert.deepEqual(info.warnings, []);
  assert.equal(progress.at(-1), 1);
});

test('vectors are those of llama.cpp, and depend on no other text', TIMEOUT, async () => {
  // The ids of the reference, written as the words and signs that they stand for.
  const { tokens, pooled } = JSON.parse(readFileSync(join(ROOT, 'tests/fixtures/bert/words/index.json'), 'utf8'));
  const { vector, alone, together, count } = await page.evaluate(async (text) => {
    const vector = await embedder.embed(text, { normalize: false });
    const all = texts(40);
    const together = await embedder.embed(all);
    const alone = [];
    for (const i of [0, 17, 39]) alone.push(same(await embedder.embed(all[i]), together[i]));
    return { vector: [...vector], alone, together: together.length, count: embedder.count(text) };
  }, WORDS.join(' '));
  assert.equal(count, tokens.length);
  const error = Math.hypot(...vector.map((v, i) => v - pooled.mean[i])) / Math.hypot(...pooled.mean);
  console.log(`relative L2 ${error.toExponential(2)}`);
  assert.ok(error < 1e-4, `relative L2 ${error}`);
  assert.deepEqual([alone, together], [[true, true, true], 40]);
});

test('options change vectors as they say', TIMEOUT, async () => {
  const found = await page.evaluate(async () => {
    const length = (v) => Math.hypot(...v);
    const [whole, cut, raw] = await Promise.all([{}, { dimensions: 16 }, { normalize: false }].map((o) => embedder.embed('the army', o)));
    const [prefixed, written] = await Promise.all([embedder.embed('army', { prefix: 'the ' }), whole]);
    return {
      lengths: [length(whole), length(cut), length(raw)], sizes: [whole.length, cut.length],
      similar: embed.similarity(whole, raw), prefixed: same(prefixed, written), none: await embedder.embed([]),
    };
  });
  assert.ok(Math.abs(found.lengths[0] - 1) < 1e-6 && Math.abs(found.lengths[1] - 1) < 1e-6 && found.lengths[2] > 1.1);
  assert.deepEqual([found.sizes, found.prefixed, found.none], [[64, 16], true, []]);
  assert.ok(Math.abs(found.similar - 1) < 1e-6);
});

test('what cannot be embedded is an error', TIMEOUT, async () => {
  const failures = await page.evaluate(async () => {
    const long = 'army '.repeat(600);
    const calls = {
      empty: embedder.embed(['a', ' ']),
      long: embedder.embed([long]),
      odd: embedder.embed(['a', 1]),
      none: embedder.embed(undefined),
      dimensions: embedder.embed('a', { dimensions: 65 }),
      prefix: embedder.embed('a', { prefix: 'query' }),
      option: embedder.embed('a', { normalise: true }),
      language: embed.loadEmbedder('/models/qwen2.gguf'),
      context: embed.loadEmbedder('/models/bert.gguf', { contextLength: 1000 }),
      model: webgguf.loadModel('/models/bert.gguf'),
      similarity: (async () => embed.similarity([1], [1, 2]))(),
    };
    const cut = await embedder.embed(long, { truncate: true });
    return { cut: cut.length, ...Object.fromEntries(await Promise.all(Object.entries(calls).map(async ([name, call]) => [name, await failureOf(call)]))) };
  });
  const { cut, ...said } = failures;
  assert.equal(cut, 64);
  const wanted = {
    empty: ['INVALID_ARGUMENT', /text 1 of 2 is empty/],
    long: ['CONTEXT_OVERFLOW', /text 0 has 602 tokens, 512 are allowed/],
    odd: ['INVALID_ARGUMENT', /text 1 is 1; a string/],
    none: ['INVALID_ARGUMENT', /the texts are undefined/],
    dimensions: ['INVALID_ARGUMENT', /1 to 64 is allowed/],
    prefix: ['INVALID_ARGUMENT', /give the text itself/],
    option: ['INVALID_ARGUMENT', /did you mean normalize/],
    language: ['UNSUPPORTED_ARCHITECTURE', /'qwen2', which makes no embeddings/],
    context: ['INVALID_ARGUMENT', /contextLength is 1000, 4 to 512/],
    model: ['UNSUPPORTED_ARCHITECTURE', /webgguf\/embed/],
    similarity: ['INVALID_ARGUMENT', /the same number/],
  };
  for (const [name, [code, message]] of Object.entries(wanted)) {
    assert.equal(said[name]?.code, code, `${name}: ${said[name]?.message}`);
    assert.match(said[name].message, message);
  }
});

test('a call can be aborted, hears progress, and is alone', TIMEOUT, async () => {
  const found = await page.evaluate(async () => {
    const many = texts(150);
    const heard = [];
    const whole = embedder.embed(many, { onProgress: ({ done, total }) => heard.push([done, total]) });
    const next = embedder.embed(many[5]); // waits
    const [vectors, fifth] = await Promise.all([whole, next]);
    const controller = new AbortController();
    const aborted = failureOf(embedder.embed(many, { signal: controller.signal, onProgress: () => controller.abort() }));
    const mine = new Error('mine');
    const thrown = await embedder.embed(many, { onProgress() { throw mine; } }).then(() => undefined, (e) => e === mine);
    const after = await embedder.embed(many.slice(0, 2));
    return { heard, fifth: same(fifth, vectors[5]), aborted: await aborted, thrown, after: after.every((v, i) => same(v, vectors[i])) };
  });
  assert.deepEqual(found.heard.at(-1), [150, 150]);
  assert.ok(found.heard.length > 1 && found.heard.every(([done], i, all) => !i || done > all[i - 1][0]));
  assert.equal(found.aborted.code, 'ABORTED');
  assert.deepEqual([found.fifth, found.thrown, found.after], [true, true, true]);
});

test('it can be destroyed', TIMEOUT, async () => {
  const found = await page.evaluate(async () => {
    const call = failureOf(embedder.embed(texts(150)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    embedder.destroy();
    return { isLoaded: embedder.isLoaded, call: await call, later: await failureOf(embedder.embed('a')) };
  });
  assert.equal(found.isLoaded, false);
  assert.ok(!found.call || found.call.code === 'DEVICE_LOST', found.call?.message);
  assert.equal(found.later.code, 'INVALID_STATE');
});
