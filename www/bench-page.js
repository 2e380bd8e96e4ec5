// The benchmark's page: a form, a table a person can read and share.
//
// bench.html?model=URL&pp=512&tg=128&reps=5[&context=N][&at=N][&kernels=0]   fills the form in; nothing is fetched before
// the button is pressed, since a model may be large. The result is in window.__result, too.
import { bench } from './bench.js';
import { gpuName } from './gpu-name.js';

const $ = (id) => document.getElementById(id);
const say = (text) => ($('status').textContent = text);

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

async function show(result, { pp, tg }) {
  $('result').replaceChildren(
    row('GPU', await gpuName(result.gpu)),
    row('Load', `${result.loadMs} ms`),
    row(`Prefill, ${pp} tokens`, `${result[`pp${pp}`]} tokens/s`),
    row(`Decode, ${tg} tokens`, `${result[`tg${tg}`]} tokens/s`),
    row('First token', `${result.firstTokenMs} ms`),
  );
  $('result').hidden = false;
  if (result.decode) {
    $('kernels').replaceChildren(
      row('Decode kernel', 'dispatches', 'µs each', 'µs a step'),
      ...result.decode.kernels.map(({ name, dispatches: n, us }) => row(name, n, us.toFixed(2), (n * us).toFixed(1))),
      row('whole step', '', '', result.decode.stepUs.toFixed(1)),
    );
    $('kernels').hidden = false;
  }
  $('json').textContent = JSON.stringify(result, null, 2);
  $('json').hidden = false;
}

async function main(options) {
  try {
    const result = await bench({ ...options, say });
    await show(result, options);
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
  kernels: query.get('kernels') !== '0',
});
form.addEventListener('submit', (e) => {
  e.preventDefault();
  main(options());
});
