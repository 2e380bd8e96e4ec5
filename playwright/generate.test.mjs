// The promises of `generate` and of the model's other calls, on the embedded model.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { open } from './lib/harness.mjs';

const PROMPT = 'It was already late when Prince Andrew';
const TIMEOUT = { timeout: 120_000 };

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await page.evaluate(async () => (globalThis.model = await webgguf.loadModel('/models/embedded.gguf')));
});
after(() => site.close());

/** What `collect` finds, in the page. */
const run = (prompt, options) =>
  page.evaluate(([prompt, options]) => collect(model, prompt, options), [prompt, options]);

/** What a generation fails with. */
const failure = (prompt, options) =>
  page.evaluate(([prompt, options]) => failureOf(collect(model, prompt, options)), [prompt, options]);

/** The model runs another call to its end. */
async function assertUsable() {
  assert.equal((await run(PROMPT, { maxTokens: 2 })).ids.length, 2);
}

test('pieces come one by one and make up the text of the ids', TIMEOUT, async () => {
  const { ids, pieces, text, stats } = await run(PROMPT, { maxTokens: 16, seed: 1 });
  assert.ok(pieces.length > 8, `${pieces.length} pieces`);
  assert.ok(pieces.every((p) => p !== ''), 'no piece is empty');
  const prompt = await page.evaluate((p) => [...model.tokenize(p, { addSpecial: true })], PROMPT);
  const whole = await page.evaluate((all) => model.detokenize(all), [...prompt, ...ids]);
  assert.equal(PROMPT + text, whole);
  assert.equal(stats.promptTokens, prompt.length);
  assert.equal(stats.generatedTokens, ids.length);
});

test('smaller caches take less memory and write the same', TIMEOUT, async () => {
  const options = { maxTokens: 12, temperature: 0 };
  const want = await run(PROMPT, options);
  const caches = await page.evaluate(async ([prompt, options]) => {
    const results = [];
    for (const kvCache of ['f32', 'f16', 'q8_0']) {
      const model = await webgguf.loadModel('/models/embedded.gguf', { kvCache });
      results.push({ kvCache, memory: model.info.memory, ids: (await collect(model, prompt, options)).ids });
      model.destroy();
    }
    return results;
  }, [PROMPT, options]);
  const bytes = caches.map(({ memory }) => memory.kvCache / caches[0].memory.kvCache);
  assert.deepEqual(bytes, [1, 1 / 2, 9 / 32]);
  for (const { kvCache, memory, ids } of caches) {
    assert.equal(memory.kvCacheType, kvCache);
    assert.deepEqual(ids, want.ids, kvCache);
  }
});

test('a prompt of ids is the prompt of its text', TIMEOUT, async () => {
  const ids = await page.evaluate((p) => [...model.tokenize(p, { addSpecial: true })], PROMPT);
  const options = { maxTokens: 4, temperature: 0 };
  assert.deepEqual((await run(ids, options)).ids, (await run(PROMPT, options)).ids);
});

test('text of any script comes back from its ids', TIMEOUT, async () => {
  const texts = ['Prince Andrew', ' two  spaces\n\n\ttab', 'Наташа', '戦争と平和', '👩🏽‍🚀 e\u0301', ''];
  const back = await page.evaluate((texts) => texts.map((t) => model.detokenize(model.tokenize(t))), texts);
  assert.deepEqual(back, texts);
});

test('a piece never ends inside a character', TIMEOUT, async () => {
  // The model writes English; its bytes are made to speak by a high temperature.
  const { pieces, ids, text } = await run('Наташа', { maxTokens: 24, temperature: 50, topK: 0, topP: 1, minP: 0, seed: 3 });
  const prompt = await page.evaluate(() => [...model.tokenize('Наташа', { addSpecial: true })]);
  const whole = await page.evaluate((all) => model.detokenize(all), [...prompt, ...ids]);
  assert.equal(pieces.join(''), text);
  assert.equal(`Наташа${text}`, whole, 'in pieces as in one');
});

test('a seed gives the same text again, another seed another', TIMEOUT, async () => {
  const options = { maxTokens: 8, temperature: 1 };
  const first = await run(PROMPT, { ...options, seed: 7 });
  const again = await run(PROMPT, { ...options, seed: 7 });
  const other = await run(PROMPT, { ...options, seed: 8 });
  assert.deepEqual(again.ids, first.ids);
  assert.notDeepEqual(other.ids, first.ids);
  assert.equal(again.stats.reusedTokens, again.stats.promptTokens - 1, 'the prompt is in the cache');
});

test('without a seed, texts differ', TIMEOUT, async () => {
  const options = { maxTokens: 8, temperature: 1.5, topK: 0, topP: 1, minP: 0 };
  assert.notDeepEqual((await run(PROMPT, options)).ids, (await run(PROMPT, options)).ids);
});

test('topK 1 is greedy', TIMEOUT, async () => {
  const greedy = await run(PROMPT, { maxTokens: 6, temperature: 0 });
  const first = await run(PROMPT, { maxTokens: 6, temperature: 2, topK: 1 });
  assert.deepEqual(first.ids, greedy.ids);
});

test('the text ends before a stop string', TIMEOUT, async () => {
  const greedy = await run(PROMPT, { maxTokens: 12, temperature: 0 });
  const stop = greedy.text.slice(12, 18);
  const { text, stats } = await run(PROMPT, { maxTokens: 12, temperature: 0, stop });
  assert.equal(text, greedy.text.slice(0, greedy.text.indexOf(stop)));
  assert.equal(stats.finishReason, 'stop');
  const several = await run(PROMPT, { maxTokens: 12, temperature: 0, stop: ['never there', stop] });
  assert.equal(several.text, text);
});

test('maxTokens ends the text', TIMEOUT, async () => {
  for (const maxTokens of [1, 3]) {
    const { ids, stats } = await run(PROMPT, { maxTokens, ignoreEnd: true });
    assert.equal(ids.length, maxTokens);
    assert.equal(stats.finishReason, 'length');
  }
});

test('a full context ends the text, a fuller prompt is an error', TIMEOUT, async () => {
  const result = await page.evaluate(async () => {
    const small = await webgguf.loadModel('/models/embedded.gguf', { contextLength: 16 });
    const prompt = (n) => Array.from({ length: n }, (_, i) => 300 + i);
    const full = await collect(small, prompt(12), { temperature: 0, ignoreEnd: true });
    const over = await failureOf(collect(small, prompt(17)));
    small.destroy();
    return { full, over };
  });
  assert.equal(result.full.stats.finishReason, 'context');
  // The last token sampled is not run any more, so it needs no position.
  assert.equal(result.full.ids.length, 16 - 12 + 1);
  assert.equal(result.over.code, 'CONTEXT_OVERFLOW');
  assert.match(result.over.message, /17.*16/);
});

test('a signal ends a generation with ABORTED at once, and the model goes on', TIMEOUT, async () => {
  for (const afterPieces of [0, 3]) {
    const result = await page.evaluate(async ([prompt, afterPieces]) => {
      const controller = new AbortController();
      const pieces = [];
      if (afterPieces === 0) setTimeout(() => controller.abort());
      const failed = await failureOf((async () => {
        for await (const text of model.generate(prompt, { maxTokens: 400, signal: controller.signal })) {
          pieces.push(text);
          if (pieces.length === afterPieces) controller.abort();
        }
      })());
      return { failed, pieces };
    }, [PROMPT, afterPieces]);
    assert.equal(result.failed.code, 'ABORTED');
    assert.equal(result.failed.name, 'AbortError');
    assert.ok(result.pieces.length <= afterPieces + 1, `${result.pieces.length} pieces`);
    await assertUsable();
  }
});

test('a signal that has fired already ends a generation before it starts', TIMEOUT, async () => {
  const failed = await page.evaluate((prompt) =>
    failureOf(collect(model, prompt, { signal: AbortSignal.abort() })), PROMPT);
  assert.equal(failed.code, 'ABORTED');
});

test('leaving the loop frees the model', TIMEOUT, async () => {
  const pieces = await page.evaluate(async (prompt) => {
    let n = 0;
    for await (const _ of model.generate(prompt)) if (++n === 2) break;
    return n;
  }, PROMPT);
  assert.equal(pieces, 2);
  assert.equal((await page.evaluate(() => model.stats)).finishReason, null);
  await assertUsable();
});

test('what the caller throws in the loop frees the model', TIMEOUT, async () => {
  const failed = await page.evaluate((prompt) => failureOf((async () => {
    for await (const _ of model.generate(prompt)) throw new TypeError("the caller's own");
  })()), PROMPT);
  assert.equal(failed.name, 'TypeError');
  await assertUsable();
});

test('options that are unknown or out of range are named', TIMEOUT, async () => {
  const wrong = [
    [{ temprature: 1 }, /temprature/],
    [{ maxTokens: 0 }, /maxTokens/],
    [{ maxTokens: 1.5 }, /1\.5/],
    [{ maxTokens: -1 }, /-1/],
    [{ temperature: -0.1 }, /temperature/],
    [{ temperature: '1' }, /"1"/],
    [{ topP: 0 }, /topP/],
    [{ topP: 1.01 }, /topP/],
    [{ minP: 2 }, /minP/],
    [{ topK: -1 }, /-1/],
    [{ repeatPenalty: 0 }, /repeatPenalty/],
    [{ seed: 2 ** 32 }, /4294967296/],
    [{ stop: [1] }, /stop|string/],
  ];
  for (const [options, words] of wrong) {
    const failed = await failure(PROMPT, options);
    assert.equal(failed?.code, 'INVALID_ARGUMENT', JSON.stringify(options));
    assert.match(failed.message, words);
  }
  // JSON has neither, so they must not pass for "not given".
  const notFinite = await page.evaluate((prompt) => Promise.all([
    failureOf(collect(model, prompt, { temperature: NaN })),
    failureOf(collect(model, prompt, { repeatPenalty: Infinity })),
  ]), PROMPT);
  assert.deepEqual(notFinite.map((f) => f?.code), ['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
  await assertUsable();
});

test('prompts that are none are named', TIMEOUT, async () => {
  for (const prompt of [undefined, null, 7, [2048], [-1], [1.5], []]) {
    const failed = await failure(prompt, { maxTokens: 1 });
    assert.equal(failed?.code, 'INVALID_ARGUMENT', JSON.stringify(prompt));
  }
  await assertUsable();
});

test('a load can be aborted, and another one works', TIMEOUT, async () => {
  const result = await page.evaluate(async () => {
    const early = await failureOf(webgguf.loadModel('/models/embedded.gguf', { signal: AbortSignal.abort() }));
    const codes = [];
    for (const phase of ['header', 'weights']) {
      const controller = new AbortController();
      const onProgress = (p) => p.phase === phase && controller.abort();
      const url = '/fault/slow/models/embedded.gguf?ms=5';
      const failed = await failureOf(webgguf.loadModel(url, { signal: controller.signal, onProgress }));
      codes.push(`${failed?.name} ${failed?.code}`);
    }
    const other = await webgguf.loadModel('/models/gpt2-tiny.gguf');
    const { ids } = await collect(other, 'Prince', { maxTokens: 2 });
    other.destroy();
    return { early, codes, n: ids.length };
  });
  assert.equal(result.early.code, 'ABORTED');
  assert.deepEqual(result.codes, ['AbortError ABORTED', 'AbortError ABORTED']);
  assert.equal(result.n, 2);
});

test('sources: URL, Blob, File, ArrayBuffer, Uint8Array; others are named', TIMEOUT, async () => {
  const result = await page.evaluate(async () => {
    const bytes = await (await fetch('/models/gpt2-tiny.gguf')).arrayBuffer();
    const sources = {
      URL: new URL('/models/gpt2-tiny.gguf', location.href),
      Blob: new Blob([bytes]),
      File: new File([bytes], 'model.gguf'),
      ArrayBuffer: bytes,
      Uint8Array: new Uint8Array(bytes),
    };
    const ids = {};
    for (const [name, source] of Object.entries(sources)) {
      const m = await webgguf.loadModel(source);
      ids[name] = (await collect(m, 'Prince', { maxTokens: 4, temperature: 0 })).ids.join();
      m.destroy();
    }
    const wrong = [];
    for (const source of [undefined, null, 5, {}, 'http://', Promise.resolve()]) {
      wrong.push((await failureOf(webgguf.loadModel(source)))?.code);
    }
    return { ids, wrong };
  });
  assert.equal(new Set(Object.values(result.ids)).size, 1, JSON.stringify(result.ids));
  assert.ok(result.wrong.every((code) => code === 'INVALID_ARGUMENT'), String(result.wrong));
});

test('load options that are unknown or out of range are named', TIMEOUT, async () => {
  for (const options of [{ contextLenght: 64 }, { contextLength: 0 }, { contextLength: 513 }, { contextLength: 1.5 }, { kvCache: 'q4_0' }]) {
    const failed = await page.evaluate((o) => failureOf(webgguf.loadModel('/models/embedded.gguf', o)), options);
    assert.equal(failed?.code, 'INVALID_ARGUMENT', JSON.stringify(options));
  }
});

test('progress goes forward through its phases to its totals', TIMEOUT, async () => {
  const events = await page.evaluate(async () => {
    const events = [];
    (await webgguf.loadModel('/models/embedded.gguf', { onProgress: (p) => events.push(p) })).destroy();
    return events;
  });
  const phases = [...new Set(events.map((e) => e.phase))];
  assert.deepEqual(phases, ['header', 'weights', 'compile', 'ready']);
  for (const phase of phases) {
    const loaded = events.filter((e) => e.phase === phase).map((e) => e.loaded);
    assert.deepEqual(loaded, loaded.toSorted((a, b) => a - b));
  }
  const fractions = events.map((e) => e.fraction);
  assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
  assert.ok(events.every((e) => (e.fraction === 1) === (e.phase === 'ready') && e.fraction >= 0), String(fractions));
  const last = events.at(-1);
  assert.ok(last.total > 0 && last.loaded === last.total, JSON.stringify(last));
});

test('destroy ends a running call and later ones', TIMEOUT, async () => {
  const result = await page.evaluate(async (prompt) => {
    const doomed = await webgguf.loadModel('/models/gpt2-tiny.gguf');
    let queued;
    const running = await failureOf((async () => {
      let n = 0;
      for await (const _ of doomed.generate(prompt, { ignoreEnd: true })) {
        queued ??= failureOf(collect(doomed, prompt));
        if (++n === 2) doomed.destroy();
      }
    })());
    const later = await failureOf(collect(doomed, prompt));
    const capture = await failureOf(doomed.captureActivations([1]));
    doomed.destroy();
    return { running, queued: await queued, later, capture };
  }, PROMPT);
  assert.equal(result.running?.code, 'DEVICE_LOST');
  assert.match(result.running.message, /destroyed/);
  assert.equal(result.queued.code, 'INVALID_STATE');
  assert.equal(result.later.code, 'INVALID_STATE');
  assert.equal(result.capture.code, 'INVALID_STATE');
  await assertUsable();
});

test('nothing was written to the console as an error', () => {
  assert.deepEqual(page.errors, []);
});
