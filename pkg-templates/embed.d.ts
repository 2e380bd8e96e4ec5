// The types of webgguf/embed. Everything throws WebggufError.
import type { LoadOptions, ModelInfo, Source } from './index.js';

export { isWebggufError } from './index.js';
export type { ErrorCode, Progress, Source, WebggufError } from './index.js';

export interface EmbedderOptions
  extends Pick<LoadOptions, 'signal' | 'wasmUrl' | 'cache' | 'retry' | 'hub' | 'profile' | 'onProgress'> {
  /** The most tokens that a text can have, 4 or more; fewer take less memory. Default: as many as the model allows. */
  contextLength?: number | undefined;
}

export interface EmbedOptions {
  /** The first elements of each vector alone, for models that were trained for it (Matryoshka). Default: all. */
  dimensions?: number | undefined;
  /** Whether vectors have length 1. Default true. */
  normalize?: boolean | undefined;
  /**
   * What comes before each text. `'query'` and `'document'` stand for what the model wants before what is searched for and what is
   * searched in: known of E5, BGE, Arctic Embed, mxbai and MiniLM by the name in the file. Anything else is the text itself. Default: none.
   */
  prefix?: 'query' | 'document' | (string & {}) | undefined;
  /** Cut texts that are too long; they are an error otherwise. Default false. */
  truncate?: boolean | undefined;
  /** End the call. What is on the GPU is finished, which takes a moment. */
  signal?: AbortSignal | undefined;
  /** Called after each batch of texts. What it throws ends the call. */
  onProgress?: ((progress: EmbedProgress) => void) | undefined;
}

export interface EmbedProgress {
  /** Texts that have their vectors. */
  done: number;
  /** All texts of the call. */
  total: number;
}

/** The model, the GPU and what it takes there. */
export interface EmbedderInfo {
  /** From the file, where it has one. */
  name: string | null;
  architecture: string;
  parameters: number;
  layers: number;
  /** Elements of a vector. */
  dimensions: number;
  /** The most tokens that a text can have. */
  contextLength: number;
  vocabularySize: number;
  /** Which rows of a text its vector is made of: the mean of all, the first, the last. */
  pooling: 'mean' | 'cls' | 'last';
  /** GPU memory, in bytes. */
  memory: { weights: number; activations: number };
  gpu: { adapter: string; backend: string };
  /** Dispatches of a batch. */
  dispatches: number;
  /** The time that the load took, in milliseconds. */
  loadMs: number;
  /** What is doubtful about the file. */
  warnings: string[];
  /** Where the file's bytes came from. */
  cache: ModelInfo['cache'];
}

/** Makes vectors of texts: texts that mean the same have vectors that point the same way. Calls run one after the other. */
export class Embedder {
  private constructor();

  readonly info: Readonly<EmbedderInfo>;

  /** Whether calls can run: false while the device is lost or recovered, and once it is destroyed. */
  readonly isLoaded: boolean;

  /**
   * A vector of each text, in their order. It does not depend on the other texts. The vectors of a call share one buffer.
   *
   * Throws `INVALID_ARGUMENT` where a text is empty, or an option is out of range; `CONTEXT_OVERFLOW` where a text is too long
   * and `truncate` is not set; `INVALID_STATE` once it is destroyed, `DEVICE_LOST`, `ABORTED`, `NOT_FINITE`. There are no vectors then.
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
  /** The vector of one text. */
  embed(text: string, options?: EmbedOptions): Promise<Float32Array>;

  /** The number of tokens of a text, with its prefix and special tokens. A text of more than `info.contextLength` does not fit. */
  count(text: string, options?: Pick<EmbedOptions, 'prefix'>): number;

  /** Hear when the GPU device is lost. Returns what ends the listening. */
  on(name: 'devicelost', listener: (event: { message: string }) => void): () => void;

  /** Load the model again onto a new GPU device. Nothing does this by itself. */
  recover(options?: Pick<LoadOptions, 'onProgress' | 'signal'>): Promise<void>;

  /** Give the GPU's memory back. Calls fail from now on. */
  destroy(): void;
}

/**
 * Load an encoder: a GGUF file of architecture `bert`, such as MiniLM, BGE, E5 and Arctic Embed.
 *
 * Throws `UNSUPPORTED_ARCHITECTURE` where the file is of another architecture, before its weights are downloaded.
 *
 * @param source  as of `loadModel`
 */
export function loadEmbedder(source: Source, options?: EmbedderOptions): Promise<Embedder>;

/** The cosine of the angle between two vectors, from -1 to 1: how near their texts are in meaning. 0 where one is all zeros. */
export function similarity(a: ArrayLike<number>, b: ArrayLike<number>): number;
