// A model that runs in a worker: the page's side. worker.js is the other.
import { advice, unmoved } from './beside.js';
import { aborted, failure, unlessAborted } from './errors.js';
import { destroyed, destroyedMeanwhile } from './lifetime.js';
import { ModelBase } from './llm/base.js';
import { checkPrompt } from './llm/tokenizer.js';
import { optionsOf } from './options.js';
import { absolute } from './source/source.js';
import { needWebgpu } from './wasm.js';

/** Made once: a policy's name may be taken only once. */
let policy;
/** Scripts of the page's origin that import one of another, by its address. */
const importers = new Map();

/** The address of a script that runs `url`, of the page's origin as a worker's must be. */
function ofThisOrigin(url) {
  if (new URL(url).origin === globalThis.origin) return url;
  if (!importers.has(url)) {
    const script = new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' });
    importers.set(url, URL.createObjectURL(script));
  }
  return importers.get(url);
}

/** An address that scripts may have where such must be trusted (Trusted Types), by a policy of the name `webgguf`. */
function trusted(url) {
  try {
    policy ??= globalThis.trustedTypes?.createPolicy('webgguf', { createScriptURL: (url) => url });
  } catch {
    // The page allows no policy of this name; it may want none either.
  }
  return policy ? policy.createScriptURL(url) : url;
}

/** Start the worker. */
function startWorker(workerUrl) {
  const { Worker: Plain } = globalThis;
  if (!Plain) throw failure('BLOCKED', "webgguf's worker can't be started: there are no workers here; load without worker: true");
  let address;
  globalThis.Worker = class extends Plain {
    constructor(url, options) {
      address = unmoved(String(url));
      super(trusted(ofThisOrigin(address)), options);
    }
  };
  try {
    const worker =
      workerUrl === undefined
        ? // Written so that bundlers find the worker and ship it.
          new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'webgguf' })
        : new Worker(workerUrl, { type: 'module', name: 'webgguf' });
    return { worker, address };
  } catch (e) {
    throw failure('BLOCKED', `webgguf's worker can't be started: ${e.message}`, { cause: e });
  } finally {
    globalThis.Worker = Plain;
  }
}

/** Why the script at `address` did not come, as far as a page can know, and what helps. */
function missing(address, message) {
  const { origin } = new URL(address);
  const policy = `a Content-Security-Policy of the page must have blob: and ${origin} in worker-src`;
  const allowed = origin === globalThis.origin ? '' : `; it is of another origin: ${policy}`;
  return failure(
    'FETCH_FAILED',
    `webgguf's own worker '${address}' can't be loaded: ${message || 'its script did not come'}${allowed}; ${advice('workerUrl')}`,
  );
}

/** Calls under way, and what the worker says of them. */
class Link {
  #worker;
  #calls = new Map();
  #nextId = 0;

  constructor(workerUrl) {
    const { worker, address } = startWorker(workerUrl);
    this.#worker = worker;
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
          ? failure('BLOCKED', `webgguf's worker is forbidden by the page's Content-Security-Policy: it needs worker-src, with blob: where the package is of another origin`)
          : missing(address, e.message),
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
        if (data.event) return hear?.(data.event);
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
export async function loadRemote(parts, workerUrl, { onProgress, signal, wasmUrl, ...options }) {
  if (signal?.aborted) throw aborted('the load', signal);
  needWebgpu(); // Where there is none, there may be no workers either.
  const link = new Link(workerUrl === undefined ? undefined : absolute(workerUrl, 'workerUrl'));
  if (options.hub?.url) options.hub = { ...options.hub, url: String(options.hub.url) };
  if (wasmUrl !== undefined) options.wasmUrl = absolute(wasmUrl, 'wasmUrl');
  try {
    const message = { id: link.id(), op: 'load', parts, options };
    const { info, stats } = await link.ask(message, { signal, hear: onProgress });
    return new RemoteModel(link, info, stats);
  } catch (e) {
    link.close(e);
    throw e;
  }
}

/** The API of Model; what that answers at once, this promises. */
class RemoteModel extends ModelBase {
  #link;
  #stats;
  #info;
  #history = new Uint32Array();
  #isLost = false;

  constructor(link, info, stats) {
    super();
    this.#link = link;
    this.#adopt(info, stats);
    link.onlost = (lost) => {
      this.#isLost = true;
      this.events.emit('devicelost', lost);
    };
  }

  #adopt(info, stats) {
    this.#info = Object.freeze(info);
    this.#stats = stats;
    this.#isLost = false;
  }

  get info() {
    return this.#info;
  }

  get isLoaded() {
    return !this.#link.closed && !this.#isLost;
  }

  get history() {
    return this.#history.slice();
  }

  /** @internal Have the worker load again. */
  async reload({ onProgress, signal }) {
    const link = this.#link;
    this.#isLost = true;
    const { info, stats } = await link.ask({ id: link.id(), op: 'recover' }, { signal, hear: onProgress });
    this.#adopt(info, stats);
  }

  get stats() {
    if (this.#link.closed) throw this.#link.closed;
    return this.#stats;
  }

  /** @internal Generate in a turn of the queue. */
  async *run(turn, text, prompt, { signal, onToken, ...more }) {
    const link = this.#link;
    const id = link.id();
    link.post({ id, op: 'generate', text, prompt: sendable(prompt), options: more });
    try {
      for (;;) {
        const { value, done, ids } = await link.ask({ id, op: 'next' }, { signal });
        if (onToken) ids.forEach((token) => onToken(token));
        if (done) return;
        turn.hold();
        yield value;
        turn.goOn();
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

  async tokenize(text, options) {
    return this.#call('tokenize', text, optionsOf('tokenize', options));
  }

  async detokenize(ids, options) {
    return this.#call('detokenize', sendable(ids), optionsOf('detokenize', options));
  }

  async count(input, options) {
    return this.#call('count', input, optionsOf('count', options));
  }

  async formatChat(messages, options) {
    return this.#call('formatChat', messages, optionsOf('formatChat', options));
  }

  async tokenizeChat(messages, options) {
    return this.#call('tokenizeChat', messages, optionsOf('tokenizeChat', options));
  }

  /** @internal */
  chatIds(text, messages, options) {
    return this.#call('chatIds', text, messages, options);
  }

  /** @internal */
  forkText(from, to) {
    this.#tell('forkText', from, to);
  }

  /** @internal */
  forget(text) {
    this.#tell('forget', text);
  }

  /** A call that nobody waits for. */
  #tell(name, ...args) {
    if (!this.#link.closed) this.#call(name, ...args).catch(() => {});
  }

  async captureActivations(prompt, options) {
    const { signal, onQueue, ...more } = optionsOf('captureActivations', options);
    checkPrompt(prompt);
    const turn = await this.queue.enter('captureActivations', { signal, onQueue });
    try {
      return await unlessAborted(this.#call('captureActivations', sendable(prompt), more), 'captureActivations', signal);
    } finally {
      turn.leave();
    }
  }

  /** @internal */
  weightsChecksum() {
    return this.#call('weightsChecksum');
  }

  /** The worker ends, and with it the GPU's memory is free. */
  destroy() {
    if (this.#link.closed) return;
    this.#link.close(destroyedMeanwhile('the model'));
    this.#link.closed = destroyed('the model');
    this.queue.close(destroyed('the model'));
  }
}
