// The AI SDK takes what webgguf/ai-sdk makes: clients.test.mjs type-checks it.
import { DirectChatTransport, ToolLoopAgent, generateObject, jsonSchema, streamText, tool } from 'ai';
import type { Model } from 'webgguf';
import { webgguf, type WebggufProviderOptions } from 'webgguf/ai-sdk';

declare const loaded: Model;

const model = webgguf(loaded);
const { textStream } = streamText({ model, prompt: 'Hi', providerOptions: { webgguf: { minP: 0.1, variables: { enable_thinking: false } } } });
for await (const text of textStream) console.log(text);
const own: WebggufProviderOptions = { repeatPenalty: 1.1 };
export const { object } = await generateObject({ model, schema: jsonSchema<{ mood: string }>({ type: 'object' }), prompt: 'Hi' });
const weather = tool({ inputSchema: jsonSchema<{ city: string }>({ type: 'object' }), execute: async ({ city }) => `${city}: sunny` });
const agent = new ToolLoopAgent({ model, tools: { weather } });
export const transport = new DirectChatTransport({ agent });
console.log(own);
