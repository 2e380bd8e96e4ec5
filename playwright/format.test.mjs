// Replies within a format, in the page and in a worker: a model that knows nothing of JSON writes JSON that a schema allows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { loadTwice, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const SCHEMA = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 8, pattern: '^[A-Za-zé]*$' },
    age: { type: 'integer', minimum: 0, maximum: 130 },
    mood: { enum: ['glad', 'sad', null] },
  },
  required: ['name', 'age', 'mood'],
  additionalProperties: false,
};
/** Each format, and whether a whole text is of it. */
const FORMATS = [
  [{ type: 'json_schema', schema: SCHEMA }, (text) => {
    const { name, age, mood, ...others } = JSON.parse(text);
    return /^[A-Za-zé]{1,8}$/.test(name) && Number.isInteger(age) && age >= 0 && age <= 130 && SCHEMA.properties.mood.enum.includes(mood) && !Object.keys(others).length;
  }],
  [{ type: 'regex', pattern: '(\\d{1,3}\\.){3}\\d{1,3}' }, (text) => /^(\d{1,3}\.){3}\d{1,3}$/.test(text)],
  [{ type: 'grammar', grammar: 'root ::= "[" [a-c]{2,4} "]"' }, (text) => /^\[[a-c]{2,4}\]$/.test(text)],
  [{ type: 'choice', choices: ['yes', 'no', 'perhaps – later'] }, (text) => ['yes', 'no', 'perhaps – later'].includes(text)],
];

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await loadTwice(page, '/models/embedded.gguf', { contextLength: 256 });
});
after(() => site.close());

for (const where of ['page', 'worker']) {
  test(`texts of each format, with the model in a ${where}`, TIMEOUT, async () => {
    const results = await page.evaluate(async ([where, formats]) => {
      const texts = [];
      for (const responseFormat of formats) {
        for (const [temperature, seed] of [[0, 0], [1.5, 1], [3, 2]]) {
          const { text, stats } = await collect(models[where], 'It was ', { responseFormat, temperature, seed, maxTokens: 120 });
          texts.push([responseFormat.type, text, stats.finishReason]);
        }
      }
      return texts;
    }, [where, FORMATS.map(([format]) => format)]);
    assert.equal(results.length, 12);
    for (const [type, text, reason] of results) {
      console.log(`${where}, ${type}: ${text}`);
      const is = FORMATS.find(([format]) => format.type === type)[1];
      assert.equal(reason, 'end', text);
      assert.ok(is(text), text);
    }
  });
}

test('JSON that is cut says so, and free text is as it was', TIMEOUT, async () => {
  const { before, cut, after } = await page.evaluate(async () => {
    const free = () => collect(models.page, 'It was ', { temperature: 0, maxTokens: 12 });
    const before = await free();
    const cut = await collect(models.page, 'It was ', { responseFormat: { type: 'json' }, temperature: 3, seed: 5, maxTokens: 2 });
    return { before, cut, after: await free() };
  });
  assert.equal(cut.stats.finishReason, 'length');
  assert.match(cut.text, /^\{/);
  assert.deepEqual(after.ids, before.ids);
});

test('what can not be enforced is named', TIMEOUT, async () => {
  const said = async (responseFormat) => {
    const failures = await page.evaluate(
      (responseFormat) => Promise.all(['page', 'worker'].map((where) => failureOf(models[where].generate('It was ', { responseFormat }).next()))),
      responseFormat,
    );
    for (const failed of failures) assert.equal(failed?.code, 'INVALID_ARGUMENT', JSON.stringify(responseFormat));
    assert.equal(failures[0].message, failures[1].message);
    return failures[0].message;
  };
  assert.match(await said({ type: 'json_schema', schema: { properties: { a: { uniqueItems: true } } } }), /uniqueItems.*\/properties\/a|\/properties\/a.*uniqueItems/s);
  assert.match(await said({ type: 'yaml' }), /yaml.*json_schema/);
  assert.match(await said({ type: 'regex', patern: 'a' }), /patern.*did you mean pattern/);
  assert.match(await said({ type: 'regex', pattern: '(' }), /pattern|\(/);
  assert.match(await said({ type: 'choice', choices: [] }), /choices/);
  assert.match(await said({ type: 'grammar', grammar: 'root ::= other' }), /other/);
});
