// The official client's types and those of webgguf/openai fit each other: clients.test.mjs type-checks it.
import OpenAI from 'openai';
import type { Model } from 'webgguf';
import { createFetch, openai } from 'webgguf/openai';

declare const model: Model;
declare const params: OpenAI.ChatCompletionCreateParamsNonStreaming;
declare const streaming: OpenAI.ChatCompletionCreateParamsStreaming;
declare const either: OpenAI.ChatCompletionCreateParams;

const { completions } = openai(model).chat;
export const whole: OpenAI.ChatCompletion = await completions.create(params);
for await (const chunk of await completions.create(streaming)) {
  const one: OpenAI.ChatCompletionChunk = chunk;
  console.log(one.choices[0]?.delta.content, chunk.choices[0]?.delta.reasoning_content);
}
await completions.create(either, { signal: AbortSignal.timeout(1000), onQueue: (n) => console.log(n) });
export const message: OpenAI.ChatCompletionMessageParam | undefined = whole.choices[0]?.message;
const own = await completions.create({ messages: [{ role: 'user', content: 'Hi' }], response_format: { type: 'regex', pattern: 'a+' }, top_k: 5 });
await completions.create({ messages: own.choices.map((choice) => choice.message), stream: false });
// @ts-expect-error: it can't be honoured.
await completions.create({ messages: [], logprobs: true });
// @ts-expect-error: a name that nobody has.
await completions.create({ messages: [], max_token: 5 });
export const official = new OpenAI({ baseURL: 'https://webgguf.invalid/v1', apiKey: 'none', fetch: createFetch(model) });
