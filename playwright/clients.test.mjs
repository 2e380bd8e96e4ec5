// What others' code speaks, on a model in the tab: OpenAI's API, by the official client and without it, and the Vercel AI SDK. The embedded
// model knows nothing of tools, so calls are forced. The model is in a worker: its chats are those of one in the page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { writeCallingModel, writeClients } from './lib/clients.mjs';
import { chromiumTest, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a place.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', minLength: 1, maxLength: 8, pattern: '^[a-z]*$' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};
const SCHEMA = { type: 'object', properties: { mood: { enum: ['glad', 'sad'] } }, required: ['mood'], additionalProperties: false };

let site;
let page;
before(async () => {
  site = await open();
  writeCallingModel(join(site.temp, 'chat.gguf'));
  await writeClients(site.temp);
  page = await site.page();
  await page.evaluate(async () => {
    const { openai, createFetch } = await import('/pkg/openai.js');
    const { webgguf: languageModel } = await import('/pkg/ai-sdk.js');
    globalThis.ai = await import('/temp/clients/clients.js');
    globalThis.AI_SDK_LOG_WARNINGS = false;
    globalThis.model = await webgguf.loadModel('/temp/chat.gguf', { contextLength: 512, cache: false, worker: true });
    globalThis.fetchModel = createFetch(model);
    globalThis.official = new ai.OpenAI({ baseURL: 'https://model.invalid/v1', apiKey: 'none', fetch: fetchModel, dangerouslyAllowBrowser: true });
    globalThis.own = openai(model);
    globalThis.sdk = languageModel(model);
    globalThis.hi = { model: 'any', messages: [{ role: 'user', content: 'Hi' }], temperature: 0, max_tokens: 12 };
    /** What a request fails with. */
    globalThis.refused = async (promise) => {
      try {
        await promise;
      } catch (e) {
        const { name, status, code, param, type, message } = e;
        return { name, status, code, param, type, message };
      }
    };
  });
});
after(() => site?.close());

chromiumTest('the types fit those of the clients', TIMEOUT, () => {
  const paths = { webgguf: [join(ROOT, 'pkg-templates/index.d.ts')], 'webgguf/*': [join(ROOT, 'pkg-templates/*')] };
  const compilerOptions = {
    noEmit: true, strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true,
    target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'], module: 'esnext', moduleResolution: 'bundler', types: [], paths,
  };
  const config = join(site.temp, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ compilerOptions, include: [join(ROOT, 'playwright/clients/*.ts')] }));
  let complaints = '';
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config], { encoding: 'utf8' });
  } catch (e) {
    complaints = e.stdout;
  }
  assert.equal(complaints, '');
});

chromiumTest('a completion, by the client and without it', TIMEOUT, async () => {
  const { whole, direct, count } = await page.evaluate(async () => ({
    whole: await official.chat.completions.create(hi),
    direct: await own.chat.completions.create(hi),
    count: await model.count(hi.messages),
  }));
  for (const { id, object, created, model, choices, usage } of [whole, direct]) {
    assert.match(id, /^chatcmpl-\w{32}$/);
    assert.equal(object, 'chat.completion');
    assert.ok(Math.abs(created - Date.now() / 1e3) < 600);
    assert.equal(typeof model, 'string');
    const [{ message, ...choice }, ...others] = choices;
    assert.deepEqual(others, []);
    assert.deepEqual(choice, { index: 0, logprobs: null, finish_reason: 'length' });
    assert.equal(message.role, 'assistant');
    assert.ok(message.content.length > 10);
    assert.equal(usage.prompt_tokens, count);
    assert.equal(usage.completion_tokens, 12);
    assert.equal(usage.total_tokens, count + 12);
  }
  assert.equal(whole.choices[0].message.content, direct.choices[0].message.content);
});

chromiumTest('a stream: the role first, text, why it ended, the usage', TIMEOUT, async () => {
  const [text, streams, raw] = await page.evaluate(async () => {
    const read = async (client) => {
      const chunks = [];
      for await (const chunk of await client.chat.completions.create({ ...hi, stream: true, stream_options: { include_usage: true } })) chunks.push(chunk);
      return chunks;
    };
    const { choices } = await own.chat.completions.create(hi);
    // Read later than what comes after it: as a server's, its reply waits in the stream.
    const response = await fetchModel('https://model.invalid/v1/chat/completions', { method: 'POST', body: JSON.stringify({ ...hi, stream: true, max_tokens: 1 }) });
    return [choices[0].message.content, [await read(official), await read(own)], [response.headers.get('content-type'), await response.text()]];
  });
  for (const chunks of streams) {
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    assert.ok(chunks.every(({ object }) => object === 'chat.completion.chunk'));
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.completion_tokens, 12);
    assert.ok(chunks.every(({ usage }) => usage === null));
    const deltas = chunks.map(({ choices: [{ delta }] }) => delta);
    assert.deepEqual(deltas[0], { role: 'assistant', content: '', refusal: null });
    assert.equal(deltas.map(({ content }) => content ?? '').join(''), text);
    assert.deepEqual(chunks.map(({ choices: [{ finish_reason }] }) => finish_reason).filter(Boolean), ['length']);
    assert.deepEqual(deltas.at(-1), {});
  }
  const [type, body] = raw;
  assert.match(type, /^text\/event-stream/);
  assert.match(body, /^data: \{.*\}\n\n(data: .*\n\n)+data: \[DONE\]\n\n$/);
});

chromiumTest('a forced call, its result, and the reply; whole and as a stream', TIMEOUT, async () => {
  const { whole, deltas, finish, next, forced } = await page.evaluate(async (tool) => {
    const body = { ...hi, tools: [tool], tool_choice: 'required', max_tokens: 60, seed: 1 };
    const whole = await official.chat.completions.create(body);
    const stream = official.chat.completions.stream({ ...body, tool_choice: { type: 'function', function: { name: 'weather' } } });
    const deltas = [];
    stream.on('chunk', ({ choices: [{ delta }] }) => deltas.push(delta));
    const finish = (await stream.finalChatCompletion()).choices[0];
    const [{ message }] = whole.choices;
    const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: '{"degrees":18}' };
    const next = await official.chat.completions.create({ ...hi, tools: [tool], messages: [...hi.messages, message, result] });
    const ran = [];
    const runner = official.chat.completions.runTools({
      ...body,
      tools: [{ ...tool, function: { ...tool.function, parse: JSON.parse, function: (args) => ran.push(args) && 'sunny' } }],
    }, { maxChatCompletions: 1 });
    await runner.done();
    return { whole, deltas, finish, next, forced: ran };
  }, WEATHER);
  const [{ message, finish_reason }] = whole.choices;
  assert.equal(finish_reason, 'tool_calls');
  assert.equal(message.content, null);
  const [{ id, type, function: { name, arguments: args } }] = message.tool_calls;
  assert.deepEqual([type, name], ['function', 'weather']);
  assert.ok(id.length > 4);
  assert.match(JSON.parse(args).city, /^[a-z]{1,8}$/);
  assert.equal(deltas.filter(({ tool_calls: calls }) => calls).length, 1);
  assert.deepEqual(JSON.parse(finish.message.tool_calls[0].function.arguments), JSON.parse(args));
  assert.equal(next.choices[0].message.role, 'assistant');
  assert.equal(next.usage.prompt_tokens_details.cached_tokens > whole.usage.prompt_tokens / 2, true);
  assert.equal(forced.length, 1);
});

chromiumTest('JSON of a schema, an object, several choices', TIMEOUT, async () => {
  const { parsed, object, choices, indices, usage } = await page.evaluate(async (schema) => {
    const asked = (response_format, more) => ({ ...hi, response_format, max_tokens: 80, ...more });
    const mood = { type: 'json_schema', json_schema: { name: 'mood', schema, strict: true } };
    const parsed = await official.chat.completions.parse(asked(mood));
    const object = await official.chat.completions.create(asked({ type: 'json_object' }, { temperature: 1, seed: 3 }));
    const { choices, usage } = await official.chat.completions.create({ ...hi, n: 2, seed: -5, temperature: 1, max_tokens: 6 });
    const indices = [];
    for await (const { choices } of await official.chat.completions.create({ ...hi, n: 2, stream: true })) indices.push(choices[0].index);
    return { parsed: parsed.choices[0].message.content, object, choices, indices, usage };
  }, SCHEMA);
  assert.ok(['glad', 'sad'].includes(JSON.parse(parsed).mood));
  assert.match(object.choices[0].message.content, /^\{/);
  assert.deepEqual(choices.map(({ index }) => index), [0, 1]);
  assert.notEqual(choices[0].message.content, choices[1].message.content);
  assert.equal(usage.completion_tokens, 12);
  assert.deepEqual([...new Set(indices)], [0, 1]);
});

chromiumTest('a conversation that goes on is read from the cache, beside another one', TIMEOUT, async () => {
  const cached = await page.evaluate(async () => {
    const say = async (client, said, text) => {
      said.push({ role: 'user', content: text });
      const { choices, usage } = await client.chat.completions.create({ ...hi, messages: said });
      said.push(choices[0].message);
      return [usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens];
    };
    const [one, two] = [[{ role: 'developer', content: 'Be brief.' }], [{ role: 'system', content: [{ type: 'text', text: 'Be long.' }] }]];
    await say(official, one, 'A story of a cat and a dog');
    await say(own, two, 'A poem of the sea and the sky');
    const before = one.length;
    return [await say(own, one, 'And then?'), await say(official, two, 'And then?'), before];
  });
  for (const [tokens, prompt] of cached.slice(0, 2)) assert.ok(tokens > prompt / 2, `${tokens} of ${prompt}`);
});

chromiumTest('several at once take turns, and a stop ends one of them', TIMEOUT, async () => {
  const { texts, stopped, left, after, early } = await page.evaluate(async () => {
    const ask = () => official.chat.completions.create(hi);
    const stop = new AbortController();
    const long = official.chat.completions.create({ ...hi, max_tokens: 400 }, { signal: stop.signal, maxRetries: 0 });
    const stopped = refused(long);
    const all = Promise.all([ask(), ask()]);
    setTimeout(() => stop.abort(), 200);
    const texts = (await all).map(({ choices }) => choices[0].message.content);
    const left = [];
    for (const client of [official, own]) {
      let n = 0;
      for await (const _ of await client.chat.completions.create({ ...hi, max_tokens: 400, stream: true })) if (++n === 3) break;
      const stream = await client.chat.completions.create({ ...hi, max_tokens: 400, stream: true });
      for await (const _ of stream) {
        n++;
        stream.controller.abort();
      }
      left.push(n);
    }
    await ask();
    const early = await refused(own.chat.completions.create(hi, { signal: AbortSignal.abort() }));
    return { texts, stopped: await stopped, left, after: model.pending, early };
  });
  assert.equal(texts[0], texts[1]);
  assert.match(stopped.name + stopped.message, /abort/i);
  for (const n of left) assert.ok(n >= 4 && n < 20, String(n));
  assert.equal(after, 0);
  assert.equal(early.code, 'ABORTED');
});

chromiumTest('what can not be honoured is an error that names the parameter', TIMEOUT, async () => {
  const message = { role: 'user', content: 'Hi' };
  const strict = { ...WEATHER, function: { ...WEATHER.function, strict: true } };
  const wrong = {
    logprobs: { logprobs: true },
    top_logprobs: { top_logprobs: 2 },
    frequency_penalty: { frequency_penalty: 0.5 },
    logit_bias: { logit_bias: { 5: 1 } },
    functions: { functions: [] },
    'tools[0].type': { tools: [{ type: 'custom', custom: { name: 'x' } }] },
    'tools[0].function.strict': { tools: [strict] },
    response_format: { tools: [WEATHER], response_format: { type: 'json_object' } },
    reasoning_effort: { reasoning_effort: 'high' },
    'messages[0].content[0]': { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] },
    'stream_options.foo': { stream_options: { foo: 1 } },
    tool_choice: { tools: [WEATHER], tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } } },
  };
  const bad = {
    topp: { topp: 1 },
    messages: { messages: [] },
    'messages[0].role': { messages: [{ role: 'function', content: '' }] },
    'messages[1].tool_call_id': { messages: [message, { role: 'tool', tool_call_id: 'x', content: '' }] },
    'messages[0].content': { messages: [{ role: 'user', content: 5 }] },
    n: { n: 0 },
    temperature: { temperature: -1 },
    seed: { seed: 1.5 },
    stop: { stop: 5 },
    stream: { stream: 'yes' },
    max_tokens: { max_tokens: 0 },
    chat_template_kwargs: { chat_template_kwargs: 'x' },
    'messages[0].tool_calls': { messages: [{ role: 'assistant', content: '', tool_calls: 'x' }] },
  };
  const [unsupported, invalid, rest] = await page.evaluate(async (all) => {
    const say = (body) => Promise.all([official, own].map((client) => refused(client.chat.completions.create({ ...hi, ...body }))));
    const found = [];
    for (const cases of all) {
      const results = {};
      for (const [param, body] of Object.entries(cases)) results[param] = await say(body);
      found.push(results);
    }
    const tooLong = { ...hi, messages: [{ role: 'user', content: 'word '.repeat(600) }] };
    const raw = async (path, init) => {
      // Read later than what comes after it: as a server's, its reply waits in the stream.
    const response = await fetchModel(new URL(path, 'https://model.invalid/v1/'), init);
      return [response.status, await response.json()];
    };
    const rest = {
      tooLong: await say(tooLong),
      tooLongStream: await say({ ...tooLong, stream: true }),
      neutral: (await official.chat.completions.create({ ...hi, max_tokens: 1, logprobs: false, presence_penalty: 0, user: 'me', store: null, parallel_tool_calls: false })).object,
      list: (await official.models.list()).data,
      model: await refused(official.models.retrieve('other')),
      embeddings: await refused(official.embeddings.create({ model: 'any', input: 'Hi' })),
      path: await raw('audio/speech', { method: 'POST', body: '{}' }),
      method: await raw('chat/completions'),
      json: await raw('chat/completions', { method: 'POST', body: '{' }),
    };
    return [...found, rest];
  }, [wrong, bad]);
  for (const [cases, code] of [[unsupported, 'unsupported_parameter'], [invalid]]) {
    for (const [param, both] of Object.entries(cases)) {
      for (const failed of both) {
        assert.equal(failed?.status, 400, `${param}: ${failed?.message}`);
        assert.equal(failed.param, param, failed.message);
        assert.equal(failed.type, 'invalid_request_error');
        if (code) assert.equal(failed.code, code);
      }
    }
  }
  for (const failed of [...rest.tooLong, ...rest.tooLongStream]) {
    assert.deepEqual([failed.status, failed.code, failed.param], [400, 'context_length_exceeded', 'messages']);
  }
  assert.equal(rest.neutral, 'chat.completion');
  assert.equal(rest.list.length, 1);
  assert.deepEqual([rest.model.status, rest.model.code], [404, 'model_not_found']);
  assert.deepEqual([rest.embeddings.status, rest.embeddings.code, rest.embeddings.param], [400, 'unsupported_parameter', 'input']);
  assert.deepEqual([rest.path[0], rest.path[1].error.code], [404, 'unknown_url']);
  assert.deepEqual([rest.method[0], rest.method[1].error.code], [405, 'method_not_supported']);
  assert.deepEqual([rest.json[0], rest.json[1].error.code], [400, 'invalid_json']);
});

chromiumTest('the AI SDK: streamText, generateText with messages, and their usage', TIMEOUT, async () => {
  const { pieces, usage, finishReason, parts, text, warnings, cached, response } = await page.evaluate(async () => {
    const settings = { model: sdk, temperature: 0, maxOutputTokens: 12 };
    const streamed = ai.streamText({ ...settings, prompt: 'A story of a cat' });
    const pieces = [];
    for await (const piece of streamed.textStream) pieces.push(piece);
    const parts = [];
    for await (const { type } of ai.streamText({ ...settings, prompt: 'A story of a cat' }).fullStream) parts.push(type);
    const { text } = await ai.generateText({ ...settings, prompt: 'A story of a cat' });
    const messages = [{ role: 'user', content: 'A story of a cat' }, { role: 'assistant', content: text }, { role: 'user', content: [{ type: 'text', text: 'And then?' }] }];
    const next = await ai.generateText({ ...settings, messages, frequencyPenalty: 1, reasoning: 'high', providerOptions: { webgguf: { minP: 0.1 } } });
    return {
      pieces, parts, text, usage: await streamed.usage, finishReason: await streamed.finishReason, response: await streamed.response,
      warnings: next.warnings.map(({ feature }) => feature), cached: [next.usage.inputTokenDetails.cacheReadTokens, next.usage.inputTokens],
    };
  });
  assert.ok(pieces.length > 2);
  assert.equal(pieces.join(''), text);
  assert.equal(finishReason, 'length');
  assert.equal(usage.outputTokens, 12);
  assert.equal(usage.totalTokens, usage.inputTokens + 12);
  assert.deepEqual([...new Set(parts)], ['start', 'start-step', 'text-start', 'text-delta', 'text-end', 'finish-step', 'finish']);
  assert.deepEqual(warnings, ['frequencyPenalty', 'reasoning']);
  assert.ok(cached[0] > cached[1] / 2, cached);
  assert.equal(typeof response.modelId, 'string');
});

chromiumTest('the AI SDK: generateObject, tools and their results, an agent as the transport of useChat', TIMEOUT, async () => {
  const { object, steps, chunks } = await page.evaluate(async ([schema, { description, parameters }]) => {
    const settings = { model: sdk, temperature: 0, seed: 1, maxOutputTokens: 60 };
    const { object } = await ai.generateObject({ ...settings, schema: ai.jsonSchema({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema }), prompt: 'Hi' });
    const tools = { weather: ai.tool({ description, inputSchema: ai.jsonSchema(parameters), execute: ({ city }) => ({ city, degrees: 18 }) }) };
    const { steps } = await ai.generateText({
      ...settings, tools, prompt: 'Hi', stopWhen: ai.isStepCount(2),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber ? 'none' : 'required' }),
    });
    const agent = new ai.ToolLoopAgent({ ...settings, tools, toolChoice: { type: 'tool', toolName: 'weather' }, stopWhen: ai.isStepCount(1) });
    const stream = await new ai.DirectChatTransport({ agent }).sendMessages({
      chatId: 'c', trigger: 'submit-message', messageId: undefined, abortSignal: undefined,
      messages: [{ id: 'm', role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    });
    const chunks = [];
    const reader = stream.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) chunks.push(read.value.type);
    const seen = steps.map((step) => ({ reason: step.finishReason, calls: step.toolCalls.map((c) => c.input), results: step.toolResults.map((r) => r.output), text: step.text }));
    return { object, steps: seen, chunks };
  }, [SCHEMA, WEATHER.function]);
  assert.ok(['glad', 'sad'].includes(object.mood));
  assert.equal(steps.length, 2);
  assert.equal(steps[0].reason, 'tool-calls');
  assert.match(steps[0].calls[0].city, /^[a-z]{1,8}$/);
  assert.deepEqual(steps[0].results, [{ city: steps[0].calls[0].city, degrees: 18 }]);
  assert.ok(steps[1].text.length > 0);
  assert.ok(chunks.includes('tool-input-available') && chunks.includes('tool-output-available'), String(chunks));
});

chromiumTest('the AI SDK: a stop, a reader who leaves, what can not be', TIMEOUT, async () => {
  const { aborted, left, image, tooLong, pending } = await page.evaluate(async () => {
    const settings = { model: sdk, temperature: 0, maxRetries: 0 };
    const stop = new AbortController();
    const long = refused(ai.generateText({ ...settings, prompt: 'Hi', abortSignal: stop.signal }));
    setTimeout(() => stop.abort(), 100);
    const aborted = await long;
    let left = 0;
    const { stream } = await sdk.doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] });
    const reader = stream.getReader();
    while ((await reader.read()).value.type !== 'text-delta') left++;
    await reader.cancel();
    await sdk.doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Never read' }] }], maxOutputTokens: 20 });
    const image = await refused(ai.generateText({ ...settings, messages: [{ role: 'user', content: [{ type: 'file', mediaType: 'image/png', data: new Uint8Array([137, 80, 78, 71]) }] }] }));
    const tooLong = await refused(ai.generateText({ ...settings, prompt: 'word '.repeat(600) }));
    await ai.generateText({ ...settings, prompt: 'Hi', maxOutputTokens: 1 });
    return { aborted, left, image, tooLong, pending: model.pending };
  });
  assert.equal(aborted.name, 'AbortError');
  assert.ok(left <= 4);
  assert.match(image.message, /image\/png.*text only/);
  assert.match(tooLong.message, /the context 512/);
  assert.equal(pending, 0);
});
