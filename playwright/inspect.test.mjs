// What a file says of itself, without a GPU: its header, and no byte of its weights.
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { F32, bool, f32, f64, header, i32s, i64, strings, u32, u64 } from './lib/gguf.mjs';
import { chromiumTest, open } from './lib/harness.mjs';
import { writeShape, writeSplit } from './lib/shapes.mjs';

const TIMEOUT = { timeout: 60_000 };

let site;
let page;
before(async () => {
  site = await open();
  // A page without WebGPU needs none for this.
  const context = await site.browser.newContext();
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }));
  page = await site.page('/test/', context);
});
after(() => site?.close());

const inspect = (source, options = { cache: false }) =>
  page.evaluate(async ([source, options]) => {
    let file;
    const failed = await failureOf(webgguf.inspect(source, options).then((f) => (file = f)));
    return failed ?? file;
  }, [source, options]);

test('a model is described', TIMEOUT, async () => {
  const file = await inspect('/models/gpt2-tiny.gguf');
  const { version, architecture, types, fileBytes, metadata, tensors, memory, unsupported, warnings } = file;
  assert.equal(version, 3);
  assert.equal(architecture, 'gpt2');
  assert.equal(fileBytes, statSync(join(ROOT, 'tests/fixtures/models/gpt2-tiny.gguf')).size);
  assert.deepEqual([unsupported, warnings], [[], []]);
  assert.equal(file.parameters, tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0));
  assert.deepEqual(types.toSorted(), [...new Set(tensors.map((t) => t.type))].sort());
  assert.equal(memory.total, memory.weights + memory.kvCache + memory.activations);
  assert.equal(metadata['general.architecture'], 'gpt2');
  assert.equal(metadata['gpt2.attention.layer_norm_epsilon'], 0.00001);
  const tokens = metadata['tokenizer.ggml.tokens'];
  assert.deepEqual([tokens.type, tokens.length, tokens.first.length], ['string', 2048, 8]);
  const last = tensors.toSorted((a, b) => a.offset - b.offset).at(-1);
  assert.ok(last.offset + last.bytes <= fileBytes && last.offset + last.bytes > fileBytes - 64);
  assert.equal(file.name, metadata['general.name'] ?? null);
});

test('metadata of every type comes as it is', TIMEOUT, async () => {
  const exact = 2n ** 53n - 1n;
  writeFileSync(join(site.temp, 'types.gguf'), header({
    'general.architecture': 'no-such-thing',
    'general.name': 'Ünïcode',
    __proto__polluted: u32(4294967295),
    large: u64(exact),
    larger: u64(exact + 1n),
    largest: u64(2n ** 64n - 1n),
    negative: i64(-(2n ** 63n)),
    single: f32(0.1),
    double: f64(0.1),
    third: f64(1 / 3),
    nan: f32(NaN),
    infinite: f64(-Infinity),
    yes: bool(true),
    no: bool(false),
    short: i32s([1, -2, 3]),
    none: i32s([]),
    full: i32s(Array(128).fill(7)),
    long: i32s(Array.from({ length: 129 }, (_, i) => i)),
    words: strings(['a', '']),
  }, []));
  const { metadata, unsupported, memory, architecture, name, tensors } = await inspect('/temp/types.gguf');
  assert.deepEqual(metadata, {
    'general.architecture': 'no-such-thing',
    'general.name': 'Ünïcode',
    __proto__polluted: 4294967295,
    large: Number(exact),
    larger: '9007199254740992',
    largest: '18446744073709551615',
    negative: '-9223372036854775808',
    single: 0.1,
    double: 0.1,
    third: 1 / 3,
    nan: null,
    infinite: null,
    yes: true,
    no: false,
    short: [1, -2, 3],
    none: [],
    full: Array(128).fill(7),
    long: { type: 'i32', length: 129, first: [0, 1, 2, 3, 4, 5, 6, 7] },
    words: ['a', ''],
  });
  assert.deepEqual([architecture, name, tensors, memory], ['no-such-thing', 'Ünïcode', [], null]);
  assert.ok(unsupported.some((why) => why.includes('no-such-thing')), unsupported.join());
});

test('a split model is described as one', TIMEOUT, async () => {
  writeShape(join(site.temp, 'whole.gguf'), 'tiny', F32);
  writeSplit(join(site.temp, 'model'), 'tiny', F32, 3);
  const [whole, split] = [await inspect('/temp/whole.gguf'), await inspect('/temp/model-00002-of-00003.gguf')];
  const sizes = [1, 2, 3].map((n) => statSync(join(site.temp, `model-0000${n}-of-00003.gguf`)).size);
  assert.equal(split.fileBytes, sizes.reduce((a, b) => a + b));
  const names = (file) => file.tensors.map(({ name, shape, bytes }) => [name, shape, bytes]).sort();
  assert.deepEqual(names(split), names(whole));
  assert.ok(split.tensors.every(({ offset, bytes }) => offset + bytes <= Math.max(...sizes)));
});

chromiumTest('no byte of the weights is asked for', TIMEOUT, async () => {
  const bytes = writeShape(join(site.temp, 'large.gguf'), 'small', F32);
  const ranges = [];
  page.on('request', (request) => /large/.test(request.url()) && ranges.push(request.headers().range));
  const { parameters } = await inspect('/temp/large.gguf');
  assert.ok(parameters > 1e6 && bytes > 4e6);
  assert.ok(ranges.length <= 2 && ranges.every((range) => Number(/-(\d+)$/.exec(range)[1]) < 2 << 20), ranges.join());
});

test('what is no model says why', TIMEOUT, async () => {
  writeFileSync(join(site.temp, 'bad.gguf'), 'GGUF is no more');
  assert.equal((await inspect('/temp/bad.gguf')).code, 'MALFORMED_GGUF');
  assert.equal((await inspect('/test/index.html')).code, 'MALFORMED_GGUF');
  assert.equal((await inspect('/not-there.gguf')).code, 'FETCH_FAILED');
  assert.equal((await inspect('hf:a')).code, 'INVALID_ARGUMENT');
  const aborted = await page.evaluate(() => failureOf(webgguf.inspect('/models/gpt2-tiny.gguf', { signal: AbortSignal.abort() })));
  assert.equal(aborted.code, 'ABORTED');
});
