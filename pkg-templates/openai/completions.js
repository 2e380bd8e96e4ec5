// chat.completions.create on a model of this page.
import { begun, chatsOf } from './chats.js';
import { asApiError } from './errors.js';
import { requestOf } from './request.js';
import { ChunkStream, stopping } from './stream.js';

const FINISH = { end: 'stop', stop: 'stop', length: 'length', context: 'length', 'tool-calls': 'tool_calls' };

/** What a model is called here. */
export const idOf = ({ info }) => info.name ?? info.architecture;

const callOf = ({ id, name, arguments: args }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(args) } });

const NOTHING = { promptTokens: 0, reusedTokens: 0, generatedTokens: 0, reasoningTokens: 0 };
const sum = (a, b) => Object.fromEntries(Object.keys(a).map((key) => [key, a[key] + b[key]]));

const usage = ({ promptTokens, reusedTokens, generatedTokens, reasoningTokens }) => ({
  prompt_tokens: promptTokens,
  completion_tokens: generatedTokens,
  total_tokens: promptTokens + generatedTokens,
  prompt_tokens_details: { cached_tokens: reusedTokens },
  completion_tokens_details: { reasoning_tokens: reasoningTokens },
});

export class Completions {
  #model;
  #chats;

  constructor(model) {
    this.#model = model;
    this.#chats = chatsOf(model);
  }

  /** @see openai.d.ts */
  async create(body, { signal, onQueue } = {}) {
    const stop = stopping(signal);
    try {
      const request = await requestOf(body, this.#model);
      const options = { ...request.options, signal: stop.controller.signal, onQueue };
      if (request.stream) return new ChunkStream(await begun(this.#chunks(request, options)), stop);
      const whole = await this.#whole(request, options);
      stop.release();
      return whole;
    } catch (e) {
      stop.release();
      throw asApiError(e);
    }
  }

  #head(object) {
    return { id: `chatcmpl-${crypto.randomUUID().replaceAll('-', '')}`, object, created: Math.floor(Date.now() / 1000), model: idOf(this.#model) };
  }

  /** The parts of one of the choices. Each has a seed of its own. */
  async *#parts({ messages, format, oneCall }, { seed, ...options }, index) {
    let hasCall = false;
    for await (const part of this.#chats.reply(messages, format, { ...options, seed: seed === undefined ? seed : (seed + index) >>> 0 })) {
      if (part.type === 'tool-call' && oneCall && hasCall) continue;
      hasCall ||= part.type === 'tool-call';
      // What is no call after all is what the model said.
      yield part.type === 'invalid-tool-call' ? { type: 'text', delta: part.text } : part;
    }
  }

  async *#chunks(request, options) {
    const head = this.#head('chat.completion.chunk');
    const chunk = (index, delta, finish_reason = null) => ({
      ...head,
      choices: [{ index, delta, logprobs: null, finish_reason }],
      ...(request.includeUsage ? { usage: null } : {}),
    });
    let total = NOTHING;
    for (let index = 0; index < request.n; index++) {
      let nCalls = 0;
      let hasBegun = false;
      for await (const part of this.#parts(request, options, index)) {
        if (!hasBegun) yield chunk(index, { role: 'assistant', content: '', refusal: null });
        hasBegun = true;
        if (part.type === 'text') yield chunk(index, { content: part.delta });
        if (part.type === 'reasoning') yield chunk(index, { reasoning_content: part.delta });
        if (part.type === 'tool-call') yield chunk(index, { tool_calls: [{ index: nCalls++, ...callOf(part) }] });
        if (part.type === 'finish') {
          total = sum(total, part.usage);
          yield chunk(index, {}, FINISH[part.finishReason]);
        }
      }
    }
    if (request.includeUsage) yield { ...head, choices: [], usage: usage(total) };
  }

  async #whole(request, options) {
    const choices = [];
    let total = NOTHING;
    for (let index = 0; index < request.n; index++) {
      const message = { role: 'assistant', content: null, refusal: null };
      for await (const part of this.#parts(request, options, index)) {
        if (part.type === 'text') message.content = (message.content ?? '') + part.delta;
        if (part.type === 'reasoning') message.reasoning_content = (message.reasoning_content ?? '') + part.delta;
        if (part.type === 'tool-call') (message.tool_calls ??= []).push(callOf(part));
        if (part.type === 'finish') {
          total = sum(total, part.usage);
          if (!message.tool_calls) message.content ??= '';
          choices.push({ index, message, logprobs: null, finish_reason: FINISH[part.finishReason] });
        }
      }
    }
    return { ...this.#head('chat.completion'), choices, usage: usage(total) };
  }
}
