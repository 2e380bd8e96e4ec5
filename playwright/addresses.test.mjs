// Addresses: as `fetch` resolves them, and what can't be fetched is refused before it is tried.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };

let site;
before(async () => {
  site = await open();
  mkdirSync(join(site.temp, 'deep/room'), { recursive: true });
  const scripts = '<link rel="icon" href="data:,"><script type="module" src="/test/helpers.js"></script>';
  writeFileSync(join(site.temp, 'deep/room/index.html'), `<!doctype html><base href="/models/">${scripts}`);
});
after(() => site?.close());

const opened = async (path) => {
  const page = await site.page(path);
  await page.waitForFunction(() => globalThis.webgguf);
  return page;
};

/** Load relative addresses in a page; the failures. */
const failures = (page, source, options = {}) =>
  page.evaluate(async ([source, options]) => {
    const results = [];
    for (const worker of [false, true]) {
      results.push((await outcome(source, { worker, retry: { attempts: 1 }, ...options })).failed?.message ?? null);
    }
    results.push((await failureOf(webgguf.loadTokenizer(source, { cache: false, ...options })))?.message ?? null);
    return results;
  }, [source, options]);

test('a relative address is relative to <base href>, in workers too', TIMEOUT, async () => {
  const page = await opened('/temp/deep/room/?load-only');
  assert.deepEqual(await failures(page, 'gpt2-tiny.gguf'), [null, null, null]);
  assert.deepEqual(await failures(page, 'gpt2-tiny.gguf', { wasmUrl: '../pkg/webgguf_bg.wasm' }), [null, null, null]);
  const cached = await page.evaluate(async () => {
    const model = await webgguf.loadModel('gpt2-tiny.gguf', { contextLength: 64 });
    model.destroy();
    return [(await webgguf.listCached()).map(({ url }) => new URL(url).pathname), await webgguf.removeCached('gpt2-tiny.gguf')];
  });
  assert.deepEqual(cached, [['/models/gpt2-tiny.gguf'], true]);
  assert.deepEqual(page.errors, []);
  await page.close();
});

test('blob: and data: addresses load', TIMEOUT, async () => {
  const page = await opened('/test/?load-only');
  const found = await page.evaluate(async () => {
    const bytes = new Uint8Array(await (await fetch('/models/gpt2-tiny.gguf')).arrayBuffer());
    const blob = URL.createObjectURL(new Blob([bytes]));
    const data = `data:application/octet-stream;base64,${bytes.toBase64?.() ?? btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''))}`;
    const all = [];
    for (const source of [blob, data]) for (const worker of [false, true]) all.push((await outcome(source, { worker })).sum);
    return [...new Set(all)];
  });
  assert.equal(found.length, 1);
  assert.match(found[0], /^[0-9a-f]{16}$/);
  await page.close();
});

test('what can not be fetched is refused at once', TIMEOUT, async () => {
  const page = await opened('/test/?load-only');
  for (const source of ['javascript:1', 'file:///model.gguf', 'ftp://example.com/m.gguf', 'about:blank', 'mailto:a@b.c', 'chrome://version']) {
    const results = await page.evaluate(async (source) => {
      const all = [];
      const calls = [
        () => webgguf.loadModel(source),
        () => webgguf.loadModel(source, { worker: true }),
        () => webgguf.loadModel([source]),
        () => webgguf.canRun(source),
        () => webgguf.loadTokenizer(source),
        () => webgguf.removeCached(source),
      ];
      for (const call of calls) {
        let failed;
        let ms = Infinity;
        // Whatever else the machine does makes a refusal slower, never faster: the best of three counts.
        for (let i = 0; i < 3; i++) {
          const start = performance.now();
          failed = await failureOf(call());
          ms = Math.min(ms, performance.now() - start);
        }
        all.push({ ...failed, ms });
      }
      return all;
    }, source);
    for (const { code, message, ms } of results) {
      assert.equal(code, 'INVALID_ARGUMENT', source);
      assert.ok(message.includes(source) && message.includes('https:'), message);
      assert.ok(ms < 100, `${source}: ${ms} ms`);
    }
  }
  await page.close();
});

test('a page that is a Blob loads by whole addresses', TIMEOUT, async () => {
  const page = await opened('/test/?load-only');
  const failed = await page.evaluate(async () => {
    const script = `import * as w from '${location.origin}/pkg/index.js';
      const failed = async (source) => { try { await w.loadTokenizer(source, { cache: false }); return null; } catch (e) { return e.code; } };
      parent.postMessage([await failed('${location.origin}/models/gpt2-tiny.gguf'), await failed('gpt2-tiny.gguf')]);`;
    const html = `<!doctype html><script type="module">${script}</script>`;
    const frame = document.createElement('iframe');
    const heard = new Promise((resolve) => addEventListener('message', (e) => resolve(e.data), { once: true }));
    frame.src = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
    document.body.append(frame);
    return heard;
  });
  assert.deepEqual(failed, [null, 'INVALID_ARGUMENT']);
  await page.close();
});
