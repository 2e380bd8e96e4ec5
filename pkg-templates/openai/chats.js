// Conversations that come whole with each request: one that goes on finds the chat that it was in, and with it the model's cache.

/** Chats that are kept. Each may have a sequence on the GPU, as long as there is memory. */
const MAX_CHATS = 8;

const usageOf = ({ promptTokens, generatedTokens, reusedTokens }, tokens, reasoningTokens) => {
  // A reply may be generated in several runs, of which a later one's prompt has what an earlier one wrote.
  const promptOnly = promptTokens + generatedTokens - tokens;
  return { promptTokens: promptOnly, reusedTokens: Math.min(reusedTokens, promptOnly), generatedTokens: tokens, reasoningTokens };
};

/** The chats of each model: whoever asks for a reply, in whatever shape, has these. */
const all = new WeakMap();

export function chatsOf(model) {
  if (!all.has(model)) all.set(model, new Chats(model));
  return all.get(model);
}

class Chats {
  #model;
  /** What no request uses now, the last used one at the end: a chat, what it is made with, and what was said before its last reply. */
  #idle = [];

  constructor(model) {
    this.#model = model;
  }

  /** The chat of a conversation: the one that was in it longest, or a new one. */
  #take(format, said) {
    const key = JSON.stringify(format);
    const goesOn = (entry) => entry.key === key && entry.said.every((message, i) => message === said[i]);
    const [found] = this.#idle.filter(goesOn).sort((a, b) => b.said.length - a.said.length);
    this.#idle = this.#idle.filter((entry) => entry !== found);
    return { key, said, chat: found?.chat ?? this.#model.chat(format) };
  }

  /** Its cache is of no use to others, so what was used longest ago goes first. */
  #give(entry) {
    this.#idle = [...this.#idle, entry].slice(-MAX_CHATS);
  }

  /**
   * The reply to messages, as parts of chat.stream. `format` is what the prompt is made with, `options` are those of
   * chat.stream. The last part, `finish`, has the usage.
   */
  async *reply(messages, format, options) {
    const entry = this.#take(format, messages.map((message) => JSON.stringify(message)));
    const hasIds = this.#model.info.backend !== 'server';
    let tokens = 0;
    let seen = 0;
    let reasoningTokens = 0;
    const onToken = hasIds ? () => tokens++ : undefined;
    try {
      entry.chat.messages = [...messages];
      for await (const part of entry.chat.stream(undefined, { ...options, onToken })) {
        if (part.type === 'reasoning') reasoningTokens += tokens - seen;
        seen = tokens;
        if (part.type !== 'finish') yield part;
        else {
          const { stats } = this.#model;
          yield { ...part, usage: usageOf(stats, hasIds ? tokens : stats.generatedTokens, reasoningTokens) };
        }
      }
    } finally {
      this.#give(entry);
    }
  }
}

/** A generator whose first value has been waited for: what fails before it fails here. */
export async function begun(values) {
  const first = await values.next();
  return (async function* () {
    try {
      if (!first.done) yield first.value;
      yield* values;
    } finally {
      await values.return();
    }
  })();
}

/** Whether a model's template heeds `reasoning_effort`; of one on a server, that is the server's to know. */
export async function heedsEffort(model) {
  if (model.info.backend === 'server') return true;
  const prompt = (reasoning_effort) => model.formatChat([{ role: 'user', content: 'Hi' }], { variables: { reasoning_effort } });
  return (await prompt('low')) !== (await prompt('high'));
}
