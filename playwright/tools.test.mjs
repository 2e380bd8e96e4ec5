// Tools and typed replies in browsers: chat.stream and chat.run, with the model in the page and in a worker. The embedded model
// knows nothing of tools, so calls are forced. reply.test.mjs has the parser and the templates.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { loadTwice, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const TEMPLATE = `{% for tool in tools or [] %}{{ tool.function.name }}
{% endfor %}{% for m in messages %}{{ m.role }}: {{ m.content }}{% for call in m.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}
{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}`;
/** The same for a model that reasons. */
const THINKING = TEMPLATE.replace('assistant: ', 'assistant: <think>');

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await loadTwice(page, '/models/embedded.gguf', { contextLength: 512 });
  await page.evaluate(() => {
    /** All parts, and what it failed with. */
    globalThis.partsOf = async (parts) => {
      const all = [];
      const failed = await failureOf((async () => {
        for await (const part of parts) all.push(part);
      })());
      return { all, failed };
    };
    globalThis.weather = {
      description: 'The weather of a place.',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string', minLength: 1, maxLength: 8, pattern: '^[a-z]*$' }, days: { type: 'integer', minimum: 1, maximum: 9 } },
        required: ['city', 'days'],
        additionalProperties: false,
      },
    };
  });
});
after(() => site.close());

for (const where of ['page', 'worker']) {
  test(`a run with a forced call, with the model in a ${where}`, TIMEOUT, async () => {
    const { all, failed, messages, heard, next } = await page.evaluate(async ([where, template]) => {
      const chat = models[where].chat({ template, temperature: 1, seed: 1, maxTokens: 100 });
      const heard = [];
      const execute = (args, { id, name }) => {
        heard.push([args, id, name]);
        return { degrees: 18 };
      };
      const { all, failed } = await partsOf(chat.run('How is the weather?', { tools: { weather: { ...weather, execute } }, toolChoice: 'required', maxTokens: 60 }));
      const messages = structuredClone(chat.messages);
      let next = '';
      const more = await failureOf((async () => {
        for await (const text of chat.send('And now?', { maxTokens: 4 })) next += text;
      })());
      return { all, failed, messages, heard, next: more ?? next };
    }, [where, TEMPLATE]);
    assert.equal(failed, null);
    const call = all.find(({ type }) => type === 'tool-call');
    assert.equal(call.name, 'weather');
    assert.match(call.arguments.city, /^[a-z]{1,8}$/);
    assert.ok(call.arguments.days >= 1 && call.arguments.days <= 9);
    assert.deepEqual(heard, [[call.arguments, call.id, 'weather']]);
    const result = all.find(({ type }) => type === 'tool-result');
    assert.deepEqual(result, { type: 'tool-result', id: call.id, name: 'weather', result: { degrees: 18 }, isError: false });
    assert.deepEqual(all.filter(({ type }) => type === 'finish'), [{ type: 'finish', finishReason: 'length' }]);
    assert.equal(all.at(-1).type, 'finish');
    const text = all.filter(({ type }) => type === 'text').map(({ delta }) => delta).join('');
    assert.deepEqual(messages, [
      { role: 'user', content: 'How is the weather?' },
      { role: 'assistant', content: '', tool_calls: [{ type: 'function', id: call.id, function: { name: 'weather', arguments: call.arguments } }] },
      { role: 'tool', name: 'weather', tool_call_id: call.id, content: '{"degrees":18}' },
      { role: 'assistant', content: text },
    ]);
    assert.equal(typeof next, 'string');
  });

  test(`one of several tools, a named one, and none, with the model in a ${where}`, TIMEOUT, async () => {
    const { one, named, none, unknown } = await page.evaluate(async ([where, template]) => {
      const tools = ['weather', 'time'].map((name) => ({ type: 'function', function: { ...weather, name } }));
      const say = (toolChoice) => partsOf(models[where].chat({ template, tools, maxTokens: 60, seed: 3 }).stream('Hi', { toolChoice }));
      return { one: await say('required'), named: await say({ name: 'time' }), none: await say('none'), unknown: await say({ name: 'tine' }) };
    }, [where, TEMPLATE]);
    for (const { all, failed } of [one, named]) {
      assert.equal(failed, null);
      assert.deepEqual(all.map(({ type }) => type), ['tool-call', 'finish']);
      assert.equal(all[1].finishReason, 'tool-calls');
      assert.match(all[0].arguments.city, /^[a-z]{1,8}$/);
    }
    assert.ok(['weather', 'time'].includes(one.all[0].name));
    assert.equal(named.all[0].name, 'time');
    assert.deepEqual([...new Set(none.all.map(({ type }) => type))], ['text', 'finish']);
    assert.equal(unknown.failed.code, 'INVALID_ARGUMENT');
    assert.match(unknown.failed.message, /'tine'.*'weather', 'time'/);
  });

  test(`reasoning ends with its budget, with the model in a ${where}`, TIMEOUT, async () => {
    const { all, failed, messages, sent, silent } = await page.evaluate(async ([where, template]) => {
      const chat = models[where].chat({ template, temperature: 0 });
      const { all, failed } = await partsOf(chat.stream('Hi', { maxReasoningTokens: 8, maxTokens: 30 }));
      const silent = await partsOf(models[where].chat({ template, temperature: 0 }).stream('Hi', { maxReasoningTokens: 0, maxTokens: 8 }));
      let sent = '';
      for await (const text of models[where].chat({ template, temperature: 0 }).send('Hi', { maxTokens: 8 })) sent += text;
      return { all, failed, messages: chat.messages, sent, silent: silent.all };
    }, [where, THINKING]);
    assert.equal(failed, null);
    const said = (wanted) => all.filter(({ type }) => type === wanted).map(({ delta }) => delta).join('');
    assert.ok(said('reasoning').length > 0 && said('text').length > 0, JSON.stringify(all));
    assert.ok(sent.trim().startsWith(said('reasoning').slice(0, 5)), `${sent} / ${said('reasoning')}`);
    assert.deepEqual(messages[1], { role: 'assistant', content: said('text'), reasoning_content: said('reasoning') });
    assert.deepEqual(all.at(-1), { type: 'finish', finishReason: 'length' });
    assert.deepEqual([...new Set(silent.map(({ type }) => type))], ['text', 'finish']);
  });
}

test('what goes wrong in a tool is the model\'s to hear, and steps have a limit', TIMEOUT, async () => {
  const { all, failed, roles, contents } = await page.evaluate(async (template) => {
    const chat = models.page.chat({ template, seed: 1 });
    const execute = () => {
      throw new Error('no network');
    };
    const tools = { weather: { ...weather, execute } };
    const { all, failed } = await partsOf(chat.run('Hi', { tools, toolChoice: { name: 'weather' }, maxTokens: 60 }));
    const short = await partsOf(chat.run('Hi', { tools, toolChoice: 'required', maxTokens: 60, maxSteps: 1 }));
    return { all: [...all, ...short.all], failed, roles: chat.messages.map(({ role }) => role), contents: chat.messages.map(({ content }) => content) };
  }, TEMPLATE);
  assert.equal(failed, null);
  const result = all.find(({ type }) => type === 'tool-result');
  assert.equal(result.isError, true);
  assert.equal(result.result, 'no network');
  assert.deepEqual(roles, ['user', 'assistant', 'tool', 'assistant', 'user', 'assistant']);
  assert.equal(contents[2], 'Error: no network');
  assert.deepEqual(all.at(-1), { type: 'finish', finishReason: 'tool-calls' });
});

test('a run is aborted while a tool works, and its call has a result', TIMEOUT, async () => {
  const { failed, messages } = await page.evaluate(async (template) => {
    const chat = models.page.chat({ template, seed: 1 });
    const stop = new AbortController();
    const execute = () => {
      stop.abort();
      return new Promise(() => {});
    };
    const { failed } = await partsOf(chat.run('Hi', { tools: { weather: { ...weather, execute } }, toolChoice: 'required', maxTokens: 60, signal: stop.signal }));
    return { failed, messages: chat.messages };
  }, TEMPLATE);
  assert.equal(failed.code, 'ABORTED');
  assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant', 'tool']);
  assert.match(messages[2].content, /aborted/);
});

test('who leaves a run finds every call with a result, and a reply that is left keeps what came', TIMEOUT, async () => {
  const { atCall, atResult, atText, next } = await page.evaluate(async (template) => {
    const leave = async (chat, parts, type) => {
      for await (const part of parts(chat)) if (part.type === type) break;
      return chat.messages;
    };
    const run = (chat) => chat.run('Hi', { tools: { weather: { ...weather, execute: () => 'sunny' } }, toolChoice: 'required', maxTokens: 60 });
    const newChat = () => models.page.chat({ template, seed: 1 });
    const left = newChat();
    const atText = await leave(left, (chat) => chat.stream('Hi', { maxTokens: 60 }), 'text');
    let next = '';
    const before = structuredClone(atText);
    for await (const text of left.send('And?', { maxTokens: 3 })) next += text;
    return { atCall: await leave(newChat(), run, 'tool-call'), atResult: await leave(newChat(), run, 'tool-result'), atText: before, next };
  }, TEMPLATE);
  assert.deepEqual(atCall.map(({ role }) => role), ['user', 'assistant', 'tool']);
  assert.match(atCall[2].content, /not executed/);
  assert.deepEqual(atResult.map(({ role }) => role), ['user', 'assistant', 'tool']);
  assert.equal(atResult[2].content, 'sunny');
  assert.deepEqual(atText.map(({ role }) => role), ['user', 'assistant']);
  assert.ok(atText[1].content.length > 0);
  assert.ok(next.length > 0);
});

test('what can not be is said', TIMEOUT, async () => {
  const failures = await page.evaluate(async (template) => {
    const chat = models.page.chat({ template });
    const deaf = models.page.chat({ template: '{{ messages[0].content }}' });
    const tools = { weather: { ...weather, execute: () => 1 } };
    const of = async (parts) => (await partsOf(parts)).failed;
    return [
      await of(chat.run('Hi', {})),
      await of(chat.run('Hi', { tools: { weather } })),
      await of(deaf.run('Hi', { tools })),
      await of(chat.stream('Hi', { showSpecial: true })),
      await of(chat.stream('Hi', { toolChoise: 'auto' })),
      await of(chat.run('Hi', { tools, toolChoice: 'required', responseFormat: { type: 'json' } })),
      await of(chat.run('Hi', { tools: { odd: { parameters: { type: 'object', properties: { a: { not: {} } } }, execute: () => 1 } }, toolChoice: 'required' })),
    ];
  }, TEMPLATE);
  const wanted = [[/needs tools/], [/tools\.weather\.execute/], [/does nothing with tools/, 'TEMPLATE_ERROR'], [/showSpecial/], [/toolChoice/], [/responseFormat forbids/], [/not/]];
  for (const [i, [message, code = 'INVALID_ARGUMENT']] of wanted.entries()) {
    assert.equal(failures[i]?.code, code, `${i}: ${failures[i]?.message}`);
    assert.match(failures[i].message, message);
  }
});
