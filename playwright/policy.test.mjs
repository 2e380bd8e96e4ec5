// Pages whose policy is strict: Content-Security-Policy and Trusted Types, with and without a worker.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const MODEL = '/models/gpt2-tiny.gguf';
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; img-src data:; base-uri 'none'; object-src 'none'";
const TRUSTED = "require-trusted-types-for 'script'";

let site;
before(async () => (site = await open()));
after(() => site?.close());

/** A page whose answers, and those of its scripts, have the policy. */
async function pageWith(policy) {
  const context = await site.browser.newContext();
  await context.route(/\/(test\/|pkg\/worker\.js)(\?|$)/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
  });
  return site.page('/test/', context);
}

const speak = (page, worker) =>
  page.evaluate(async ([url, worker]) => {
    const failed = await failureOf((async () => {
      globalThis.model = await webgguf.loadModel(url, { worker, cache: false, contextLength: 64 });
    })());
    if (failed) return failed;
    const { ids } = await collect(model, 'Prince', { maxTokens: 3, temperature: 0 });
    model.destroy();
    return ids.length;
  }, [MODEL, worker]);

for (const policy of [STRICT, `${STRICT}; ${TRUSTED}`, `${STRICT}; ${TRUSTED}; trusted-types webgguf`, `${STRICT}; trusted-types 'none'`]) {
  test(`a model runs under ${policy.slice(STRICT.length + 2) || 'a strict policy'}`, TIMEOUT, async () => {
    const page = await pageWith(policy);
    assert.equal(await speak(page, false), 3);
    assert.equal(await speak(page, true), 3);
    assert.equal(await speak(page, true), 3, 'a second worker');
    // Where no policy may be made, the browser notes that one was tried.
    assert.deepEqual(page.errors.filter((e) => !(policy.endsWith("'none'") && /TrustedTypePolicy/.test(e))), []);
    await page.context().close();
  });
}

const FORBIDDEN = {
  'no wasm': [STRICT.replace("'wasm-unsafe-eval'", ''), [false, true]],
  'no worker': [STRICT.replace("worker-src 'self'", "worker-src 'none'"), [true]],
  'no trusted address': [`${STRICT}; ${TRUSTED}; trusted-types 'none'`, [true]],
};
for (const [name, [policy, workers]] of Object.entries(FORBIDDEN)) {
  test(`what a policy forbids is BLOCKED: ${name}`, TIMEOUT, async () => {
    const page = await pageWith(policy);
    for (const worker of workers) {
      const failed = await speak(page, worker);
      assert.equal(failed.code, 'BLOCKED', failed.message);
      assert.equal(failed.name, 'WebggufError');
    }
    await page.context().close();
  });
}

for (const [name, policy, code] of [
  ['runs by a script of this origin', undefined, undefined],
  ['is BLOCKED where such scripts are forbidden', `worker-src 'self'`, 'BLOCKED'],
]) {
  test(`a worker of another origin ${name}`, TIMEOUT, async () => {
    const context = await site.browser.newContext();
    const other = site.url.replace('localhost', '127.0.0.1');
    await context.route(`${other}/pkg/**`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'access-control-allow-origin': '*' } });
    });
    if (policy) {
      await context.route(`${site.url}/test/`, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
      });
    }
    const page = await site.page('/test/', context);
    const [failed, own, ids] = await page.evaluate(async ([other, url]) => {
      const { loadModel, isWebggufError } = await import(`${other}/pkg/index.js`);
      let own;
      let ids;
      const failed = await failureOf(loadModel(url, { worker: true }).then(
        async (model) => ({ ids } = await collect(model, 'Prince', { maxTokens: 3, temperature: 0 })),
        (e) => {
          own = isWebggufError(e);
          throw e;
        },
      ));
      return [failed, own, ids];
    }, [other, MODEL]);
    assert.equal(failed?.code, code, failed?.message);
    if (code) assert.equal(own, true);
    else assert.equal(ids.length, 3);
    await context.close();
  });
}

for (const path of ['/', '/bench.html']) {
  test(`${path} has a policy and keeps to it`, TIMEOUT, async () => {
    // A phone's page loads no model by itself.
    const page = await site.page(path, site.browser, { userAgent: 'Mobi' });
    const policy = await page.getAttribute('meta[http-equiv="Content-Security-Policy"]', 'content');
    for (const part of ["script-src 'self' 'wasm-unsafe-eval'", "object-src 'none'", "base-uri 'none'", TRUSTED]) {
      assert.ok(policy.includes(part), part);
    }
    const allowed = await page.evaluate(async () => {
      const tries = {
        text: () => (document.createElement('script').textContent = '1'),
        data: () => import('data:text/javascript,'),
      };
      const allowed = [];
      for (const [name, attempt] of Object.entries(tries)) if (!(await failureOf(attempt))) allowed.push(name);
      return allowed;

      async function failureOf(attempt) {
        try {
          await attempt();
          return null;
        } catch (e) {
          return e;
        }
      }
    });
    assert.deepEqual(allowed, [], 'text is no code here');
    const { loaded, failed } = await page.evaluate(async (url) => {
      const { loadModel } = await import('./pkg/index.js');
      try {
        (await loadModel(url, { worker: true, cache: false, contextLength: 64 })).destroy();
        return { loaded: true };
      } catch (e) {
        return { failed: e.message };
      }
    }, new URL(MODEL, site.url).href);
    assert.ok(loaded, failed);
    await page.close();
  });
}
