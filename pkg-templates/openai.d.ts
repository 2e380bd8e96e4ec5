/**
 * OpenAI's API for chat completions, on a model in the tab: code that speaks it needs no other change.
 *
 * ```ts
 * const client = openai(await loadModel('hf:Qwen/Qwen3-0.6B-GGUF:Q8_0'));
 * const completion = await client.chat.completions.create({ model: 'local', messages: [{ role: 'user', content: 'Hello' }] });
 * ```
 */
import type { GenerateOptions, Model, ResponseFormat, ServerModel, WorkerModel } from './index.js';

/**
 * The part of OpenAI's client that makes chat completions. All calls on one model share its queue and its cache: a conversation
 * that extends an earlier one is computed from where that ended. Of a model on a server, requests go there as they are, but for `model`.
 */
export function openai(model: Model | WorkerModel | ServerModel): OpenAIClient;

/**
 * A `fetch` whose server is the model: for the official client, LangChain.js, or whatever else takes a `fetch`. It answers
 * `POST …/chat/completions`, `GET …/models` and `GET …/models/ID`, at any host; no request leaves the page. Other paths are 404.
 *
 * ```ts
 * const client = new OpenAI({ baseURL: 'https://webgguf.invalid/v1', apiKey: 'none', fetch: createFetch(model), dangerouslyAllowBrowser: true });
 * ```
 *
 * What fails is an answer with OpenAI's body `{ error: { message, type, param, code } }`; in the middle of a stream, an event with it.
 * Rejects with `ABORTED` if the request's signal fires.
 */
export function createFetch(model: Model | WorkerModel | ServerModel): (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface OpenAIClient {
  readonly chat: { readonly completions: ChatCompletions };
}

export interface ChatCompletions {
  /**
   * A reply to a conversation; with `stream`, its chunks as they come. Leave the loop over a stream, or call its
   * `controller.abort()`, and the model is free.
   *
   * Rejects with an {@link APIError}: with the status 400 for a parameter that is unknown, out of range or can't be honoured, which `param`
   * names; with the code `context_length_exceeded` where the conversation does not fit the context; with another status for what fails in
   * the engine, whose error is the `cause`. Where `signal` fires it rejects with webgguf's `ABORTED`.
   */
  create(body: ChatCompletionParams & { stream?: false | null | undefined }, options?: CreateOptions): Promise<ChatCompletion>;
  create(body: ChatCompletionParams & { stream: true }, options?: CreateOptions): Promise<ChatCompletionStream>;
  create(body: ChatCompletionParams, options?: CreateOptions): Promise<ChatCompletion | ChatCompletionStream>;
}

export type CreateOptions = Pick<GenerateOptions, 'signal' | 'onQueue'>;

/**
 * What `create` takes: OpenAI's parameters, and of llama-server's `top_k`, `min_p`, `repeat_penalty` and `chat_template_kwargs`. Null is as
 * good as left out. Of OpenAI's others, `user`, `metadata`, `safety_identifier` and `prompt_cache_*` change nothing. What remains
 * (`logprobs`, `frequency_penalty`, `logit_bias`, `audio` …) is an error, unless it has the value that asks for nothing.
 */
export interface ChatCompletionParams {
  /** What was said, the oldest first. */
  messages: readonly ChatCompletionMessageParam[];
  /** Any name: the model is the one that is loaded. Replies have its own. */
  model?: string | undefined;
  /** Replies, 1 to 128, made one after the other. Default 1. */
  n?: number | null | undefined;
  stream?: boolean | null | undefined;
  /** `include_usage`: the last chunk, without choices, has the usage. */
  stream_options?: { include_usage?: boolean | undefined; include_obfuscation?: boolean | undefined } | null | undefined;
  /** Tokens to generate at most. Default: as many as the context has room for. */
  max_completion_tokens?: number | null | undefined;
  /** The older name of `max_completion_tokens`. */
  max_tokens?: number | null | undefined;
  /** Default: the model's, see `model.info.defaults`. */
  temperature?: number | null | undefined;
  top_p?: number | null | undefined;
  top_k?: number | null | undefined;
  min_p?: number | null | undefined;
  repeat_penalty?: number | null | undefined;
  /** An integer; its lower 32 bits count. A second choice has the next one. */
  seed?: number | null | undefined;
  stop?: string | readonly string[] | null | undefined;
  /** Functions. `strict` needs a call that is forced by `tool_choice`. */
  tools?: readonly ChatCompletionTool[] | undefined;
  tool_choice?: 'auto' | 'none' | 'required' | { type: 'function'; function: { name: string } } | { type: 'allowed_tools' | 'custom' } | undefined;
  /** False: of several calls in a reply, only the first counts. */
  parallel_tool_calls?: boolean | undefined;
  /** OpenAI's, or one of the engine's. It is always enforced. Not together with tools that may be called. */
  response_format?:
    | { type: 'text' }
    | { type: 'json_object' }
    | { type: 'json_schema'; json_schema: { name?: string | undefined; schema?: { readonly [key: string]: unknown } | undefined; strict?: boolean | null | undefined } }
    | ResponseFormat
    | undefined;
  /** `none`, or what the model's template knows. */
  reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null | undefined;
  /** Variables of the chat template. */
  chat_template_kwargs?: Readonly<Record<string, unknown>> | null | undefined;
  user?: string | undefined;
}

/** A message. Of content in parts, `text` and `refusal` are taken. */
export interface ChatCompletionMessageParam {
  /** `developer` is the same as `system`; `function` is an error. */
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function';
  content?: string | readonly { type: string }[] | null | undefined;
  name?: string | undefined;
  /** Of an assistant's message. Arguments are JSON. */
  tool_calls?: readonly { id: string; type: string }[] | undefined;
  /** Of a tool's message: the call that it answers. */
  tool_call_id?: string | undefined;
  /** What the assistant reasoned before it said this. */
  reasoning_content?: string | null | undefined;
}

export interface ChatCompletionTool {
  /** `function`. */
  type: string;
  function?:
    | {
        name: string;
        description?: string | undefined;
        /** A JSON Schema. Default: no arguments. */
        parameters?: { readonly [key: string]: unknown } | undefined;
        strict?: boolean | null | undefined;
      }
    | undefined;
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** In seconds since 1970. */
  created: number;
  /** `general.name` of the file, or else its architecture. */
  model: string;
  choices: { index: number; message: ChatCompletionMessage; logprobs: null; finish_reason: ChatCompletionFinishReason }[];
  usage: CompletionUsage;
}

export interface ChatCompletionMessage {
  role: 'assistant';
  /** Null where there is nothing but calls. */
  content: string | null;
  refusal: null;
  /** What a model that reasons wrote before its answer. */
  reasoning_content?: string;
  tool_calls?: ChatCompletionToolCall[];
}

export interface ChatCompletionToolCall {
  id: string;
  type: 'function';
  /** `arguments` is JSON. */
  function: { name: string; arguments: string };
}

export type ChatCompletionFinishReason = 'stop' | 'length' | 'tool_calls';

export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Of the prompt, the tokens that were in the model's cache already. */
  prompt_tokens_details: { cached_tokens: number };
  completion_tokens_details: { reasoning_tokens: number };
}

/** The first chunk of a choice has the role, the last one `finish_reason`. A call comes as a whole, in one chunk. */
export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  choices: {
    index: number;
    delta: {
      role?: 'assistant';
      content?: string | null;
      refusal?: null;
      reasoning_content?: string;
      tool_calls?: ({ index: number } & ChatCompletionToolCall)[];
    };
    logprobs: null;
    finish_reason: ChatCompletionFinishReason | null;
  }[];
  usage?: CompletionUsage | null;
}

export interface ChatCompletionStream extends AsyncIterable<ChatCompletionChunk> {
  /** Ends the reply; the loop over it ends without an error. */
  readonly controller: AbortController;
}

/** As the official client's errors. */
export class APIError extends Error {
  private constructor();
  /** Of HTTP. */
  readonly status: number;
  readonly type: string;
  /** The parameter at fault, such as `messages[1].content`. */
  readonly param: string | null;
  /** `unsupported_parameter`, `unknown_parameter`, `invalid_value`, `context_length_exceeded` …, or the engine's code in lower case. */
  readonly code: string | null;
  /** The body of such an answer. */
  readonly error: { message: string; type: string; param: string | null; code: string | null };
}
