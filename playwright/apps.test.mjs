// The package in apps: installed by npm, served by the app's tool in development, built by it, and visited.
// `npm run test:large -- apps` has those that take longer as well.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { address, build, makeApp, pack, serveAll, serveModel, spoken, start, tryApp, visit } from './lib/apps.mjs';
import { chromiumTest, open, openExtension } from './lib/harness.mjs';

const TIMEOUT = { timeout: 600_000 };
const TOOLS = ['vite-8', 'webpack-5', 'esbuild'];
const MORE_TOOLS = ['vite-5', 'vite-7', 'react', 'sveltekit', 'rspack', 'parcel', 'next', 'next-webpack'];

let site;
let model;
let archive;
before(async () => {
  site = await open();
  model = await serveModel();
  archive = pack(site.temp);
});
after(async () => {
  await model?.close();
  await site?.close();
});

const app = (name, as = name) => makeApp(name, join(site.temp, as), archive);

/** Have a server until the test ends. */
async function during(t, serving) {
  const { url, close } = await serving;
  t.after(close);
  return url;
}

/** Visit a page without a worker and with one. */
async function visitBoth(url) {
  for (const worker of [false, true]) await visit(site.browser, url, { model: model.url, worker });
}

/** A policy that allows no more than what the docs say is needed. */
const policy = ({ script = '', worker = "'self'", connect = '' } = {}) => ({
  'Content-Security-Policy': [
    "default-src 'none'",
    "base-uri 'none'",
    'img-src data:',
    `script-src 'self' 'wasm-unsafe-eval' ${script}`,
    `worker-src ${worker}`,
    `connect-src 'self' ${new URL(model.url).origin} ${connect}`,
    "require-trusted-types-for 'script'",
    'trusted-types webgguf',
  ].join('; '),
});

test('a plain page', TIMEOUT, async (t) => {
  const { folder } = await app('plain');
  await visitBoth(await during(t, serveAll({ '/': folder })));
});

test('what a build left out is named, with what helps', TIMEOUT, async (t) => {
  const { folder } = await app('plain', 'incomplete');
  const url = await during(t, serveAll({ '/': folder }));
  for (const [file, option, worker] of [['worker.js', 'workerUrl', true], ['webgguf_bg.wasm', 'wasmUrl', false]]) {
    rmSync(join(folder, 'node_modules/webgguf', file));
    const page = await site.browser.newPage();
    await page.goto(address(url, { model: model.url, worker }));
    const text = await page.locator('output[data-state=failed]').textContent();
    assert.match(text, new RegExp(`^FETCH_FAILED: .*/node_modules/webgguf/${file}' can't be loaded: .*its address as ${option}`));
    await page.close();
  }
});

/** A plain page whose package is on another origin. */
async function pageWithCdn(t, as) {
  const { folder } = await app('plain', as);
  const cdn = await during(t, serveAll({ '/': join(folder, 'node_modules') }));
  const page = join(folder, 'index.html');
  const html = readFileSync(page, 'utf8').replace('/node_modules/', `${cdn}/`);
  writeFileSync(page, html.replace('type="importmap"', 'type="importmap" nonce="map"'));
  return { folder, cdn };
}

test('a plain page with the package on another origin', TIMEOUT, async (t) => {
  const { folder } = await pageWithCdn(t, 'cdn');
  await visitBoth(await during(t, serveAll({ '/': folder })));
});

chromiumTest('a strict policy, with the package on another origin', TIMEOUT, async (t) => {
  const { folder, cdn } = await pageWithCdn(t, 'cdn-policy');
  const headers = policy({ script: `'nonce-map' ${cdn}`, worker: `blob: ${cdn}`, connect: cdn });
  await visitBoth(await during(t, serveAll({ '/': folder }, { headers })));
});

chromiumTest('a strict policy, with a build', TIMEOUT, async (t) => {
  const vite = await app('vite-8', 'policy');
  await build(vite);
  await visitBoth(await during(t, serveAll({ '/': join(vite.folder, 'dist') }, { headers: policy() })));
});

chromiumTest('a build under a path of its own', TIMEOUT, async (t) => {
  const vite = await app('vite-8', 'path');
  await build(vite, ['--base', './', '--outDir', 'out/deep/site']);
  const url = await during(t, serveAll({ '/': join(vite.folder, 'out') }));
  await visitBoth(`${url}/deep/site/`);
});

for (const name of [...TOOLS, ...(process.env.WEBGGUF_ALL ? MORE_TOOLS : [])]) {
  chromiumTest(`${name} in development and in a build`, TIMEOUT, async () => {
    console.log(`${name}, seconds: ${JSON.stringify(await tryApp(site.browser, await app(name), model.url))}`);
  });
}

/** Two tabs with one shared worker, which ask at once: each says its text, and the model comes once. */
async function shareModel(t, serving) {
  const asked = [];
  const url = await during(t, serving);
  const shared = await during(t, serveModel(asked));
  const context = await site.browser.newContext();
  const tabs = await Promise.all([context.newPage(), context.newPage()]);
  await Promise.all(tabs.map((tab) => tab.goto(address(url, { model: shared }))));
  await Promise.all(tabs.map(spoken));
  assert.equal(asked.length, 1, `the model is fetched once: ${asked}`);
  await context.close();
}

chromiumTest('a shared worker: two tabs have one model', TIMEOUT, async (t) => {
  const tabs = await app('shared-worker');
  await shareModel(t, start(tabs, 'dev'));
  await build(tabs);
  await shareModel(t, serveAll({ '/': join(tabs.folder, 'dist') }));
});

chromiumTest('an extension: its page, its service worker, a document that nobody sees', TIMEOUT, async () => {
  const extension = await app('extension');
  await build(extension);
  const context = await openExtension(join(extension.folder, 'dist'), join(site.temp, 'profile'));
  try {
    const background = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
    const url = new URL('page.html', background.url()).href;
    for (const worker of [false, true]) await visit(context, url, { model: model.url, worker });
    for (const place of ['background', 'offscreen']) {
      const page = await context.newPage();
      await page.goto(`${address(url, { model: model.url })}&in=${place}`);
      await spoken(page);
    }
  } finally {
    await context.close();
  }
});
