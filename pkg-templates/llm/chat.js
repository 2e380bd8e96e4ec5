// A conversation with a model. The types and their documentation are in index.d.ts.
import { aborted, failure, shown, unlessAborted } from '../errors.js';
import { optionsOf } from '../options.js';

/** Replies of a run, at most. */
export const DEFAULT_STEPS = 8;
const POLICIES = ['error', 'drop-oldest'];

/** Messages that stay at the beginning, whatever is dropped. */
const STAYS = ['system', 'developer'];

/** What `send` takes, as messages. */
export function toMessages(message) {
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

/** A reply that is all text. */
class TextReading {
  #form;
  message = { role: 'assistant', content: '' };

  /** `form` is what is known of the template's calls, if anything is. */
  constructor(format, form) {
    this.format = format;
    this.#form = form;
  }

  forTemplate(messages) {
    return this.#form ? this.#form(messages) : messages;
  }

  /** Arrays of pieces. */
  async *read(generate, ids, _kept, onToken) {
    for await (const piece of generate(ids, { onToken })) {
      this.message.content += piece;
      yield [piece];
    }
  }
}

export const copies = (messages) => messages.map((message) => ({ ...message }));

export class Chat {
  #model;
  /** The number by which the model knows this chat. */
  #text;
  #options;
  #overflow;
  #onDrop;
  /** What the prompt is made with. */
  #format;
  /** Options of each turn, unless it has its own. */
  #defaults;
  /** What the conversation began with. */
  #first;
  /** What the model's replies look like, with and without tools. */
  #learned = new Map();
  /** How messages that have calls are given to the template, once that is known. */
  #forTemplate;

  /** @internal Use model.chat. */
  constructor(model, options) {
    this.#options = optionsOf('chat', options);
    const { system, messages = [], overflow = 'error', onDrop, tools, documents, template, variables, ...defaults } = this.#options;
    if (!POLICIES.includes(overflow)) {
      throw failure('INVALID_ARGUMENT', `overflow is '${shown(overflow)}'; '${POLICIES.join("' or '")}' is allowed`);
    }
    if (template === undefined && !model.info.chatTemplates.length) {
      const why = 'the model has no chat template: it is a base model, or the file is incomplete';
      throw failure('TEMPLATE_ERROR', `${why}; continue a text with generate(), or give chat() a template`);
    }
    this.#model = model;
    this.#text = model.textOf(this);
    this.#overflow = overflow;
    this.#onDrop = onDrop;
    this.#format = { tools, documents, template, variables };
    this.#defaults = defaults;
    this.#first = copies([...(system === undefined ? [] : [{ role: 'system', content: system }]), ...messages]);
    this.reset();
  }

  reset() {
    this.messages = copies(this.#first);
  }

  fork() {
    const copy = new Chat(this.#model, this.#options);
    copy.messages = copies(this.messages);
    this.#model.forkText(this.#text, copy.#text);
    return copy;
  }

  async *send(message, options) {
    yield* this.#say(message, optionsOf('send', options), () => new TextReading(this.#format, this.#forTemplate));
  }

  async *stream(message, options) {
    yield* this.#stream(message, optionsOf('chat.stream', options), this.#format);
  }

  async *run(message, options) {
    const { tools, maxSteps = DEFAULT_STEPS, toolChoice, ...more } = optionsOf('chat.run', options);
    const { run, toolsOf } = await this.#model.replies();
    const format = { ...this.#format, tools: toolsOf(tools) };
    if (!format.tools.length) throw failure('INVALID_ARGUMENT', 'run needs tools: { NAME: { description, parameters, execute } }');
    // A call that is forced is forced once: the loop would not end.
    const step = (said, n) => this.#stream(said, { ...more, toolChoice: n > 1 && toolChoice !== 'none' ? 'auto' : toolChoice }, format);
    yield* run(step, (said) => this.messages.push(...said), message, { tools, maxSteps, signal: more.signal });
  }

  /** A reply as parts. */
  async *#stream(message, { toolChoice, maxReasoningTokens, ...more }, format) {
    const { Reading } = await this.#model.replies();
    yield* this.#say(message, more, async ({ maxTokens, responseFormat }) => {
      const reading = await Reading.begin(this.#model, this.#learned, format, { toolChoice, maxReasoningTokens, maxTokens, responseFormat });
      this.#forTemplate = (messages) => reading.forTemplate(messages);
      return reading;
    });
  }

  async *#say(message, { signal, onQueue, keepMessage = true, ...own }, readingOf) {
    const said = toMessages(message);
    const turn = await this.#turn(said, { signal, onQueue, keepMessage });
    const { maxTokens } = this.#model.info.defaults;
    try {
      yield* this.#reply(turn, said, { maxTokens, ...this.#defaults, ...own, signal }, keepMessage, readingOf);
    } finally {
      turn.leave();
    }
  }

  /** Wait for the model. Who stops meanwhile keeps what was said. */
  async #turn(said, { signal, onQueue, keepMessage }) {
    if (signal?.aborted) throw aborted('send', signal);
    const { messages } = this;
    try {
      return await this.#model.queue.enter('send', { signal, onQueue });
    } catch (e) {
      if (e.code === 'ABORTED' && keepMessage) messages.push(...said);
      throw e;
    }
  }

  async *#reply(turn, said, options, keepMessage, readingOf) {
    const { signal, onToken, maxTokens } = options;
    // A reset during the turn gives the chat others.
    const { messages } = this;
    const history = [...messages, ...said];
    let reading;
    let hasBegun = false;
    const begin = (kept) => {
      hasBegun = true;
      messages.splice(0, messages.length, ...kept, reading.message);
      if (kept.length < history.length) this.#onDrop?.(history.filter((m) => !kept.includes(m)));
    };
    try {
      reading = await unlessAborted(readingOf(options), 'send', signal);
      // A worker that is busy with a long conversation need not be waited for.
      const { kept, ids } = await unlessAborted(this.#fit(history, maxTokens, signal, reading), 'send', signal);
      const generate = (ids, more) => this.#model.run(turn, this.#text, ids, { ...options, ...more });
      for await (const parts of reading.read(generate, ids, kept, onToken)) {
        // Only now is the turn part of the history: one that fails before leaves no trace.
        if (!hasBegun) begin(kept);
        yield* parts;
      }
      if (!hasBegun) begin(kept);
    } catch (e) {
      if (!hasBegun && e.code === 'ABORTED' && keepMessage) messages.push(...said);
      throw e;
    }
  }

  /** What of the history the context holds, and its ids. */
  async #fit(history, maxTokens, signal, reading) {
    const context = this.#model.info.contextLength;
    const ids = (messages) => this.#model.chatIds(this.#text, reading.forTemplate(messages), reading.format);
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
