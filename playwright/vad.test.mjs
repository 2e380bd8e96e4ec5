// Voice activity detection of webgguf/speech: the page hears what ONNX Runtime and the native engine do, without a GPU.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { ensureVadModel } from '../scripts/speech/vad.mjs';
import { DATA, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 180_000 };
const MODEL = '/pkg/silero-vad.gguf';
const RECORDING = 'audio/silero_test.wav';
const missing = !ensureVadModel()
  ? 'silero_vad_16k_op15.onnx is not there'
  : !existsSync(join(ROOT, MODEL))
    ? `${MODEL} is not there; build the package again`
    : !existsSync(join(DATA, RECORDING)) && `${RECORDING} is not there`;
const skip = missing ? `SKIP: ${missing}` : false;
if (skip) console.log(skip);

const fixture = (name) => readFileSync(join(ROOT, 'tests/fixtures/silero_vad', name));

/** The numbers of a .npy file of floats. */
function numbers(file) {
  const start = 10 + file.readUInt16LE(8);
  return Array.from({ length: (file.length - start) / 4 }, (_, i) => file.readFloatLE(start + 4 * i));
}

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await page.evaluate(async (recording) => {
    Object.assign(globalThis, await import('/pkg/speech.js'));
    // 16-bit samples behind 44 bytes.
    globalThis.recording = async () => {
      const file = await (await fetch(`/data/${recording}`)).arrayBuffer();
      return Float32Array.from(new Int16Array(file, 44), (sample) => sample / 32768);
    };
  }, RECORDING);
});
after(() => site.close());

test('what is asked wrongly is named', TIMEOUT, async () => {
  const failed = (call) => page.evaluate(`failureOf(${call})`);
  const typo = await failed("loadVad('/a.gguf', { treshold: 0.5 })");
  assert.equal(typo.message, "loadVad has no option 'treshold'; did you mean threshold?");
  const gone = await failed("loadVad('/gone.gguf', { cache: false })");
  assert.equal(gone.code, 'FETCH_FAILED');
  const other = await failed("loadVad('/models/gpt2-tiny.gguf', { cache: false })");
  assert.equal(other.code, 'UNSUPPORTED_ARCHITECTURE');
  assert.match(other.message, /'gpt2', 'silero-vad' is needed/);
  const aborted = await failed('loadVad(undefined, { signal: AbortSignal.abort() })');
  assert.equal(aborted.code, 'ABORTED');
});

test('the page hears in a stream what the native engine hears', { ...TIMEOUT, skip }, async () => {
  const wanted = numbers(fixture('probabilities.npy'));
  const { heard, again, info, ms } = await page.evaluate(async () => {
    const vad = await loadVad();
    const samples = await recording();
    const { samplesPerFrame: n } = vad.info;
    const start = performance.now();
    const heard = [];
    for (let at = 0; at < samples.length; at += n) heard.push(vad.isSpeech(samples.subarray(at, at + n)));
    const ms = (performance.now() - start) / heard.length;
    vad.reset();
    const again = vad.isSpeech(samples.subarray(0, n)).probability;
    vad.destroy();
    return { heard, again, info: vad.info, ms };
  });
  assert.deepEqual(info, { sampleRate: 16000, samplesPerFrame: 512 });
  assert.equal(heard.length, wanted.length);
  const worst = Math.max(...heard.map(({ probability }, i) => Math.abs(probability - wanted[i])));
  console.log(`${heard.length} frames, ${ms.toFixed(3)} ms each, off by ${worst.toExponential(1)} at most`);
  assert.ok(worst < 1e-5, `off by ${worst}`);
  assert.equal(again, heard[0].probability);
  let speaks = false;
  for (const [i, { isSpeech }] of heard.entries()) {
    speaks = wanted[i] >= 0.5 || (speaks && wanted[i] >= 0.35);
    assert.equal(isSpeech, speaks, `frame ${i}`);
  }
});

test('segments are those of Silero, and streams go on meanwhile', { ...TIMEOUT, skip }, async () => {
  const found = await page.evaluate(async () => {
    const vad = await loadVad('/pkg/silero-vad.gguf', { threshold: 0.5 });
    const samples = await recording();
    const frame = (i) => samples.slice(512 * i, 512 * (i + 1));
    const first = vad.isSpeech(frame(0)).probability;
    const pending = vad.segments(samples);
    const second = vad.isSpeech(frame(1)).probability;
    const segments = await pending;
    const controller = new AbortController();
    const stopped = failureOf(vad.segments(samples, { signal: controller.signal }));
    controller.abort();
    const broken = frame(2).fill(NaN, 7, 8);
    const failures = {
      stopped: await stopped,
      short: await failureOf((async () => vad.isSpeech(new Float32Array(511)))()),
      none: await failureOf((async () => vad.isSpeech([0, 1]))()),
      nan: await failureOf((async () => vad.isSpeech(broken))()),
      nans: await failureOf(vad.segments(broken)),
      option: await failureOf(vad.segments(samples, { padMs: -1 })),
      threshold: await failureOf(loadVad(undefined, { threshold: 2 })),
    };
    const third = vad.isSpeech(frame(2)).probability;
    const few = await vad.segments(new Float32Array(0));
    vad.destroy();
    failures.after = await failureOf((async () => vad.isSpeech(frame(0)))());
    failures.segmentsAfter = await failureOf(vad.segments(samples));
    return { segments, failures, few, heard: [first, second, third] };
  });
  const wanted = JSON.parse(fixture('segments.json')).recording;
  assert.deepEqual(found.segments, wanted.map(([start, end]) => ({ start, end })));
  assert.deepEqual(found.few, []);
  const probabilities = numbers(fixture('probabilities.npy'));
  found.heard.forEach((p, i) => assert.ok(Math.abs(p - probabilities[i]) < 1e-5, `frame ${i}`));
  const codes = Object.fromEntries(Object.entries(found.failures).map(([name, { code }]) => [name, code]));
  const invalid = 'INVALID_ARGUMENT';
  assert.deepEqual(codes, {
    stopped: 'ABORTED', short: invalid, none: invalid, nan: invalid, nans: invalid, option: invalid, threshold: invalid,
    after: 'INVALID_STATE', segmentsAfter: 'INVALID_STATE',
  });
  assert.match(found.failures.short.message, /511 samples; 512 are needed/);
});
