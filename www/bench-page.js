// The benchmark's page: a form, a result that a person can read and share.
//
// bench.html?model=URL&pp=512&tg=128&reps=5[&context=N][&at=N][&kernels=0][&curves=0]   fills the form in; nothing is fetched
// before the button is pressed, since a model may be large. The result is in window.__result, too.
// bench.html#result=…   shows a result that was shared.
import { linkTo, resultOf } from './bench-link.js';
import { show } from './bench-result.js';
import { bench } from './bench.js';
import { device } from './device.js';
import { bytes } from './format.js';
import { EMBEDDED, MODELS } from './models.js';

const $ = (id) => document.getElementById(id);
const form = $('form');
const query = new URLSearchParams(location.search);
const REPORT = 'https://github.com/webgguf/webgguf/issues/new';

function say(text, fraction) {
  $('status').textContent = text;
  if (fraction !== undefined) $('bar').value = fraction;
}

// ---- which model

const OTHER = { address: 'An address…', file: 'A file from this device…' };
const known = [EMBEDDED, ...MODELS];

for (const { name, url, bytes: size } of known) $('choice').append(new Option(`${name} (${bytes(size)})`, url));
for (const [value, text] of Object.entries(OTHER)) $('choice').append(new Option(text, value));

function showChoice() {
  const { value } = $('choice');
  $('address').hidden = value !== 'address';
  $('model').required = value === 'address';
  $('local').hidden = value !== 'file';
  $('file').required = value === 'file';
  const chosen = known.find(({ url }) => url === value);
  $('download').textContent = chosen && chosen !== EMBEDDED ? `Downloads ${bytes(chosen.bytes)}.` : '';
}

/** What is to be loaded, and its name in the result. */
function chosen() {
  const { value } = $('choice');
  if (value === 'file') return { source: $('file').files[0], name: $('file').files[0].name };
  if (value === 'address') return { source: $('model').value.trim(), name: $('model').value.trim() };
  const { name, url } = known.find(({ url }) => url === value);
  return { source: url, name: `${name} (${url.split('/').pop()})` };
}

// ---- a run

let running;

function setRunning(controller) {
  running = controller;
  $('run').disabled = !!running;
  $('cancel').hidden = !running;
  $('progress').hidden = !running;
}

async function version() {
  const answer = await fetch(new URL('pkg/package.json', location.href)).catch(() => undefined);
  return answer?.ok ? (await answer.json()).version : undefined;
}

async function main({ source, name, ...options }) {
  const controller = new AbortController();
  setRunning(controller);
  try {
    const measured = await bench({ ...options, source, say, signal: controller.signal });
    const result = {
      ...measured,
      name,
      gpuName: measured.gpu.adapter || 'not told by the browser',
      device: device(),
      date: new Date().toISOString().slice(0, 10),
      version: await version(),
    };
    const link = await linkTo(result);
    show(result, link, false);
    history.replaceState(null, '', link);
    say('Done.', 1);
    window.__result = result;
  } catch (e) {
    say(controller.signal.aborted ? 'Cancelled.' : `${e.code ?? 'error'}: ${e.message}`);
    window.__result = { error: String(e?.stack ?? e), code: e?.code };
  } finally {
    setRunning(undefined);
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (running) return;
  main({
    ...chosen(),
    ...Object.fromEntries(['pp', 'tg', 'reps'].map((name) => [name, form.elements[name].valueAsNumber])),
    ...Object.fromEntries(['curves', 'kernels'].map((name) => [name, form.elements[name].checked])),
    ...Object.fromEntries(['context', 'at'].map((name) => [name, Number(query.get(name)) || undefined])),
  });
});
$('choice').addEventListener('change', showChoice);
$('cancel').addEventListener('click', () => running?.abort());
// A field that is folded away must be seen to be mended.
form.addEventListener('invalid', (event) => event.target.closest('details')?.setAttribute('open', ''), true);

// ---- sharing

async function copy(text, what) {
  const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
  $('copied').textContent = done ? `${what} copied.` : 'The browser does not allow it: copy the text below.';
  if (!done) $('text').closest('details').open = true;
}
$('copy-table').addEventListener('click', () => copy($('text').value, 'Table'));
$('copy-link').addEventListener('click', () => copy(location.href, 'Link'));
$('report').addEventListener('click', () => {
  const title = `Benchmark: ${[...$('result').rows].slice(0, 1).map((row) => row.cells[1].textContent)}`;
  $('report').href = `${REPORT}?${new URLSearchParams({ title, body: $('text').value })}`;
});

// ---- at first

for (const [name, value] of query) {
  const field = form.elements[name];
  if (field?.type === 'checkbox') field.checked = value !== '0';
  else if (field) field.value = value;
}
if (query.has('model')) $('choice').value = 'address';
showChoice();
try {
  const result = await resultOf(location);
  if (result) show(result, location.href, true);
} catch (e) {
  say(`The link is damaged: ${e.message}`);
}
