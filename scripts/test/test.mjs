// `npm test`: set up, then every check and test there is. Ends with their numbers.
// Usage: npm test [-- STEP…], the steps being those of STEPS
import { spawn } from 'node:child_process';

import { browserTests, firefoxTestsAside } from './browser-tests.mjs';
import { ROOT } from '../server.mjs';
import { ensureChromium, ensurePackages, ensureRust, ensureVulkan, run } from '../setup.mjs';

const CLIPPY = ['clippy', '--quiet'];
const DENY = ['--', '--deny', 'warnings'];

const WASM = ['--target', 'wasm32-unknown-unknown'];
const LIB = ['--package', 'webgguf', '--lib'];
/** The crate without any family of models, and with one of them. */
const BASE = [...LIB, '--no-default-features'];
const ENCODER = ['--no-default-features', '--features', 'encoder'];
const HANDS = ['--no-default-features', '--features', 'hands'];
const SPEECH = ['--no-default-features', '--features', 'speech'];
const CONSTRAIN = ['--no-default-features', '--features', 'constrain'];

/** Of what a failed test says. */
const LINES = 20;

/** Commands of cargo, each of which passes or fails as one. */
const check = (...commands) => () => {
  for (const args of commands) run('cargo', args);
  return { passed: commands.length, failed: 0, skipped: 0 };
};

/** Run cargo while others run. Returns its exit status and what it wrote, which `hear` gets as it comes. */
async function cargo(args, hear = () => {}) {
  const child = spawn('cargo', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    hear(chunk);
    text += chunk;
  });
  const status = await new Promise((closed, failed) => child.on('error', failed).on('close', closed));
  return { status, text };
}

/**
 * The package. The optimiser of the linker takes one core for most of this: it is begun before all else, and the checks that
 * need no package have the other core.
 */
let building;
async function build() {
  const { status } = await building;
  return { passed: status ? 0 : 1, failed: status ? 1 : 0, skipped: 0 };
}

/** Firefox starts with the tests in Chromium, of which two wait often enough for a third to run. */
let inFirefox;
const browser = () => {
  inFirefox = firefoxTestsAside();
  return browserTests();
};
const firefox = () => (inFirefox ??= firefoxTestsAside())();

/** `cargo test`, its own counts added up. */
async function nativeTests() {
  const args = ['test', '--package', 'webgguf', '--all-features', '--no-fail-fast'];
  const { status, text } = await cargo(args, (chunk) => process.stdout.write(chunk));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of text.matchAll(/^test result: .* (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  // What does not compile counts as well.
  if (status !== 0) counts.failed ||= 1;
  // Until the next failed test, or the list of their names.
  const failures = [...text.matchAll(/^---- (.+) stdout ----\n([\s\S]*?)(?=^---- |^failures:$)/gm)];
  counts.failures = failures.map(([, name, said]) => `${name}: ${said.slice(Math.max(0, said.indexOf("thread '"))).trim().split('\n').slice(0, LINES).join('\n')}`);
  return counts;
}

const STEPS = {
  format: check(['fmt', '--all', '--check']),
  clippy: check([...CLIPPY, '--all-features', '--workspace', '--all-targets', ...DENY]),
  'clippy-wasm': check(...[[], ENCODER, HANDS, SPEECH, CONSTRAIN].map((family) => [...CLIPPY, ...LIB, ...family, ...WASM, ...DENY])),
  base: check([...CLIPPY, ...BASE, '--test', 'base', ...DENY], [...CLIPPY, ...BASE, ...WASM, ...DENY]),
  native: nativeTests,
  build,
  size: check(['xtask', 'size']),
  browser,
  firefox,
};

async function main(wanted) {
  const unknown = wanted.filter((name) => !(name in STEPS));
  if (unknown.length) throw new Error(`no such steps: ${unknown}; there are ${Object.keys(STEPS).join(', ')}`);
  ensureRust();
  ensurePackages();
  ensureVulkan();
  ensureChromium();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  const failures = [];
  const unsteady = [];
  if (!wanted.length || wanted.includes('build')) building = cargo(['xtask', 'build']);
  for (const [name, step] of Object.entries(STEPS)) {
    if (wanted.length && !wanted.includes(name)) continue;
    console.log(`\n== ${name}`);
    const start = Date.now();
    let counts;
    try {
      counts = await step();
    } catch (e) {
      console.error(e.message);
      counts = { passed: 0, failed: 1, skipped: 0 };
    }
    for (const key of Object.keys(total)) total[key] += counts[key];
    failures.push(...(counts.failures ?? []));
    unsteady.push(...(counts.unsteady ?? []));
    const seconds = ((Date.now() - start) / 1e3).toFixed(0);
    lines.push(`${name.padEnd(12)}${describe(counts)} in ${seconds} s`);
    // Tests of a package that is not there, or of the one before, would tell nothing.
    if (name === 'build' && counts.failed) break;
  }
  if (unsteady.length) console.log(`\n== what failed, and passed alone\n\n${unsteady.join('\n\n')}`);
  if (failures.length) console.log(`\n== what failed\n\n${failures.join('\n\n')}`);
  console.log(`\n${lines.join('\n')}\n\n${describe(total)}`);
  process.exitCode = total.failed ? 1 : 0;
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
}

main(process.argv.slice(2)).catch((e) => {
  console.error(e.message);
  process.exitCode = 1;
});
