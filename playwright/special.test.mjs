// Control tokens: in the text where they are asked for, and not read from a prompt that is only text.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const PROMPT = 'It was already late when Prince Andrew';
const OPTIONS = { temperature: 0, maxTokens: 8, ignoreEnd: true };
const CONTROL = 3;

/** A model file in which a token is a control token. */
function withControl(bytes, id) {
  const key = 'tokenizer.ggml.token_type';
  const at = bytes.indexOf(key) + key.length + 4 + 4 + 8; // the value's type, the items', their count
  const copy = Buffer.from(bytes);
  copy.writeInt32LE(CONTROL, at + id * 4);
  return copy;
}

let site;
let page;
/** A token that the model says, and how it is spelt once it is a control token. */
let id;
let word;
before(async () => {
  site = await open();
  page = await site.page();
  const said = await page.evaluate(async ([prompt, options]) => {
    const model = await webgguf.loadModel('/models/embedded.gguf');
    const { ids } = await collect(model, prompt, options);
    const words = ids.map((id) => model.detokenize([...model.tokenize('a'), id]).slice(1));
    model.destroy();
    return { ids, words };
  }, [PROMPT, OPTIONS]);
  const i = said.ids.findIndex((id, i) => said.words[i].trim().length > 1 && said.ids.indexOf(id) === said.ids.lastIndexOf(id));
  id = said.ids[i];
  writeFileSync(join(site.temp, 'control.gguf'), withControl(readFileSync(join(ROOT, 'www/models/embedded.gguf')), id));
  word = await page.evaluate(async (id) => {
    globalThis.models = [];
    for (const worker of [false, true]) models.push(await webgguf.loadModel('/temp/control.gguf', { cache: false, worker }));
    return models[0].detokenize([id], { showSpecial: true });
  }, id);
});
after(() => site?.close());

test('showSpecial writes the control tokens that the model says', TIMEOUT, async () => {
  // The prompt's ids, in which no control token is spelt.
  const found = await page.evaluate(async ([prompt, options]) => {
    const all = [];
    for (const model of models) {
      const ids = await model.tokenize(prompt, { addSpecial: true, parseSpecial: false });
      const hidden = await collect(model, ids, options);
      const shown = await collect(model, ids, { ...options, showSpecial: true });
      const stopped = await collect(model, ids, { ...options, showSpecial: true, stop: shown.text.slice(-4) });
      all.push([hidden, shown, stopped].map(({ text, ids }) => ({ text, ids })));
    }
    return all;
  }, [PROMPT, OPTIONS]);
  assert.deepEqual(found[1], found[0], 'in the page as in a worker');
  const [hidden, shown, stopped] = found[0];
  assert.deepEqual(shown.ids, hidden.ids);
  assert.ok(hidden.ids.includes(id));
  const at = shown.text.indexOf(word);
  assert.ok(at >= 0, `'${shown.text}' has '${word}'`);
  assert.equal(shown.text.replace(word, ''), hidden.text);
  assert.equal(stopped.text, shown.text.slice(0, shown.text.indexOf(shown.text.slice(-4))));
});

test('chat.send takes showSpecial, too', TIMEOUT, async () => {
  const found = await page.evaluate(async ([prompt, options]) => {
    const all = [];
    for (const model of models) {
      for (const showSpecial of [false, true]) {
        const chat = model.chat({ template: '{{ messages[0].content }}' });
        let text = '';
        for await (const piece of chat.send(prompt, { ...options, showSpecial })) text += piece;
        all.push([text, chat.messages.at(-1).content]);
      }
    }
    return all;
  }, [PROMPT, OPTIONS]);
  for (const [text, content] of found) assert.equal(content, text);
  assert.deepEqual(found.slice(2), found.slice(0, 2));
  assert.ok(found[1][0].length > found[0][0].length, `${found[1][0]} | ${found[0][0]}`);
});

test('an end token ends the text and is not shown', TIMEOUT, async () => {
  const found = await page.evaluate(async () => {
    const [model] = models;
    const tokenizer = await webgguf.loadTokenizer('/temp/control.gguf', { cache: false });
    const names = tokenizer.info.endTokens.map((id) => tokenizer.detokenize([id], { showSpecial: true }));
    const options = { temperature: 3, topK: 0, topP: 1, minP: 0, maxTokens: 100, showSpecial: true };
    const texts = [];
    for (let seed = 0; seed < 3; seed++) texts.push((await collect(model, 'He', { ...options, seed })).text);
    return { names, texts };
  });
  for (const text of found.texts) assert.ok(!found.names.some((name) => name && text.includes(name)), text);
});

test('parseSpecial false reads no control token from a prompt', TIMEOUT, async () => {
  const found = await page.evaluate(async (word) => {
    const all = [];
    for (const model of models) {
      const text = `He said${word} to her`;
      for (const parseSpecial of [undefined, true, false]) {
        await collect(model, text, { maxTokens: 1, parseSpecial });
        all.push([...model.history].slice(0, model.stats.promptTokens));
      }
      all.push([...(await model.tokenize(text, { addSpecial: true, parseSpecial: false }))]);
    }
    return all;
  }, word);
  const [byDefault, parsed, plain, want] = found;
  assert.deepEqual(found.slice(4), found.slice(0, 4), 'in the page as in a worker');
  assert.deepEqual(byDefault, parsed);
  assert.ok(parsed.includes(id) && !plain.includes(id));
  assert.deepEqual(plain, want);
});
