// `webgguf/react`: the example app, built, and the hooks' edges.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { brotliCompressSync } from 'node:zlib';

import { build } from 'vite';

import { ROOT } from '../scripts/server.mjs';
import { chromiumTest, open } from './lib/harness.mjs';
import { writeChatModel } from './lib/chat-model.mjs';

const TIMEOUT = { timeout: 120_000 };
/** What the hooks may weigh, brotli. */
const BUDGET_BYTES = 3000;

let site;
let page;
before(async () => {
  site = await open();
  const app = join(site.temp, 'react');
  cpSync(join(ROOT, 'examples/react'), app, { recursive: true });
  cpSync(join(ROOT, 'playwright/hooks'), app, { recursive: true });
  mkdirSync(join(app, 'node_modules'));
  for (const name of ['react', 'react-dom', 'scheduler']) symlinkSync(join(ROOT, 'node_modules', name), join(app, 'node_modules', name));
  cpSync(join(ROOT, 'pkg'), join(app, 'node_modules/webgguf'), { recursive: true });
  const input = { index: join(app, 'index.html'), hooks: join(app, 'hooks.html') };
  await build({ root: app, configFile: false, logLevel: 'warn', base: './', build: { rollupOptions: { input }, minify: false } });
  writeChatModel(join(site.temp, 'chat.gguf'));
});
after(() => site?.close());

chromiumTest('the hooks are small', () => {
  const bytes = brotliCompressSync(readFileSync(join(ROOT, 'pkg/react.js'))).length;
  console.log(`webgguf/react: ${bytes} bytes brotli, ${BUDGET_BYTES} allowed`);
  assert.ok(bytes <= BUDGET_BYTES);
});

chromiumTest('the example loads at a click, chats, stops, answers again and begins anew', TIMEOUT, async () => {
  page = await site.page('/temp/react/dist/?model=/temp/chat.gguf');
  const messages = () => page.locator('li').allTextContents();
  const idle = () => page.waitForFunction(() => document.querySelector('output')?.textContent === 'idle');
  await page.click('text=Load the model');
  await page.waitForSelector('form');
  assert.deepEqual(await messages(), ['system Be brief.']);
  /** Press a button, and Stop in the moment in which there is something to stop: a reply may be short. */
  const pressAndStop = async (name) => {
    await page.evaluate(() => {
      const stop = [...document.querySelectorAll('button')].find((b) => b.textContent === 'Stop');
      globalThis.stopped = new Promise((stopped) => {
        const observer = new MutationObserver(() => {
          observer.disconnect();
          stop.click();
          stopped();
        });
        observer.observe(stop, { attributeFilter: ['disabled'] });
      });
    });
    await page.click(`text=${name}`);
    await page.evaluate(() => stopped);
    await idle();
  };
  await page.fill('input', 'Hello');
  await pressAndStop('Send');
  assert.equal((await messages())[1], 'user Hello');
  await page.click('text=Retry');
  await page.waitForFunction(() => document.querySelectorAll('li').length === 3);
  await idle();
  assert.match((await messages())[2], /^assistant ./);
  await pressAndStop('Retry');
  assert.equal((await messages())[1], 'user Hello');
  await page.click('text=New chat');
  await page.waitForFunction(() => document.querySelectorAll('li').length === 1);
  assert.deepEqual(page.errors, []);
  await page.close();
});

chromiumTest('a source that changes, a component that goes, a load that fails, a base model, turns that wait', TIMEOUT, async () => {
  page = await site.page('/temp/react/dist/hooks.html');
  const result = await page.evaluate(() => globalThis.tryHooks('/temp/chat.gguf', '/models/gpt2-tiny.gguf'));
  assert.deepEqual(result.first, ['ready', 'llama']);
  assert.deepEqual(result.changed, ['ready', 'gpt2']);
  assert.equal(result.firstLoaded, false, 'the model before is destroyed');
  assert.equal(result.base, 'TEMPLATE_ERROR');
  assert.deepEqual(result.failed, ['error', 'FETCH_FAILED']);
  assert.deepEqual(result.none, ['idle', false]);
  assert.equal(result.early, 'INVALID_STATE');
  assert.ok(result.waited, 'what waits for a reply is shown');
  assert.deepEqual(result.turns, ['user', 'assistant', 'user', 'assistant']);
  assert.deepEqual(result.lost, ['lost', 'ready']);
  assert.equal(result.gone, false, 'a component that goes takes its model along');
  assert.deepEqual(page.errors.filter((e) => !/404/.test(e)), [], 'but for the file that is not there');
  await page.close();
});
