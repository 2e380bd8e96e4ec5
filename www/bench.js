// The benchmark, as users of the field expect it: prefill of `pp` tokens, `tg` generated ones, medians of some
// runs behind a warm-up; in a second pass the GPU time of each kernel.
//
// The page around it is bench.html.
import { Files, normalize } from './pkg/source.js';
import init, { Engine } from './pkg/webgguf.js';

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** Ids that are the same every time and nothing special: the middle of the vocabulary. */
const promptIds = (n, vocabulary, run) =>
  Uint32Array.from({ length: n }, (_, i) => 300 + ((i * 7919 + run * 104729) % Math.max(1, vocabulary - 400)));

async function generate(engine, ids, maxTokens) {
  const stream = engine.generate(ids, JSON.stringify({ maxTokens, temperature: 0, ignoreEnd: true }), 0, '');
  while ((await stream.next()) !== undefined);
  stream.stop();
  return JSON.parse(engine.stats());
}

/**
 * Load a model and time it: medians of `reps` runs of `pp` prompt tokens and `tg` generated ones, `at` for a decode
 * behind so many tokens. `kernels` times each kernel, too: minutes on a software GPU. `say` hears what is going on.
 */
export async function bench({ model, pp = 512, tg = 128, reps = 5, context, at, kernels = true, say = () => {} }) {
  say('loading webgguf');
  await init({ module_or_path: new URL('./pkg/webgguf_bg.wasm', location.href) });
  const start = performance.now();
  const files = new Files(normalize(model), { cache: false });
  const engine = await Engine.load(
    files.all,
    JSON.stringify(context ? { contextLength: context } : {}),
    ({ phase, loaded, total }) => {
      say(`loading: ${phase} ${(loaded / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`);
    },
  );
  const loadMs = performance.now() - start;
  await files.close(true);
  const info = JSON.parse(engine.info());
  const runs = { pp: [], tg: [], first: [] };
  for (let r = 0; r <= reps; r++) {
    say(`run ${r} of ${reps}`);
    const prefill = await generate(engine, promptIds(pp, info.vocabularySize, r), 1);
    const decode = await generate(engine, promptIds(1, info.vocabularySize, r), tg);
    if (r === 0) continue; // warm-up
    runs.pp.push(prefill.prefillPerSecond);
    runs.tg.push(decode.decodePerSecond);
    runs.first.push(decode.firstTokenMs);
  }
  const result = {
    engine: 'webgguf',
    model,
    parameters: info.parameters,
    types: info.types,
    gpu: info.gpu,
    loadMs: Math.round(loadMs),
    load: info.loadMs,
    loadMBPerSecond: Math.round(info.fileBytes / 1e3 / loadMs),
    [`pp${pp}`]: +median(runs.pp).toFixed(1),
    [`tg${tg}`]: +median(runs.tg).toFixed(1),
    firstTokenMs: +median(runs.first).toFixed(2),
    runs,
    userAgent: navigator.userAgent,
  };
  if (at) {
    // Decode behind a long context.
    await generate(engine, promptIds(at, info.vocabularySize, 99), tg);
    const far = await generate(engine, promptIds(at, info.vocabularySize, 99), tg);
    result[`tg${tg}@${at}`] = +far.decodePerSecond.toFixed(1);
  }
  if (kernels) {
    say('timing kernels');
    try {
      result.decode = JSON.parse(await engine.profile(100, 1));
      if (at) result.decodeFar = JSON.parse(await engine.profile(at, 1));
      result.prefill = JSON.parse(await engine.profile(0, pp));
    } catch (e) {
      result.profileError = e.message;
    }
  }
  engine.destroy();
  return result;
}
