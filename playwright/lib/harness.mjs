// What every browser test starts from: a site with faults, a browser with WebGPU, a page with the package.
import { mkdtempSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { chromium, firefox } from 'playwright-core';

import { chromiumPath, firefoxPath } from '../../scripts/setup.mjs';
import { ROOT, SITE, serve } from '../../scripts/server.mjs';
import { faults } from './faults.mjs';

/** Test data that is not in the repository; tests that want it are skipped where it is not there. */
export const DATA = process.env.WEBGGUF_DATA ?? join(ROOT, '../shared/data');

/** The models of tests beside the page's own. */
export const MODELS = {
  '/models/': join(ROOT, 'tests/fixtures/models'),
  '/models/embedded.gguf': join(ROOT, 'www/models/embedded.gguf'),
};

/** The browser of this run: `chromium`, or `firefox`. */
export const BROWSER = process.env.WEBGGUF_BROWSER ?? 'chromium';

/** A test that needs Chromium's developer tools, or that says the same of every browser and so need not run twice. */
export const chromiumTest = BROWSER === 'chromium' ? test : () => {};

/** WebGPU on the CPU, by SwiftShader: the same everywhere. */
const FLAGS = [
  '--enable-features=Vulkan',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-sandbox',
];

/**
 * What Dawn adds to a kernel takes SwiftShader most of its compile time: workgroup memory that starts as zeros, indices that
 * are clamped. No kernel counts on either.
 */
const QUICK = '--enable-dawn-features=disable_workgroup_init,disable_robustness';

export const exists = (path) => stat(path).then(() => true, () => false);

/** WebGPU on what the system's Vulkan has, be it a driver on the CPU. */
const PREFERENCES = { 'dom.webgpu.enabled': true, 'dom.webgpu.workers.enabled': true, 'gfx.webgpu.ignore-blocklist': true };

/** A Firefox as people install it, by WebDriver BiDi. */
async function openFirefox() {
  const browser = await firefox.launch({ channel: 'moz-firefox', executablePath: firefoxPath(), firefoxUserPrefs: PREFERENCES });
  // Playwright sets a colour scheme for each context, with a command that releases of Firefox do not know yet.
  const session = browser._connection.toImpl(browser)._browserSession;
  const send = session.send.bind(session);
  session.send = (method, params) => (method === 'emulation.setMediaFeaturesOverride' ? Promise.resolve({}) : send(method, params));
  return browser;
}

/** Why Firefox can't run the tests here; undefined where it can. */
export async function firefoxLacks() {
  const site = await serve({ mounts: SITE });
  try {
    const browser = await openFirefox();
    const page = await browser.newPage();
    await page.goto(`${site.url}/icon.svg`);
    const has = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
    await browser.close();
    return has ? undefined : `Firefox ${browser.version()} gives no WebGPU adapter`;
  } catch (e) {
    return e.message.split('\n')[0];
  } finally {
    await site.close();
  }
}

/** What a page is waited for: kernels compile slowly where a software GPU shares its cores. */
const WAIT_MS = 60_000;

/** Start the browser of this run, Chromium with more `args`; `stock` compiles kernels as visitors' browsers do. */
export async function openBrowser({ args = [], stock = false } = {}) {
  const launch = () => chromium.launch({ executablePath: chromiumPath(), args: [...FLAGS, ...(stock ? [] : [QUICK]), ...args] });
  const browser = await (BROWSER === 'firefox' ? openFirefox() : launch());
  browser.on('context', (context) => context.setDefaultTimeout(WAIT_MS));
  return browser;
}

/** A browser with an extension; the context of its pages. */
export function openExtension(folder, profile) {
  return chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: [...FLAGS, QUICK, `--disable-extensions-except=${folder}`, `--load-extension=${folder}`],
    ignoreDefaultArgs: ['--disable-extensions'],
  });
}

/** Load a model in a page twice: it is `models.page` there, and `models.worker` in a worker. */
export const loadTwice = (page, url, options) =>
  page.evaluate(async ([url, options]) => {
    const load = (worker) => webgguf.loadModel(url, { worker, cache: false, ...options });
    globalThis.models = { page: await load(false), worker: await load(true) };
  }, [url, options]);

/** Start a server and a browser, with `options` of openBrowser. `temp` is a folder for large files, served as /temp/. */
export async function open(options) {
  const temp = mkdtempSync(join(tmpdir(), 'webgguf-test-'));
  const mounts = {
    ...SITE,
    ...MODELS,
    '/data/': DATA,
    '/made/': join(ROOT, 'models'),
    '/fixtures/': join(ROOT, 'tests/fixtures'),
    '/target/': join(ROOT, 'target'),
    '/temp/': temp,
    '/test/': join(ROOT, 'playwright/page'),
  };
  const site = await serve({ mounts, route: faults(mounts) });
  const browser = await openBrowser(options);
  return {
    url: site.url,
    temp,
    browser,
    /** A page that has the package as `webgguf`, and the helpers of page/helpers.js; in a browser context of its own, or `context`. */
    async page(path = '/test/', context = browser, options = {}) {
      const page = await context.newPage(...(context === browser ? [options] : []));
      page.errors = [];
      page.on('pageerror', (e) => page.errors.push(e.message));
      page.on('console', (m) => m.type() === 'error' && page.errors.push(m.text()));
      await page.goto(site.url + path);
      if (path.startsWith('/test/')) await page.waitForFunction(() => globalThis.webgguf);
      return page;
    },
    async close() {
      await browser.close();
      await site.close();
      await rm(temp, { recursive: true, force: true });
    },
  };
}
