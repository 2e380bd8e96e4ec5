// The same measures of wllama, llama.cpp's build for browsers: wllama.html?model=URL&pp=512&tg=128&reps=5
import { Wllama } from '/wllama/index.js';

const query = new URLSearchParams(location.search);
const [pp, tg, reps] = ['pp', 'tg', 'reps'].map((name) => Number(query.get(name)));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
/** Words that are other ones each run, so that no cache helps. */
const words = (n, run) => Array.from({ length: n }, (_, i) => String((i * 7919 + run * 104_729) % 1000)).join(' ');

async function main() {
  const wllama = new Wllama({ default: '/wllama/wasm/wllama.wasm' }, { suppressNativeLog: true });
  const start = performance.now();
  const url = new URL(query.get('model'), location.href).href;
  await wllama.loadModelFromUrl(url, { n_ctx: pp + tg + 256, n_gpu_layers: 999, useCache: false });
  const loadMs = performance.now() - start;
  const options = { temperature: 0, cache_prompt: false, ignore_eos: true };
  // A word is as many tokens as the model's vocabulary makes of it. The prompt stays a little below `pp`: it may be all there is room for.
  const probe = await wllama.createCompletion({ ...options, prompt: words(32, 0), max_tokens: 1 });
  const nWords = Math.floor((0.95 * pp * 32) / probe.timings.prompt_n);
  const runs = { pp: [], tg: [] };
  for (let r = 0; r <= reps; r++) {
    const prefill = await wllama.createCompletion({ ...options, prompt: words(nWords, r), max_tokens: 1 });
    const decode = await wllama.createCompletion({ ...options, prompt: words(1, r), max_tokens: tg });
    if (r === 0) continue; // warm-up
    runs.pp.push(prefill.timings.prompt_per_second);
    runs.tg.push(decode.timings.predicted_per_second);
  }
  return { engine: `wllama (${Wllama.getLibllamaVersion()})`, loadMs: Math.round(loadMs), pp: median(runs.pp), tg: median(runs.tg), runs };
}

window.__result = await main().catch((e) => ({ error: String(e?.stack ?? e) }));
