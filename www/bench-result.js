// A result on the page, and as a Markdown table. It may have come with a link: nothing in it is trusted to be there.
import { plot } from './bench-plot.js';
import { browserName } from './device.js';
import { count, duration } from './format.js';

const $ = (id) => document.getElementById(id);

const speed = (n) => (Number.isFinite(n) ? `${n >= 100 ? Math.round(n).toLocaleString('en') : n.toFixed(1)} tokens/s` : '–');

/** Names and values of the result; a third element marks the speeds. */
export function rows(result) {
  const { settings = {}, types = [], gpu = {} } = result;
  const { pp, tg, reps } = settings;
  return [
    ['Model', `${result.name ?? '?'}: ${[result.architecture, `${count(Number(result.parameters))} parameters`, types[0]].join(', ')}`],
    [`Prefill, ${pp} tokens`, speed(result[`pp${pp}`]), true],
    [`Decode, ${tg} tokens`, speed(result[`tg${tg}`]), true],
    ['First token', duration(Number(result.firstTokenMs))],
    ['Load', duration(Number(result.loadMs))],
    ['GPU', result.gpuName ?? gpu.adapter ?? '?'],
    ['Browser', browserName(String(result.userAgent))],
    ['Device', result.device ?? '?'],
    ['Context, cache', `${result.contextLength}, ${result.kvCacheType}`],
    ['Measured', `${result.date ?? '?'}, median of ${reps}, webgguf ${result.version ?? '?'}`],
  ].map(([name, value, isSpeed]) => [String(name), String(value), isSpeed === true]);
}

const cell = (text) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');

/** The result as Markdown, with the link that shows it. */
export function markdown(result, link) {
  const lines = rows(result).map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`);
  return ['| webgguf | |', '| --- | --- |', ...lines, '', `[All figures](${link})`].join('\n');
}

function tableRow(cells, head) {
  const tr = document.createElement('tr');
  cells.forEach((text, i) => {
    const made = document.createElement(head || i === 0 ? 'th' : 'td');
    if (made.tagName === 'TH') made.scope = head ? 'col' : 'row';
    made.textContent = text;
    tr.append(made);
  });
  return tr;
}

function showKernels({ kernels = [], stepUs } = {}) {
  $('kernels-part').hidden = !kernels.length;
  const [head, body] = [document.createElement('thead'), document.createElement('tbody')];
  head.append(tableRow(['Kernel', 'dispatches', 'µs each', 'µs a token'], true));
  for (const { name, dispatches: n, us } of kernels) body.append(tableRow([name, n, Number(us).toFixed(2), (n * us).toFixed(1)]));
  body.append(tableRow(['whole token', '', '', Number(stepUs).toFixed(1)]));
  $('kernels').replaceChildren(head, body);
}

/** Show a result; `shared` if it came with the link. */
export function show(result, link, shared) {
  const body = document.createElement('tbody');
  for (const [name, value, isSpeed] of rows(result)) {
    const tr = tableRow([name, value]);
    if (isSpeed) tr.className = 'speed';
    body.append(tr);
  }
  $('result').replaceChildren(body);
  const { prefill = [], decode = [] } = result.curves ?? {};
  const plots = [plot('Prefill, tokens a second', 'prompt length', prefill), plot('Decode, tokens a second', 'context', decode)];
  $('plots').replaceChildren(...plots.filter(Boolean));
  showKernels(result.decode);
  $('json').textContent = JSON.stringify(result, null, 2);
  $('text').value = markdown(result, link);
  $('shared').hidden = !shared;
  $('copied').textContent = '';
  $('shown').hidden = false;
}
