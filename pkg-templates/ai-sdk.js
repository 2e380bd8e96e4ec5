// A model for the Vercel AI SDK, by its specification v4. The types and their documentation are in ai-sdk.d.ts.
import { callOf } from './ai-sdk/call.js';
import { begun, chatsOf } from './openai/chats.js';
import { stopping } from './openai/stream.js';

const FINISH = { end: 'stop', stop: 'stop', length: 'length', context: 'length', 'tool-calls': 'tool-calls' };

const finishOf = ({ finishReason, usage: { promptTokens, reusedTokens, generatedTokens, reasoningTokens } }) => ({
  finishReason: { unified: FINISH[finishReason] ?? 'other', raw: finishReason ?? undefined },
  usage: {
    inputTokens: { total: promptTokens, noCache: promptTokens - reusedTokens, cacheRead: reusedTokens, cacheWrite: undefined },
    outputTokens: { total: generatedTokens, text: generatedTokens - reasoningTokens, reasoning: reasoningTokens },
  },
});

const callPart = ({ id, name, arguments: args }) => ({ type: 'tool-call', toolCallId: id, toolName: name, input: JSON.stringify(args) });

/** The parts of a reply, with a call that is none as the text that it is. */
async function* partsOf(reply) {
  for await (const part of reply) yield part.type === 'invalid-tool-call' ? { type: 'text', delta: part.text } : part;
}

/** The SDK's parts: text and reasoning are blocks with a beginning and an end. */
async function* streamParts(reply) {
  let open;
  let blocks = 0;
  const close = () => (open ? [{ type: `${open.type}-end`, id: open.id }] : []);
  for await (const part of partsOf(reply)) {
    if (part.type !== open?.type) {
      yield* close();
      open = undefined;
    }
    if (part.type === 'text' || part.type === 'reasoning') {
      if (!open) {
        open = { type: part.type, id: String(blocks++) };
        yield { type: `${open.type}-start`, id: open.id };
      }
      yield { type: `${open.type}-delta`, id: open.id, delta: part.delta };
    } else if (part.type === 'tool-call') {
      const call = callPart(part);
      yield { type: 'tool-input-start', id: part.id, toolName: part.name };
      yield { type: 'tool-input-delta', id: part.id, delta: call.input };
      yield { type: 'tool-input-end', id: part.id };
      yield call;
    } else {
      yield { type: 'finish', ...finishOf(part) };
    }
  }
}

class LanguageModel {
  specificationVersion = 'v4';
  provider = 'webgguf';
  supportedUrls = {};
  #model;
  #chats;

  constructor(model) {
    this.#model = model;
    this.#chats = chatsOf(model);
  }

  get modelId() {
    const { name, architecture } = this.#model.info;
    return name ?? architecture;
  }

  async doGenerate(given) {
    const { messages, format, options, warnings } = await callOf(given, this.#model);
    const content = [];
    let finish;
    for await (const part of partsOf(this.#chats.reply(messages, format, options))) {
      const last = content.at(-1);
      if (part.type === 'finish') finish = finishOf(part);
      else if (part.type === 'tool-call') content.push(callPart(part));
      else if (last?.type === part.type) last.text += part.delta;
      else content.push({ type: part.type, text: part.delta });
    }
    return { content, ...finish, warnings, response: { timestamp: new Date(), modelId: this.modelId } };
  }

  async doStream(given) {
    const { messages, format, options, warnings } = await callOf(given, this.#model);
    const { controller: stop, release } = stopping(given.abortSignal);
    const parts = await begun(streamParts(this.#chats.reply(messages, format, { ...options, signal: stop.signal }))).catch((e) => {
      release();
      throw e;
    });
    const head = [{ type: 'stream-start', warnings }, { type: 'response-metadata', timestamp: new Date(), modelId: this.modelId }];
    const stream = new ReadableStream({
      start(controller) {
        for (const part of head) controller.enqueue(part);
      },
      async pull(controller) {
        try {
          const { done, value } = await parts.next();
          if (!done) return controller.enqueue(value);
          release();
          controller.close();
        } catch (error) {
          release();
          controller.error(error);
        }
      },
      async cancel(reason) {
        release();
        stop.abort(reason);
        await parts.return();
      },
      // A result that nobody reads holds no other call up.
    }, { highWaterMark: Infinity });
    return { stream };
  }
}

export const webgguf = (model) => new LanguageModel(model);
