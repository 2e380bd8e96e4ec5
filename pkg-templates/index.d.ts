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
 *
 * Models of the Hugging Face hub, or of a mirror of it ({@link HubOptions}), have short addresses:
 *
 * - `hf:OWNER/REPOSITORY/FILE.gguf`: a file.
 * - `hf:OWNER/REPOSITORY:Q4_K_M`: the one model whose file has this quantisation in its name. The hub is asked for it; where
 *   it does not answer, the cache is.
 * - With `@REVISION` after the repository: a branch, tag or commit other than `main`. A slash in its name is written `%2F`.
 *
 * The hub's own pages are understood, too: `https://huggingface.co/…/blob/…` is the file that the page shows. What names no
 * model, or several, is an error that lists the repository's GGUF files with their sizes.
 *
 * In Node.js, Deno and Bun, a path or a `file:` URL is a source, too. Nothing is cached there.
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
export function loadModel(source: Source, options: FallbackOptions): Promise<Model | WorkerModel | ServerModel>;
export function loadModel(source: Source, options: LoadOptions & { worker: true }): Promise<WorkerModel>;
export function loadModel(source: Source, options?: LoadOptions & { worker?: false | undefined }): Promise<Model>;
export function loadModel(source: Source, options?: LoadOptions): Promise<Model | WorkerModel>;

/**
 * Use a model on a server that speaks OpenAI's protocol, such as llama.cpp's llama-server or vLLM: it has the calls of a model here. The
 * server is asked for its models, so that a wrong address or key is told at once; pages of another origin need its CORS headers.
 *
 * ```ts
 * const model = await connect({ baseURL: 'http://localhost:8080/v1' });
 * for await (const text of model.chat().send('Hello')) console.log(text);
 * ```
 *
 * Rejects with `FETCH_FAILED` where the server can't be reached or refuses; with `INVALID_ARGUMENT` for an address that is none, or
 * without `model` where the server has several.
 */
export function connect(options: ConnectOptions): Promise<ServerModel>;

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

/**
 * The options of {@link loadModel}, so that one object serves both. `onProgress` is not called, no worker is started and no server is asked.
 */
export type CanRunOptions = LoadOptions & { fallback?: ConnectOptions | undefined };

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
 * An address of a hub's quantisation is looked up in the cache alone. Rejects with `INVALID_STATE` while the model is being
 * loaded, in any tab.
 */
export function removeCached(source: string | URL, options?: Pick<LoadOptions, 'hub'>): Promise<boolean>;

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
export function loadTokenizer(source: Source, options?: FileOptions): Promise<Tokenizer>;

/**
 * What a model file says of itself: only its header is fetched, and no GPU is needed. Any well-formed GGUF file can be
 * inspected, whether its model can be run here or not.
 *
 * ```ts
 * const { architecture, parameters, metadata, unsupported } = await inspect('hf:owner/repository:Q4_K_M');
 * ```
 *
 * Rejects with a {@link WebggufError}.
 */
export function inspect(source: Source, options?: FileOptions): Promise<ModelFile>;

/** A model file, described. */
export interface ModelFile {
  /** Version of the GGUF format. */
  version: number;
  /** `general.architecture` of the file; null where it names none. */
  architecture: string | null;
  /** `general.name` of the file. */
  name: string | null;
  parameters: number;
  /** The tensors' types, those of the most parameters first. */
  types: string[];
  /** The file's size, of a split model that of all parts; null where the server does not tell. */
  fileBytes: number | null;
  metadata: Record<string, MetadataValue>;
  tensors: {
    name: string;
    type: string;
    /** Outermost first: a matrix is rows, columns. */
    shape: number[];
    /** Where in the file its bytes begin; of a split model, in the part that has it. */
    offset: number;
    bytes: number;
  }[];
  /** GPU memory that the model takes with the default context, in bytes; null where it can't be run. */
  memory: { contextLength: number; weights: number; kvCache: number; activations: number; total: number } | null;
  /** Why the model can't be run, in words; empty where nothing speaks against it. */
  unsupported: string[];
  /** What the file leaves in doubt, in words. */
  warnings: string[];
}

/**
 * A value of a file's metadata. An integer that is no safe one in JavaScript is a string of its digits; a number that is not
 * finite is null. An array of up to 128 values is one, a longer one, such as a vocabulary, or one of arrays is its type,
 * its length and its first values.
 */
export type MetadataValue = MetadataScalar | MetadataScalar[] | { type: string; length: number; first: MetadataScalar[] };

export type MetadataScalar = string | number | boolean | null;

/** How a file is read. */
export type FileOptions = Pick<LoadOptions, 'signal' | 'wasmUrl' | 'cache' | 'retry' | 'hub'>;

export interface LoadOptions {
  /**
   * Positions that the prompt and the generated text share; GPU memory grows with it.
   * Default: the model's own, up to 4096.
   */
  contextLength?: number | undefined;
  /**
   * How keys and values of past tokens are kept. `f16` takes half the memory of `f32` and `q8_0` little more than a
   * quarter, so that twice and three times the context fits; both round a little. Default: `f16` on a device that
   * is made for it (shader-f16), gets it right when tried and is not slowed by it, else `f32`.
   */
  kvCache?: 'f32' | 'f16' | 'q8_0' | undefined;
  /**
   * How much of the GPU is used. `ios` keeps to what Safari on phones bears: the limits that every device has, no
   * subgroups, few dispatches at a time. Default: `ios` on iPhones and iPads, else `full`.
   */
  profile?: 'full' | 'ios' | undefined;
  /**
   * Bytes of GPU memory that the model may take; a load that needs more fails with `OUT_OF_GPU_MEMORY` before weights are
   * fetched, and says what context would fit. Default: where the browser tells of less than 8 GiB of memory
   * (`navigator.deviceMemory`, in Chromium), half of it; else `Infinity`, and the GPU decides.
   */
  memoryBudget?: number | undefined;
  /** Called as bytes come in and kernels compile. What it throws ends the load and comes to you as it is. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the load with `ABORTED`. */
  signal?: AbortSignal | undefined;
  /**
   * Keep the file on disk while it streams past, and read what is there from disk: in the origin private file system,
   * or, where there is none, in the Cache API. A model that is there whole is not fetched again; the server is asked
   * by one HEAD request whether it has changed, and need not answer. What goes wrong with the cache is a warning in
   * `model.info.warnings`, and the model loads without. Default: true for http and https URLs.
   *
   * Experimental: with `'shared'`, files of a hub are first looked for, by their SHA-256, among those that sites share, and
   * put there once they are loaded. That takes a browser or an extension with Cross-Origin Storage
   * (`navigator.crossOriginStorage`), a proposal that may change, and the hub's list of files. Without these it is as true. A
   * site keeps its own copy of what it has put there.
   */
  cache?: boolean | 'shared' | undefined;
  /** How failed requests are met. */
  retry?: RetryOptions | undefined;
  /** The hub that `hf:` addresses are of. */
  hub?: HubOptions | undefined;
  /**
   * Run the model in a worker of its own, so that the page stays smooth: see {@link WorkerModel} for what differs.
   * Default false.
   *
   * A Content-Security-Policy needs `script-src 'wasm-unsafe-eval'` in any case, and `worker-src 'self'` for this. With
   * `require-trusted-types-for 'script'`, the worker's address is trusted by a policy of the name `webgguf`, which
   * `trusted-types` must allow where it is set.
   */
  worker?: boolean | undefined;
  /**
   * Where `webgguf_bg.wasm` is served, if not beside the code. Of the first load counts. Bundlers find it by
   * themselves; this is for those that don't. If it has this name there, `webgguf_constrain_bg.wasm`, which `responseFormat`
   * needs, is expected beside it.
   */
  wasmUrl?: string | URL | undefined;
  /**
   * Where `worker.js` is served, or what a bundler made of `webgguf/worker`, if not beside the code. It may be of another
   * origin. Bundlers find it by themselves; this is for those that don't.
   */
  workerUrl?: string | URL | undefined;
}

/** The options of {@link loadModel} with a server for where the model can't run. */
export interface FallbackOptions extends LoadOptions {
  /**
   * Where there is no WebGPU, or the model does not fit or has what is not supported, it is used on this server, if the load fails with
   * `NO_WEBGPU`, `OUT_OF_GPU_MEMORY` or `UNSUPPORTED_…`. That is before weights are fetched, as {@link canRun} would say. What came
   * about is in `model.info.backend`, and why in `model.info.warnings`.
   */
  fallback: ConnectOptions;
}

export interface ConnectOptions {
  /** What the server's paths begin with: `http://localhost:8080/v1`. */
  baseURL: string | URL;
  /** The model's name on the server. Default: the one that it has, if there is one alone. */
  model?: string | undefined;
  /** Sent to the server as `Authorization: Bearer …`. A key in a page is no secret to those who use the page. */
  apiKey?: string | undefined;
  /**
   * How failed requests are met: an answer of 408, 425, 429, 500 or 502 to 504, or none, is tried again before a reply has begun. Of a
   * server, `attempts` are 3 and `stallMs` is 120000 if not given: it is silent while it reads a long prompt.
   */
  retry?: RetryOptions | undefined;
  /** Ends the question for the server's models with `ABORTED`. */
  signal?: AbortSignal | undefined;
}

export interface HubOptions {
  /** The address of the hub, or of a mirror of it. Default: `https://huggingface.co`. */
  url?: string | URL | undefined;
  /**
   * An access token, for repositories that are gated or private. Only the hub itself gets it, as `Authorization: Bearer …`;
   * the servers that it redirects to do not. A token in a page is no secret to those who use the page: let them give their
   * own. What is cached is read again without it.
   */
  token?: string | undefined;
}

export interface RetryOptions {
  /** Failures in a row, without 64 kB of progress between them, that end a load with `FETCH_FAILED`. Default 6. */
  attempts?: number | undefined;
  /**
   * The first wait, in milliseconds. Each further one is twice as long, up to 15 s, and a random half of it is left
   * out. `Retry-After` is honoured up to 60 s. Default 500.
   */
  baseDelayMs?: number | undefined;
  /** A connection that brings nothing for so many milliseconds is given up and tried again. Default 30000. */
  stallMs?: number | undefined;
}

export interface Progress {
  /**
   * `header`: hyper-parameters and tokenizer; `weights`, while kernels compile; `compile`: the weights are here, and the
   * last kernels are not; `ready`: done.
   */
  phase: 'header' | 'weights' | 'compile' | 'ready';
  /** How much of the whole load is done, 0 to 1: for a bar. It never goes back, and is 1 with `ready` alone. */
  fraction: number;
  /** What of this phase is done: bytes, or kernels while they compile. */
  loaded: number;
  /** All of this phase, 0 where it is unknown. */
  total: number;
  /** The layer whose weights came in last; null outside the layers. */
  layer: number | null;
}

/**
 * A loaded model. One call of `generate`, `chat.send` or `captureActivations` at a time runs on it; others wait for their
 * turn, in order. A call made inside the loop that reads another one of the same model would wait for ever: it fails with
 * `INVALID_STATE` once that loop has asked for nothing for 5 seconds.
 */
export class Model {
  private constructor();

  /** The model, the GPU and what it takes there. */
  readonly info: Readonly<ModelInfo>;

  /** Figures of the last generation, also of one that was aborted; of one that runs, so far. */
  readonly stats: GenerateStats;

  /** Whether calls can run: false while the device is lost or the model is recovered, and once it is destroyed. */
  readonly isLoaded: boolean;

  /** Calls that run or wait for their turn. */
  readonly pending: number;

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
   * computed again by the next call that needs it. Nothing does this by itself. If it fails it may be tried again. Calls that
   * are made meanwhile wait for it; a second `recover` joins the first.
   */
  recover(options?: Pick<LoadOptions, 'onProgress' | 'signal'>): Promise<void>;

  /**
   * Continue a prompt: text, or token ids as they are. Of a text, special tokens are read as such unless `parseSpecial`
   * is false, and the begin token is added where the model wants one and the text has none.
   * Pieces of text come as they are generated; none ends inside a character.
   *
   * Leave the loop, or fire `signal`, and the model is free for the next call. While another call runs, this one waits:
   * `onQueue` says for how many. What a prompt shares with the tokens of the call before is not computed again.
   *
   * The loop throws a {@link WebggufError}: `INVALID_ARGUMENT` for an unknown or out-of-range option,
   * `CONTEXT_OVERFLOW` where the prompt leaves no room, `INVALID_STATE` for a destroyed model, `ABORTED`,
   * `DEVICE_LOST`, `NOT_FINITE`. What your own callbacks throw stays yours and comes as it is.
   */
  generate(prompt: string | Iterable<number>, options?: GenerateOptions): AsyncGenerator<string, void, void>;

  /** The ids of a text. */
  tokenize(text: string, options?: TokenizeOptions): Uint32Array;

  /** The text of ids. Bytes that are no UTF-8 become U+FFFD. */
  detokenize(ids: Iterable<number>, options?: DetokenizeOptions): string;

  /** How many tokens a text or a conversation has, as {@link Tokenizer.count} counts them. */
  count(text: string, options?: TokenizeOptions): number;
  count(messages: readonly Message[], options?: FormatChatOptions): number;

  /** The prompt of a conversation, as {@link Tokenizer.formatChat} makes it: to look at. */
  formatChat(messages: readonly Message[], options?: FormatChatOptions): string;

  /** The ids of that prompt, as {@link Tokenizer.tokenizeChat} makes them: for `generate`. */
  tokenizeChat(messages: readonly Message[], options?: FormatChatOptions): Uint32Array;

  /**
   * A conversation with the model. Several may take turns on one model; each turn then computes again what the other's
   * took from the cache.
   *
   * Throws a {@link WebggufError}: `TEMPLATE_ERROR` if the model has no chat template (see `info.chatTemplates`) and none is
   * given; `INVALID_ARGUMENT`.
   */
  chat(options?: ChatOptions): Chat;

  /**
   * Every named intermediate of the prompt's prefill and of `decodeSteps` greedy steps after it, under llama.cpp's
   * node names (`attn_norm-0`, `result_output`): to check the engine, layer by layer. The first entry is the prefill.
   * References are compared with a cache in f32: load with `kvCache: 'f32'`.
   */
  captureActivations(prompt: string | Iterable<number>, options?: CaptureOptions): Promise<Activation[][]>;

  /** What the weights on the GPU are, as 16 hexadecimal digits: for tests of loading. It reads all of them back. */
  weightsChecksum(): Promise<string>;

  /**
   * Give the GPU's memory back. A running call ends with `DEVICE_LOST` and a message that says so; calls that wait, and later
   * ones, with `INVALID_STATE`.
   */
  destroy(): void;

  /** The same as `destroy`. */
  unload(): void;
}

/** The text side of a model: what text becomes, and becomes of, its tokens. */
export class Tokenizer {
  private constructor();

  readonly info: Readonly<TokenizerInfo>;

  /** The ids of a text. */
  tokenize(text: string, options?: TokenizeOptions): Uint32Array;

  /** The text of ids. Bytes that are no UTF-8 become U+FFFD. */
  detokenize(ids: Iterable<number>, options?: DetokenizeOptions): string;

  /** How many tokens a text has, or the prompt that the chat template makes of messages. */
  count(text: string, options?: TokenizeOptions): number;
  count(messages: readonly Message[], options?: FormatChatOptions): number;

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
  /**
   * Text, or parts such as `{ type: 'text', text: '…' }`. A template that takes text only gets the parts' texts, a line each;
   * a part that is no text is an error there.
   */
  content?: string | readonly object[] | null | undefined;
  /** The calls of an assistant's message: `{ type: 'function', id, function: { name, arguments } }`. */
  tool_calls?: readonly object[] | undefined;
  [more: string]: unknown;
}

export interface FormatChatOptions {
  /** End with the beginning of an answer. Default true. */
  addGenerationPrompt?: boolean | undefined;
  /** Functions that the model may call, as the template wants them: mostly `{ type: 'function', function: { name, description, parameters } }`. */
  tools?: readonly object[] | undefined;
  /** Documents that the model is to answer from, as the template wants them. */
  documents?: readonly object[] | undefined;
  /**
   * The name of one of the file's templates, or a Jinja template of your own (which has braces in it).
   * Default: the file's for tools where there are tools, else its default one.
   */
  template?: string | undefined;
  /** Other variables of the template, such as `{ enable_thinking: false }`. */
  variables?: Readonly<Record<string, unknown>> | undefined;
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
   * fails, keeps the text that came as the reply. If it is aborted before any text came, the message stays, without a reply,
   * unless `keepMessage` is false; if it fails before, `messages` are as they were.
   *
   * While another call runs on the model, this one waits, and its prompt is made of what `messages` are then.
   *
   * The loop throws a {@link WebggufError} as `generate` and `formatChat` do, and `CONTEXT_OVERFLOW` with the numbers
   * where the conversation does not fit the context. `signal` ends it while the prompt is made, too.
   */
  send(message?: string | Message | readonly Message[], options?: SendOptions): AsyncGenerator<string, void, void>;

  /**
   * As `send`, but the reply comes in parts: text, reasoning, and calls of the chat's `tools`, each call as it is complete.
   * The last part is `finish`, unless the loop is left or fails. No part holds a marker of the model, such as `<tool_call>`, or
   * a piece of one.
   *
   * ```ts
   * for await (const part of chat.stream('How is the weather in Rome?')) {
   *   if (part.type === 'text') console.log(part.delta);
   *   if (part.type === 'tool-call') console.log(part.name, part.arguments);
   * }
   * ```
   *
   * How the model writes these is learned from its chat template, once a chat. In `messages` calls are `tool_calls`, their
   * arguments objects, and reasoning is `reasoning_content`; a template that knows other names or wants text gets that. Answer
   * calls with messages such as `{ role: 'tool', tool_call_id, name, content }`, or use {@link Chat.run}.
   *
   * Throws as `send` does; `TEMPLATE_ERROR` if the template does nothing with tools; `INVALID_ARGUMENT` for a
   * `toolChoice` that names no tool or can't be enforced.
   */
  stream(message?: string | Message | readonly Message[], options?: StreamOptions): AsyncGenerator<ReplyPart, void, void>;

  /**
   * Say something and let the model call tools: their results are told to the model, which replies again, until it calls none.
   * Calls of one reply are executed at the same time. What `execute` throws is told to the model as the result, and so is that
   * there is no tool of a name. The parts are those of `stream`, with a result after each call; `finish` comes once, at the end.
   *
   * ```ts
   * const tools = { weather: { description: 'The weather of a city.', parameters: schema, execute: ({ city }) => fetchWeather(city) } };
   * for await (const part of chat.run('Will it rain in Rome?', { tools })) if (part.type === 'text') console.log(part.delta);
   * ```
   *
   * After `maxSteps` replies the run ends, with `finishReason: 'tool-calls'` if there are calls that were not executed. `signal`
   * ends it while a tool works, too; `execute` gets the signal. Throws as `stream` does.
   */
  run(message: string | Message | readonly Message[] | undefined, options: RunOptions): AsyncGenerator<RunPart, void, void>;

  /** Begin again: `messages` are what the conversation began with. */
  reset(): void;

  /** A conversation of its own that begins with a copy of `messages` and has the same options. */
  fork(): Chat;
}

export interface SendOptions extends Omit<GenerateOptions, 'parseSpecial'> {
  /** Whether a message stays in `messages` if `signal` ends its turn before any text came. Default true. */
  keepMessage?: boolean | undefined;
}

export interface StreamOptions extends Omit<SendOptions, 'showSpecial'> {
  /**
   * `auto`: the model may call tools. `none`: it may not, and does not hear of them. `required`, or a tool's name: it must call
   * one, with arguments that the tool's schema allows (see {@link ResponseFormat}), and does not reason before it. Of models that
   * write arguments in a notation of their own, only the name is enforced. With `responseFormat` there are no calls. Default `auto`.
   */
  toolChoice?: 'auto' | 'none' | 'required' | { name: string } | undefined;
  /** Reasoning ends after this many tokens, and the answer begins. Default: no limit but `maxTokens`. */
  maxReasoningTokens?: number | undefined;
}

export interface RunOptions extends StreamOptions {
  /** The tools, by name. They take the place of the chat's own. `toolChoice` is for the first reply; later ones are free. */
  tools: Readonly<Record<string, Tool>>;
  /** Replies of the model at most. Default 8. */
  maxSteps?: number | undefined;
}

export interface Tool {
  /** What it does and when to use it, for the model. */
  description?: string | undefined;
  /** The JSON Schema of the arguments, an object's. Default: no arguments. */
  parameters?: Readonly<Record<string, unknown>> | undefined;
  /**
   * What a call does. The model chose the arguments: check what matters. A string is told to the model as it is, anything
   * else as JSON.
   */
  execute(args: Record<string, any>, call: { id: string; name: string; signal: AbortSignal | undefined }): unknown;
}

/** A part of a reply, see {@link Chat.stream}. */
export type ReplyPart =
  | { type: 'text'; delta: string }
  | { type: 'reasoning'; delta: string }
  | ToolCallPart
  /** What began as a call and can't be read as one: as the model wrote it, and why not. */
  | { type: 'invalid-tool-call'; text: string; reason: string }
  /** As {@link GenerateStats.finishReason}; `tool-calls` where the reply ended by itself and has calls. */
  | { type: 'finish'; finishReason: 'end' | 'stop' | 'length' | 'context' | 'tool-calls' | null };

export interface ToolCallPart {
  type: 'tool-call';
  /** The model's own id, or one that was made for it. */
  id: string;
  name: string;
  arguments: Record<string, any>;
}

/** A part of a run, see {@link Chat.run}. */
export type RunPart =
  | ReplyPart
  /** What a tool gave, or the message of what it threw. */
  | { type: 'tool-result'; id: string; name: string; result: unknown; isError: boolean };

/**
 * Beside these, what the prompt is made with (`tools`, `documents`, `template`, `variables`), and defaults for each turn
 * (`temperature`, `maxTokens` …), which the options of `send` override.
 */
export interface ChatOptions
  extends Omit<FormatChatOptions, 'addGenerationPrompt'>, Omit<GenerateOptions, 'parseSpecial' | 'signal' | 'onQueue'> {
  /** The system's message, first of `messages`. */
  system?: string | undefined;
  /** What was said before. */
  messages?: readonly Message[] | undefined;
  /**
   * What happens when the conversation does not fit the context: an error, which is the default, or the oldest turns are
   * taken out of `messages`, but for the system's. They go once the conversation and the reply's `maxTokens` (of which a
   * quarter of the context counts at most) do not fit, and as many go as make a quarter of the context free.
   */
  overflow?: 'error' | 'drop-oldest' | undefined;
  /** Called with the messages that were dropped. */
  onDrop?: ((messages: Message[]) => void) | undefined;
}

/**
 * A model in a worker. It is used like {@link Model}; calls that answer at once there are promises here. `destroy` ends
 * the worker.
 */
export interface WorkerModel extends Omit<Model, 'tokenize' | 'detokenize' | 'count' | 'formatChat' | 'tokenizeChat'> {
  tokenize(text: string, options?: TokenizeOptions): Promise<Uint32Array>;
  detokenize(ids: Iterable<number>, options?: DetokenizeOptions): Promise<string>;
  count(text: string, options?: TokenizeOptions): Promise<number>;
  count(messages: readonly Message[], options?: FormatChatOptions): Promise<number>;
  formatChat(messages: readonly Message[], options?: FormatChatOptions): Promise<string>;
  tokenizeChat(messages: readonly Message[], options?: FormatChatOptions): Promise<Uint32Array>;
}

/**
 * A model on a server, see {@link connect}. Chats and texts are made as of a {@link Model}; several may run at a time, since the server has a
 * queue of its own. Calls that need the model itself fail with `UNSUPPORTED_BY_SERVER`: `tokenize`, `detokenize`, `count`, `formatChat`,
 * `tokenizeChat`, `history`, `captureActivations`, `weightsChecksum`; and so do these options: prompts of ids, `onToken`, `parseSpecial`,
 * `showSpecial`, `maxReasoningTokens`, `documents`, `template`, `overflow: 'drop-oldest'`, and response formats but for `json` and
 * `json_schema`. What else is asked for, the server may leave out.
 *
 * `chat.send` gives the answer's text, and leaves out reasoning and calls where the server tells them apart. Of `stats`, times are those of
 * the page, and numbers of tokens are 0 where the server does not tell them. Loops throw `FETCH_FAILED` where the server fails or the
 * connection breaks; in the middle of a reply, the error's `text` has what came, and so has `chat.messages`. `recover` does nothing;
 * `destroy` ends what runs.
 */
export interface ServerModel extends Omit<WorkerModel, 'info'> {
  readonly info: Readonly<ServerInfo>;
}

export interface ServerInfo {
  backend: 'server';
  /** The model's name on the server. */
  name: string;
  baseURL: string;
  /** Positions that prompt and reply share; null where the server does not tell. */
  contextLength: number | null;
  /** What this side asks for where the caller names no such option; the rest is the server's to choose. */
  defaults: { maxTokens: number };
  /** Why the model is on a server, and what of that is in doubt, in words. */
  warnings: string[];
}

export interface GenerateOptions {
  /** Tokens to generate at most. Default 512. */
  maxTokens?: number | undefined;
  /** 0 to 100. 0 is greedy: always the likeliest token. Default 0.8. */
  temperature?: number | undefined;
  /** Keep so many of the likeliest tokens; 0 keeps all, and so does more than there are. Default 40. */
  topK?: number | undefined;
  /** Keep the likeliest tokens that make up this probability together; more than 0, 1 keeps all. Default 0.95. */
  topP?: number | undefined;
  /** Keep tokens at least this probable, relative to the likeliest; 0 keeps all, 1 the likeliest. Default 0.05. */
  minP?: number | undefined;
  /** What the scores of recent tokens are divided by; more than 0, 1 is off. Default 1. */
  repeatPenalty?: number | undefined;
  /** An integer below 2^32: the same seed, prompt and options give the same text. Default: another one each time. */
  seed?: number | undefined;
  /** The text ends before any of these strings. */
  stop?: string | readonly string[] | undefined;
  /**
   * What the text may be, see {@link ResponseFormat}: nothing else can be generated. `stats.finishReason` is `'end'` where the
   * text is whole; with `'length'` or `'context'` it may end inside a value. Default: any text.
   */
  responseFormat?: ResponseFormat | undefined;
  /** Do not end at the model's end token: for benchmarks. Default false. */
  ignoreEnd?: boolean | undefined;
  /**
   * Write the control tokens that the model says, such as `<|tool_call|>`, into the text; without it they leave no trace
   * there. End tokens end the text and are never in it, unless `ignoreEnd` is set. Default false.
   */
  showSpecial?: boolean | undefined;
  /**
   * Read special tokens such as `<|im_end|>` in a prompt of text as such. False reads them as letters, as is right for
   * text of unknown origin. Default true.
   */
  parseSpecial?: boolean | undefined;
  /** Ends the call with `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called with each generated token's id, before the text that it completes. */
  onToken?: ((id: number) => void) | undefined;
  /** Called with how many calls are before this one on the model, as that changes; with 0 when it begins. */
  onQueue?: ((position: number) => void) | undefined;
}

/**
 * What a reply may be.
 *
 * - `json`: a JSON object.
 * - `json_schema`: a JSON value that a schema allows (2020-12). What can't be enforced is an error, `INVALID_ARGUMENT`, that names the
 *   keyword and its place. Keys come in the schema's order; there is nothing or one space after `:` and `,`.
 * - `regex`: what a pattern in JavaScript's syntax matches as a whole.
 * - `grammar`: what a grammar in GBNF, llama.cpp's notation, makes of the rule `root`.
 * - `choice`: one of some strings.
 */
export type ResponseFormat =
  | { type: 'json' }
  | { type: 'json_schema'; schema: boolean | Readonly<Record<string, unknown>> }
  | { type: 'regex'; pattern: string }
  | { type: 'grammar'; grammar: string }
  | { type: 'choice'; choices: readonly string[] };

export interface CaptureOptions extends Pick<GenerateOptions, 'signal' | 'onQueue'> {
  /** Greedy steps after the prompt. Default 0. */
  decodeSteps?: number | undefined;
}

export interface TokenizeOptions {
  /** Add the tokens that the model wants at the start and the end of a text. Default false. */
  addSpecial?: boolean | undefined;
  /** Read special tokens such as `<|endoftext|>` in the text as such, not as letters. Default true. */
  parseSpecial?: boolean | undefined;
}

export interface DetokenizeOptions {
  /** Write special tokens out. Default false. */
  showSpecial?: boolean | undefined;
}

export interface ModelInfo {
  /** It runs here. Of a {@link ServerModel}, `server`. */
  backend: 'webgpu';
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
  /** What `generate` and `chat` go by where the caller names no such option. */
  defaults: { maxTokens: number; temperature: number; topK: number; topP: number; minP: number; repeatPenalty: number };
  /** Names of the chat templates; see {@link TokenizerInfo.chatTemplates}. */
  chatTemplates: string[];
  /** Where the file's bytes came from. */
  cache: {
    /** Where they are kept; `none`: nowhere; `shared`: where sites share files. */
    kind: 'opfs' | 'cache-api' | 'shared' | 'none';
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
  /** Sequences on the GPU: this many chats, or texts of `generate`, go on without being computed again. */
  sequences: number;
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
  /** The file is not a well-formed TFLite file, or not a bundle of such. */
  | 'MALFORMED_TFLITE'
  /** The file is not a well-formed ONNX file. */
  | 'MALFORMED_ONNX'
  /** The file is not a well-formed dictionary of phonemes. */
  | 'MALFORMED_DICTIONARY'
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
  /** There is no WebGPU here: in this browser, on this page, or in Node.js and Bun. */
  | 'NO_WEBGPU'
  /** The caller's signal fired. */
  | 'ABORTED'
  /** The prompt leaves no room in the context. */
  | 'CONTEXT_OVERFLOW'
  /** The model computed NaN or infinities: its weights are broken, or too large for the type of the cache. */
  | 'NOT_FINITE'
  /** The model is on a server, and this needs one that is here. */
  | 'UNSUPPORTED_BY_SERVER'
  /** An argument is unknown or out of range. */
  | 'INVALID_ARGUMENT'
  /** The model is destroyed or being loaded, or the call would wait for itself. */
  | 'INVALID_STATE'
  /** A defect in webgguf or in the driver. Where the wasm itself failed, later calls say so: load the page again. */
  | 'INTERNAL';
