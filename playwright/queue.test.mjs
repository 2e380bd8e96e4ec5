// Calls of a model wait for their turn, here and in a worker; what is thrown in callbacks reaches the caller.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const MODEL = '/models/gpt2-tiny.gguf';

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await page.evaluate(async (url) => {
    globalThis.models = {
      here: await webgguf.loadModel(url, { contextLength: 128 }),
      there: await webgguf.loadModel(url, { contextLength: 128, worker: true }),
    };
    globalThis.greedy = { temperature: 0, ignoreEnd: true };
  }, MODEL);
});
after(() => site?.close());

for (const where of ['here', 'there']) {
  test(`${where}: calls run one after the other, in order, and know their place`, TIMEOUT, async () => {
    const result = await page.evaluate(async (where) => {
      const model = models[where];
      const alone = [];
      for (const prompt of ['Prince', 'Natasha', 'Moscow']) alone.push((await collect(model, prompt, { ...greedy, maxTokens: 5 })).text);
      const ended = [];
      const places = [[], [], [], []];
      const call = async (i, run) => {
        const value = await run((n) => places[i].push(n));
        ended.push(i);
        return value;
      };
      const text = (prompt) => async (onQueue) => (await collect(model, prompt, { ...greedy, maxTokens: 5, onQueue })).text;
      const all = [
        call(0, text('Prince')),
        call(1, text('Natasha')),
        call(2, async (onQueue) => (await model.captureActivations([1], { onQueue })).length),
        call(3, text('Moscow')),
      ];
      const pending = model.pending;
      const values = await Promise.all(all);
      return { alone, values, ended, places, pending, after: model.pending };
    }, where);
    assert.deepEqual(result.values, [result.alone[0], result.alone[1], 1, result.alone[2]]);
    assert.deepEqual(result.ended, [0, 1, 2, 3]);
    assert.deepEqual(result.places, [[0], [1, 0], [2, 1, 0], [3, 2, 1, 0]]);
    assert.equal(result.pending, 4);
    assert.equal(result.after, 0);
  });

  test(`${where}: two sends of one chat are two turns`, TIMEOUT, async () => {
    const messages = await page.evaluate(async (where) => {
      const chat = models[where].chat({ template: '{{ messages[-1].content }}', ...greedy, maxTokens: 2 });
      const say = async (text) => {
        for await (const _ of chat.send(text));
      };
      await Promise.all([say('Prince'), say('Natasha')]);
      return chat.messages.map((m) => [m.role, m.role === 'user' ? m.content : m.content.length > 0]);
    }, where);
    assert.deepEqual(messages, [['user', 'Prince'], ['assistant', true], ['user', 'Natasha'], ['assistant', true]]);
  });

  test(`${where}: who waits can leave, and the others go on`, TIMEOUT, async () => {
    const result = await page.evaluate(async (where) => {
      const model = models[where];
      const controller = new AbortController();
      const first = collect(model, 'Prince', { ...greedy, maxTokens: 20 });
      const second = failureOf(collect(model, 'Natasha', { ...greedy, signal: controller.signal }));
      const third = collect(model, 'Moscow', { ...greedy, maxTokens: 2 });
      controller.abort(new Error('enough'));
      const { code, name } = await second;
      return { code, name, waiting: model.pending, n: [(await first).ids.length, (await third).ids.length] };
    }, where);
    assert.deepEqual(result, { code: 'ABORTED', name: 'AbortError', waiting: 2, n: [20, 2] });
  });

  test(`${where}: a call in the middle of another one's loop is an error, not a standstill`, TIMEOUT, async () => {
    const result = await page.evaluate(async (where) => {
      const model = models[where];
      let inner;
      let n = 0;
      for await (const _ of model.generate('Prince', { ...greedy, maxTokens: 4 })) {
        inner ??= await failureOf(collect(model, 'Natasha', greedy));
        n++;
      }
      return { code: inner?.code, message: inner?.message, n, after: (await collect(model, 'Moscow', { ...greedy, maxTokens: 2 })).ids.length };
    }, where);
    assert.equal(result.code, 'INVALID_STATE');
    assert.match(result.message, /leave its loop/);
    assert.ok(result.n > 1 && result.after === 2);
  });

  test(`${where}: figures of an aborted call are its own`, TIMEOUT, async () => {
    const stats = await page.evaluate(async (where) => {
      const model = models[where];
      await collect(model, 'Prince Andrew said that he would come', { ...greedy, maxTokens: 30 });
      const controller = new AbortController();
      let n = 0;
      await failureOf((async () => {
        for await (const _ of model.generate([5, 6], { ...greedy, maxTokens: 100, signal: controller.signal })) if (++n === 3) controller.abort();
      })());
      return model.stats;
    }, where);
    assert.equal(stats.promptTokens, 2);
    assert.equal(stats.finishReason, null);
    assert.ok(stats.generatedTokens >= 3 && stats.generatedTokens < 30, JSON.stringify(stats));
  });

  test(`${where}: what callbacks throw comes to the caller as it is`, TIMEOUT, async () => {
    const result = await page.evaluate(async ([where, url]) => {
      const model = models[where];
      const mine = new TypeError('mine');
      const fail = () => {
        throw mine;
      };
      const thrown = async (promise) => promise.then(() => 'nothing', (e) => e === mine);
      const load = (when) => ({ worker: where === 'there', contextLength: 64, onProgress: (p) => p.phase === when && fail() });
      const chat = model.chat({ template: '{{ messages[-1].content }}', onToken: fail });
      const found = {
        onToken: await thrown(model.generate('Prince', { maxTokens: 3, onToken: fail }).next()),
        onQueue: await thrown(collect(model, 'Prince', { maxTokens: 3, onQueue: fail })),
        capture: await thrown(model.captureActivations([1], { onQueue: fail })),
        send: await thrown(chat.send('Prince').next()),
      };
      for (const phase of ['header', 'weights', 'compile', 'ready']) found[phase] = await thrown(webgguf.loadModel(url, load(phase)));
      found.after = (await collect(model, 'Prince', { ...greedy, maxTokens: 2 })).ids.length === 2;
      return found;
    }, [where, MODEL]);
    assert.deepEqual(Object.entries(result).filter(([, own]) => own !== true), []);
  });

  test(`${where}: calls made during a recovery wait for it`, TIMEOUT, async () => {
    const result = await page.evaluate(async (where) => {
      const model = models[where];
      const { ids: want } = await collect(model, 'Prince', { ...greedy, maxTokens: 3 });
      const recovered = Promise.all([model.recover(), model.recover()]);
      const loaded = model.isLoaded;
      const { ids } = await collect(model, 'Prince', { ...greedy, maxTokens: 3 });
      await recovered;
      return { same: ids.join() === want.join(), loaded, now: model.isLoaded };
    }, where);
    assert.deepEqual(result, { same: true, loaded: false, now: true });
  });

  test(`${where}: tokens of texts and conversations are counted`, TIMEOUT, async () => {
    const result = await page.evaluate(async (where) => {
      const model = models[where];
      const template = '{{ messages[0].content }}';
      return {
        text: [await model.count('Prince Andrew'), (await model.tokenize('Prince Andrew')).length],
        messages: [
          await model.count([{ role: 'user', content: 'Prince' }], { template }),
          (await model.tokenizeChat([{ role: 'user', content: 'Prince' }], { template })).length,
        ],
      };
    }, where);
    for (const [found, want] of Object.values(result)) assert.ok(found === want && found > 0);
  });
}

test('unload ends a model, and it says so', TIMEOUT, async () => {
  const result = await page.evaluate(async () => {
    const result = {};
    for (const [where, model] of Object.entries(models)) {
      const before = model.isLoaded;
      model.unload();
      result[where] = [before, model.isLoaded, (await failureOf(collect(model, 'a'))).code];
    }
    return result;
  });
  assert.deepEqual(result, { here: [true, false, 'INVALID_STATE'], there: [true, false, 'INVALID_STATE'] });
});

test('nothing was written to the console as an error', () => {
  assert.deepEqual(page.errors, []);
});
