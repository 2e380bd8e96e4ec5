// The benchmark, as users of the field expect it: prefill of `pp` tokens, `tg` generated ones, medians of some
// runs after a warm-up; then the speed by length, and the GPU time of each kernel.
//
// The page around it is bench.html.
import { loadModel } from './pkg/index.js';

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const rounded = (n, digits = 1) => +n.toFixed(digits);

/** Ids that are the same every time and nothing special: the middle of the vocabulary. */
const promptIds = (n, vocabulary, run) =>
  Uint32Array.from({ length: n }, (_, i) => 300 + ((i * 7919 + run * 104729) % Math.max(1, vocabulary - 400)));

/** Lengths of prompts, and of contexts, that the speed is measured at. */
const PROMPTS = [16, 32, 64, 128, 256, 512, 1024, 2048];
const CONTEXTS = [16, 64, 128, 256, 512, 1024, 2048, 3072, 4000];
/** Tokens that are generated at each of them. */
const STEPS = 24;
/** A curve ends after a point that took longer: on a slow GPU the next one would take minutes. */
const PATIENCE_MS = 10_000;

/** A model and how to time it. */
class Bench {
  constructor(model, signal) {
    this.model = model;
    this.signal = signal;
  }

  /** Figures of a prompt of `n` tokens and `maxTokens` generated ones. Another `run` shares nothing with the ones before. */
  async generate(n, run, maxTokens) {
    const { model, signal } = this;
    const ids = promptIds(n, model.info.vocabularySize, run);
    const pieces = model.generate(ids, { maxTokens, temperature: 0, ignoreEnd: true, signal });
    while (!(await pieces.next()).done);
    return model.stats;
  }

  /** Measure at each length until one takes too long: [length, tokens a second]. */
  async curve(lengths, measure) {
    const points = [];
    for (const n of lengths) {
      const start = performance.now();
      await measure(n); // a warm-up
      points.push([n, rounded(await measure(n))]);
      if (performance.now() - start > PATIENCE_MS) break;
    }
    return points;
  }

  async curves(say) {
    const { contextLength } = this.model.info;
    let run = 1000;
    const prefillAt = async (n) => (await this.generate(n, run++, 1)).prefillPerSecond;
    // One run for all: what a context shares with the one before is not computed again.
    const decodeAt = async (n) => (await this.generate(n, 999, STEPS)).decodePerSecond;
    say('speed by prompt length', 0.6);
    const prefill = await this.curve(PROMPTS.filter((n) => n < contextLength), prefillAt);
    say('speed by context', 0.75);
    const decode = await this.curve(CONTEXTS.filter((n) => n + STEPS < contextLength), decodeAt);
    return { prefill, decode };
  }
}

/**
 * Load a model and time it: medians of `reps` runs of `pp` prompt tokens and `tg` generated ones, `at` for a decode
 * after that many tokens. `kernels` times each kernel, too: minutes on a software GPU. `say(text, fraction)` hears what
 * is going on.
 */
export async function bench({ source, context, at, signal, ...settings }) {
  const { pp = 512, tg = 128, reps = 5, curves = true, kernels = true, say = () => {} } = settings;
  say('loading', 0);
  const start = performance.now();
  const model = await loadModel(source, {
    cache: false,
    signal,
    ...(context ? { contextLength: context } : {}),
    onProgress: ({ phase, fraction, loaded, total }) => {
      const bytes = `${(loaded / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`;
      say(`loading: ${phase === 'weights' && total ? bytes : phase}`, 0.3 * fraction);
    },
  });
  const loadMs = performance.now() - start;
  try {
    const timed = new Bench(model, signal);
    const runs = { pp: [], tg: [], first: [] };
    for (let r = 0; r <= reps; r++) {
      say(r ? `run ${r} of ${reps}` : 'warm-up', 0.3 + (0.3 * r) / (reps + 1));
      const prefill = await timed.generate(pp, r, 1);
      const decode = await timed.generate(1, r, tg);
      if (r === 0) continue;
      runs.pp.push(prefill.prefillPerSecond);
      runs.tg.push(decode.decodePerSecond);
      runs.first.push(decode.firstTokenMs);
    }
    const { info } = model;
    const result = {
      engine: 'webgguf',
      settings: { pp, tg, reps },
      architecture: info.architecture,
      parameters: info.parameters,
      types: info.types,
      contextLength: info.contextLength,
      kvCacheType: info.memory.kvCacheType,
      gpu: info.gpu,
      loadMs: Math.round(loadMs),
      load: info.loadMs,
      loadMBPerSecond: Math.round(info.fileBytes / 1e3 / loadMs),
      [`pp${pp}`]: rounded(median(runs.pp)),
      [`tg${tg}`]: rounded(median(runs.tg)),
      firstTokenMs: rounded(median(runs.first), 2),
      runs,
      userAgent: navigator.userAgent,
    };
    if (at) {
      // Decode after a long context.
      await timed.generate(at, 99, tg);
      result[`tg${tg}@${at}`] = rounded((await timed.generate(at, 99, tg)).decodePerSecond);
    }
    if (curves) result.curves = await timed.curves(say);
    if (kernels) {
      say('timing kernels', 0.9);
      try {
        result.decode = await model.profile(100, 1);
        if (at) result.decodeFar = await model.profile(at, 1);
        result.prefill = await model.profile(0, pp);
      } catch (e) {
        result.profileError = e.message;
      }
      signal?.throwIfAborted();
    }
    return result;
  } finally {
    model.destroy();
  }
}
