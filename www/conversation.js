// A conversation: what was said, and how the model comes to say more. It knows nothing of the page.
//
// A model with a chat template replies to messages. One without goes on with a text, and each prompt adds to that text.

/** The end of a text that is too long: a quarter of the context stays free for what comes. */
function lastIds(ids, contextLength) {
  const room = contextLength - (contextLength >> 2);
  return ids.length > room ? ids.slice(-room) : ids;
}

/** What stands between two pieces of a text. */
const gap = (before, after) => (!before || /\s$/.test(before) || /^\s/.test(after) ? '' : ' ');

export class Conversation {
  #model;
  /** Exchanges that the context has no room for any more. */
  #forgotten = 0;

  /** Each has a `prompt`, a `reply`, and `ended`: why the reply ended; null where it was cut short. */
  exchanges;

  /** `exchanges` are those that another model had; what it broke off is not this one's to go on with. */
  constructor(model, exchanges = []) {
    this.#model = model;
    this.exchanges = exchanges.map((exchange) => ({ ...exchange, ended: exchange.reply && 'end' }));
  }

  get isChat() {
    return this.#model.info.chatTemplates.length > 0;
  }

  get forgotten() {
    return this.#forgotten;
  }

  /**
   * Say something: the reply grows in `exchanges`, and is whole when the promise settles. `settings` are those of
   * settings.js, `options` what else `generate` takes.
   */
  async send(prompt, settings, options) {
    this.exchanges.push({ prompt, reply: '', ended: null });
    await this.#write(this.isChat ? this.#chat(settings, options) : this.#text(settings, options));
  }

  /** Go on where the last reply stopped, be it in the middle of a word. */
  async goOn({ sampling }, options) {
    const { history, info } = this.#model;
    const ids = this.isChat ? history : lastIds(history, info.contextLength);
    await this.#write(this.#model.generate(ids, { ...sampling, ...options }));
  }

  /** Take an exchange and all that came after it back; returns its prompt. */
  cut(index) {
    const [{ prompt }] = this.exchanges.splice(index);
    this.#forgotten = Math.min(this.#forgotten, index);
    return prompt;
  }

  async #write(pieces) {
    const exchange = this.exchanges.at(-1);
    exchange.ended = null;
    for await (const piece of pieces) exchange.reply += piece;
    exchange.ended = this.#model.stats.finishReason;
  }

  /** The reply to the messages. A chat is made for each: what was computed is the model's to keep, not the chat's. */
  #chat({ system, thinking, sampling }, options) {
    const kept = this.exchanges.slice(this.#forgotten);
    const messages = kept.flatMap(({ prompt, reply }, i) => [
      { role: 'user', content: prompt },
      ...(i < kept.length - 1 ? [{ role: 'assistant', content: reply }] : []),
    ]);
    const chat = this.#model.chat({
      system: system || undefined,
      messages,
      variables: { enable_thinking: thinking },
      overflow: 'drop-oldest',
      onDrop: (dropped) => (this.#forgotten += dropped.filter(({ role }) => role === 'user').length),
    });
    return chat.send(undefined, { ...sampling, ...options });
  }

  async *#text({ sampling }, options) {
    const longer = (text, { prompt, reply }) => text + gap(text, prompt) + prompt + reply;
    const text = this.exchanges.reduce(longer, '');
    const ids = await this.#model.tokenize(text, { addSpecial: true });
    yield* this.#model.generate(lastIds(ids, this.#model.info.contextLength), { ...sampling, ...options });
  }
}
