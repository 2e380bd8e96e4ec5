// A model that runs in a worker: the page's side. worker.js is the other.
import { Chat } from './chat.js';
import { aborted, failure, given } from './errors.js';
import { Events } from './events.js';
import { absolute } from './source.js';

/** Made once: a policy's name may be taken only once. */
let policy;

/** Start the worker. Where scripts' addresses must be trusted (Trusted Types), by a policy of the name `webgguf`. */
function startWorker() {
  // Written so that bundlers find the worker and ship it.
  const start = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'webgguf' });
  const { Worker: Plain, trustedTypes } = globalThis;
  try {
    try {
      return start();
    } catch (e) {
      if (!trustedTypes || e.name !== 'TypeError') throw e;
    }
    policy ??= trustedTypes.createPolicy('webgguf', { createScriptURL: (url) => url });
    globalThis.Worker = class extends Plain {
      constructor(url, options) {
        super(policy.createScriptURL(url), options);
      }
    };
    return start();
  } catch (e) {
    throw failure('BLOCKED', `webgguf's worker can't be started: ${e.message}`, { cause: e });
  } finally {
    globalThis.Worker = Plain;
  }
}

/** Calls under way, and what the worker says of them. */
class Link {
  #worker;
  #calls = new Map();
  #nextId = 0;

  constructor() {
    this.#worker = startWorker();
    let runs = false;
    let forbidden = false;
    const violated = (e) => (forbidden ||= /^(worker|script|child|default)-src/.test(e.effectiveDirective));
    const started = () => globalThis.document?.removeEventListener('securitypolicyviolation', violated);
    globalThis.document?.addEventListener('securitypolicyviolation', violated);
    this.#worker.onmessage = ({ data }) => {
      if (!runs) started();
      runs = true;
      if (data.lost) return this.onlost?.(data.lost);
      this.#calls.get(data.id)?.(data);
    };
    this.#worker.onerror = async (e) => {
      e.preventDefault();
      if (runs) return this.close(failure('INTERNAL', `webgguf's worker failed: ${e.message}`));
      await new Promise((later) => setTimeout(later)); // A violation may be reported later.
      started();
      this.close(
        forbidden
          ? failure('BLOCKED', `webgguf's worker is forbidden by the page's Content-Security-Policy: it needs worker-src`)
          : failure('FETCH_FAILED', `webgguf's own worker can't be loaded: ${e.message || 'its script did not come'}`),
      );
    };
  }

  /** Ends the worker; what is under way fails with `reason`. */
  close(reason) {
    this.#worker.terminate();
    this.closed = reason;
    for (const answer of [...this.#calls.values()]) answer({ error: reason });
  }

  post(message) {
    if (this.closed) throw this.closed;
    try {
      this.#worker.postMessage(message);
    } catch (e) {
      throw failure('INVALID_ARGUMENT', `what was given can't be sent to the worker: ${e.message}`, { cause: e });
    }
  }

  id() {
    return this.#nextId++;
  }

  /** Send a message and wait for its answer; `hear` gets what comes before it. */
  ask(message, { signal, hear } = {}) {
    return new Promise((resolve, reject) => {
      const abort = () => this.closed ?? this.post({ id: message.id, op: 'abort' });
      this.#calls.set(message.id, (data) => {
        if (hear && data.event) return hear(data.event);
        this.#calls.delete(message.id);
        signal?.removeEventListener('abort', abort);
        if (!data.error) return resolve(data.result);
        const { message: text, code } = data.error;
        reject(failure(typeof code === 'string' ? code : 'INTERNAL', text, code === 'ABORTED' && signal ? { cause: signal.reason } : undefined));
      });
      try {
        this.post(message);
      } catch (e) {
        this.#calls.delete(message.id);
        return reject(e);
      }
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

/** What can be sent: iterables of ids are read here. */
const sendable = (prompt) => (typeof prompt !== 'string' && prompt?.[Symbol.iterator] ? Array.from(prompt) : prompt);

/** Load a model in a worker of its own. */
export async function loadRemote(parts, { onProgress, signal, wasmUrl, ...options }) {
  if (signal?.aborted) throw aborted('the load', signal);
  const link = new Link();
  if (wasmUrl !== undefined) options.wasmUrl = absolute(wasmUrl, 'wasmUrl');
  try {
    const message = { id: link.id(), op: 'load', parts, options };
    const { info, stats } = await link.ask(message, { signal, hear: (progress) => onProgress?.(progress) });
    return new RemoteModel(link, info, stats);
  } catch (e) {
    link.close(e);
    throw e;
  }
}

/** The API of Model; what that answers at once, this promises. */
class RemoteModel {
  #link;
  #stats;
  #info;
  #history = new Uint32Array();
  #events = new Events(['devicelost']);

  constructor(link, info, stats) {
    this.#link = link;
    this.#adopt(info, stats);
    link.onlost = (lost) => this.#events.emit('devicelost', lost);
  }

  #adopt(info, stats) {
    this.#info = Object.freeze(info);
    this.#stats = stats;
  }

  get info() {
    return this.#info;
  }

  get history() {
    return this.#history.slice();
  }

  on(name, listener) {
    return this.#events.on(name, listener);
  }

  async recover(options) {
    const { onProgress, signal } = given(options);
    const link = this.#link;
    const message = { id: link.id(), op: 'recover' };
    const { info, stats } = await link.ask(message, { signal, hear: (progress) => onProgress?.(progress) });
    this.#adopt(info, stats);
  }

  get stats() {
    if (this.#link.closed) throw this.#link.closed;
    return this.#stats;
  }

  async *generate(prompt, options) {
    const { signal, onToken, ...more } = given(options);
    if (signal?.aborted) throw aborted('generate', signal);
    const link = this.#link;
    const id = link.id();
    link.post({ id, op: 'stream', name: 'generate', args: [sendable(prompt), more] });
    try {
      for (;;) {
        const { value, done, ids, stats } = await link.ask({ id, op: 'next' }, { signal });
        this.#stats = stats ?? this.#stats;
        if (onToken) ids.forEach((token) => onToken(token));
        if (done) return;
        yield value;
        if (signal?.aborted) throw aborted('generate', signal);
      }
    } finally {
      if (!link.closed) ({ stats: this.#stats, history: this.#history } = await link.ask({ id, op: 'return' }));
    }
  }

  #call(name, ...args) {
    const link = this.#link;
    return link.ask({ id: link.id(), op: 'call', name, args });
  }

  tokenize(text, options) {
    return this.#call('tokenize', text, options);
  }

  detokenize(ids, options) {
    return this.#call('detokenize', sendable(ids), options);
  }

  formatChat(messages, options) {
    return this.#call('formatChat', messages, options);
  }

  tokenizeChat(messages, options) {
    return this.#call('tokenizeChat', messages, options);
  }

  chat(options) {
    return new Chat(this, options);
  }

  /** @internal */
  chatIds(messages, options) {
    return this.#call('chatIds', messages, options);
  }

  captureActivations(prompt, options) {
    return this.#call('captureActivations', sendable(prompt), options);
  }

  /** @internal */
  weightsChecksum() {
    return this.#call('weightsChecksum');
  }

  /** The worker ends, and with it the GPU's memory is free. */
  destroy() {
    if (this.#link.closed) return;
    this.#link.close(failure('DEVICE_LOST', 'the model was destroyed while a call ran'));
    this.#link.closed = failure('INVALID_STATE', 'the model has been destroyed');
  }
}
