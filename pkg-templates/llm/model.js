// A model on this thread's GPU. The types and their documentation are in index.d.ts.
import { ModelBase } from './base.js';
import { aborted, boundary, callWasm, failure, guarded, unlessAborted } from '../errors.js';
import { Formats } from './format.js';
import { engineOptions } from './memory.js';
import { Lifetime } from '../lifetime.js';
import { wasm } from '../llm-wasm.js';
import { optionsOf } from '../options.js';
import { Files } from '../source/source.js';
import { Tokenizer, chatArguments, checkPrompt } from './tokenizer.js';
import { needWebgpu } from '../wasm.js';
import { Engine } from '../webgguf.js';

/** Load a model here, from what `normalize` of source.js returned. */
export async function loadHere(parts, { onProgress, signal, wasmUrl, cache, retry, hub, ...more }) {
  /** Load the engine; again, if its device was lost. */
  const load = boundary(async ({ onProgress, signal }) => {
    const files = new Files(parts, { signal, cache, retry, hub });
    needWebgpu();
    const options = engineOptions(more);
    const engine = await wasm.readFiles(files, 'the load', { signal, wasmUrl, whole: true }, () =>
      callWasm(() => Engine.load(files.all, options, onProgress, signal)));
    return { engine: guarded(engine), report: await files.report(), wasmUrl };
  });
  return new Model(load, await load({ onProgress, signal }));
}

/** Another text each time. */
const randomSeed = () => Math.floor(Math.random() * 2 ** 32);

/** A loaded model. */
export class Model extends ModelBase {
  #life;
  #tokenizer;
  #formats;
  #info;
  /** Figures of an engine that is gone. */
  #stats;
  #history = [];
  /** Where in it what the model wrote begins, and the end of that text which the caller has not got. */
  #from = 0;
  #missing = '';
  /** Settles once the step that an aborted call left on the GPU is done. */
  #idle;

  /** @internal Use loadModel. */
  constructor(load, loaded) {
    super();
    this.#life = new Lifetime('the model', load, {
      adopted: (loaded) => this.#describe(loaded),
      leaves: (engine) => (this.#stats = engine.stats()),
      lost: (message) => this.events.emit('devicelost', { message }),
    });
    this.#life.adopt(loaded);
  }

  #describe({ engine, report: { cache, warnings }, wasmUrl }) {
    this.#tokenizer = new Tokenizer(guarded(engine.text()));
    this.#formats = new Formats(this.#tokenizer, wasmUrl);
    const info = engine.info();
    this.#info = Object.freeze({ ...info, backend: 'webgpu', cache, warnings: [...info.warnings, ...warnings] });
  }

  get info() {
    return this.#info;
  }

  get isLoaded() {
    return this.#life.isLoaded;
  }

  get history() {
    return Uint32Array.from(this.#history);
  }

  /** @internal Load again, in place of what there is. */
  reload(hooks) {
    return this.#life.reload(hooks, this.#idle);
  }

  get stats() {
    this.#life.check();
    return this.#life.engine?.stats() ?? this.#stats;
  }

  get #text() {
    this.#life.check();
    return this.#tokenizer;
  }

  tokenize(text, options) {
    return this.#text.tokenize(text, options);
  }

  detokenize(ids, options) {
    return this.#text.detokenize(ids, options);
  }

  count(input, options) {
    return this.#text.count(input, options);
  }

  formatChat(messages, options) {
    return this.#text.formatChat(messages, options);
  }

  tokenizeChat(messages, options) {
    return this.#text.tokenizeChat(messages, options);
  }

  /** Once nothing runs on the GPU and no recovery is under way. */
  async #ready() {
    await this.recovery.over();
    await this.#idle;
    return this.#life.live;
  }

  /** @internal As `tokenizeChat`, but what the model wrote in an earlier turn stays in the ids that it wrote. */
  async chatIds(text, messages, options) {
    return (await this.#ready()).chat_ids(text, ...chatArguments(messages, options));
  }

  /** @internal A copy of a chat is to keep the ids that the model wrote. */
  forkText(from, to) {
    this.#life.engine?.fork(from, to);
  }

  /** @internal A chat that will not go on. */
  forget(text) {
    this.#life.engine?.forget(text);
  }

  /** @internal Generate in a turn of the queue. */
  async *run(turn, chat, prompt, { signal, onToken, stop = [], parseSpecial, seed = randomSeed(), responseFormat, ...more }) {
    const engine = await this.#ready();
    if (signal?.aborted) throw aborted('generate', signal);
    const promptIds = this.#tokenizer.promptIds(prompt, parseSpecial);
    const goesOn = promptIds.length === this.#history.length && promptIds.every((id, i) => id === this.#history[i]);
    const [from, missing] = goesOn ? [this.#from, this.#missing] : [promptIds.length, ''];
    const options = { ...more, seed, stop: [stop].flat() };
    const constraint = await unlessAborted(this.#formats.begin(responseFormat, more.ignoreEnd), 'generate', signal);
    const stream = guarded(await engine.generate(chat, promptIds, options, promptIds.length - from, missing, constraint));
    this.#history = Array.from(promptIds);
    [this.#from, this.#missing] = [from, missing];
    let step;
    let abort;
    const stopped = new Promise((_, reject) => {
      abort = () => reject(aborted('generate', signal));
      signal?.addEventListener('abort', abort, { once: true });
    });
    stopped.catch(() => {}); // It may fire while the caller holds a piece of text; the loop sees it then.
    /** The next piece of text, its ids, and what is held back. */
    const next = async () => {
      step = stream.next();
      try {
        return await Promise.race([stopped, step]);
      } catch (e) {
        throw this.#life.why(e);
      }
    };
    try {
      while (!signal?.aborted) {
        const [text, ids, missing] = await next();
        this.#history.push(...ids);
        this.#missing = missing;
        if (onToken) ids.forEach((id) => onToken(id));
        if (text === undefined) return;
        if (!text) continue;
        turn.hold();
        yield text;
        turn.goOn();
      }
      throw aborted('generate', signal);
    } finally {
      signal?.removeEventListener('abort', abort);
      stream.stop();
      this.#idle = Promise.allSettled([step]).then(() => stream.free()).catch(() => {});
    }
  }

  async captureActivations(prompt, options) {
    const { decodeSteps = 0, signal, onQueue } = optionsOf('captureActivations', options);
    checkPrompt(prompt);
    const turn = await this.queue.enter('captureActivations', { signal, onQueue });
    try {
      const engine = await this.#ready();
      // What was begun on the GPU ends there; the caller needs not wait for it.
      const capture = engine.capture(this.#tokenizer.promptIds(prompt), decodeSteps);
      this.#idle = Promise.allSettled([capture]);
      return await unlessAborted(capture, 'captureActivations', signal);
    } catch (e) {
      throw this.#life.why(e);
    } finally {
      turn.leave();
    }
  }

  /** @internal What the weights on the GPU are: for tests of loading. */
  async weightsChecksum() {
    return (await this.#ready()).weights_checksum();
  }

  /** @internal GPU time of each kernel of a step of `tokens` after `at` positions: for the benchmark. */
  async profile(at, tokens) {
    return await (await this.#ready()).profile(at, tokens);
  }

  destroy() {
    this.queue.close(this.#life.destroyed());
    this.#life.destroy();
  }
}
