// Models on a server: `connect`, the fallback of `loadModel`, and webgguf/openai and webgguf/ai-sdk on them. The server is the tests' own.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { chromiumTest, open } from './lib/harness.mjs';
import { startServer } from './lib/llm-server.mjs';

const TIMEOUT = { timeout: 60_000 };

let site;
let server;
let page;
before(async () => {
  server = await startServer();
  site = await open();
  page = await site.page();
  await page.evaluate((url) => {
    globalThis.at = (name) => `${url}/${name}/v1`;
    globalThis.connectTo = (name, options) => webgguf.connect({ baseURL: at(name), retry: { attempts: 3, baseDelayMs: 1, stallMs: 300 }, ...options });
    /** Parts of a reply, what it failed with, and the conversation. */
    globalThis.replyOf = async (model, options, message = 'Hi') => {
      const chat = model.chat(options);
      const parts = [];
      let failed = null;
      try {
        for await (const part of chat.stream(message)) parts.push(part);
      } catch (e) {
        failed = { code: e.code, message: e.message, text: e.text };
      }
      return { parts, failed, messages: chat.messages };
    };
  }, server.url);
});
after(async () => {
  await site?.close();
  await server?.close();
});

const GREETING = [
  { type: 'reasoning', delta: 'A greeting.' },
  { type: 'text', delta: 'Grüß' },
  { type: 'text', delta: ' Gott 👋' },
  { type: 'finish', finishReason: 'end' },
];

chromiumTest('a chat, a text and their figures', TIMEOUT, async () => {
  const { info, reply, stats, sent, text, forked, queued } = await page.evaluate(async () => {
    const model = await connectTo('good');
    const reply = await replyOf(model, { system: 'Be brief.', temperature: 0, topK: 5, variables: { enable_thinking: false } });
    const { stats } = model;
    let sent = '';
    const queued = [];
    const chat = model.chat();
    for await (const piece of chat.send('Hi', { onQueue: (n) => queued.push(n), responseFormat: { type: 'json_schema', schema: { type: 'object' } } })) sent += piece;
    const forked = chat.fork().messages;
    let text = '';
    for await (const piece of model.generate('Once', { maxTokens: 3, stop: ['x'] })) text += piece;
    return { info: model.info, reply, stats, sent, text, forked, queued };
  });
  assert.deepEqual(info, { backend: 'server', name: 'served', baseURL: `${server.url}/good/v1`, contextLength: 4096, defaults: { maxTokens: 512 }, warnings: [] });
  assert.deepEqual(reply.parts, GREETING);
  assert.deepEqual(reply.messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Grüß Gott 👋', reasoning_content: 'A greeting.' },
  ]);
  const { promptTokens, reusedTokens, generatedTokens, finishReason, ...times } = stats;
  assert.deepEqual([promptTokens, reusedTokens, generatedTokens, finishReason], [7, 5, 3, 'end']);
  assert.ok(times.firstTokenMs > 0 && times.decodeMs >= 0);
  assert.equal(sent, 'Grüß Gott 👋');
  assert.equal(text, ' after Once');
  assert.deepEqual(queued, [0]);
  assert.equal(forked.length, 2);
  const [first, second, third] = server.asked.slice(-3);
  assert.deepEqual(first, {
    model: 'served', messages: reply.messages.slice(0, 2), chat_template_kwargs: { enable_thinking: false }, max_tokens: 512, temperature: 0, top_k: 5,
    stream: true, stream_options: { include_usage: true },
  });
  assert.deepEqual(second.response_format, { type: 'json_schema', json_schema: { name: 'reply', schema: { type: 'object' }, strict: true } });
  assert.deepEqual([third.prompt, third.max_tokens, third.stop], ['Once', 3, ['x']]);
});

chromiumTest('calls of tools, whole and broken, and the loop that executes them', TIMEOUT, async () => {
  const { parts, run, messages } = await page.evaluate(async () => {
    const model = await connectTo('good');
    const weather = { description: 'The weather', parameters: { type: 'object' }, execute: () => 'sunny' };
    const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather', parameters: { type: 'object' } } }];
    const parts = [];
    for await (const part of model.chat({ tools }).stream('Hi', { toolChoice: { name: 'weather' } })) parts.push(part);
    const chat = model.chat();
    const run = [];
    for await (const part of chat.run('Hi', { tools: { weather }, toolChoice: 'required' })) run.push(part);
    return { parts, run, messages: chat.messages };
  });
  assert.deepEqual(parts[0], { type: 'tool-call', id: 'a', name: 'weather', arguments: { city: 'Rome' } });
  assert.equal(parts[1].type, 'invalid-tool-call');
  assert.match(parts[1].reason, /'weather'/);
  assert.deepEqual(parts.slice(2), [{ type: 'finish', finishReason: 'tool-calls' }]);
  assert.deepEqual(run.filter(({ type }) => type === 'tool-result'), [{ type: 'tool-result', id: 'a', name: 'weather', result: 'sunny', isError: false }]);
  assert.deepEqual(run.at(-2), { type: 'text', delta: 'It is sunny.' });
  assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant', 'tool', 'assistant']);
  const { messages: sent, tool_choice: choice } = server.asked.at(-1);
  assert.equal(sent[1].tool_calls[0].function.arguments, '{"city":"Rome"}');
  assert.equal(choice, 'auto');
});

chromiumTest('faults that pass are waited for', TIMEOUT, async () => {
  const [busy, slow] = await page.evaluate(async () => [await replyOf(await connectTo('busy')), await replyOf(await connectTo('slow'))]);
  assert.deepEqual(busy.parts, GREETING);
  assert.deepEqual(slow.parts, GREETING);
});

chromiumTest('faults that do not pass are errors that say what came', TIMEOUT, async () => {
  const found = await page.evaluate(async () => {
    const found = {};
    for (const name of ['down', 'drop', 'ends', 'broken', 'odd', 'html', 'fails', 'long', 'silent', 'stalls']) found[name] = await replyOf(await connectTo(name));
    return found;
  });
  const wanted = {
    down: [/500: out of luck; 3 attempts failed/],
    drop: [/broke in the middle/, 'Grüß Gott 👋'.slice(0, 5)],
    ends: [/ended in the middle/, 'Grüß'],
    broken: [/no JSON: '\{"choices": \['/, 'Grüß'],
    odd: [/no choices: \{"greeting":"Hello"\}/, ''],
    html: [/text\/html.*'<h1>It works!<\/h1>'/, ''],
    fails: [/the GPU is gone/, 'Grüß'],
    long: [/400: 9000 tokens/, undefined, 'CONTEXT_OVERFLOW'],
    silent: [/no answer came for 300 ms/],
    stalls: [/nothing came for 300 ms/, 'Grüß'],
  };
  for (const [name, [message, text = name === 'long' ? undefined : '', code = 'FETCH_FAILED']] of Object.entries(wanted)) {
    const { failed, messages } = found[name];
    assert.equal(failed?.code, code, name);
    assert.match(failed.message, message, name);
    assert.ok(text === undefined || failed.text.startsWith(text), `${name}: ${failed.text}`);
    assert.deepEqual(messages.map(({ role }) => role), text || name === 'fails' ? ['user', 'assistant'] : [], name);
    if (text) assert.ok(messages[1].content.startsWith(text));
  }
});

chromiumTest('a stop, a reader who leaves, a model that is destroyed: the server hears of it', TIMEOUT, async () => {
  const { stopped, messages, destroyed, later, pending } = await page.evaluate(async () => {
    const model = await connectTo('waits', { retry: { stallMs: 20_000 } });
    const stop = new AbortController();
    const chat = model.chat();
    const read = async (options, leave) => {
      for await (const part of chat.stream('Hi', options)) if (part.type === 'text' && leave()) break;
    };
    const stopped = await failureOf(read({ signal: stop.signal }, () => void setTimeout(() => stop.abort())));
    await read({}, () => true);
    const pending = [model.pending];
    const destroyed = await failureOf(read({}, () => void setTimeout(() => model.destroy())));
    pending.push(model.pending, model.isLoaded);
    return { stopped, messages: chat.messages, destroyed, later: await failureOf(read({}, () => true)), pending };
  });
  assert.equal(stopped.code, 'ABORTED');
  assert.equal(stopped.name, 'AbortError');
  assert.equal(messages.length, 6);
  assert.equal(destroyed.code, 'DEVICE_LOST');
  assert.equal(later.code, 'INVALID_STATE');
  assert.deepEqual(pending, [0, 0, false]);
  for (let i = 0; i < 40 && (server.left.waits ?? 0) < 3; i++) await new Promise((later) => setTimeout(later, 50));
  assert.equal(server.left.waits, 3);
  assert.equal(server.left.silent, 3, 'who waits no longer leaves');
});

chromiumTest('what a server lacks, keys, wrong addresses', TIMEOUT, async () => {
  const { lacking, refused, opened, several, named } = await page.evaluate(async () => {
    const model = await connectTo('good');
    const chat = model.chat();
    const lacking = {};
    const calls = {
      tokenize: () => model.tokenize('a'),
      captureActivations: () => model.captureActivations('a'),
      history: async () => model.history,
      ids: () => model.generate([1, 2]).next(),
      onToken: () => chat.send('a', { onToken: () => {} }).next(),
      maxReasoningTokens: () => chat.stream('a', { maxReasoningTokens: 5 }).next(),
      regex: () => chat.send('a', { responseFormat: { type: 'regex', pattern: 'a' } }).next(),
      template: async () => model.chat({ template: '{{ messages }}' }),
      overflow: async () => model.chat({ overflow: 'drop-oldest' }),
    };
    for (const [name, call] of Object.entries(calls)) lacking[name] = await failureOf(call());
    await model.recover();
    const refused = await Promise.all([
      connectTo('key'), connectTo('good', { baseURL: 'http://localhost:1/v1' }), connectTo('good', { baseURL: undefined }), connectTo('two'),
      connectTo('good', { baseURL: 'http://' }), connectTo('good', { modell: 'x' }),
    ].map(failureOf));
    const opened = await replyOf(await connectTo('key', { apiKey: 'secret' }));
    const several = (await connectTo('two', { model: 'two' })).info.name;
    const named = (await connectTo('good', { model: 'mine' })).info;
    return { lacking, refused, opened, several, named };
  });
  for (const [name, failed] of Object.entries(lacking)) {
    assert.equal(failed?.code, 'UNSUPPORTED_BY_SERVER', name);
    assert.match(failed.message, /on a server/);
  }
  assert.deepEqual(refused.map((failed) => failed?.code), ['FETCH_FAILED', 'FETCH_FAILED', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
  assert.match(refused[0].message, /401: no key/);
  assert.match(refused[2].message, /baseURL is not given/);
  assert.match(refused[3].message, /several: 'one', 'two'/);
  assert.match(refused[5].message, /did you mean model\?/);
  assert.deepEqual(opened.parts, GREETING);
  assert.equal(several, 'two');
  assert.match(named.warnings[0], /'served', and no 'mine'/);
});

chromiumTest('loadModel goes to the server where the model can not run, and only then', TIMEOUT, async () => {
  const { small, reply, wrong, missing, question } = await page.evaluate(async () => {
    const fallback = { baseURL: at('good'), model: 'served' };
    const load = (source, options) => webgguf.loadModel(source, { cache: false, fallback, ...options });
    const small = await load('/models/gpt2-tiny.gguf', { memoryBudget: 1000 });
    const missing = await failureOf(load('/models/nothing.gguf', { retry: { attempts: 1 } }));
    const wrong = await failureOf(load('/models/gpt2-tiny.gguf', { fallback: { url: 'x' } }));
    const question = (await webgguf.canRun('/models/gpt2-tiny.gguf', { memoryBudget: 1000, fallback })).fits;
    return { small: small.info, reply: await replyOf(small), wrong, missing, question };
  });
  assert.equal(small.backend, 'server');
  assert.match(small.warnings[0], /can't run here: .*1000/);
  assert.deepEqual(reply.parts, GREETING);
  assert.equal(missing.code, 'FETCH_FAILED');
  assert.equal(wrong.code, 'INVALID_ARGUMENT');
  assert.equal(question, false);
  const blind = await site.page();
  const info = await blind.evaluate(async (baseURL) => {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
    return (await webgguf.loadModel('/models/gpt2-tiny.gguf', { cache: false, worker: true, fallback: { baseURL } })).info;
  }, `${server.url}/good/v1`);
  assert.equal(info.backend, 'server');
  await blind.close();
});

chromiumTest('OpenAI\'s shape and the AI SDK on a model of a server', TIMEOUT, async () => {
  const { whole, chunks, failed, response, list, generated } = await page.evaluate(async () => {
    const { openai, createFetch } = await import('/pkg/openai.js');
    const { webgguf: languageModel } = await import('/pkg/ai-sdk.js');
    const model = await connectTo('good');
    const { completions } = openai(model).chat;
    const body = { model: 'any', messages: [{ role: 'user', content: 'Hi' }], logprobs: true };
    const whole = await completions.create(body);
    const chunks = [];
    for await (const chunk of await completions.create({ ...body, stream: true })) chunks.push(chunk);
    const long = openai(await connectTo('long')).chat.completions;
    const failed = [];
    for (const stream of [false, true]) {
      await long.create({ ...body, stream }).catch(({ status, code, param, message }) => failed.push({ status, code, param, message }));
    }
    const ask = createFetch(model);
    const response = await ask('https://x.invalid/v1/chat/completions', { method: 'POST', body: JSON.stringify({ ...body, stream: true }) });
    const list = await (await ask('https://x.invalid/v1/models')).json();
    const generated = await languageModel(model).doGenerate({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], reasoning: 'high' });
    return { whole, chunks: chunks.length, failed, response: await response.text(), list, generated };
  });
  assert.equal(whole.choices[0].message.content, 'Grüß Gott 👋');
  assert.equal(chunks, 6);
  for (const one of failed) assert.deepEqual([one.status, one.code, one.param], [400, 'context_length_exceeded', 'messages']);
  assert.equal(failed.length, 2);
  assert.match(response, /data: \[DONE\]/);
  assert.equal(list.data[0].id, 'served');
  assert.deepEqual(generated.content, [{ type: 'reasoning', text: 'A greeting.' }, { type: 'text', text: 'Grüß Gott 👋' }]);
  assert.equal(generated.usage.inputTokens.total, 7);
  const { messages, chat_template_kwargs: variables } = server.asked.at(-1);
  assert.deepEqual([messages, variables], [[{ role: 'user', content: 'Hi' }], { reasoning_effort: 'high' }]);
  assert.equal(server.asked.at(-2).model, 'served');
  assert.equal(server.asked.at(-2).logprobs, true);
});

/** A real server: `llama-server -m model.gguf --port 8080`, and then `WEBGGUF_LLM_SERVER=http://localhost:8080/v1 npm run test:browser -- server`. */
const REAL = process.env.WEBGGUF_LLM_SERVER;
const skip = REAL ? false : 'SKIP: WEBGGUF_LLM_SERVER names no server, such as http://localhost:8080/v1 of llama-server';

chromiumTest('a real server chats, stops, writes JSON and continues a text', { timeout: 120_000, skip }, async () => {
  const { info, reply, stats, left, json, text } = await page.evaluate(async (baseURL) => {
    const model = await webgguf.connect({ baseURL });
    const reply = await replyOf(model, { temperature: 0, maxTokens: 16 });
    const { stats } = model;
    let left = 0;
    for await (const _ of model.chat().send('Tell me a story.', { maxTokens: 400 })) if (++left === 3) break;
    const schema = { type: 'object', properties: { mood: { enum: ['glad', 'sad'] } }, required: ['mood'], additionalProperties: false };
    let json = '';
    for await (const piece of model.chat({ temperature: 0 }).send('How are you?', { responseFormat: { type: 'json_schema', schema } })) json += piece;
    let text = '';
    for await (const piece of model.generate('Once upon', { maxTokens: 8 })) text += piece;
    return { info: model.info, reply, stats, left, json, text };
  }, REAL);
  console.log(JSON.stringify({ info, stats, text }));
  assert.equal(reply.failed, null);
  assert.equal(reply.parts.at(-1).type, 'finish');
  assert.ok(reply.messages[1].content.length + (reply.messages[1].reasoning_content ?? '').length > 0);
  assert.equal(left, 3);
  assert.ok(['glad', 'sad'].includes(JSON.parse(json).mood), json);
  assert.ok(text.length > 0);
});
