// Whatever goes wrong has a code, whoever's fault it is; and what is not webgguf's own stays what it is.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const MODEL = '/models/gpt2-tiny.gguf';
const FILE = join(ROOT, 'tests/fixtures/models/gpt2-tiny.gguf');

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await page.evaluate(async (url) => {
    globalThis.model = await webgguf.loadModel(url, { contextLength: 64 });
    globalThis.remote = await webgguf.loadModel(url, { contextLength: 64, worker: true });
  }, MODEL);
});
after(() => site?.close());

const CODES = new Set(readFileSync(join(ROOT, 'pkg-templates/index.d.ts'), 'utf8').match(/(?<=^ {2}\| ')[A-Z_]+/gm));

test('arguments of any kind are refused with a code', TIMEOUT, async () => {
  const found = await page.evaluate(async () => {
    const strange = { null: null, number: 7, string: 'x', symbol: Symbol('s'), bare: Object.create(null), big: 10n, call: () => 1, loop: {} };
    strange.loop.loop = strange.loop;
    strange.poisoned = { signal: { aborted: 1 } };
    strange.notCalled = { onToken: 5, onProgress: 5, onDrop: 5 };
    const first = async (stream) => {
      await stream.next();
      await stream.return();
    };
    const calls = {
      source: (v) => webgguf.loadModel(v === 'x' ? undefined : v, {}),
      loadOptions: (v) => webgguf.loadModel('/models/gpt2-tiny.gguf', v),
      canRunOptions: (v) => webgguf.canRun('/models/gpt2-tiny.gguf', v),
      tokenizerOptions: (v) => webgguf.loadTokenizer('/models/gpt2-tiny.gguf', v),
      retry: (v) => webgguf.loadTokenizer('/models/gpt2-tiny.gguf', { retry: { attempts: v } }),
      memoryBudget: (v) => webgguf.loadModel('/models/gpt2-tiny.gguf', { memoryBudget: v }),
      wasmUrl: (v) => webgguf.loadModel('/models/gpt2-tiny.gguf', { wasmUrl: v, worker: true }),
      removeCached: (v) => webgguf.removeCached(v),
    };
    for (const [where, model] of Object.entries({ here: globalThis.model, there: remote })) {
      Object.assign(calls, {
        [`${where}.prompt`]: (v) => first(model.generate(v === 'x' ? null : v)),
        [`${where}.options`]: (v) => first(model.generate('a', v)),
        [`${where}.temperature`]: (v) => first(model.generate('a', { temperature: v === 7 || v === null ? NaN : v })),
        [`${where}.stop`]: (v) => first(model.generate('a', { stop: v === 'x' || v === null ? 1 : v })),
        [`${where}.parseSpecial`]: (v) => first(model.generate('a', { parseSpecial: v })),
        [`${where}.showSpecial`]: (v) => first(model.generate('a', { showSpecial: v === null ? 1 : v })),
        [`${where}.tokenize`]: async (v) => await model.tokenize(v === 'x' ? 1 : v),
        [`${where}.tokenizeOptions`]: async (v) => await model.tokenize('a', v),
        [`${where}.detokenize`]: async (v) => await model.detokenize(v),
        [`${where}.formatChat`]: async (v) => await model.formatChat(v),
        [`${where}.chat`]: async (v) => model.chat(v),
        [`${where}.send`]: (v) => first(model.chat().send('a', v)),
        [`${where}.on`]: async (v) => model.on(v, () => {}),
        [`${where}.capture`]: (v) => model.captureActivations(v),
        [`${where}.recover`]: (v) => (v && typeof v === 'object' && !v.signal && !v.onProgress ? null : model.recover(v)),
      });
    }
    const found = [];
    for (const [name, call] of Object.entries(calls)) {
      for (const [kind, value] of Object.entries(strange)) {
        let error;
        try {
          await call(value);
        } catch (e) {
          error = e;
        }
        if (error) found.push([`${name} ${kind}`, error.code, webgguf.isWebggufError(error), String(error.message)]);
      }
    }
    return found;
  });
  assert.ok(found.length > 100, `${found.length} failures`);
  for (const [what, code, own, message] of found) {
    assert.ok(CODES.has(code) && own, `${what}: ${code} ${message}`);
    assert.notEqual(code, 'INTERNAL', `${what}: ${message}`);
  }
});

test('a wrong option is named, with what it is and what is allowed', TIMEOUT, async () => {
  const wrong = {
    maxTokens: [0, 1.5, -1, '9', 2 ** 32],
    temperature: [-1e-9, 100.5, NaN, Infinity, 'hot'],
    topK: [-1, 0.5, 2 ** 33, NaN],
    topP: [0, -0.1, 1.0001, NaN],
    minP: [-0.01, 1.01, NaN],
    repeatPenalty: [0, -1, Infinity, -Infinity, 1e-60],
    seed: [-1, 0.1, 2 ** 32],
    ignoreEnd: [1, 'yes'],
    showSpecial: [1, 'yes'],
    parseSpecial: [1, 'yes'],
    contextLength: [-1, 1.5, 'long'],
    kvCache: [1, 'f8'],
    profile: [1, 'fast'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const failed = await page.evaluate(async ([name, value, isLoad]) => {
        const options = { [name]: value };
        return failureOf(isLoad ? webgguf.canRun('/models/gpt2-tiny.gguf', options) : collect(model, 'a', options));
      }, [name, value, ['contextLength', 'kvCache', 'profile'].includes(name)]);
      const { code, message } = failed ?? {};
      assert.equal(code, 'INVALID_ARGUMENT', `${name}: ${value}`);
      assert.ok(message.includes(value === 'f8' || value === 'fast' ? value : name) && /allowed|or/.test(message), message);
    }
  }
});

test('extreme options that are allowed give text', TIMEOUT, async () => {
  const greedy = await page.evaluate(() => collect(model, 'Prince', { temperature: 0, maxTokens: 4, ignoreEnd: true }));
  for (const options of [{ temperature: 1e-30 }, { temperature: 1e-8 }, { temperature: 1e-44 }, { topK: 1 }, { topP: 1e-30 }, { minP: 1 }]) {
    const { ids } = await page.evaluate((o) => collect(model, 'Prince', { maxTokens: 4, ignoreEnd: true, ...o }), options);
    assert.deepEqual(ids, greedy.ids, JSON.stringify(options));
  }
  const all = { topK: 4294967295, topP: 1, minP: 0, temperature: 100 };
  for (const options of [all, { ...all, topK: 0 }, { repeatPenalty: 3e38 }, { repeatPenalty: 1e-38 }]) {
    const { ids } = await page.evaluate((o) => collect(model, 'Prince', { maxTokens: 4, ignoreEnd: true, ...o }), options);
    assert.equal(ids.length, 4, JSON.stringify(options));
  }
});

test('a model that computes no numbers is NOT_FINITE, not text', TIMEOUT, async () => {
  const sound = readFileSync(FILE);
  for (const [name, pattern] of Object.entries({ nan: [0xff, 0xff], infinite: [0x80, 0x7f] })) {
    const bytes = Buffer.from(sound);
    for (let at = bytes.length - 8192; at < bytes.length; at++) bytes[at] = pattern[at % 2];
    writeFileSync(join(site.temp, `${name}.gguf`), bytes);
    const failed = await page.evaluate(async (url) => {
      const all = [];
      for (const worker of [false, true]) {
        const broken = await webgguf.loadModel(url, { contextLength: 64, cache: false, worker });
        for (const options of [{ temperature: 0 }, {}, { topK: 0, repeatPenalty: 1.1 }]) {
          const pieces = [];
          const failed = await failureOf((async () => {
            for await (const text of broken.generate('Prince', options)) pieces.push(text);
          })());
          all.push([failed?.code, pieces.length, failed?.message]);
        }
        broken.destroy();
      }
      return all;
    }, `/temp/${name}.gguf`);
    for (const [code, n, message] of failed) {
      assert.deepEqual([code, n], ['NOT_FINITE', 0], name);
      assert.match(message, /NaN/);
    }
  }
});

test("what the caller's own callbacks throw stays theirs", TIMEOUT, async () => {
  const found = await page.evaluate(async () => {
    const mine = new TypeError('mine');
    const fail = () => {
      throw mine;
    };
    const caught = async (promise) => promise.then(() => 'nothing', (e) => (e === mine ? 'mine' : `${e.code} ${e.message}`));
    const all = [];
    for (const m of [model, remote]) {
      all.push(await caught(m.generate('Prince', { onToken: fail }).next()));
      all.push(await caught(m.generate({ [Symbol.iterator]: fail }).next()));
      all.push((await collect(m, 'Prince', { maxTokens: 2, ignoreEnd: true })).ids.length);
    }
    all.push(webgguf.isWebggufError(mine), webgguf.isWebggufError(null), webgguf.isWebggufError(new DOMException('a', 'AbortError')));
    return all;
  });
  assert.deepEqual(found, ['mine', 'mine', 2, 'mine', 'mine', 2, false, false, false]);
});

test('a wasm that fails says so, then and later, on every call', TIMEOUT, async () => {
  const other = await site.page();
  const found = await other.evaluate(async (url) => {
    const { TextEngine, TextStream } = await import('/pkg/webgguf.js');
    const model = await webgguf.loadModel(url, { contextLength: 64 });
    const tokenizer = await webgguf.loadTokenizer(url);
    const trap = () => {
      throw new WebAssembly.RuntimeError('unreachable');
    };
    const failed = async (call) => failureOf((async () => call())());
    TextEngine.prototype.tokenize = trap;
    // A call whose promise the wasm will settle no more.
    TextStream.prototype.next = () => new Promise(() => {});
    const waiting = failed(() => model.generate('Prince').next());
    await new Promise((later) => setTimeout(later, 100));
    return {
      trapped: await failed(() => model.tokenize('a')),
      waiting: await waiting,
      later: await failed(() => model.detokenize([1])),
      generate: await failed(() => model.generate('a').next()),
      other: await failed(() => tokenizer.detokenize([1])),
      load: await failed(() => webgguf.loadModel(url)),
    };
  }, MODEL);
  for (const [name, failed] of Object.entries(found)) {
    assert.equal(failed?.code, 'INTERNAL', name);
    assert.match(failed.message, /unreachable/, name);
    assert.match(failed.message, /again/, name);
  }
  await other.close();
});
