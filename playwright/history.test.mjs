// `generate(model.history)` goes on as if the text had never stopped.
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
  await page.evaluate(async () => {
    globalThis.model = await webgguf.loadModel('/models/embedded.gguf');
    globalThis.remote = await webgguf.loadModel('/models/embedded.gguf', { worker: true });
    /** What comes until `n` tokens are there, and what comes behind that when it goes on. */
    globalThis.inTwo = async (model, prompt, n, { byAbort, ...options }, later = options) => {
      const controller = new AbortController();
      let [first, second, seen] = ['', '', 0];
      const onToken = () => ++seen === n && byAbort && controller.abort();
      const limit = byAbort ? {} : { maxTokens: n };
      try {
        for await (const text of model.generate(prompt, { ...options, ...limit, onToken, signal: controller.signal })) first += text;
      } catch (e) {
        if (e.code !== 'ABORTED') throw e;
      }
      const left = options.maxTokens - (model.history.length - (await model.tokenize(prompt, { addSpecial: true })).length);
      for await (const text of model.generate(model.history, { ...later, maxTokens: left })) second += text;
      return { first, second, reason: model.stats.finishReason };
    };
  });
});
after(() => site?.close());

for (const where of ['model', 'remote']) {
  test(`a stop string that begins in one text and ends in the next stops: ${where}`, TIMEOUT, async () => {
    const options = { maxTokens: 12, temperature: 0 };
    const { text, pieces } = await page.evaluate(([w, p, o]) => collect(globalThis[w], p, o), [where, PROMPT, options]);
    // From within the third piece to within the sixth.
    const ends = pieces.map((_, i) => pieces.slice(0, i + 1).join('').length);
    const stop = text.slice(ends[2] - 1, ends[4] + 1);
    const at = text.indexOf(stop);
    for (const byAbort of [true, false]) {
      // A worker reports tokens with the text that they complete: then it is too late to abort within the stop string.
      for (const n of byAbort && where === 'remote' ? [2, 3] : [2, 3, 4, 5]) {
        const all = [where, PROMPT, n, { ...options, stop, byAbort }];
        const { first, second, reason } = await page.evaluate(([w, ...rest]) => inTwo(globalThis[w], ...rest), all);
        assert.equal(reason, 'stop', `${n} tokens`);
        // What ended a text is out; what an abort held back is not.
        assert.ok(first === text.slice(0, byAbort ? Math.min(at, ends[n - 1]) : ends[n - 1]), `${n} tokens: '${first}'`);
        assert.equal(second, text.slice(first.length, Math.max(at, first.length)), `${n} tokens`);
      }
    }
  });
}

test('what was held back comes when it turns out to be no stop string, or none is asked for', TIMEOUT, async () => {
  const options = { maxTokens: 10, temperature: 0 };
  const { text, pieces } = await page.evaluate(([p, o]) => collect(model, p, o), [PROMPT, options]);
  const stop = `${pieces[2]}${pieces[3]}never`;
  for (const byAbort of [true, false]) {
    for (const later of [{ ...options, stop }, options]) {
      for (const n of [3, 4]) {
        const all = [PROMPT, n, { ...options, stop, byAbort }, later];
        const { first, second } = await page.evaluate((all) => inTwo(model, ...all), all);
        assert.equal(first + second, text, `${n} tokens`);
      }
    }
  }
});

test('a stop string that ended a text does not end the next one by itself', TIMEOUT, async () => {
  const { first, second, whole } = await page.evaluate(async (prompt) => {
    const options = { temperature: 0, ignoreEnd: true };
    const { text: whole } = await collect(model, prompt, { ...options, maxTokens: 12 });
    const stop = whole.slice(10, 14);
    const { text: first, ids } = await collect(model, prompt, { ...options, maxTokens: 12, stop });
    const { text: second } = await collect(model, model.history, { ...options, maxTokens: 12 - ids.length, stop });
    return { first, second, whole };
  }, PROMPT);
  assert.ok(second.length > 0);
  assert.ok(whole.startsWith(first) && whole.endsWith(second.slice(-4)));
});

test('a prompt does not lend its end to a stop string', TIMEOUT, async () => {
  const { ids, text } = await page.evaluate(async (prompt) => {
    const { text } = await collect(model, prompt, { temperature: 0, maxTokens: 4 });
    const stop = prompt.at(-1) + text[0];
    const again = await collect(model, model.tokenize(prompt, { addSpecial: true }), { temperature: 0, maxTokens: 4, stop });
    return { ids: again.ids.length, text: again.text === text };
  }, PROMPT);
  assert.deepEqual([ids, text], [4, true]);
});

test('a text goes on inside a character', TIMEOUT, async () => {
  const wrong = await page.evaluate(async () => {
    const wrong = [];
    for (const text of ['a 👩', 'a 戦', 'a é']) {
      const ids = [...model.tokenize(text, { addSpecial: true })];
      // Its last bytes are tokens of their own; any of them may be the one that is to come.
      for (let n = ids.length - 1; model.detokenize(ids.slice(0, n)).endsWith('\uFFFD'); n--) {
        const prompt = ids.slice(0, n);
        const known = model.detokenize(prompt).replace(/\uFFFD+$/, '');
        const { ids: more, text: after } = await collect(model, prompt, { temperature: 0, maxTokens: 4, ignoreEnd: true });
        const want = model.detokenize([...prompt, ...more]);
        if (known + after !== want) wrong.push({ prompt, after, want });
      }
    }
    return wrong;
  });
  assert.deepEqual(wrong, []);
});

test('nothing was written to the console as an error', () => assert.deepEqual(page.errors, []));
