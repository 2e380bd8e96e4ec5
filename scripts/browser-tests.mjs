// The tests of playwright/, one file after the other: a software GPU takes every core there is.
// Usage: node scripts/browser-tests.mjs [NAME…], as in `golden` for playwright/golden.test.mjs
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';

import { ROOT } from './server.mjs';

const FOLDER = join(ROOT, 'playwright');

/** Run the files whose names are given, or all. Returns how many tests passed, failed and were skipped. */
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed, failed, skipped } = await browserTests(process.argv.slice(2));
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed ? 1 : 0;
}
