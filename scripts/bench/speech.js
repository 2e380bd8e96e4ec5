// Kokoro in webgguf and in ONNX Runtime Web, in one page by turns; README.md has the parameters of the address. Its result, as JSON, is in
// the page and in window.__result.
import { styleOf } from './voices.js';

/** Phonemes of about 2.5 and 10 s. */
const TEXTS = {
  short: 'ðə tɹˈAn wʌz lˈAt ðɪs mˈɔɹnɪŋ.',
  long: 'ðə fˈɜɹst snˈO fˈɛl dˈʊɹɪŋ ðə nˈIt, sˌO ðə ɹˈOd wʌz ˈɛmpti ænd kwˈIət wˌɛn wi ˈOpᵊnd ðə dˈɔɹ. sˈʌmbədi hæd wˈɔkt əkɹˈɔs ðə fˈild, ænd wi fˈɑlOd ðə stˈɛps tə ðə ɹˈɪvəɹ.',
};
/** Of ONNX Runtime, its execution providers. */
const ENGINES = ['webgguf', 'webgpu', 'wasm'];

const SAMPLE_RATE = 24_000;

const query = new URLSearchParams(location.search);
const listOf = (name, all) => query.get(name)?.split(',') ?? all;
const urlOf = (name, usual) => new URL(query.get(name) ?? usual, location.href).href;
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

async function fetched(url, as) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response[as]();
}

async function timed(f) {
  const started = performance.now();
  const value = await f();
  return { value, ms: performance.now() - started };
}

/** webgguf: `synthesize` gives the samples of a text. */
async function loadOurs({ model, voices }) {
  const { loadSpeech } = await import(urlOf('pkg', '../../pkg/') + 'speech.js');
  const speech = await loadSpeech(model, { voices, dictionary: false, cache: false });
  return {
    about: speech.info.gpu,
    synthesize: async ({ phonemes, voice }) => (await speech.synthesize({ phonemes }, { voice })).samples,
  };
}

/** ONNX Runtime Web with an execution provider, each in the build that is made for it. */
async function loadOrt(provider, { onnx }) {
  const folder = urlOf('ort', '../../target/ort/');
  const ort = await import(`${folder}ort.${provider}.min.mjs`);
  ort.env.wasm.wasmPaths = folder;
  ort.env.logLevel = 'error';
  if (query.has('threads')) ort.env.wasm.numThreads = Number(query.get('threads'));
  const session = await ort.InferenceSession.create(onnx, { executionProviders: [provider] });
  return {
    about: { version: ort.env.versions.web, threads: ort.env.wasm.numThreads },
    synthesize: async ({ tokens, style }) => {
      const feeds = {
        tokens: new ort.Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]),
        style: new ort.Tensor('float32', style, [1, style.length]),
        speed: new ort.Tensor('float32', [1], [1]),
      };
      return (await session.run(feeds))[session.outputNames[0]].data;
    },
  };
}

/** A text as phonemes, as tokens, and as the style of a voice that goes with its length. */
function textOf(phonemes, vocab, voices) {
  const ids = [...phonemes].map((symbol) => vocab[symbol]);
  const unknown = ids.indexOf(undefined);
  if (unknown >= 0) throw new Error(`'${[...phonemes][unknown]}' is no symbol of the vocabulary`);
  return { phonemes, tokens: [0, ...ids, 0], ...styleOf(voices, ids.length, query.get('voice') ?? undefined) };
}

/** What a text took an engine: the first run is warm-up. */
function figures([warmUpMs, ...runs], samples) {
  const seconds = samples.length / SAMPLE_RATE;
  const ms = median(runs);
  return { ms, seconds, realTimeFactor: ms / 1e3 / seconds, finite: samples.every(Number.isFinite), warmUpMs, runs };
}

async function main() {
  const urls = {
    model: urlOf('model', '../../models/kokoro/kokoro.gguf'),
    voices: urlOf('voices', '../../models/kokoro/voices.gguf'),
    onnx: urlOf('onnx', '../../models/kokoro/kokoro.onnx'),
    vocab: urlOf('vocab', '../../models/kokoro/vocab.json'),
  };
  const reps = Number(query.get('reps') ?? 5);
  const [voices, { vocab }] = await Promise.all([fetched(urls.voices, 'arrayBuffer'), fetched(urls.vocab, 'json')]);
  const given = query.has('phonemes') ? { given: query.get('phonemes') } : TEXTS;
  const texts = listOf('texts', Object.keys(given)).map((name) => [name, textOf(given[name], vocab, voices)]);

  /** What each engine came to; what fails leaves the others to go on. */
  const results = {};
  const engines = {};
  const attempt = async (name, f) => {
    try {
      return await f();
    } catch (e) {
      results[name] = { error: String(e?.stack ?? e) };
      delete engines[name];
    }
  };
  for (const name of listOf('engines', ENGINES)) {
    await attempt(name, async () => {
      const { value, ms } = await timed(() => (name === 'webgguf' ? loadOurs(urls) : loadOrt(name, urls)));
      engines[name] = value;
      results[name] = { loadMs: ms, about: value.about, texts: {} };
    });
  }
  for (const [text, spoken] of texts) {
    const runs = {};
    const last = {};
    for (let rep = 0; rep <= reps; rep++) {
      for (const name of Object.keys(engines)) {
        await attempt(name, async () => {
          const { value, ms } = await timed(() => engines[name].synthesize(spoken));
          last[name] = value;
          (runs[name] ??= []).push(ms);
        });
      }
    }
    for (const name of Object.keys(engines)) results[name].texts[text] = figures(runs[name], last[name]);
  }
  return { userAgent: navigator.userAgent, cores: navigator.hardwareConcurrency, crossOriginIsolated, voice: texts[0][1].voice, reps, engines: results };
}

window.__result = await main().catch((e) => ({ error: String(e?.stack ?? e) }));
document.getElementById('result').textContent = JSON.stringify(window.__result, null, 2);
