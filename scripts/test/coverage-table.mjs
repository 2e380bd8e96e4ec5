// The tables of docs/checks.md, from what the tests left in target/coverage/: which architecture and which quantisation
// was tested how, and how far off it was at worst. Nothing in them is typed by hand.
// Usage: node scripts/test/coverage-table.mjs [--run] [FILE]
// With --run, the tests run first. FILE is any Markdown file with the markers; default docs/checks.md.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../server.mjs';
import { run } from '../setup.mjs';

const RESULTS = join(ROOT, 'target/coverage');
const TESTS = ['activations', 'encoder', 'golden_text'];

/** The results of a kind: `activations`, `chromium`, `firefox`, `encoders`, `greedy`, `values`, `matmul`, `experts`, `large`. */
function results(kind) {
  const folder = join(RESULTS, kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort().map((file) => JSON.parse(readFileSync(join(folder, file))));
}

const worst = (list) => (list.length ? Math.max(...list).toExponential(1) : '–');
const unique = (list) => [...new Set(list)];

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** `t1 t64 t7` as prompt lengths. */
function lengths(list) {
  const cases = unique(list.map((r) => r.case)).sort((a, b) => parseInt(a.slice(1)) - parseInt(b.slice(1)));
  return cases.map((c) => c.slice(1)).join(', ');
}

function architectures() {
  const native = results('activations');
  const browsers = ['chromium', 'firefox'].map(results);
  const greedy = results('greedy');
  const of = (list, arch) => list.filter((r) => r.architecture === arch);
  const errors = (list, mode) => worst(list.filter((r) => r.mode === mode).map((r) => r.worst));
  const rows = unique(native.map((r) => r.architecture)).sort().map((arch) => {
    const here = of(native, arch);
    const f32 = here.filter((r) => r.mode === 'f32');
    const nodes = f32.reduce((sum, r) => sum + r.nodes, 0);
    return [
      `\`${arch}\``, unique(f32.map((r) => r.model)).join(', '), lengths(f32), nodes, errors(here, 'f32'),
      ...browsers.map((list) => worst(of(list, arch).map((r) => r.worst))), errors(here, 'f16 cache'), errors(here, 'q8_0 cache'),
      of(greedy, arch).reduce((sum, r) => sum + r.tokens, 0),
    ];
  });
  const head = ['architecture', 'models', 'prompt tokens', 'intermediates', 'native', 'Chromium', 'Firefox', 'f16 cache', 'q8_0 cache', 'greedy tokens equal'];
  return table(head, rows);
}

function encoders() {
  const all = results('encoders');
  const rows = unique(all.map((r) => r.model)).map((model) => {
    const of = (mode) => all.filter((r) => r.model === model && r.mode === mode);
    const f32 = of('f32');
    const nodes = f32.reduce((sum, r) => sum + r.nodes, 0);
    return [`\`${f32[0].architecture}\``, model, lengths(f32), nodes, ...['f32', 'f32 without subgroups'].map((mode) => worst(of(mode).map((r) => r.worst)))];
  });
  return rows.length ? table(['architecture', 'model', 'tokens', 'intermediates', 'native', 'without subgroups'], rows) : 'Not run here.';
}

function quantisations() {
  const find = (kind, type) => results(kind).find((r) => r.type === type) ?? {};
  const error = (v) => (v === undefined ? '–' : v.toExponential(1));
  const rows = results('values').map(({ type, exact, reference }) => {
    const { matvec, matmul } = find('matmul', type);
    return [type, `${exact} equal to ${reference}`, error(matvec), error(matmul), error(find('experts', type).experts)];
  });
  return table(['type', 'dequantised values', 'matvec', 'matmul', 'experts'], rows);
}

function large() {
  const rows = results('large').map((r) => [
    r.shape, r.type, r.nodes, r.layers.join(', '), r.worst.toExponential(1), `${r.reference}`, `${r.generated}`, `${(r.loadMs / 1e3).toFixed(1)} s`,
  ]);
  const head = ['shape', 'weights', 'intermediates', 'of layers', 'worst', 'against', 'tokens generated', 'load'];
  return rows.length ? table(head, rows) : 'Not run here.';
}

const SECTIONS = { architectures, encoders, quantisations, large };

/** The file with the lines between each pair of markers replaced. */
export function rewrite(text) {
  return Object.entries(SECTIONS).reduce((out, [name, make]) => {
    const marked = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    return out.replace(marked, (_, begin, end) => `${begin}${make()}\n${end}`);
  }, text);
}

function main(args) {
  if (args[0] === '--run') {
    args.shift();
    for (const kind of ['activations', 'encoders', 'greedy', 'values', 'matmul', 'experts']) rmSync(join(RESULTS, kind), { recursive: true, force: true });
    run('cargo', ['test', '--all-features', '--lib', ...TESTS.flatMap((t) => ['--test', t])]);
  }
  if (!results('activations').length) throw new Error(`${RESULTS} has no results; run the tests, or this with --run`);
  const file = args[0] ?? join(ROOT, 'docs/checks.md');
  const before = readFileSync(file, 'utf8');
  const after = rewrite(before);
  writeFileSync(file, after);
  console.log(`${file}: ${after === before ? 'unchanged' : 'rewritten'}`);
}

try {
  main(process.argv.slice(2));
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
}
