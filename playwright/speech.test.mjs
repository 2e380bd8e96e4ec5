// webgguf/speech: phonemes without a GPU, speech where the model is there, and the page.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 180_000 };
const missing = (...names) => {
  const gone = names.find((name) => !existsSync(join(ROOT, name)));
  return gone ? `SKIP: ${gone} is not there; scripts/speech/README.md says how it is made` : false;
};
const noDictionary = missing('pkg/speech-en-us.dict');
/** Some minutes on a software GPU. */
const noModel = process.env.WEBGGUF_ALL ? missing('pkg/speech-en-us.dict', 'models/kokoro/kokoro.gguf', 'models/kokoro/voices.gguf') : 'SKIP: slow, see npm run test:large';
for (const why of new Set([noDictionary, noModel].filter(Boolean))) console.log(why);

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await page.evaluate(async () => Object.assign(globalThis, await import('/pkg/speech.js')));
});
after(() => site.close());

test('what is asked wrongly is named', TIMEOUT, async () => {
  const failed = (call) => page.evaluate(`failureOf(${call})`);
  const typo = await failed("loadSpeech('/a.gguf', { voice: '/b.gguf' })");
  assert.equal(typo.message, "loadSpeech has no option 'voice'; did you mean voices?");
  const none = await failed("loadSpeech('/a.gguf')");
  assert.equal(none.message, 'loadSpeech needs voices: the address of a file with them');
  const gone = await failed("loadSpeech('/gone.gguf', { voices: '/gone.gguf', dictionary: false, cache: false })");
  assert.equal(gone.code, 'FETCH_FAILED');
  const model = await failed("loadSpeech('/models/gpt2-tiny.gguf', { voices: '/models/gpt2-tiny.gguf', dictionary: false, cache: false })");
  assert.equal(model.code, 'MALFORMED_GGUF');
  assert.match(model.message, /no voices/);
  const dictionary = await failed("loadPhonemizer({ dictionary: '/gone.dict' })");
  assert.equal(dictionary.code, 'FETCH_FAILED');
  const other = await failed("loadPhonemizer({ dictionary: '/models/gpt2-tiny.gguf' })");
  assert.equal(other.code, 'MALFORMED_DICTIONARY');
  const aborted = await failed('loadPhonemizer({ signal: AbortSignal.abort() })');
  assert.equal(aborted.code, 'ABORTED');
});

test('a WAV file has the samples, rounded and cut off', TIMEOUT, async () => {
  const { type, bytes } = await page.evaluate(async () => {
    const file = toWav({ samples: Float32Array.of(0, 0.5, -1, 2), sampleRate: 24000 });
    return { type: file.type, bytes: [...new Uint8Array(await file.arrayBuffer())] };
  });
  assert.equal(type, 'audio/wav');
  const view = new DataView(Uint8Array.from(bytes).buffer);
  assert.equal(String.fromCharCode(...bytes.slice(0, 4), ...bytes.slice(8, 16)), 'RIFFWAVEfmt ');
  assert.deepEqual([4, 24, 28, 40].map((at) => view.getUint32(at, true)), [44, 24000, 48000, 8]);
  assert.deepEqual([0, 1, 2, 3].map((i) => view.getInt16(44 + 2 * i, true)), [0, 16384, -32767, 32767]);
});

test('a text becomes phonemes without a GPU, and nothing is lost in silence', { ...TIMEOUT, skip: noDictionary }, async () => {
  const { said, sentences } = await page.evaluate(async () => {
    const phonemizer = await loadPhonemizer();
    return {
      said: phonemizer.phonemize('Dr. Smith paid $5 🎉'),
      sentences: phonemizer.sentences('Mr. Poe left. It was 3.5 miles!'),
    };
  });
  assert.equal(said.phonemes.split(' ').length, 5, said.phonemes);
  assert.deepEqual(said.words.map(({ spoken }) => spoken), ['doctor', 'Smith', 'paid', 'five', 'dollars']);
  assert.deepEqual(said.dropped, ['🎉']);
  assert.deepEqual(sentences, ['Mr. Poe left.', 'It was 3.5 miles!']);
});

test('a text is spoken, twice the same, and a mixture of voices is another', { timeout: 1_800_000, skip: noModel }, async () => {
  const results = await page.evaluate(async () => {
    const speech = await loadSpeech('/made/kokoro/kokoro.gguf', { voices: '/made/kokoro/voices.gguf' });
    const [first, second] = speech.voices;
    const spoken = [];
    for (const voice of [first, first, { [first]: 1, [second]: 1 }]) {
      const { samples, sampleRate, parts, phonemes } = await speech.synthesize('Hello.', { voice, speed: 2 });
      const rms = Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length);
      spoken.push({ samples: [...samples], sampleRate, rms, phonemes, durations: [...parts[0].durations] });
    }
    const bad = await failureOf(speech.synthesize('Hello.', { voice: 'nobody' }));
    const nothing = await failureOf(speech.synthesize('🎉'));
    speech.destroy();
    return { spoken, bad, nothing, after: await failureOf(speech.synthesize('Hello.')) };
  });
  const [a, b, mixed] = results.spoken;
  assert.ok(a.samples.every(Number.isFinite) && a.rms > 0.01, `rms ${a.rms}`);
  assert.deepEqual(a.samples, b.samples);
  assert.notDeepEqual(a.samples, mixed.samples);
  assert.equal(a.durations.reduce((sum, n) => sum + n, 0), a.samples.length);
  assert.equal(a.durations.length, [...a.phonemes].length + 2);
  assert.match(results.bad.message, /there is no voice 'nobody'/);
  assert.match(results.nothing.message, /nothing to say/);
  assert.equal(results.after.code, 'INVALID_STATE');
});

test('the page fits phones, and tells what is wrong with an address', TIMEOUT, async () => {
  const context = await site.browser.newContext({ viewport: { width: 360, height: 740 } });
  const demo = await site.page('/speech.html?model=/gone.gguf&voices=/gone.gguf', context);
  assert.ok(await demo.evaluate(() => document.documentElement.scrollWidth <= 360));
  await demo.click('#load');
  await demo.waitForSelector('#error:not([hidden])');
  assert.match(await demo.textContent('#error'), /can't be (fetched|read)/);
  assert.equal(await demo.isVisible('#speaker'), false);
  await context.close();
});
