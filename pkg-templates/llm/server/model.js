// A model on a server. The types and their documentation are in index.d.ts.
import { aborted } from '../../errors.js';
import { destroyed, destroyedMeanwhile } from '../../lifetime.js';
import { optionsOf } from '../../options.js';
import { ModelBase } from '../base.js';
import { checkPrompt } from '../tokenizer.js';
import { ServerChat } from './chat.js';
import { Measure, partsOf } from './reply.js';
import { lacks, samplingOf } from './request.js';

export class ServerModel extends ModelBase {
  #wire;
  #stats;
  #end = new AbortController();
  #running = 0;

  constructor(wire, info) {
    super();
    this.#wire = wire;
    this.info = Object.freeze(info);
  }

  get isLoaded() {
    return !this.#end.signal.aborted;
  }

  /** Calls that run: the server has a queue of its own. */
  get pending() {
    return this.#running;
  }

  get stats() {
    return this.#stats ?? new Measure().stats;
  }

  /** @internal A call of the server. It ends with the model. */
  async *#call({ signal, onQueue }, run) {
    if (!this.isLoaded) throw destroyed('the model');
    const stop = new AbortController();
    const abort = () => stop.abort();
    const signals = [signal, this.#end.signal];
    for (const other of signals) other?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    this.#running++;
    try {
      onQueue?.(0);
      yield* run(stop.signal);
    } catch (e) {
      if (!this.isLoaded && !signal?.aborted) throw destroyedMeanwhile('the model', e);
      throw signal?.aborted && e.code === 'ABORTED' ? aborted('the call', signal) : e;
    } finally {
      this.#running--;
      for (const other of signals) other?.removeEventListener('abort', abort);
      // Who leaves the loop leaves the server, too.
      abort();
    }
  }

  /** @internal A reply as parts. What breaks in the middle has the text so far. */
  async *reply(path, body, { signal, onQueue }) {
    const measure = new Measure();
    const asked = { model: this.info.name, ...body, stream: true, stream_options: { include_usage: true } };
    let text = '';
    try {
      for await (const part of this.#call({ signal, onQueue }, (signal) => partsOf(this.#wire.events(path, asked, signal), measure))) {
        if (part.type === 'text') text += part.delta;
        yield part;
      }
    } catch (e) {
      throw Object.assign(e, e.code === 'FETCH_FAILED' ? { text } : {});
    } finally {
      this.#stats = measure.stats;
    }
    yield measure.finish;
  }

  async *generate(prompt, options) {
    const { signal, onQueue, parseSpecial, ...more } = optionsOf('generate', options);
    checkPrompt(prompt);
    if (typeof prompt !== 'string') throw lacks('a prompt of token ids');
    if (parseSpecial !== undefined) throw lacks('the option parseSpecial');
    const body = { prompt, ...samplingOf({ maxTokens: this.info.defaults.maxTokens, ...more }) };
    for await (const part of this.reply('/completions', body, { signal, onQueue })) if (part.type === 'text') yield part.delta;
  }

  chat(options) {
    return new ServerChat(this, options);
  }

  /** @internal The server's own answer to a request, for those who speak its language. */
  async forward(path, body, signal) {
    if (!this.isLoaded) throw destroyed('the model');
    return this.#wire.answer(path, body && { ...body, model: this.info.name }, signal);
  }

  /** @internal The events of such an answer. */
  forwardEvents(path, body, signal) {
    return this.#call({ signal }, (signal) => this.#wire.events(path, { ...body, model: this.info.name }, signal));
  }

  get history() {
    throw lacks('history, which is token ids,');
  }

  async tokenize() {
    throw lacks('tokenize');
  }

  async detokenize() {
    throw lacks('detokenize');
  }

  async count() {
    throw lacks('count');
  }

  async formatChat() {
    throw lacks('formatChat');
  }

  async tokenizeChat() {
    throw lacks('tokenizeChat');
  }

  async captureActivations() {
    throw lacks('captureActivations');
  }

  async weightsChecksum() {
    throw lacks('weightsChecksum');
  }

  /** @internal There is nothing to load again. */
  async reload() {
    if (!this.isLoaded) throw destroyed('the model');
  }

  destroy() {
    this.#end.abort();
  }
}
