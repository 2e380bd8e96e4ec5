// Lost devices, for real: the GPU's process is killed, or the device destroyed, in every phase; the model recovers and goes
// on with the text of a run that nothing disturbed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { BROWSER, chromiumTest, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 180_000 };
const MODEL = '/models/embedded.gguf';
/** Llama.cpp's greedy tokens, which an undisturbed run gives. */
const golden = JSON.parse(readFileSync(join(ROOT, 'tests/fixtures/embedded/greedy.json')));
const PROMPT = golden.prompt_tokens;
const N = 20;
const WANT = golden.tokens.slice(0, N);

let site;
let devtools;
let counts = { tried: 0, survived: 0 };
before(async () => {
  // Chromium stops giving GPUs to pages after a few ends of the process.
  site = await open({ args: ['--disable-gpu-process-crash-limit'] });
  if (BROWSER === 'chromium') devtools = await site.browser.newBrowserCDPSession();
});
after(async () => {
  console.log(`faults tried ${counts.tried}, survived ${counts.survived}`);
  await site?.close();
});

/** End the GPU's process; the answer does not always come. */
const crash = () => Promise.race([devtools.send('Browser.crashGpuProcess'), new Promise((done) => setTimeout(done, 500))]).catch(() => {});

/** A page that keeps hold of the GPU devices that are made. */
async function newPage() {
  const page = await site.page();
  await page.evaluate(() => {
    globalThis.devices = [];
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      devices.push(device);
      return device;
    };
  });
  return page;
}

/** Generate `N` tokens; `fault` is called after `at` of them. Recover, go on, and return the ids and what was heard. */
async function interrupted(page, at, fault) {
  await page.exposeFunction('fault', fault);
  return page.evaluate(async ([url, prompt, n, at]) => {
    const model = await webgguf.loadModel(url);
    const heard = [];
    model.on('devicelost', ({ message }) => heard.push(message));
    const lost = new Promise((resolve) => model.on('devicelost', resolve));
    const options = { temperature: 0, ignoreEnd: true };
    let tokens = 0;
    let code;
    try {
      if (at < 0) await Promise.all([fault(), lost]);
      for await (const _ of model.generate(prompt, { ...options, maxTokens: n, onToken: () => tokens++ })) {
        if (at >= 0 && tokens >= at && !heard.length) await Promise.all([fault(), lost]);
      }
    } catch (e) {
      code = e.code;
    }
    await model.recover();
    const kept = at < 0 ? prompt : model.history;
    const left = n - (kept.length - prompt.length);
    if (left > 0) for await (const _ of model.generate(kept, { ...options, maxTokens: left }));
    const ids = Array.from(model.history.slice(prompt.length));
    model.destroy();
    return { code, heard, ids };
  }, [MODEL, PROMPT, N, at]);
}

function check(result) {
  counts.tried++;
  assert.equal(result.code, 'DEVICE_LOST');
  assert.equal(result.heard.length, 1, 'the loss is told, once');
  assert.deepEqual(result.ids, WANT, 'the text goes on as if nothing had happened');
  counts.survived++;
}

const destroyDevice = (page) => () => page.evaluate(() => devices.at(-1).destroy());

describe('a lost device', () => {
  for (const [name, at] of [['while idle', -1], ['behind the prefill', 0], ['in decode', 12]]) {
    chromiumTest(`the GPU process ends ${name}`, TIMEOUT, async () => {
      const page = await newPage();
      check(await interrupted(page, at, crash));
      await page.close();
    });
  }

  test('device.destroy() in decode', TIMEOUT, async () => {
    const page = await newPage();
    check(await interrupted(page, 12, destroyDevice(page)));
    await page.close();
  });

  chromiumTest('twice in a row', TIMEOUT, async () => {
    const page = await newPage();
    check(await interrupted(page, 5, crash));
    await page.close();
    const again = await newPage();
    check(await interrupted(again, 10, crash));
    await again.close();
  });

  chromiumTest('while loading: the load fails, the next one works', TIMEOUT, async () => {
    const page = await newPage();
    await page.exposeFunction('fault', crash);
    counts.tried++;
    const result = await page.evaluate(async ([url, prompt, maxTokens]) => {
      let done;
      const onProgress = ({ phase }) => (phase === 'weights' ? (done ??= fault()) : undefined);
      const said = await webgguf.loadModel(url, { onProgress, cache: false }).then((m) => m.destroy(), (e) => [e.code, e.message]);
      await done;
      for (let i = 0; ; i++) {
        try {
          const model = await webgguf.loadModel(url);
          const { ids } = await collect(model, prompt, { maxTokens, temperature: 0, ignoreEnd: true });
          model.destroy();
          return { code: said?.[0], said, ids };
        } catch (e) {
          if (i === 20) throw e;
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      }
    }, [MODEL, PROMPT, N]);
    // A small model may be there before the process ends.
    assert.ok([undefined, 'DEVICE_LOST', 'NO_WEBGPU'].includes(result.code), `${result.said}`);
    assert.deepEqual(result.ids, WANT);
    counts.survived++;
    await page.close();
  });

  chromiumTest('in a worker', TIMEOUT, async () => {
    const page = await newPage();
    await page.exposeFunction('fault', crash);
    counts.tried++;
    const result = await page.evaluate(async ([url, prompt, n]) => {
      const model = await webgguf.loadModel(url, { worker: true });
      const lost = new Promise((resolve) => model.on('devicelost', resolve));
      await Promise.all([fault(), lost]);
      const code = await model.generate(prompt, { maxTokens: 1 }).next().then(() => 'none', (e) => e.code);
      await model.recover();
      const { ids } = await collect(model, prompt, { maxTokens: n, temperature: 0, ignoreEnd: true });
      model.destroy();
      return { code, ids };
    }, [MODEL, PROMPT, N]);
    assert.equal(result.code, 'DEVICE_LOST');
    assert.deepEqual(result.ids, WANT);
    counts.survived++;
    await page.close();
  });

  test('a model destroyed on purpose stays destroyed, and says nothing', TIMEOUT, async () => {
    const page = await newPage();
    const result = await page.evaluate(async (url) => {
      const model = await webgguf.loadModel(url);
      let heard = 0;
      model.on('devicelost', () => heard++);
      model.destroy();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const code = await model.recover().then(() => 'recovered', (e) => e.code);
      return { heard, code };
    }, MODEL);
    assert.deepEqual(result, { heard: 0, code: 'INVALID_STATE' });
    await page.close();
  });
});
