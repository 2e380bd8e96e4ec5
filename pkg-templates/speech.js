// Text to speech, and where somebody speaks. The types and their documentation are in speech.d.ts.
import { advice, unmoved } from './beside.js';
import { aborted, boundary, callWasm, failure, guarded, hearing, shown, unlessAborted } from './errors.js';
import { Events } from './events.js';
import { Lifetime, Recovery, destroyed } from './lifetime.js';
import { detectProfile, optionsOf } from './options.js';
import { Files, normalize } from './source/source.js';
import { Wasm, needWebgpu } from './wasm.js';
import init, { PhonemizerEngine, SpeechEngine, VadEngine, on_panic, partsOf } from './webgguf_speech.js';

export { isWebggufError } from './errors.js';

const wasm = /* @__PURE__ */ new Wasm(() => new URL('./webgguf_speech_bg.wasm', import.meta.url), { default: init, on_panic });

/** The dictionary that comes with the package. */
const ownDictionary = () => unmoved(new URL('./speech-en-us.dict', import.meta.url).href);

/** The network that hears speech, which comes with the package. */
const ownVad = () => unmoved(new URL('./silero-vad.gguf', import.meta.url).href);

/** Speeds that are allowed. */
const SPEEDS = [0.5, 2];

/** Bytes of a small file. */
async function bytesOf(url, signal) {
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (e) {
    if (signal?.aborted) throw aborted('the load', signal);
    throw failure('FETCH_FAILED', `the dictionary '${shown(url)}' can't be fetched: ${e.message}; ${advice('dictionary')}`, { cause: e });
  }
}

/** @see speech.d.ts */
export async function loadPhonemizer(options) {
  const { dictionary = ownDictionary(), wasmUrl, signal } = optionsOf('loadPhonemizer', options);
  const load = boundary(async () => {
    const [bytes] = await Promise.all([bytesOf(dictionary, signal), wasm.initialize(wasmUrl)]);
    return new Phonemizer(guarded(callWasm(() => new PhonemizerEngine(bytes))));
  });
  return unlessAborted(load(), 'the load', signal);
}

/** Turns text into phonemes. It needs no GPU. */
export class Phonemizer {
  #engine;

  /** @internal Use loadPhonemizer. */
  constructor(engine) {
    this.#engine = engine;
  }

  phonemize(text) {
    return this.#engine.phonemize(textOf(text));
  }

  sentences(text) {
    return this.#engine.sentences(textOf(text));
  }
}

function textOf(text) {
  if (typeof text === 'string') return text;
  throw failure('INVALID_ARGUMENT', `the text is ${shown(text)}; a string is allowed`);
}

/** A voice as pairs of a name and a weight. */
function mixtureOf(voice) {
  if (typeof voice === 'string') return [[voice, 1]];
  const pairs = Object.entries(voice);
  const odd = pairs.find(([, weight]) => !(Number.isFinite(weight) && weight >= 0));
  if (odd) throw failure('INVALID_ARGUMENT', `the weight of voice '${odd[0]}' is ${shown(odd[1])}; numbers from 0 on are allowed`);
  return pairs;
}

/** @see speech.d.ts */
export async function loadSpeech(source, options) {
  const { onProgress, signal, wasmUrl, cache, retry, hub, voices, dictionary, profile } = optionsOf('loadSpeech', options);
  if (voices === undefined) throw failure('INVALID_ARGUMENT', 'loadSpeech needs voices: the address of a file with them');
  const load = boundary(async (hooks) => {
    const reading = { cache, retry, hub };
    const partsFor = (source) => normalize(source, { ...reading, signal: hooks.signal });
    const [model, styles] = await Promise.all([partsFor(source), partsFor(voices)]);
    const loadEngine = boundary(async ({ onProgress, signal }) => {
      const [files, voiceFiles] = [model, styles].map((parts) => new Files(parts, { ...reading, signal }));
      needWebgpu();
      const how = { signal, wasmUrl, whole: true };
      const engine = await wasm.readFiles(files, 'the load', how, () =>
        wasm.readFiles(voiceFiles, 'the load', how, () =>
          callWasm(() => SpeechEngine.load(files.all, voiceFiles.all, profile ?? detectProfile(), onProgress, signal))));
      return { engine: guarded(engine), report: await files.report() };
    });
    const phonemizer = dictionary === false ? undefined : loadPhonemizer({ dictionary, wasmUrl, signal: hooks.signal });
    phonemizer?.catch(() => {}); // It is awaited once the engine is there.
    const loaded = await loadEngine(hooks);
    try {
      return new Speech(loadEngine, loaded, await phonemizer);
    } catch (e) {
      loaded.engine.destroy();
      throw e;
    }
  });
  return hearing({ onProgress, signal }, load);
}

/** A network that speaks, on this thread's GPU. */
export class Speech {
  #life;
  #info;
  #stats = null;
  #phonemizer;
  #events = new Events(['devicelost']);
  #recovery = new Recovery();
  /** Settles once the calls so far are done. */
  #last = Promise.resolve();

  /** @internal Use loadSpeech. */
  constructor(load, loaded, phonemizer) {
    this.#phonemizer = phonemizer;
    this.#life = new Lifetime('the speech model', load, {
      adopted: ({ engine, report: { cache } }) => (this.#info = Object.freeze({ ...engine.info(), cache })),
      lost: (message) => this.#events.emit('devicelost', { message }),
    });
    this.#life.adopt(loaded);
  }

  get info() {
    return this.#info;
  }

  get voices() {
    return this.#info.voices;
  }

  get stats() {
    return this.#stats;
  }

  get isLoaded() {
    return this.#life.isLoaded;
  }

  on(name, listener) {
    return this.#events.on(name, listener);
  }

  phonemize(text) {
    if (this.#phonemizer) return this.#phonemizer.phonemize(text);
    throw failure('INVALID_STATE', 'this model was loaded without a dictionary; give phonemes: { phonemes: "həlˈO" }');
  }

  /** What is spoken at a time: `{ text, phonemes }`. */
  #partsOf(input, speed) {
    const cut = (text, phonemes) => partsOf(phonemes, speed).map((part, i) => ({ text: i ? '' : text, phonemes: part }));
    if (typeof input?.phonemes === 'string') return cut('', input.phonemes);
    const phonemize = (sentence) => cut(sentence, this.phonemize(sentence).phonemes);
    const text = textOf(input);
    if (!this.#phonemizer) this.phonemize(text);
    return this.#phonemizer.sentences(text).flatMap(phonemize);
  }

  /** What a call is about, checked before anything runs. */
  #prepare(call, input, options) {
    const { voice = this.voices[0], speed = 1, signal } = optionsOf(call, options);
    this.#life.check();
    const [least, most] = SPEEDS;
    if (speed < least || speed > most) throw failure('INVALID_ARGUMENT', `speed is ${speed}; ${least} to ${most} are allowed`);
    const parts = this.#partsOf(input, speed);
    if (!parts.length) throw failure('INVALID_ARGUMENT', 'the text has nothing to say in it');
    return { parts, speed, signal, voice: mixtureOf(voice) };
  }

  /** Speak a part once the calls before are done. */
  #speak({ text, phonemes }, { voice, speed, signal }) {
    const call = this.#last.then(async () => {
      await this.#recovery.over();
      const engine = this.#life.live;
      if (signal?.aborted) return undefined; // Nobody waits for it.
      try {
        const { samples, durations, stats, gpuBytes } = await engine.synthesize(phonemes, voice, speed);
        this.#stats = { ...stats, gpuBytes, seconds: samples.length / this.#info.sampleRate };
        return { text, phonemes, samples, sampleRate: this.#info.sampleRate, durations };
      } catch (e) {
        throw this.#life.why(e);
      }
    });
    this.#last = call.catch(() => {});
    return unlessAborted(call, 'the speech', signal);
  }

  async synthesize(input, options) {
    const call = this.#prepare('synthesize', input, options);
    const spoken = [];
    for (const part of call.parts) spoken.push(await this.#speak(part, call));
    const join = (Type, pieces) => {
      const all = new Type(pieces.reduce((sum, piece) => sum + piece.length, 0));
      pieces.reduce((at, piece) => (all.set(piece, at), at + piece.length), 0);
      return all;
    };
    return {
      text: typeof input === 'string' ? input : '',
      phonemes: spoken.map(({ phonemes }) => phonemes).join(' '),
      samples: join(Float32Array, spoken.map(({ samples }) => samples)),
      sampleRate: this.#info.sampleRate,
      parts: spoken.map(({ text, phonemes, durations }) => ({ text, phonemes, durations })),
    };
  }

  async *stream(input, options) {
    const call = this.#prepare('stream', input, options);
    // The next part is spoken while the caller plays this one.
    let next = this.#speak(call.parts[0], call);
    for (const i of call.parts.keys()) {
      const spoken = await next;
      const following = call.parts[i + 1];
      next = following && this.#speak(following, call);
      next?.catch(() => {}); // It is awaited later, or nobody wants it.
      const { text, phonemes, samples, sampleRate, durations } = spoken;
      yield { text, phonemes, samples, sampleRate, parts: [{ text, phonemes, durations }] };
    }
  }

  recover(options) {
    return this.#recovery.run(options, (hooks) => this.#life.reload(hooks, this.#last));
  }

  destroy() {
    this.#life.destroy();
  }
}

/** @see speech.d.ts */
export async function loadVad(source, options) {
  const { onProgress, signal, wasmUrl, cache, retry, hub, threshold } = optionsOf('loadVad', options);
  const load = boundary(async ({ onProgress, signal }) => {
    const reading = { cache, retry, hub, signal };
    const files = new Files(await normalize(source ?? ownVad(), reading), reading);
    const engine = await wasm.readFiles(files, 'the load', { signal, wasmUrl, whole: true }, () =>
      callWasm(() => VadEngine.load(files.all, threshold, onProgress, signal)));
    return new Vad(guarded(engine));
  });
  return hearing({ onProgress, signal }, load);
}

/** Frames of a recording that are heard before the page has its turn: 20 ms or so. */
const FRAMES_A_TURN = 32;

/** Let the page have its turn. Timers of a hidden page fire once a second; messages come at once. */
const othersTurn = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(port1.close());
    port2.postMessage(null);
  });

/** Samples of a call. */
function samplesOf(samples) {
  if (samples?.[Symbol.toStringTag] === 'Float32Array') return samples;
  throw failure('INVALID_ARGUMENT', `the samples are ${shown(samples)}; a Float32Array is allowed`);
}

/** Hears whether somebody speaks. It needs no GPU. */
export class Vad {
  #engine;
  #info;

  /** @internal Use loadVad. */
  constructor(engine) {
    this.#engine = engine;
    this.#info = Object.freeze(engine.info());
  }

  /** The engine of a call. */
  get #live() {
    if (this.#engine) return this.#engine;
    throw destroyed('the voice activity detector');
  }

  get info() {
    return this.#info;
  }

  isSpeech(frame) {
    return this.#live.hear(samplesOf(frame));
  }

  async segments(samples, options) {
    const { signal, ...more } = optionsOf('segments', options);
    const { length } = samplesOf(samples);
    const engine = guarded(this.#live.fresh());
    try {
      const probabilities = [];
      const turn = FRAMES_A_TURN * this.#info.samplesPerFrame;
      for (let at = 0; at < length; at += turn) {
        if (at) await othersTurn();
        if (signal?.aborted) break;
        probabilities.push(...engine.probabilities(samples.subarray(at, at + turn)));
      }
      if (signal?.aborted) throw aborted('segments', signal);
      return engine.segments(Float32Array.from(probabilities), length, more);
    } finally {
      engine.free();
    }
  }

  reset() {
    this.#live.reset();
  }

  destroy() {
    this.#engine?.free();
    this.#engine = undefined;
  }
}

/** Bytes of a WAV file's head. */
const HEAD = 44;

/**
 * The crate has another for the native command. This one needs no wasm: pages have it before anything is loaded, and need not wait for it.
 * @see speech.d.ts
 */
export function toWav({ samples, sampleRate }) {
  const view = new DataView(new ArrayBuffer(HEAD + 2 * samples.length));
  const word = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, 'RIFF');
  view.setUint32(4, view.byteLength - 8, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true); // bytes of a sample
  view.setUint16(34, 16, true); // bits of one
  word(36, 'data');
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(HEAD + 2 * i, Math.round(Math.min(1, Math.max(-1, sample)) * 32767), true));
  return new Blob([view], { type: 'audio/wav' });
}
