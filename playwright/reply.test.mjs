// What replies look like, learned from chat templates, and replies read as they come. No browser and no GPU.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { DATA } from './lib/harness.mjs';
import { DEAF, TEMPLATES, writeWithTokens } from './lib/tool-templates.mjs';

const REPLY = join(ROOT, 'pkg/llm/reply');
const { loadTokenizer } = await import(join(ROOT, 'pkg/node.js'));
const { begunReasoning, learn } = await import(join(REPLY, 'learn.js'));
const { forTemplate } = await import(join(REPLY, 'messages.js'));
const { ReplyParser } = await import(join(REPLY, 'parser.js'));

const FOLDER = join(DATA, 'chat-templates');
/** What a template may ask for beside messages and tools. */
const VARIABLES = { functions: '[]', datetime: '2026-01-01' };
const USER = { role: 'user', content: 'Hi' };
const TEXT = 'A text: <b>bold</b>, a < b, [1] and {2}.';
const THOUGHT = 'A thought,\n\nin two parts.';

const text = { type: 'string', description: 'A text.' };
/** Calls that are hard to read: quotes, lines, every script, nesting, and what would be a marker outside of a string. */
const CALLS = [
  ['weather', { city: 'Zü"rich\n\tnew', days: 3 }, { city: text, days: { type: 'integer', description: 'n' } }],
  ['marks', { text: 'a </tool_call> <tool_call> {"name": "x"} [TOOL_CALLS] </parameter> <|im_end|> ]}) c\\d', more: "it's" }, { text, more: text }],
  ['nested', { o: { a: [1, null, true, { b: "it's" }], e: {} }, list: ['ü', '日本', '🙂', ''] }, { o: { type: 'object', description: 'o', additionalProperties: text }, list: { type: 'array', description: 'l', items: text } }],
  ['empty', {}, {}],
  ['numbers', { f: 1.5, negative: -2, yes: true, digits: '42' }, { f: { type: 'number', description: 'f' }, negative: { type: 'integer', description: 'n' }, yes: { type: 'boolean', description: 'b' }, digits: text }],
].map(([name, args, properties], i) => ({ id: `abcdefgh${i}`, name, args, tool: { type: 'function', function: { name, description: name, parameters: { type: 'object', properties, required: Object.keys(properties) } } } }));
const TOOLS = CALLS.map(({ tool }) => tool);
const SCHEMAS = new Map(TOOLS.map(({ function: { name, parameters } }) => [name, parameters]));
/** Histories: which calls a message has, its text, and its reasoning. */
const CASES = [...CALLS.map((_, i) => [[i]]), [[0, 1]], [[2, 4, 0]], [[0], TEXT], [[0], '', THOUGHT], [[1, 0], TEXT, THOUGHT], [[], TEXT, THOUGHT], [[], TEXT]];

let folder;
let plain;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webgguf-reply-'));
  plain = await loadTokenizer(join(ROOT, 'tests/fixtures/text/tiny-spm.gguf'));
});
after(() => rmSync(folder, { recursive: true }));

/** Parts with the deltas of a kind that follow each other as one. */
function joined(parts) {
  const all = [];
  for (const part of parts) {
    if (part.delta !== undefined && all.at(-1)?.type === part.type) all.at(-1).delta += part.delta;
    else all.push({ ...part });
  }
  return all;
}

function parse(form, pieces, options = {}) {
  const parser = new ReplyParser(form, { tools: SCHEMAS, ...options });
  return joined([...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()]);
}

/** A text in all the ways in which it may come. */
function* ways(reply) {
  yield [reply];
  yield [...reply];
  for (let i = 1; i < reply.length; i++) yield [reply.slice(0, i), reply.slice(i)];
}

const commonPrefix = (a, b) => {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
};

/** What ends the generation is never part of a reply; templates write it. */
const ENDS = /(<\|eot_id\|>[^]*|<\|eom_id\|>|<\/s>|<｜end▁of▁sentence｜>|\n<\|START_OF_TURN_TOKEN\|>[^]*)\s*$/;

/** The reply that a template has for a message, and the prompt before it; null where it refuses the message. */
function rendered(tokenizer, format, message) {
  const render = (messages, addGenerationPrompt) => tokenizer.formatChat([USER, ...messages], { ...format, addGenerationPrompt });
  try {
    const prompt = render([], true);
    const whole = render([message], false);
    const other = render([{ role: 'assistant', content: 'Qx' }], false);
    const end = other.slice(other.indexOf('Qx') + 2);
    let from = commonPrefix(prompt, whole);
    // Not within a tag.
    const tag = whole.lastIndexOf('<', from - 1);
    if (tag > whole.lastIndexOf('>', from - 1)) from = tag;
    const reply = whole.slice(from);
    return { prompt, common: prompt.slice(0, from), reply: end && reply.endsWith(end) ? reply.slice(0, -end.length) : reply.replace(ENDS, '') };
  } catch (e) {
    if (e.code === 'TEMPLATE_ERROR') return null;
    throw e;
  }
}

/** A template's histories, read back: how many of them, and what went wrong. */
async function trip(tokenizer, template) {
  const format = { template, variables: VARIABLES };
  const form = await learn(tokenizer, format, true);
  let n = 0;
  for (const [calls, content = '', thought] of CASES) {
    const message = {
      role: 'assistant',
      content,
      ...(thought ? { reasoning_content: thought } : {}),
      ...(calls.length ? { tool_calls: calls.map((i) => ({ type: 'function', id: CALLS[i].id, function: { name: CALLS[i].name, arguments: CALLS[i].args } })) } : {}),
    };
    const [given] = forTemplate([message], form);
    const found = rendered(tokenizer, { ...format, tools: TOOLS }, given) ?? rendered(tokenizer, format, given);
    // Some templates refuse several calls, or write the first one only; many drop the text beside a call, or the reasoning. Bare
    // objects are calls at the beginning only.
    if (!found || (form.calls?.bare && calls.length && content && found.reply.includes(content)) || calls.some((i) => !found.reply.includes(CALLS[i].name))) continue;
    n++;
    const { prompt, common, reply } = found;
    const wanted = calls.map((i) => ({ name: CALLS[i].name, arguments: CALLS[i].args }));
    const says = (words) => Boolean(words) && reply.includes(words);
    // Prompts may begin to reason in words that histories have not.
    const begun = begunReasoning(common, form) ?? (says(thought) ? begunReasoning(prompt, form) : undefined);
    for (const pieces of ways(reply)) {
      const parts = parse({ ...form, reasoning: begun ?? form.reasoning }, pieces, { isReasoning: Boolean(begun) });
      const said = (type) => parts.filter((part) => part.type === type).map(({ delta }) => delta).join('');
      const got = parts.filter(({ type }) => type === 'tool-call').map(({ name, arguments: args }) => ({ name, arguments: args }));
      const what = `${JSON.stringify(pieces.length > 2 ? reply : pieces)}: ${JSON.stringify(parts)}`;
      assert.deepEqual(got, wanted, what);
      assert.equal(said('text').trim(), says(content) ? content : '', what);
      assert.equal(said('reasoning').trim(), says(thought) ? thought : '', what);
      assert.deepEqual(parts.filter(({ type }) => type === 'invalid-tool-call'), [], what);
    }
  }
  return { form, n };
}

const describeForm = ({ channels, calls, isWritten, reasoning }) =>
  `${isWritten ? 'named ' : 'learned '}${channels ?? calls.syntax}${calls?.bare ? ', bare' : ''}${calls?.section?.open.length ? ', in a section' : ''}; reasoning ${reasoning?.open ?? 'unknown'}`;

for (const [name, template] of Object.entries(TEMPLATES)) {
  test(`calls as ${name} are read back`, async () => {
    const { form, n } = await trip(plain, template);
    assert.ok(n >= CASES.length - 2, `${n} histories`);
    assert.ok(!form.isWritten, 'the form is learned');
    console.log(`${name}: ${describeForm(form)}: ${n} histories`);
  });
}

const NAMED = {
  python: ['<|tool_call_start|>', '<|tool_call_end|>'],
  'Hermes, reasoning': ['<tool_call>', '</tool_call>', '<think>', '</think>'],
  Mistral: ['[TOOL_CALLS]', '[THINK]', '[/THINK]'],
  DeepSeek: ['<｜tool▁calls▁begin｜>', '<｜tool▁call▁begin｜>', '<｜tool▁sep｜>'],
  Kimi: ['<|tool_calls_section_begin|>', '<|tool_call_begin|>'],
  'Phi-4': ['<|tool_call|>', '<|/tool_call|>'],
  'no tokens': ['<|im_start|>'],
};
for (const [name, tokens] of Object.entries(NAMED)) {
  test(`a template that writes no calls, with the tokens of ${name}: they are written into the text and read back`, async () => {
    const path = join(folder, 'tokens.gguf');
    writeWithTokens(path, tokens);
    const { form, n } = await trip(await loadTokenizer(path), DEAF);
    assert.ok(form.isWritten);
    assert.ok(n >= CASES.length - 2, `${n} histories`);
    assert.equal(form.reasoning?.open, tokens.find((token) => /think/i.test(token)));
    console.log(`${name}: ${describeForm(form)}: ${n} histories`);
  });
}

/** Tokens of models whose templates write no calls: there they are what is known. */
const TOKENS = {
  'Kimi-K2-Thinking.jinja': ['<|tool_calls_section_begin|>', '<|tool_calls_section_end|>', '<|tool_call_begin|>', '<|tool_call_end|>', '<|tool_call_argument_begin|>'],
  'LFM2.5-Instruct.jinja': ['<|tool_call_start|>', '<|tool_call_end|>'],
};

test('templates of models', { skip: !existsSync(FOLDER) && `SKIP: ${FOLDER} is not there` }, async () => {
  const rows = [];
  const failures = [];
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.jinja'))) {
    try {
      if (TOKENS[file]) writeWithTokens(join(folder, file), TOKENS[file]);
      const tokenizer = TOKENS[file] ? await loadTokenizer(join(folder, file)) : plain;
      const { form, n } = await trip(tokenizer, readFileSync(join(FOLDER, file), 'utf8'));
      rows.push([file, describeForm(form), n ? `ok: ${n} histories` : 'the template fails, here as in Jinja2']);
    } catch (e) {
      if (e.code === 'TEMPLATE_ERROR') rows.push([file, '', 'knows no tools']);
      else failures.push(`${file}: ${e.message}`);
    }
  }
  for (const [file, form, result] of rows) console.log(`${file.replace('.jinja', '').padEnd(55)} ${form.padEnd(72)} ${result}`);
  assert.deepEqual(failures, []);
  assert.ok(rows.filter(([, , result]) => result.startsWith('ok')).length >= 39);
});

test('calls that are forced begin as the model would write them', async () => {
  for (const [name, template] of Object.entries(TEMPLATES)) {
    const { calls, ...form } = await learn(plain, { template }, true);
    const { head, middle, tail } = calls.forced;
    if (tail === undefined) continue;
    const parts = parse({ ...form, calls }, [head, 'weather', middle, '{"city": "Rome"}', tail]);
    assert.deepEqual(parts.map(({ type, name, arguments: args }) => [type, name, args]), [['tool-call', 'weather', { city: 'Rome' }]], name);
  }
});

test('a template that does nothing with tools is an error', async () => {
  await assert.rejects(learn(plain, { template: '{{ messages[0].content }}' }, true), { code: 'TEMPLATE_ERROR' });
});

/** Numbers that look random, and are the same each time. */
function* random(seed) {
  for (let x = seed; ; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x / 2 ** 32;
  }
}

/** Changes to a reply as models make them, and as nobody would. */
const MUTATIONS = [
  (reply, at) => reply.slice(0, at),
  (reply, at) => reply.slice(0, at) + reply.slice(at + 1),
  (reply, at) => reply.slice(at) + reply,
  (reply, at) => `${reply.slice(0, at)}"${reply.slice(at)}`,
  (reply, at) => reply.slice(0, at) + reply + reply.slice(at),
  (reply, at) => reply.slice(0, at) + '[{('.repeat(3000) + reply.slice(at),
  (reply, at) => `${reply.slice(0, at)}\ud800\0\\u12${reply.slice(at)}`,
  (reply, at) => reply.slice(0, at) + 'a'.repeat(400_000) + reply.slice(at),
  (reply, at) => reply.slice(0, at) + ' \n'.repeat(200_000) + reply.slice(at),
  (reply) => reply.replace('"Rome"', '{"__proto__": {"polluted": 1}}'),
  (reply) => reply.replaceAll(/weather|forecast/g, 'toString'),
  (reply) => reply.replaceAll('{', '').replaceAll('>', '> {'),
];

test('whatever a model writes ends in parts', async () => {
  const rolls = random(7);
  const types = new Set();
  let n = 0;
  for (const [name, template] of Object.entries(TEMPLATES)) {
    const form = await learn(plain, { template }, true);
    const tool_calls = ['weather', 'forecast'].map((tool, i) => ({ type: 'function', id: `abcdefgh${i}`, function: { name: tool, arguments: { city: 'Rome', days: 3 } } }));
    const [message] = forTemplate([{ role: 'assistant', content: 'Well.', reasoning_content: 'Hm.', tool_calls }], form);
    const { reply } = rendered(plain, { template, tools: TOOLS }, message);
    for (const mutate of MUTATIONS) {
      const hostile = mutate(reply, Math.floor(rolls.next().value * reply.length));
      const size = 1 + Math.floor(rolls.next().value * 12) + Math.floor(hostile.length / 20_000);
      const pieces = hostile.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const begin = performance.now();
      let parts;
      try {
        parts = parse(form, pieces);
      } catch (e) {
        assert.fail(`${name}, ${JSON.stringify(hostile.slice(0, 300))}: ${e.stack}`);
      }
      const ms = performance.now() - begin;
      assert.ok(ms < 3000, `${ms} ms for ${name}, ${mutate}`);
      for (const part of parts) {
        types.add(part.type);
        assert.ok(['text', 'reasoning', 'tool-call', 'invalid-tool-call'].includes(part.type));
        if (part.type === 'tool-call') assert.ok(typeof part.name === 'string' && typeof part.arguments === 'object');
      }
      n++;
    }
  }
  assert.equal({}.polluted, undefined);
  assert.ok(n >= 100, `${n} replies`);
  assert.equal(types.size, 4);
});

test('what is broken is handed out as a whole, and what comes after it is read', async () => {
  const form = await learn(plain, { template: TEMPLATES['objects, each in its tags'] }, true);
  const broken = '<tool_call>\n{"name": "weather", "arguments": {"city": Rome}}\n</tool_call>';
  const sound = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>';
  for (const pieces of ways(`Well.\n${broken}\n${sound} Done.`)) {
    assert.deepEqual(parse(form, pieces), [
      { type: 'text', delta: 'Well.' },
      { type: 'invalid-tool-call', text: broken, reason: "'Rome' is no value" },
      { type: 'tool-call', name: 'weather', arguments: { city: 'Rome' }, id: undefined },
      { type: 'text', delta: 'Done.' },
    ]);
  }
  const [first, second] = parse(form, [`${broken.slice(0, -20)}${sound}`]);
  assert.equal(first.type, 'invalid-tool-call');
  assert.equal(second.name, 'weather');
});

test('text is shown as it comes, and no half marker is', async () => {
  const form = await learn(plain, { template: TEMPLATES['objects, after reasoning'] }, true);
  const parser = new ReplyParser(form, { tools: SCHEMAS, isReasoning: true });
  const said = (piece) => joined(parser.push(piece)).map(({ type, delta }) => `${type}: ${delta}`).join('; ');
  assert.equal(said('Let me'), 'reasoning: Let me');
  assert.equal(said(' see</th'), 'reasoning:  see');
  assert.equal(said('ink>\n\n'), '');
  assert.equal(said('One < two'), 'text: One < two');
  assert.equal(said(' <tool'), '');
  assert.equal(said('box> <'), 'text:  <toolbox>');
  assert.equal(said('tool_call'), '');
  assert.equal(said('er>'), 'text:  <tool_caller>');
  assert.deepEqual(parser.end(), []);
});

test('what models write otherwise than their templates is read, too', async () => {
  const said = async (name, reply, options) => {
    const form = await learn(plain, { template: TEMPLATES[name] }, true);
    return parse(form, [...reply], options).map(({ type, delta, name, arguments: args }) => (type === 'tool-call' ? [name, args] : [type, delta]));
  };
  const call = ['weather', { city: 'Rome' }];
  const tagged = '<function=weather>\n<parameter=city>\nRome\n</parameter>\n</function>';
  assert.deepEqual(await said('parameters in lines', `Well.\n${tagged}\n</tool_call>`), [['text', 'Well.'], call]);
  assert.deepEqual(await said('bare objects', '<|python_tag|>{"name": "weather", "parameters": {"city": "Rome"}}'), [call]);
  assert.deepEqual(await said('bare objects', '{"type": "function", "name": "weather", "parameters": "{\\"city\\": \\"Rome\\"}"}'), [call]);
  assert.deepEqual(await said('bare objects', '{"name": "Ann", "age": 4}'), [['text', '{"name": "Ann", "age": 4}']]);
  assert.deepEqual(await said('objects, each in its tags', '<tool_call>[{"function": {"name": "weather", "arguments": {"city": "Rome"}}}]</tool_call>'), [call]);
  assert.deepEqual(await said('objects, each in its tags', '<tool_call>{"name": "weather", "arguments": {"city": \'Rome\',}}'), [call]);
  assert.deepEqual(await said('objects, after reasoning', '<think>Hm.</think>Well.', { isReasoning: true }), [['reasoning', 'Hm.'], ['text', 'Well.']]);
  assert.deepEqual(await said('names and objects', '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Rome"}}]'), [call]);
  assert.deepEqual(await said('an array without an end', 'The functools are many.'), [['text', 'The functools are many.']]);
});

test('what the template writes between reasoning and answer is learned', async () => {
  const { answer } = await learn(plain, { template: TEMPLATES['objects, after reasoning'] }, true);
  assert.equal(answer, '\n</think>\n\n');
});

test('without tools calls are text, and thinking is apart all the same', () => {
  const reply = '<think>Hm.</think>\n<tool_call>{"name": "weather", "arguments": {}}</tool_call>';
  assert.deepEqual(parse({}, [reply], { tools: undefined }), [
    { type: 'reasoning', delta: 'Hm.' },
    { type: 'text', delta: '<tool_call>{"name": "weather", "arguments": {}}</tool_call>' },
  ]);
});
