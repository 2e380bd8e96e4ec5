// A model that runs in a worker: the worker's side. remote.js is the other.
import { loadHere } from './llm/model.js';

let model;
/** Generators that are being read, by call. */
const streams = new Map();
/** Of calls that can be aborted. */
const controllers = new Map();

const plain = (e) => ({ message: e?.message ?? String(e), code: e?.code });

/** The signal by which the page aborts a call. */
function signalOf(id) {
  const controller = new AbortController();
  controllers.set(id, controller);
  return controller.signal;
}

/** Have `load` bring the model; the page hears of its progress. */
async function loading(id, load) {
  await load({ signal: signalOf(id), onProgress: (event) => postMessage({ id, event }) });
  controllers.delete(id);
  return { info: model.info, stats: model.stats };
}

const OPS = {
  load: ({ id, parts, options }) =>
    loading(id, async (hooks) => {
      model = await loadHere(parts, { ...options, ...hooks });
      model.on('devicelost', (lost) => postMessage({ lost }));
    }),

  recover: ({ id }) => loading(id, (hooks) => model.recover(hooks)),

  /** A call that gives one thing. */
  call: ({ name, args }) => model[name](...args),

  /** Start to generate; `next` asks for each piece. */
  generate({ id, text, prompt, options }) {
    const ids = [];
    const onToken = (token) => ids.push(token);
    streams.set(id, { ids, iterator: model.generateOn(text, prompt, { ...options, signal: signalOf(id), onToken }) });
  },

  async next({ id }) {
    const { iterator, ids } = streams.get(id);
    const { value, done } = await iterator.next();
    return { value, done, ids: ids.splice(0) };
  },

  /** The page wants no more of a stream. */
  async return({ id }) {
    await streams.get(id)?.iterator.return();
    streams.delete(id);
    controllers.delete(id);
    return { stats: model.stats, history: model.history };
  },

  abort({ id }) {
    controllers.get(id)?.abort();
  },
};

/** Operations that the page waits for. */
const ANSWERED = new Set(['load', 'recover', 'call', 'next', 'return']);

self.onmessage = async ({ data }) => {
  const { id, op } = data;
  try {
    const result = await OPS[op](data);
    if (ANSWERED.has(op)) postMessage({ id, result });
  } catch (e) {
    postMessage({ id, error: plain(e) });
  }
};
