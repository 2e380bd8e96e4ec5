// What a model here and one in a worker have in common: calls that wait for their turn, chats, events.
import { Chat } from './chat.js';
import { Events } from '../events.js';
import { Recovery } from '../lifetime.js';
import { optionsOf } from '../options.js';
import { Queue } from './queue.js';
import { checkPrompt } from './tokenizer.js';

/** The number of what belongs to no chat. */
const NO_CHAT = 0;

/** Once a chat is collected, its sequence is free for others. */
const collected = new FinalizationRegistry(({ model, text }) => model.deref()?.forget(text));

/** A subclass has `info`, `run`, which generates in a turn, `reload`, which recovers, `forget` and `destroy`. */
export class ModelBase {
  /** @internal */
  events = new Events(['devicelost']);
  /** @internal */
  queue = new Queue();
  #texts = NO_CHAT;
  /** @internal */
  recovery = new Recovery();
  /** @internal Loads what reads replies as parts, see index.js. */
  replies = undefined;

  on(name, listener) {
    return this.events.on(name, listener);
  }

  get pending() {
    return this.queue.length;
  }

  generate(prompt, options) {
    return this.generateOn(NO_CHAT, prompt, options);
  }

  /** @internal On the sequence of a text: a chat's number, or `NO_CHAT`. */
  async *generateOn(text, prompt, options) {
    const { onQueue, ...more } = optionsOf('generate', options);
    checkPrompt(prompt);
    const turn = await this.queue.enter('generate', { signal: more.signal, onQueue });
    try {
      yield* this.run(turn, text, prompt, more);
    } finally {
      turn.leave();
    }
  }

  recover(options) {
    return this.recovery.run(options, (hooks) => this.reload(hooks));
  }

  chat(options) {
    return new Chat(this, options);
  }

  /** @internal The number of a chat. Its sequence stays on the GPU while there is memory and it is used. */
  textOf(chat) {
    const text = ++this.#texts;
    collected.register(chat, { model: new WeakRef(this), text });
    return text;
  }

  unload() {
    this.destroy();
  }
}
