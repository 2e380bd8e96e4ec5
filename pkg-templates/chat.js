// A conversation with a model. The types and their documentation are in index.d.ts.
import { aborted, failure, given, shown, unlessAborted } from './errors.js';

const POLICIES = ['error', 'drop-oldest'];

/** Tokens of a reply where the caller names none, as in `generate`. */
const MAX_TOKENS = 512;

/** Messages that stay at the beginning, whatever is dropped. */
const STAYS = ['system', 'developer'];

/** What `send` takes, as messages. */
function toMessages(message) {
  if (message === undefined) return [];
  if (typeof message === 'string') return [{ role: 'user', content: message }];
  return [message].flat();
}

/** The messages without their oldest turn: from the first user's message to before the next. Null if one is left. */
function withoutOldest(messages) {
  const from = messages.findIndex((m) => !STAYS.includes(m.role));
  const to = messages.findIndex((m, i) => i > from && m.role === 'user');
  return from < 0 || to < 0 ? null : messages.toSpliced(from, to - from);
}

export class Chat {
  #model;
  #overflow;
  #onDrop;
  #format;

  /** @internal Use model.chat. */
  constructor(model, options) {
    const { system, messages = [], overflow = 'error', onDrop, ...format } = given(options);
    if (!POLICIES.includes(overflow)) {
      throw failure('INVALID_ARGUMENT', `overflow is '${shown(overflow)}'; '${POLICIES.join("' or '")}' is allowed`);
    }
    if (!Array.isArray(messages)) throw failure('INVALID_ARGUMENT', `the messages are ${shown(messages)}; an array is allowed`);
    this.#model = model;
    this.#overflow = overflow;
    this.#onDrop = onDrop;
    this.#format = format;
    this.messages = [...(system === undefined ? [] : [{ role: 'system', content: system }]), ...messages];
  }

  async *send(message, options) {
    const { signal, maxTokens = MAX_TOKENS } = given(options);
    if (signal?.aborted) throw aborted('send', signal);
    const history = [...this.messages, ...toMessages(message)];
    // A worker that is busy with a long conversation need not be waited for.
    const { kept, ids } = await unlessAborted(this.#fit(history, maxTokens, signal), 'send', signal);
    let reply;
    // Only now is the turn part of the history: one that fails before leaves no trace.
    const begin = () => {
      if (reply) return;
      reply = { role: 'assistant', content: '' };
      this.messages.splice(0, this.messages.length, ...kept, reply);
      if (kept.length < history.length) this.#onDrop?.(history.filter((m) => !kept.includes(m)));
    };
    for await (const piece of this.#model.generate(ids, options)) {
      begin();
      reply.content += piece;
      yield piece;
    }
    begin();
  }

  /** What of the history the context holds, and its ids. */
  async #fit(history, maxTokens, signal) {
    const context = this.#model.info.contextLength;
    const ids = (messages) => this.#model.chatIds(messages, this.#format);
    let kept = history;
    let found = await ids(kept);
    if (this.#overflow === 'drop-oldest' && found.length > context - Math.min(maxTokens, context >> 2)) {
      // A quarter of the context is made free at once: what stays is in the cache for the turns to come.
      while (found.length > context - (context >> 2) && !signal?.aborted) {
        const shorter = withoutOldest(kept);
        if (!shorter) break;
        kept = shorter;
        found = await ids(kept);
      }
    }
    if (found.length >= context) {
      const advice = this.#overflow === 'error'
        ? "take messages out of chat.messages, load the model with a larger contextLength, or use overflow: 'drop-oldest'"
        : 'the last turn alone is too long';
      throw failure(
        'CONTEXT_OVERFLOW',
        `the conversation has ${found.length} tokens, the context ${context}, the reply's included: ${advice}`,
      );
    }
    return { kept, ids: found };
  }
}
