// A server's chunks as the parts of chat.stream.
import { failure } from '../../errors.js';

const FINISH = { stop: 'end', length: 'length', tool_calls: 'tool-calls', function_call: 'tool-calls', content_filter: 'stop' };

/** For servers that name no calls. Pages without https have no randomUUID. */
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36)).join('');

/** A call that is whole. */
function callOf({ id, name, text }) {
  const reason = (() => {
    try {
      const args = JSON.parse(text || '{}');
      if (typeof args === 'object' && args !== null && !Array.isArray(args)) return { args };
    } catch (e) {
      return { why: e.message };
    }
    return { why: 'the arguments are no object' };
  })();
  if (reason.args) return { type: 'tool-call', id, name, arguments: reason.args };
  return { type: 'invalid-tool-call', text, reason: `the arguments of '${name}': ${reason.why}` };
}

/** The choice of a chunk; undefined where it has the usage alone. */
function choiceOf(chunk) {
  if (Array.isArray(chunk?.choices)) return chunk.choices[0];
  throw failure('FETCH_FAILED', `a chunk of the server's reply has no choices: ${JSON.stringify(chunk).slice(0, 200)}`);
}

/**
 * Parts of a reply, but for the last, `finish`. `measure` hears why it ended and the usage. A connection that ends before that is an error.
 */
export async function* partsOf(chunks, measure) {
  const calls = [];
  let hasEnded = false;
  /** Calls are complete once another one begins. */
  function* complete() {
    for (const call of calls.splice(0)) yield callOf(call);
  }
  for await (const chunk of chunks) {
    const choice = choiceOf(chunk);
    measure.heard(chunk.usage);
    const { content, reasoning_content: thought = choice?.delta?.reasoning, tool_calls: deltas } = choice?.delta ?? {};
    const text = content ?? choice?.text;
    if (thought) yield { type: 'reasoning', delta: thought };
    if (text) yield { type: 'text', delta: text };
    for (const { index = 0, id, function: { name, arguments: more = '' } = {} } of deltas ?? []) {
      if (calls.length && calls[0].index !== index) yield* complete();
      if (!calls.length) calls.push({ index, id: id ?? newId(), name, text: '' });
      calls[0].text += more;
    }
    if (!choice?.finish_reason) continue;
    yield* complete();
    hasEnded = true;
    measure.ended(FINISH[choice.finish_reason] ?? null);
  }
  if (!hasEnded) throw failure('FETCH_FAILED', 'the connection ended in the middle of a reply');
}

/** Figures of a reply: those of the server, and the time that it took here. */
export class Measure {
  #begin = performance.now();
  #first;
  #usage = {};
  #finish = null;

  heard(usage) {
    this.#first ??= performance.now();
    if (usage) this.#usage = usage;
  }

  ended(finishReason) {
    this.#finish = finishReason;
  }

  /** As GenerateStats; what is computed is the server's, so nothing is known of the GPU. */
  get stats() {
    const { prompt_tokens: promptTokens = 0, completion_tokens: generatedTokens = 0, prompt_tokens_details: details } = this.#usage;
    const first = this.#first ?? performance.now();
    const firstTokenMs = first - this.#begin;
    const decodeMs = performance.now() - first;
    return {
      promptTokens,
      reusedTokens: details?.cached_tokens ?? 0,
      generatedTokens,
      firstTokenMs,
      decodeMs,
      prefillPerSecond: (promptTokens * 1e3) / firstTokenMs,
      decodePerSecond: decodeMs > 0 ? (Math.max(0, generatedTokens - 1) * 1e3) / decodeMs : 0,
      finishReason: this.#finish === 'tool-calls' ? 'end' : this.#finish,
      gpuBytes: 0,
      sequences: 0,
    };
  }

  get finish() {
    return { type: 'finish', finishReason: this.#finish };
  }
}
