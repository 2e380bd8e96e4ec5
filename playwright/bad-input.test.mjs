// Bad files and bad servers: each ends in its code and a message that says what is wrong, and the page goes on.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { F32, header, u32 } from './lib/gguf.mjs';
import { open } from './lib/harness.mjs';
import { describe, writeShape } from './lib/shapes.mjs';

const GOOD = '/models/gpt2-tiny.gguf';
const GOOD_BYTES = 861600;

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  writeFiles(site.temp);
});
after(() => site.close());

/** The tiny shape's file with something wrong in its header. */
function writeFiles(folder) {
  const { metadata, tensors } = describe('tiny', F32);
  const write = (name, ...args) =>
    writeFileSync(join(folder, `${name}.gguf`), Buffer.concat([header(...args), Buffer.alloc(1 << 19)]));
  const endless = { type: 9, of: 6, value: { length: 1n << 62n, [Symbol.iterator]: () => [].values() } };
  const change = (i, changes) => tensors.map((t, j) => (i === j ? { ...t, ...changes } : t));
  writeShape(join(folder, 'sound.gguf'), 'tiny', F32);
  write('past-the-end', metadata, change(5, { offset: 1 << 30 }));
  write('unknown-type', metadata, change(5, { type: 99 }));
  write('tensors', metadata, tensors, { nTensors: 1n << 60n });
  write('metadata', metadata, tensors, { nMetadata: 0xffffffffffffffffn });
  write('array', { ...metadata, 'tokenizer.ggml.scores': endless }, tensors);
  write('missing-tensor', metadata, tensors.filter((t) => t.name !== 'blk.1.ffn_up.weight'));
  write('wrong-shape', metadata, change(5, { shape: [64, 60] }));
  write('architecture', { ...metadata, 'general.architecture': 'mamba' }, tensors);
  write('layers', { ...metadata, 'llama.block_count': u32(1 << 30) }, tensors);
}

/** What, where, its code, and what the message must tell. */
const CASES = [
  ['a truncated file, in the weights', `/fault/truncated${GOOD}?size=500000`, 'MALFORMED_GGUF', /tensor.*500000/],
  ['a truncated file, in the header', `/fault/truncated${GOOD}?size=10000`, 'MALFORMED_GGUF', /10000/],
  ['an empty file', `/fault/truncated${GOOD}?size=0`, null, /./],
  ['a wrong magic', `/fault/wrong-magic${GOOD}`, 'MALFORMED_GGUF', /GGML/],
  ['a tensor past the end of the file', '/temp/past-the-end.gguf', 'MALFORMED_GGUF', /tensor 'blk\.0\.attn_v\.weight'.*530880/],
  ['an unknown tensor type', '/temp/unknown-type.gguf', null, /99/],
  ['an absurd count of tensors', '/temp/tensors.gguf', 'MALFORMED_GGUF', /1152921504606846976/],
  ['an absurd count of metadata', '/temp/metadata.gguf', 'MALFORMED_GGUF', /18446744073709551615/],
  ['an absurd length of an array', '/temp/array.gguf', 'MALFORMED_GGUF', /4611686018427387904/],
  ['an absurd number of layers', '/temp/layers.gguf', 'MALFORMED_GGUF', /llama\.block_count/],
  ['a missing tensor', '/temp/missing-tensor.gguf', 'MALFORMED_GGUF', /blk\.1\.ffn_up\.weight/],
  ['a tensor of the wrong shape', '/temp/wrong-shape.gguf', 'MALFORMED_GGUF', /blk\.0\.attn_v\.weight/],
  ['an unknown architecture', '/temp/architecture.gguf', 'UNSUPPORTED_ARCHITECTURE', /mamba.*llama/],
  ['a file that is not there', `/fault/not-found${GOOD}`, 'FETCH_FAILED', /404/],
  ['a server that is not there', 'http://localhost:9/model.gguf', 'FETCH_FAILED', /localhost:9/],
  ['a connection dropped in the header', `/fault/drop${GOOD}?at=10000`, 'FETCH_FAILED', /gpt2-tiny/],
  ['a connection dropped in the weights', '/fault/drop/models/embedded.gguf?at=2000000', 'FETCH_FAILED', /embedded/],
];

for (const [what, url, code, words] of CASES) {
  test(what, { timeout: 30_000 }, async () => {
    const failed = await page.evaluate((url) => failureOf(webgguf.loadModel(url, { retry: { baseDelayMs: 10 } })), url);
    console.log(`${what}: ${failed?.code}: ${failed?.message}`);
    assert.ok(failed, 'the load fails');
    assert.ok(failed.isError && failed.name === 'WebggufError');
    if (code) assert.equal(failed.code, code);
    assert.match(failed.message, words);
  });
}

test('a file that is truncated as a Blob', { timeout: 60_000 }, async () => {
  const codes = await page.evaluate(async (url) => {
    const whole = await (await fetch(url)).blob();
    const failed = [];
    for (const size of [0, 3, 100, 100_000, 500_000]) {
      failed.push(await failureOf(webgguf.loadModel(whole.slice(0, size))));
    }
    return failed.map((f) => f?.code);
  }, GOOD);
  assert.deepEqual(codes, Array(5).fill('MALFORMED_GGUF'));
});

test('after all of these, the page loads a model and generates', { timeout: 60_000 }, async () => {
  const { ids } = await page.evaluate(async (good) => {
    globalThis.model = await webgguf.loadModel(good);
    return collect(model, 'Prince', { maxTokens: 6, temperature: 0 });
  }, GOOD);
  assert.equal(ids.length, 6);
});

test('a server that ignores Range works, through one stream', { timeout: 60_000 }, async () => {
  const result = await page.evaluate(async (good) => {
    const streamed = await webgguf.loadModel(`/fault/no-range${good}`);
    const ids = [];
    for (const m of [model, streamed]) ids.push((await collect(m, 'Prince', { maxTokens: 6, temperature: 0 })).ids.join());
    return { ids, ranges: [model.info.ranges, streamed.info.ranges] };
  }, GOOD);
  assert.deepEqual(result.ranges, [true, false]);
  assert.equal(result.ids[0], result.ids[1]);
});

test('the files made for these tests are sound but for their fault', { timeout: 60_000 }, async () => {
  const result = await page.evaluate(async () => {
    const tiny = await webgguf.loadModel('/temp/sound.gguf');
    const { ids } = await collect(tiny, 'Prince', { maxTokens: 2, ignoreEnd: true });
    return { layers: tiny.info.layers, n: ids.length };
  });
  assert.deepEqual(result, { layers: 2, n: 2 });
});

test('no failure was left to be an unhandled rejection', () => {
  // The browser itself writes a line for each request that fails.
  assert.deepEqual(page.errors.filter((e) => !/Failed to load resource/.test(e)), []);
});
