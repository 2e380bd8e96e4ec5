/**
 * A provider for the Vercel AI SDK (version 7, specification v4): `streamText`, `generateText`, `generateObject`, tools and agents run on a
 * model in the tab.
 *
 * ```ts
 * const { textStream } = streamText({ model: webgguf(await loadModel(url)), prompt: 'Hello' });
 * for await (const text of textStream) console.log(text);
 * ```
 */
import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { Model, ServerModel, StreamOptions, WorkerModel } from './index.js';

/**
 * A loaded model, as the AI SDK takes it. A conversation that extends an earlier one is computed from where that ended.
 *
 * Response formats with a schema are enforced. What changes nothing here (`presencePenalty`, `frequencyPenalty`, tools beside a response
 * format, `reasoning` for a template that knows no efforts) is one of the SDK's warnings; a file or an image in a prompt is an error,
 * `INVALID_ARGUMENT`. Errors are those of `chat.stream`; an abort is an `AbortError`. Without `maxOutputTokens`, the
 * context alone limits a reply, and 512 tokens do on a server.
 */
export function webgguf(model: Model | WorkerModel | ServerModel): LanguageModelV4;

/** What `providerOptions.webgguf` of a call may have, beside the SDK's own options. */
export interface WebggufProviderOptions extends Pick<StreamOptions, 'minP' | 'repeatPenalty' | 'maxReasoningTokens' | 'responseFormat'> {
  /** Variables of the chat template, such as `{ enable_thinking: false }`. */
  variables?: Readonly<Record<string, unknown>> | undefined;
}
