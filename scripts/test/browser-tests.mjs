// The tests of playwright/, two files at a time: while one waits for its page, a server or npm, the other has the cores.
// Usage: node scripts/test/browser-tests.mjs [firefox] [NAME…], as in `golden` for playwright/golden.test.mjs
import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { ROOT } from '../server.mjs';
import { ensureFirefox } from '../setup.mjs';

const FOLDER = join(ROOT, 'playwright');
const FILES_AT_A_TIME = 2;
/** These take longest; begun first, none of them runs alone at the end. */
const FIRST = ['wasm', 'models', 'apps', 'golden', 'demo'];
/** What another engine may do otherwise; the rest needs Chromium's developer tools, or is the same in every browser. */
const IN_FIREFOX = ['models', 'golden', 'kernels', 'readback', 'generate', 'apps', 'worker', 'cache', 'devicelost', 'demo', 'hands'];

/** Where a file is among the others. */
const order = (file) => (FIRST.indexOf(basename(file, '.test.mjs')) + FIRST.length + 1) % (FIRST.length + 1);

/** What a failed test says. That of one that took too long is a text. */
const said = ({ error }) => error.cause?.stack ?? error.cause ?? error.stack ?? error;

/** Run files. Returns what came of each: how many tests passed, failed and were skipped, and what the failed ones say. */
async function runFiles(files, concurrency) {
  const results = new Map(files.map((file) => [file, { passed: 0, failed: 0, skipped: 0, failures: [], seconds: 0 }]));
  const of = (file) => results.get(basename(file));
  const stream = run({ files: files.map((file) => join(FOLDER, file)), concurrency });
  stream.on('test:pass', ({ file, details, skip }) => {
    if (details.type !== 'suite') of(file)[skip === undefined ? 'passed' : 'skipped']++;
  });
  stream.on('test:fail', ({ name, file, details }) => {
    if (details.type === 'suite') return;
    of(file).failed++;
    of(file).failures.push(`${basename(file)}: ${name}: ${said(details)}`);
  });
  // A file is complete as a test of its own name.
  stream.on('test:complete', ({ name, file, details }) => {
    if (name === file) of(file).seconds = details.duration_ms / 1e3;
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report, { writable: false });
  return results;
}

/**
 * Run the files whose names are given, or all, in Chromium. A file with a failure is run once more, alone: browsers on a busy
 * machine do not always start, and now and then lose a page. What failed and then passed is told all the same. Returns how
 * many tests passed, failed and were skipped, and what the failed ones say.
 */
export async function browserTests(names = []) {
  const all = readdirSync(FOLDER).filter((file) => file.endsWith('.test.mjs')).sort((a, b) => order(a) - order(b));
  const unknown = names.filter((name) => !all.includes(`${name}.test.mjs`));
  if (unknown.length) throw new Error(`no such tests: ${unknown}; there are ${all.map((f) => f.replace('.test.mjs', ''))}`);
  const results = await runFiles(all.filter((file) => !names.length || names.includes(file.replace('.test.mjs', ''))), FILES_AT_A_TIME);
  const times = [...results].sort((a, b) => b[1].seconds - a[1].seconds);
  console.log(`\n${times.map(([file, { seconds }]) => `${file.replace('.test.mjs', '')} ${seconds.toFixed(0)} s`).join(', ')}`);
  const failed = [...results].filter(([, { failures }]) => failures.length);
  // Given no files, Node.js would look for some.
  for (const [file, result] of failed.length ? await runFiles(failed.map(([file]) => file), 1) : []) {
    if (!result.failed) result.unsteady = results.get(file).failures;
    results.set(file, result);
  }
  const sum = (count) => [...results.values()].reduce((total, result) => total + result[count], 0);
  const list = (what) => [...results.values()].flatMap((result) => result[what] ?? []);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), failures: list('failures'), unsteady: list('unsteady') };
}

async function whatFirefoxLacks() {
  try {
    ensureFirefox();
  } catch (e) {
    return e.message;
  }
  // Its packages may have been installed a moment ago.
  const { firefoxLacks } = await import('../../playwright/lib/harness.mjs');
  return firefoxLacks();
}

/** The same in Firefox, where it can be had. */
export async function firefoxTests(names = IN_FIREFOX) {
  const lacks = await whatFirefoxLacks();
  if (lacks) {
    console.log(`SKIP: ${lacks}`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  // The files run in processes of their own.
  process.env.WEBGGUF_BROWSER = 'firefox';
  try {
    return await browserTests(names);
  } finally {
    delete process.env.WEBGGUF_BROWSER;
  }
}

/**
 * The same in a process of its own, beside whatever else runs. Returns how to wait for it: what it wrote is shown then, and
 * what came of it returned.
 */
export function firefoxTestsAside() {
  const child = fork(fileURLToPath(import.meta.url), ['firefox'], { silent: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  let counts;
  child.on('message', (message) => (counts = message));
  const closed = new Promise((resolve) => child.on('close', resolve));
  return async () => {
    const status = await closed;
    process.stdout.write(text);
    if (!counts) throw new Error(`the tests in Firefox ended with ${status}`);
    return counts;
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [first, ...others] = process.argv.slice(2);
  const names = others.length ? others : undefined;
  const counts = await (first === 'firefox' ? firefoxTests(names) : browserTests(process.argv.slice(2)));
  const { passed, failed, skipped } = counts;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed ? 1 : 0;
  process.send?.(counts);
}
