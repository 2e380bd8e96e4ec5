// The types of webgguf/speech. Everything throws WebggufError.
import type { LoadOptions, ModelInfo, Source } from './index.js';

export { isWebggufError } from './index.js';
export type { ErrorCode, Progress, Source, WebggufError } from './index.js';

export interface PhonemizerOptions extends Pick<LoadOptions, 'signal' | 'wasmUrl'> {
  /** Address of a dictionary. Default: that of American English beside the package. */
  dictionary?: string | URL | undefined;
}

/** A word of a text. */
export interface SpokenWord {
  /** As it is written: "$5". */
  text: string;
  /** As it is said: "five". Letters that are spelled have spaces between them. */
  spoken: string;
  phonemes: string;
  /** Where the phonemes are from: the dictionary; words in it that it is made of; its letters; their names. */
  source: 'dictionary' | 'derived' | 'letter-to-sound' | 'spelled';
}

export interface Phonemes {
  /** Of the whole text, in the symbols of Kokoro: words with spaces between them, and marks. */
  phonemes: string;
  words: SpokenWord[];
  /** What nothing is said for, since nothing is known to say: emoji, other scripts. */
  dropped: string[];
}

/** Turns text into phonemes. It needs no GPU, and works in Node.js, Deno and Bun. */
export class Phonemizer {
  private constructor();

  /** How a text is said: numbers, dates, money and abbreviations in words, words in phonemes. */
  phonemize(text: string): Phonemes;

  /** The text cut into sentences. Abbreviations, decimals and initials end none. */
  sentences(text: string): string[];
}

/** Load what turns text into phonemes. Throws `FETCH_FAILED`, `MALFORMED_DICTIONARY`, `ABORTED`. */
export function loadPhonemizer(options?: PhonemizerOptions): Promise<Phonemizer>;

export interface SpeechOptions
  extends Pick<LoadOptions, 'signal' | 'wasmUrl' | 'cache' | 'retry' | 'hub' | 'onProgress' | 'profile'> {
  /** A GGUF file with voices; as a source of `loadModel`. */
  voices: Source;
  /** Address of a dictionary; false for none, where only phonemes are given. Default: American English. */
  dictionary?: string | URL | false | undefined;
}

export interface SpeakOptions {
  /** A voice by its name, or several with their weights: `{ af_heart: 2, am_adam: 1 }`. Default: the first one. */
  voice?: string | Record<string, number> | undefined;
  /** 0.5 to 2. Default 1. */
  speed?: number | undefined;
  /** Stop: what runs on the GPU ends with the part that it is at. */
  signal?: AbortSignal | undefined;
}

/** A text, or how it is said, in the symbols of Kokoro. */
export type Speakable = string | { phonemes: string };

/** What was spoken in one go: a sentence, or a part of a long one. */
export interface SpokenPart {
  /** The sentence; empty for its further parts, and where phonemes were given. */
  text: string;
  phonemes: string;
  /** Samples of each phoneme; before the first and after the last one those of the silence there. */
  durations: Uint32Array;
}

export interface Utterance {
  text: string;
  phonemes: string;
  /** From -1 to 1, one channel. */
  samples: Float32Array;
  /** Samples a second. */
  sampleRate: number;
  parts: SpokenPart[];
}

/** The network, the GPU and what they take there. */
export interface SpeechInfo {
  sampleRate: number;
  voices: string[];
  /** GPU memory, in bytes. */
  memory: { weights: number };
  gpu: { adapter: string; backend: string };
  /** The time that the load took, in milliseconds. */
  loadMs: number;
  /** Where the model file's bytes came from. */
  cache: ModelInfo['cache'];
}

/** Figures of the last part that was spoken. */
export interface SpeechStats {
  /** From the phonemes to their durations, in milliseconds. */
  textMs: number;
  /** Preparing the second half, on the CPU. */
  recordMs: number;
  /** From the durations to the sound. */
  audioMs: number;
  /** Seconds of sound. */
  seconds: number;
  /** Kernels that ran. */
  dispatches: number;
  submits: number;
  /** GPU memory for activations, and in all, in bytes. */
  activationBytes: number;
  gpuBytes: number;
}

/** Speaks. Calls run one after the other, in their order. */
export class Speech {
  private constructor();

  readonly info: Readonly<SpeechInfo>;

  /** Names of the voices. */
  readonly voices: readonly string[];

  /** Null until something was spoken. */
  readonly stats: SpeechStats | null;

  /** Whether calls can run: false while the device is lost or recovered, and once it is destroyed. */
  readonly isLoaded: boolean;

  /** How a text is said. Throws `INVALID_STATE` where the model was loaded without a dictionary. */
  phonemize(text: string): Phonemes;

  /**
   * Speak a text of any length.
   *
   * Throws `INVALID_ARGUMENT` for a text with nothing to say, a voice or a phoneme that there is not, and a speed that is not
   * allowed; `INVALID_STATE` once it is destroyed, `DEVICE_LOST`, `ABORTED`.
   */
  synthesize(input: Speakable, options?: SpeakOptions): Promise<Utterance>;

  /** The same, sentence by sentence, so that sound can start early: the next one is spoken while you play this one. */
  stream(input: Speakable, options?: SpeakOptions): AsyncGenerator<Utterance, void, void>;

  /** Hear when the GPU device is lost. Returns what ends the listening. */
  on(name: 'devicelost', listener: (event: { message: string }) => void): () => void;

  /** Load the network again onto a new GPU device. Nothing does this by itself. */
  recover(options?: Pick<LoadOptions, 'onProgress' | 'signal'>): Promise<void>;

  /** Give the GPU's memory back. Calls fail from now on. */
  destroy(): void;
}

/**
 * Load a network that speaks: Kokoro-82M.
 *
 * @param source  a GGUF file of it, as `webgguf convert` makes it of the ONNX file; as a source of `loadModel`
 */
export function loadSpeech(source: Source, options: SpeechOptions): Promise<Speech>;

/** A WAV file of what was spoken: 16 bits, one channel. */
export function toWav(utterance: Pick<Utterance, 'samples' | 'sampleRate'>): Blob;

export interface VadOptions extends Pick<LoadOptions, 'signal' | 'wasmUrl' | 'cache' | 'retry' | 'hub' | 'onProgress'> {
  /** The probability at which speech begins, 0 to 1. It lasts until the probability is 0.15 below. Default 0.5. */
  threshold?: number | undefined;
}

export interface SegmentsOptions {
  /** Speech that is not longer is left out, in milliseconds. Default 250. */
  minSpeechMs?: number | undefined;
  /** Shorter silence does not part speech, in milliseconds. Default 100. */
  minSilenceMs?: number | undefined;
  /** What is added before and after speech, in milliseconds. Default 30. */
  padMs?: number | undefined;
  /** Stop. */
  signal?: AbortSignal | undefined;
}

/** A part of a recording in which somebody speaks. */
export interface SpeechSegment {
  /** Its first sample. */
  start: number;
  /** The sample after its last one. */
  end: number;
}

/** A frame of a stream. */
export interface HeardFrame {
  /** That somebody speaks, 0 to 1. */
  probability: number;
  /** Whether somebody speaks, by the threshold. */
  isSpeech: boolean;
}

/** Hears whether somebody speaks. It needs no GPU. It works in workers; in Node.js, Deno and Bun where `webgguf` is imported, too. */
export class Vad {
  private constructor();

  /** 16000 samples a second, and 512 samples a frame, which are 32 ms. */
  readonly info: Readonly<{ sampleRate: number; samplesPerFrame: number }>;

  /**
   * Hear the next frame of a stream. It remembers those before.
   *
   * Throws `INVALID_ARGUMENT` for a frame that has not 512 samples, or samples that are not from -1 to 1 (a little more is
   * taken); the frame then counts as not heard. `INVALID_STATE` once it is destroyed.
   */
  isSpeech(frame: Float32Array): HeardFrame;

  /**
   * The parts of a recording of any length in which somebody speaks, ascending. A stream that is heard meanwhile goes on.
   * Throws as `isSpeech`, and `ABORTED`.
   */
  segments(samples: Float32Array, options?: SegmentsOptions): Promise<SpeechSegment[]>;

  /** Forget the frames before: what follows is of another stream. */
  reset(): void;

  /** Give its memory back. Calls fail from now on. */
  destroy(): void;
}

/**
 * Load what hears whether somebody speaks: Silero VAD.
 *
 * @param source  a GGUF file of it; as a source of `loadModel`. Default: the one beside the package
 */
export function loadVad(source?: Source, options?: VadOptions): Promise<Vad>;
