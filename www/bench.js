// The benchmark, as users of the field expect it: prefill of `pp` tokens, `tg` generated ones, medians of some
// runs behind a warm-up; in a second pass the GPU time of each kernel.
//
// bench.html?model=URL&pp=512&tg=128&reps=5[&context=N][&at=N]   also leaves its result in window.__result
import init, { Engine } from './pkg/webgguf.js';

const $ = (id) => document.getElementById(id);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const say = (text) => ($('status').textContent = text);

/** Ids that are the same every time and nothing special: the middle of the vocabulary. */
const promptIds = (n, vocabulary, run) =>
  Uint32Array.from({ length: n }, (_, i) => 300 + ((i * 7919 + run * 104729) % Math.max(1, vocabulary - 400)));

async function generate(engine, ids, maxTokens) {
  const stream = engine.generate(ids, JSON.stringify({ maxTokens, temperature: 0, ignoreEnd: true }));
  while ((await stream.next()) !== undefined);
  stream.stop();
  return JSON.parse(engine.stats());
}

export async function bench({ model, pp, tg, reps, context, at }) {
  say('loading webgguf');
  await init();
  const start = performance.now();
  const engine = await Engine.load(
    new URL(model, location.href).href,
    JSON.stringify(context ? { contextLength: context } : {}),
    ({ phase, loaded, total }) => {
      say(`loading: ${phase} ${(loaded / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`);
    },
  );
  const loadMs = performance.now() - start;
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
  try {
    say('timing kernels');
    result.decode = JSON.parse(await engine.profile(100, 1));
    if (at) result.decodeFar = JSON.parse(await engine.profile(at, 1));
    result.prefill = JSON.parse(await engine.profile(0, pp));
  } catch (e) {
    result.profileError = e.message;
  }
  engine.destroy();
  return result;
}

/** Kernels of all layers together, by what they do. */
function byKernel(profile) {
  const sums = new Map();
  for (const [label, us] of profile.kernels) {
    const name = label.replace(/^L\d+\./, '');
    const sum = sums.get(name) ?? { n: 0, us: 0 };
    sums.set(name, { n: sum.n + 1, us: sum.us + us });
  }
  return [...sums];
}

function row(...cells) {
  const tr = document.createElement('tr');
  for (const cell of cells) {
    const td = document.createElement('td');
    td.textContent = cell;
    if (typeof cell === 'number' || /^[\d.,]+$/.test(cell)) td.className = 'number';
    tr.append(td);
  }
  return tr;
}

function show(result, { pp, tg }) {
  $('result').replaceChildren(
    row('GPU', result.gpu.adapter || 'not told by the browser'),
    row('Load', `${result.loadMs} ms`),
    row(`Prefill, ${pp} tokens`, `${result[`pp${pp}`]} tokens/s`),
    row(`Decode, ${tg} tokens`, `${result[`tg${tg}`]} tokens/s`),
    row('First token', `${result.firstTokenMs} ms`),
  );
  $('result').hidden = false;
  if (result.decode) {
    $('kernels').replaceChildren(
      row('Decode kernel', 'dispatches', 'µs each', 'µs a step'),
      ...byKernel(result.decode).map(([name, { n, us }]) => row(name, n, (us / n).toFixed(2), us.toFixed(1))),
      row('whole step', '', '', result.decode.stepUs.toFixed(1)),
    );
    $('kernels').hidden = false;
  }
  $('json').textContent = JSON.stringify(result, null, 2);
  $('json').hidden = false;
}

async function main(options) {
  try {
    const result = await bench(options);
    show(result, options);
    say('done');
    window.__result = result;
  } catch (e) {
    say(`${e.code ?? 'error'}: ${e.message}`);
    window.__result = { error: String(e?.stack ?? e), code: e?.code };
  }
}

const query = new URLSearchParams(location.search);
const form = $('form');
for (const [name, value] of query) if (form.elements[name]) form.elements[name].value = value;
const options = () => ({
  ...Object.fromEntries(['pp', 'tg', 'reps'].map((k) => [k, Number(form.elements[k].value)])),
  model: form.elements.model.value,
  context: Number(query.get('context')) || undefined,
  at: Number(query.get('at')) || undefined,
});
form.addEventListener('submit', (e) => {
  e.preventDefault();
  main(options());
});
if (query.has('model')) main(options());
