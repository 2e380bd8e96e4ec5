// Lighthouse's judgement of the site's pages, on its desktop and its phone presets. Some minutes.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import lighthouse from 'lighthouse';
import desktop from 'lighthouse/core/config/desktop-config.js';

import { openBrowser } from '../../playwright/lib/harness.mjs';
import { ROOT, answer, resolve, serve } from '../server.mjs';
import { writeSite } from '../site/site.mjs';

const WANTED = { 'accessibility': 100, 'best-practices': 100, 'performance': 95 };
const PATHS = ['/', '/bench.html', '/docs/', '/docs/guide/start.html', '/docs/api/interfaces/webgguf.LoadOptions.html'];
const PRESETS = { desktop, phone: undefined };
/** Whatever else the machine does makes a page slower, never faster: the best of this many tries counts. */
const TRIES = 3;

/** Text goes compressed, as static hosts send it. */
const compressed = (mounts) => async (request, response, { pathname }) => {
  const file = /\.(css|html|js|json|svg)$|\/$/.test(pathname) && (await resolve(mounts, pathname));
  if (!file) return false;
  const { headers } = answer(request, file);
  const body = gzipSync(await readFile(file.path));
  response.writeHead(200, { ...headers, 'Content-Encoding': 'gzip', 'Content-Length': body.length }).end(body);
  return true;
};

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Scores of a page, and the audits that it does not pass. */
async function judge(url, preset, port) {
  const onlyCategories = Object.keys(WANTED);
  const { lhr } = await lighthouse(url, { port, onlyCategories, logLevel: 'error' }, PRESETS[preset]);
  if (lhr.runtimeError) throw new Error(`Lighthouse can't judge ${url}: ${lhr.runtimeError.message}`);
  const scores = Object.fromEntries(onlyCategories.map((name) => [name, Math.round(lhr.categories[name].score * 100)]));
  const weights = onlyCategories.flatMap((name) => lhr.categories[name].auditRefs);
  const failed = weights.filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 0.9);
  return { scores, failed: failed.map(({ id }) => `${id} ${lhr.audits[id].displayValue ?? ''}`.trim()) };
}

/** Judge all pages. Returns how many fell short. */
export async function audit() {
  const folder = join(ROOT, 'target/site');
  await writeSite(folder);
  const mounts = { '/': folder };
  const site = await serve({ mounts, route: compressed(mounts) });
  const port = await freePort();
  const browser = await openBrowser({ args: [`--remote-debugging-port=${port}`] });
  let short = 0;
  for (const path of PATHS) {
    for (const preset of Object.keys(PRESETS)) {
      let result;
      let missing;
      for (let i = 0; i < TRIES && (missing === undefined || missing.length); i++) {
        result = await judge(site.url + path, preset, port);
        missing = Object.keys(WANTED).filter((name) => result.scores[name] < WANTED[name]);
      }
      if (missing.length) short += 1;
      const scores = Object.entries(result.scores).map(([name, score]) => `${name} ${score}`).join(', ');
      console.log(`${path} ${preset}: ${scores}${missing.length ? `; not passed: ${result.failed.join('; ')}` : ''}`);
    }
  }
  await browser.close();
  await site.close();
  return short;
}
