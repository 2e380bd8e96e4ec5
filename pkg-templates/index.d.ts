/**
 * webgguf runs GGUF language models in a browser tab on WebGPU.
 *
 * ```ts
 * const model = await loadModel('https://example.com/model.gguf');
 * for await (const text of model.generate('Once upon a time')) console.log(text);
 * ```
 */

/**
 * Where a model's file comes from. Relative URLs are resolved as `fetch` does it: against the page's base address, which
 * `<base href>` may set. `http`, `https`, `blob` and `data` are allowed, and what is of the page's own origin.
 */
export type Source = SourceFile | SourceFile[];

/**
 * A file. Of a model that is split (`-00001-of-00003.gguf`), the address of any part stands for all; parts on disk are
 * given as an array, in any order.
 */
export type SourceFile = string | URL | Blob | File | ArrayBuffer | ArrayBufferView;

/**
 * Load a model: its header, then its weights straight into GPU memory, layer by layer, by Range requests. A server
 * without Range support works too, through one stream. What fails on the way is tried again from the byte that was
 * reached; a file that changes on its server while it is read is an error, `SOURCE_CHANGED`.
 *
 * Rejects with a {@link WebggufError}. What cannot run here fails before weights are fetched.
 */
export function loadModel(source: Source, options: LoadOptions & { worker: true }): Promise<WorkerModel>;
export function loadModel(source: Source, options?: LoadOptions & { worker?: false }): Promise<Model>;
export function loadModel(source: Source, options?: LoadOptions): Promise<Model | WorkerModel>;

/**
 * Whether a model would run here with these options, before its weights are fetched: from the file's header, the
 * adapter's limits and the memory budget (see {@link LoadOptions.memoryBudget}). `loadModel` makes the same comparison.
 *
 * ```ts
 * const answer = await canRun(url, { contextLength: 8192 });
 * if (answer.contextLength) await loadModel(url, { contextLength: answer.contextLength });
 * else console.log(answer.reason);
 * ```
 *
 * Rejects with a {@link WebggufError} where the file can't be run anywhere, or there is no WebGPU: `MALFORMED_GGUF`,
 * `UNSUPPORTED_ARCHITECTURE`, `NO_WEBGPU` and so on; with `INVALID_ARGUMENT` for a context that the model was not
 * trained on.
 */
export function canRun(source: Source, options?: CanRunOptions): Promise<CanRun>;

export type CanRunOptions = Pick<
  LoadOptions,
  'contextLength' | 'kvCache' | 'memoryBudget' | 'signal' | 'wasmUrl' | 'cache' | 'retry'
>;

export interface CanRun {
  /** Whether `loadModel` with these options finds room. */
  fits: boolean;
  /** The largest context that fits, up to the one asked for or the default; null where none does. */
  contextLength: number | null;
  /** What the options ask for, in bytes of GPU memory. */
  needs: { contextLength: number; weights: number; kvCache: number; activations: number; total: number };
  /**
   * What does not suffice, in bytes: the memory budget, or the device's largest buffer. Of a model that fits, the budget;
   * null where there is none.
   */
  limit: number | null;
  /** Why it does not fit, in words, with the numbers; null where it does. */
  reason: string | null;
}

/** What the cache has, of this site. */
export function listCached(): Promise<CachedModel[]>;

/**
 * Remove a model, whole or not, from the cache; of a split one, all parts. Resolves to whether there was something.
 * Rejects with `INVALID_STATE` while the model is being loaded, in any tab.
 */
export function removeCached(url: string | URL): Promise<boolean>;

/** Ask the browser to keep what is cached when storage runs short. Resolves to its answer. */
export function persist(): Promise<boolean>;

export interface CachedModel {
  url: string;
  /** Bytes that are here. */
  bytes: number;
  /** The file's size; null where the server did not tell. */
  fileBytes: number | null;
  /** Whether a load finished: all that it takes is here. */
  complete: boolean;
  etag: string | null;
  /** `Last-Modified`. */
  modified: string | null;
}

/**
 * Load a model's tokenizer and chat templates alone: only the file's header is fetched, and no GPU is needed.
 *
 * Rejects with a {@link WebggufError}.
 */
export function loadTokenizer(source: Source, options?: Pick<LoadOptions, 'signal' | 'wasmUrl'>): Promise<Tokenizer>;

export interface LoadOptions {
  /**
   * Positions that the prompt and the generated text share; GPU memory grows with it.
   * Default: the model's own, up to 4096.
   */
  contextLength?: number;
  /**
   * How keys and values of past tokens are kept. `f16` takes half the memory of `f32` and `q8_0` little more than a
   * quarter, so that twice and three times the context fits; both round a little. Default: `f16` on a device that
   * is made for it (shader-f16), gets it right when tried and is not slowed by it, else `f32`.
   */
  kvCache?: 'f32' | 'f16' | 'q8_0';
  /**
   * How much of the GPU is used. `ios` keeps to what Safari on phones bears: the limits that every device has, no
   * subgroups, few dispatches at a time. Default: `ios` on iPhones and iPads, else `full`.
   */
  profile?: 'full' | 'ios';
  /**
   * Bytes of GPU memory that the model may take; a load that needs more fails with `OUT_OF_GPU_MEMORY` before weights are
   * fetched, and says what context would fit. Default: where the browser tells of less than 8 GiB of memory
   * (`navigator.deviceMemory`, in Chromium), half of it; else `Infinity`, and the GPU decides.
   */
  memoryBudget?: number;
  /** Called as bytes come in. */
  onProgress?: (progress: Progress) => void;
  /** Ends the load with `ABORTED`. */
  signal?: AbortSignal;
  /**
   * Keep the file on disk while it streams past, and read what is there from disk: in the origin private file system,
   * or, where there is none, in the Cache API. A model that is there whole is not fetched again; the server is asked
   * by one HEAD request whether it has changed, and need not answer. What goes wrong with the cache is a warning in
   * `model.info.warnings`, and the model loads without. Default: true for http and https URLs.
   */
  cache?: boolean;
  /** How failed requests are met. */
  retry?: RetryOptions;
  /**
   * Run the model in a worker of its own, so that the page stays smooth: see {@link WorkerModel} for what differs.
   * Default false.
   *
   * A Content-Security-Policy needs `script-src 'wasm-unsafe-eval'` in any case, and `worker-src 'self'` for this. With
   * `require-trusted-types-for 'script'`, the worker's address is trusted by a policy of the name `webgguf`, which
   * `trusted-types` must allow where it is set.
   */
  worker?: boolean;
  /**
   * Where `webgguf_bg.wasm` is served, if not beside the code. Of the first load counts. Bundlers find it by
   * themselves; this is for those that don't.
   */
  wasmUrl?: string | URL;
}

export interface RetryOptions {
  /** Failures in a row, without 64 kB of progress between them, that end a load with `FETCH_FAILED`. Default 6. */
  attempts?: number;
  /**
   * The first wait, in milliseconds. Each further one is twice as long, up to 15 s, and a random half of it is left
   * out. `Retry-After` is honoured up to 60 s. Default 500.
   */
  baseDelayMs?: number;
  /** A connection that brings nothing for so many milliseconds is given up and tried again. Default 30000. */
  stallMs?: number;
}

export interface Progress {
  /** `header`: hyper-parameters and tokenizer; `weights`; `ready`: done. */
  phase: 'header' | 'weights' | 'ready';
  /** Bytes of this phase that came in. */
  loaded: number;
  /** Bytes of this phase, 0 where the size is unknown. */
  total: number;
  /** The layer whose weights came in last; null outside the layers. */
  layer: number | null;
}

/** A loaded model. One call of `generate` or `captureActivations` at a time runs on it. */
export class Model {
  private constructor();

  /** The model, the GPU and what it takes there. */
  readonly info: Readonly<ModelInfo>;

  /** Figures of the last generation that ended. */
  readonly stats: GenerateStats;

  /**
   * The ids of the last generation's prompt and of what came after it, as far as it got. `generate(model.history)` goes on
   * from there, after {@link recover} too: in the middle of a character or of a stop string where the text ended in one,
   * so that both texts together are the one that there would have been. What of a stop string was handed out already stays.
   */
  readonly history: Uint32Array;

  /** Hear when the GPU device is lost: the GPU's process ended, or the system took it away. Returns what ends the listening. */
  on(name: 'devicelost', listener: (event: { message: string }) => void): () => void;

  /**
   * Load the model again onto a new GPU device, from the cache where it is there. `info` is new then; what was said before is
   * computed again by the next call that needs it. Nothing does this by itself. Where it fails it may be tried again.
   */
  recover(options?: Pick<LoadOptions, 'onProgress' | 'signal'>): Promise<void>;

  /**
   * Continue a prompt: text, or token ids as they are. Of a text, special tokens are read as such unless `parseSpecial`
   * is false, and the begin token is added where the model wants one and the text has none.
   * Pieces of text come as they are generated; none ends inside a character.
   *
   * Leave the loop, or fire `signal`, and the model is free for the next call. What a prompt shares with the tokens
   * of the call before is not computed again.
   *
   * The loop throws a {@link WebggufError}: `INVALID_ARGUMENT` for an unknown or out-of-range option,
   * `CONTEXT_OVERFLOW` where the prompt leaves no room, `INVALID_STATE` while another call runs, `ABORTED`,
   * `DEVICE_LOST`, `NOT_FINITE`. What your own callbacks throw stays yours and comes as it is.
   */
  generate(prompt: string | Iterable<number>, options?: GenerateOptions): AsyncGenerator<string, void, void>;

  /** The ids of a text. */
  tokenize(text: string, options?: TokenizeOptions): Uint32Array;

  /** The text of ids. Bytes that are no UTF-8 become U+FFFD. */
  detokenize(ids: Iterable<number>, options?: DetokenizeOptions): string;

  /** The prompt of a conversation, as {@link Tokenizer.formatChat} makes it: to look at. */
  formatChat(messages: readonly Message[], options?: FormatChatOptions): string;

  /** The ids of that prompt, as {@link Tokenizer.tokenizeChat} makes them: for `generate`. */
  tokenizeChat(messages: readonly Message[], options?: FormatChatOptions): Uint32Array;

  /**
   * A conversation with the model. Several may take turns on one model; each turn then computes again what the other's
   * took from the cache.
   */
  chat(options?: ChatOptions): Chat;

  /**
   * Every named intermediate of the prompt's prefill and of `decodeSteps` greedy steps after it, under llama.cpp's
   * node names (`attn_norm-0`, `result_output`): to check the engine, layer by layer. The first entry is the prefill.
   * References are compared with a cache in f32: load with `kvCache: 'f32'`.
   */
  captureActivations(prompt: string | Iterable<number>, options?: { decodeSteps?: number }): Promise<Activation[][]>;

  /** What the weights on the GPU are, as 16 hexadecimal digits: for tests of loading. It reads all of them back. */
  weightsChecksum(): Promise<string>;

  /** Give the GPU's memory back. A running call ends with `DEVICE_LOST`; later ones with `INVALID_STATE`. */
  destroy(): void;
}

/** The text side of a model: what text becomes, and becomes of, its tokens. */
export class Tokenizer {
  private constructor();

  readonly info: Readonly<TokenizerInfo>;

  /** The ids of a text. */
  tokenize(text: string, options?: TokenizeOptions): Uint32Array;

  /** The text of ids. Bytes that are no UTF-8 become U+FFFD. */
  detokenize(ids: Iterable<number>, options?: DetokenizeOptions): string;

  /**
   * The prompt that the model's own chat template makes of a conversation. A file without a template gets ChatML if its
   * vocabulary has the tokens of that.
   *
   * Throws a {@link WebggufError}: `TEMPLATE_ERROR` where there is no template, or it fails or refuses the messages,
   * with the template's line; `INVALID_ARGUMENT` for messages that are none.
   */
  formatChat(messages: readonly Message[], options?: FormatChatOptions): string;

  /**
   * The ids of that prompt. Special tokens are read only where the template wrote them: a message, a tool's result or a
   * document that spells one, such as `<|im_end|>`, is text and ends no turn. `formatChat` gives a string, which cannot tell
   * the two apart; so give `generate` these ids. `chat()` does.
   *
   * Throws as `formatChat` does.
   */
  tokenizeChat(messages: readonly Message[], options?: FormatChatOptions): Uint32Array;
}

export interface TokenizerInfo {
  vocabularySize: number;
  /** Ids of the tokens that end what the model says. */
  endTokens: number[];
  /**
   * Names of the chat templates: `default` for the one without a name, `chatml` for the one that takes the place of none;
   * empty where `formatChat` needs a `template`.
   */
  chatTemplates: string[];
  /** What the file left in doubt, in words. */
  warnings: string[];
}

/** A message of a conversation. What else a template knows of, such as `reasoning_content`, may be there, too. */
export interface Message {
  /** `system`, `user`, `assistant`, `tool`, or what else the template knows. */
  role: string;
  /** Text, or parts such as `{ type: 'text', text: '…' }` where the template knows them. */
  content?: string | readonly object[] | null;
  /** The calls of an assistant's message: `{ type: 'function', function: { name, arguments } }`. */
  tool_calls?: readonly object[];
  [more: string]: unknown;
}

export interface FormatChatOptions {
  /** End with the beginning of an answer. Default true. */
  addGenerationPrompt?: boolean;
  /** Functions that the model may call, as the template wants them: mostly `{ type: 'function', function: { name, description, parameters } }`. */
  tools?: readonly object[];
  /** Documents that the model is to answer from, as the template wants them. */
  documents?: readonly object[];
  /**
   * The name of one of the file's templates, or a Jinja template of your own (which has braces in it).
   * Default: the file's for tools where there are tools, else its default one.
   */
  template?: string;
  /** Variables of the template, such as `enable_thinking`. */
  [variable: string]: unknown;
}

/**
 * A conversation.
 *
 * ```ts
 * const chat = model.chat({ system: 'You are a helpful assistant.' });
 * for await (const text of chat.send('Why is the sky blue?')) console.log(text);
 * ```
 */
export class Chat {
  private constructor();

  /**
   * What was said, the system's message included. It is yours to edit between turns: the next one reads it anew, and
   * computes what it shares with the turn before from the cache.
   *
   * A reply holds the text that came and no token that ends a turn.
   */
  messages: Message[];

  /**
   * Say something and hear the reply, piece by piece. A string is a user's message; messages are taken as they are, such
   * as the results of tools; with none, the reply is to `messages` as they stand.
   *
   * The message and the reply are in `messages` from the reply's first piece on. A turn that is aborted or left, or that
   * fails, keeps the text that came as the reply; if none came, `messages` are as they were.
   *
   * The loop throws a {@link WebggufError} as `generate` and `formatChat` do, and `CONTEXT_OVERFLOW` with the numbers
   * where the conversation does not fit the context. `signal` ends it while the prompt is made, too.
   */
  send(message?: string | Message | readonly Message[], options?: GenerateOptions): AsyncGenerator<string, void, void>;
}

/** Beside these, the options of `formatChat`: `tools`, `documents`, `template` and the template's variables. */
export interface ChatOptions extends FormatChatOptions {
  /** The system's message, first of `messages`. */
  system?: string;
  /** What was said before. */
  messages?: readonly Message[];
  /**
   * What happens when the conversation does not fit the context: an error, which is the default, or the oldest turns are
   * taken out of `messages`, but for the system's. They go once the conversation and the reply's `maxTokens` (of which a
   * quarter of the context counts at most) do not fit, and as many go as make a quarter of the context free.
   */
  overflow?: 'error' | 'drop-oldest';
  /** Called with the messages that were dropped. */
  onDrop?: (messages: Message[]) => void;
}

/**
 * A model in a worker. It is used like {@link Model}; calls that answer at once there are promises here. `destroy` ends
 * the worker.
 */
export interface WorkerModel extends Omit<Model, 'tokenize' | 'detokenize' | 'formatChat' | 'tokenizeChat'> {
  tokenize(text: string, options?: TokenizeOptions): Promise<Uint32Array>;
  detokenize(ids: Iterable<number>, options?: DetokenizeOptions): Promise<string>;
  formatChat(messages: readonly Message[], options?: FormatChatOptions): Promise<string>;
  tokenizeChat(messages: readonly Message[], options?: FormatChatOptions): Promise<Uint32Array>;
}

export interface GenerateOptions {
  /** Tokens to generate at most. Default 512. */
  maxTokens?: number;
  /** 0 to 100. 0 is greedy: always the likeliest token. Default 0.8. */
  temperature?: number;
  /** Keep so many of the likeliest tokens; 0 keeps all, and so does more than there are. Default 40. */
  topK?: number;
  /** Keep the likeliest tokens that make up this probability together; more than 0, 1 keeps all. Default 0.95. */
  topP?: number;
  /** Keep tokens at least this probable, relative to the likeliest; 0 keeps all, 1 the likeliest. Default 0.05. */
  minP?: number;
  /** What the scores of recent tokens are divided by; more than 0, 1 is off. Default 1. */
  repeatPenalty?: number;
  /** An integer below 2^32: the same seed, prompt and options give the same text. Default: another one each time. */
  seed?: number;
  /** The text ends before any of these strings. */
  stop?: string | string[];
  /** Do not end at the model's end token: for benchmarks. Default false. */
  ignoreEnd?: boolean;
  /**
   * Write the control tokens that the model says, such as `<|tool_call|>`, into the text; without it they leave no trace
   * there. End tokens end the text and are never in it, unless `ignoreEnd` is set. Default false.
   */
  showSpecial?: boolean;
  /**
   * Read special tokens such as `<|im_end|>` in a prompt of text as such. False reads them as letters, as is right for
   * text of unknown origin. Default true.
   */
  parseSpecial?: boolean;
  /** Ends the call with `ABORTED`. */
  signal?: AbortSignal;
  /** Called with each generated token's id, before the text that it completes. */
  onToken?: (id: number) => void;
}

export interface TokenizeOptions {
  /** Add the tokens that the model wants at the start and the end of a text. Default false. */
  addSpecial?: boolean;
  /** Read special tokens such as `<|endoftext|>` in the text as such, not as letters. Default true. */
  parseSpecial?: boolean;
}

export interface DetokenizeOptions {
  /** Write special tokens out. Default false. */
  showSpecial?: boolean;
}

export interface ModelInfo {
  /** `general.name` of the file. */
  name: string | null;
  /** `general.architecture` of the file. */
  architecture: string;
  parameters: number;
  /** The tensors' types, those of the most parameters first. */
  types: string[];
  layers: number;
  embeddingLength: number;
  vocabularySize: number;
  /** Positions that the model was trained on. */
  trainedContextLength: number;
  /** Positions that it was loaded with. */
  contextLength: number;
  /** The file's size, null where the server does not tell. */
  fileBytes: number | null;
  /** Whether the file came by ranges; false: as one stream. */
  ranges: boolean;
  /** GPU memory, in bytes. */
  memory: {
    weights: number;
    kvCache: number;
    kvCacheType: 'f32' | 'f16' | 'q8_0';
    /** What one more position of `contextLength` would take. */
    kvBytesPerPosition: number;
    activations: number;
  };
  /** Where the load's time went, in milliseconds. Weights come in while kernels compile. */
  loadMs: { header: number; gpu: number; plans: number; weights: number; compile: number };
  gpu: {
    /** As the browser names it, which may be little. */
    adapter: string;
    backend: string;
    maxBindingBytes: number;
    /** Invocations of the smallest subgroup; 0 where subgroups are not used. */
    subgroupSize: number;
    /** GPU dispatches that are handed over at a time, null where there is no limit. */
    dispatchesPerSubmit: number | null;
    /** What kernels could make use of, whether they do here, and why: checked by their results when the model is loaded. */
    features: { name: string; used: boolean; reason: string }[];
  };
  /** Names of the chat templates; see {@link TokenizerInfo.chatTemplates}. */
  chatTemplates: string[];
  /** Where the file's bytes came from. */
  cache: {
    /** Where they are kept; `none`: nowhere. */
    kind: 'opfs' | 'cache-api' | 'none';
    cachedBytes: number;
    networkBytes: number;
    /** Requests that failed and were made again. */
    retries: number;
    /** Storage that this site may use and uses, in bytes; null where the browser does not tell. */
    quota: number | null;
    usage: number | null;
  };
  /** GPU dispatches of a generated token. */
  decodeDispatches: number;
  /** What the file left in doubt, and why it is not cached, in words. */
  warnings: string[];
}

export interface GenerateStats {
  promptTokens: number;
  /** Of these, the ones that were in the cache already. */
  reusedTokens: number;
  generatedTokens: number;
  /** From the call to the first token, in milliseconds. */
  firstTokenMs: number;
  /** From the first token to the last, in milliseconds. */
  decodeMs: number;
  /** Prompt tokens a second. */
  prefillPerSecond: number;
  /** Generated tokens a second, the first one's wait left out. */
  decodePerSecond: number;
  /** The model's end token, a stop string, `maxTokens`, a full context; null where the caller stopped. */
  finishReason: 'end' | 'stop' | 'length' | 'context' | null;
  /** GPU memory held now, in bytes. */
  gpuBytes: number;
}

/** A named intermediate. */
export interface Activation {
  name: string;
  /** Rows and columns: tokens by width; of `kq` and `kq_soft_max` heads times tokens by positions. */
  shape: [number, number];
  data: Float32Array;
}

/**
 * Whether an error is webgguf's own, with a `code`. All that fails here is one, but for what your own callbacks throw.
 *
 * ```ts
 * catch (e) { if (isWebggufError(e) && e.code === 'DEVICE_LOST') await model.recover(); else throw e; }
 * ```
 */
export function isWebggufError(e: unknown): e is WebggufError;

/** What every function here fails with. The message says what was found and what is allowed. */
export interface WebggufError extends Error {
  /** `AbortError` for `ABORTED`, as the platform has it. */
  name: 'WebggufError' | 'AbortError';
  code: ErrorCode;
}

export type ErrorCode =
  /** The file is not a well-formed GGUF file. */
  | 'MALFORMED_GGUF'
  /** The file holds a model that this version can't run. */
  | 'UNSUPPORTED_ARCHITECTURE'
  /** A tensor's type has no kernels here. */
  | 'UNSUPPORTED_TENSOR_TYPE'
  /** The file's tokenizer can't be used. */
  | 'UNSUPPORTED_TOKENIZER'
  /** The chat template failed. */
  | 'TEMPLATE_ERROR'
  /** The server, the network or the file gave no bytes, or too few. */
  | 'FETCH_FAILED'
  /** The file changed on its server while it was read: load it again. */
  | 'SOURCE_CHANGED'
  /** The model does not fit the GPU's memory or limits. */
  | 'OUT_OF_GPU_MEMORY'
  /** The GPU device is gone: load the model again. */
  | 'DEVICE_LOST'
  /**
   * The page's policy forbids the worker or the wasm: its Content-Security-Policy, Trusted Types, or a script of another
   * origin. See {@link LoadOptions.worker}.
   */
  | 'BLOCKED'
  /** There is no WebGPU here. */
  | 'NO_WEBGPU'
  /** The caller's signal fired. */
  | 'ABORTED'
  /** The prompt leaves no room in the context. */
  | 'CONTEXT_OVERFLOW'
  /** The model computed NaN or infinities: its weights are broken, or too large for the type of the cache. */
  | 'NOT_FINITE'
  /** An argument is unknown or out of range. */
  | 'INVALID_ARGUMENT'
  /** The model is busy, or destroyed. */
  | 'INVALID_STATE'
  /** A defect in webgguf or in the driver. Where the wasm itself failed, later calls say so: load the page again. */
  | 'INTERNAL';
