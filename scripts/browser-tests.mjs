// The tests of playwright/, one file after the other: a software GPU takes every core there is.
// Usage: node scripts/browser-tests.mjs [firefox] [NAME…], as in `golden` for playwright/golden.test.mjs
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';

import { ROOT } from './server.mjs';
import { ensureFirefox } from './setup.mjs';

const FOLDER = join(ROOT, 'playwright');
/** What another engine may do otherwise; the rest needs Chromium's developer tools, or is the same in every browser. */
const IN_FIREFOX = ['models', 'golden', 'kernels', 'readback', 'generate', 'package', 'worker', 'cache', 'devicelost', 'demo'];

/** Run the files whose names are given, or all, in Chromium. Returns how many tests passed, failed and were skipped. */
export async function browserTests(names = []) {
  const all = readdirSync(FOLDER).filter((file) => file.endsWith('.test.mjs')).sort();
  const unknown = names.filter((name) => !all.includes(`${name}.test.mjs`));
  if (unknown.length) throw new Error(`no such tests: ${unknown}; there are ${all.map((f) => f.replace('.test.mjs', ''))}`);
  const files = all.filter((file) => !names.length || names.includes(file.replace('.test.mjs', '')));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const ends = new Map([['', Date.now()]]); // of each file, the last test's
  const stream = run({ files: files.map((file) => join(FOLDER, file)), concurrency: 1 });
  stream.on('test:pass', ({ details, skip, file }) => {
    ends.set(file, Date.now());
    if (details.type !== 'suite') counts[skip === undefined ? 'passed' : 'skipped']++;
  });
  stream.on('test:fail', ({ details, file }) => {
    ends.set(file, Date.now());
    if (details.type !== 'suite') counts.failed++;
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report, { writable: false });
  const times = [...ends].map(([file, end], i, all) => i && `${basename(file, '.test.mjs')} ${((end - all[i - 1][1]) / 1e3).toFixed(0)} s`);
  console.log(`\n${times.slice(1).join(', ')}`);
  return counts;
}

async function whatFirefoxLacks() {
  try {
    ensureFirefox();
  } catch (e) {
    return e.message;
  }
  // Its packages may have been installed a moment ago.
  const { firefoxLacks } = await import('../playwright/lib/harness.mjs');
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
