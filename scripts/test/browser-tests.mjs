// The tests of playwright/, two files at a time: while one waits for its page, a server or npm, the other has the cores.
// Usage: node scripts/test/browser-tests.mjs [firefox] [NAME…], as in `golden` for playwright/golden.test.mjs
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';

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

/**
 * Run the files whose names are given, or all, in Chromium. Returns how many tests passed, failed and were skipped, and
 * what the failed ones say.
 */
export async function browserTests(names = []) {
  const all = readdirSync(FOLDER).filter((file) => file.endsWith('.test.mjs')).sort((a, b) => order(a) - order(b));
  const unknown = names.filter((name) => !all.includes(`${name}.test.mjs`));
  if (unknown.length) throw new Error(`no such tests: ${unknown}; there are ${all.map((f) => f.replace('.test.mjs', ''))}`);
  const files = all.filter((file) => !names.length || names.includes(file.replace('.test.mjs', '')));
  const counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const times = [];
  const stream = run({ files: files.map((file) => join(FOLDER, file)), concurrency: FILES_AT_A_TIME });
  stream.on('test:pass', ({ details, skip }) => {
    if (details.type !== 'suite') counts[skip === undefined ? 'passed' : 'skipped']++;
  });
  stream.on('test:fail', ({ name, file, details }) => {
    if (details.type === 'suite') return;
    counts.failed++;
    counts.failures.push(`${basename(file)}: ${name}: ${(details.error.cause ?? details.error).stack}`);
  });
  // A file is complete as a test of its own name.
  stream.on('test:complete', ({ name, file, details }) => {
    if (name === file) times.push([basename(file, '.test.mjs'), details.duration_ms / 1e3]);
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report, { writable: false });
  times.sort((a, b) => b[1] - a[1]);
  console.log(`\n${times.map(([name, seconds]) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`);
  return counts;
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [first, ...others] = process.argv.slice(2);
  const names = others.length ? others : undefined;
  const { passed, failed, skipped } = await (first === 'firefox' ? firefoxTests(names) : browserTests(process.argv.slice(2)));
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed ? 1 : 0;
}
