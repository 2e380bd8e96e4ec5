// Every call knows the names of its options, and which one was meant.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { chromiumTest, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 60_000 };
const MODEL = '/models/gpt2-tiny.gguf';

let site;
let page;
before(async () => {
  site = await open();
  page = await site.page();
  await page.evaluate(async (url) => {
    globalThis.models = {
      here: await webgguf.loadModel(url, { contextLength: 64 }),
      there: await webgguf.loadModel(url, { contextLength: 64, worker: true }),
    };
    const { openai } = await import('/pkg/openai.js');
    const template = '{{ messages[0].content }}';
    const messages = [{ role: 'user', content: 'Hi' }];
    const calls = ({ here, there }) => ({
      loadModel: (o) => webgguf.loadModel(url, o),
      canRun: (o) => webgguf.canRun(url, o),
      connect: (o) => webgguf.connect(o),
      loadTokenizer: (o) => webgguf.loadTokenizer(url, o),
      ...Object.fromEntries(Object.entries({ here, there }).flatMap(([where, model]) => Object.entries({
        generate: (o) => model.generate('a', o).next(),
        captureActivations: (o) => model.captureActivations([1], o),
        recover: (o) => model.recover(o),
        chat: async (o) => model.chat({ template, ...o }),
        send: (o) => model.chat({ template }).send('a', o).next(),
        'chat.stream': (o) => model.chat({ template }).stream('a', o).next(),
        'chat.run': (o) => model.chat({ template }).run('a', o).next(),
        create: (o) => openai(model).chat.completions.create({ messages }, o),
        tokenize: async (o) => model.tokenize('a', o),
        detokenize: async (o) => model.detokenize([1], o),
        count: async (o) => model.count('a', o),
        formatChat: async (o) => model.formatChat(messages, { template, ...o }),
        tokenizeChat: async (o) => model.tokenizeChat(messages, { template, ...o }),
      }).map(([name, call]) => [`${where}.${name}`, call]))),
    });
    globalThis.calls = calls(models);
  }, MODEL);
});
after(() => site?.close());

/** What each call says of options. */
const said = (options) => page.evaluate(async (source) => {
  const options = new Function(`return ${source}`)();
  const found = {};
  for (const [name, call] of Object.entries(calls)) found[name] = await failureOf(call(options));
  return found;
}, options);

chromiumTest('an unknown name is an error in every call, whatever its value is', TIMEOUT, async () => {
  for (const options of ['{ quux: 1 }', '{ quux: () => {} }', '{ quux: null, corge: {} }']) {
    for (const [call, failed] of Object.entries(await said(options))) {
      assert.equal(failed?.code, 'INVALID_ARGUMENT', `${call}(${options})`);
      assert.match(failed.message, /quux|corge/, call);
    }
  }
});

chromiumTest('the near name is suggested', TIMEOUT, async () => {
  const meant = {
    generate: { top_p: 'topP', temprature: 'temperature', max_tokens: 'maxTokens', max_new_tokens: 'maxTokens', ontoken: 'onToken', stop_sequences: 'stop', abortSignal: 'signal', response_format: 'responseFormat', json_schema: 'responseFormat' },
    send: { maxtokens: 'maxTokens', keepmessage: 'keepMessage' },
    'chat.stream': { tool_choice: 'toolChoice', maxThinkingTokens: 'maxReasoningTokens' },
    'chat.run': { max_steps: 'maxSteps', tool: 'tools' },
    chat: { system_prompt: 'system', onDropped: 'onDrop', tool: 'tools' },
    formatChat: { addGenerationPromt: 'addGenerationPrompt', add_generation_prompt: 'addGenerationPrompt' },
    captureActivations: { decodesteps: 'decodeSteps' },
    tokenize: { add_special: 'addSpecial' },
  };
  for (const [call, names] of Object.entries(meant)) {
    for (const [wrong, right] of Object.entries(names)) {
      const found = await said(`{ ${wrong}: () => {} }`);
      for (const where of ['here', 'there']) assert.match(found[`${where}.${call}`].message, new RegExp(`did you mean ${right}\\?`), wrong);
    }
  }
  const { loadModel } = await said('{ n_ctx: 5 }');
  assert.match(loadModel.message, /did you mean contextLength\?/);
});

chromiumTest('a variable of a template is shown its place', TIMEOUT, async () => {
  const found = await said('{ enable_thinking: false }');
  for (const call of ['here.chat', 'here.formatChat', 'there.tokenizeChat']) {
    assert.match(found[call].message, /variables: \{ enable_thinking: … \}/);
  }
  const text = await page.evaluate(() => {
    const template = '{{ messages[0].content }} {{ enable_thinking }}';
    return models.here.formatChat([{ role: 'user', content: 'Hi' }], { template, variables: { enable_thinking: false } });
  });
  assert.equal(text, 'Hi False');
});

chromiumTest('messages in place of a prompt are sent to chat()', TIMEOUT, async () => {
  for (const where of ['here', 'there']) {
    const failed = await page.evaluate((where) => failureOf(models[where].generate([{ role: 'user', content: 'Hi' }]).next()), where);
    assert.equal(failed.code, 'INVALID_ARGUMENT');
    assert.match(failed.message, /use chat\(\)/);
  }
});

chromiumTest('the options that the code takes are those of the types', TIMEOUT, async () => {
  const types = ['index', 'embed', 'hands', 'openai', 'speech'].map((name) => readFileSync(join(ROOT, `pkg-templates/${name}.d.ts`), 'utf8')).join('\n');
  const calls = await page.evaluate(async () => {
    const { OPTIONS } = await import('/pkg/options.js');
    return Object.fromEntries(Object.entries(OPTIONS).map(([call, kinds]) => [call, Object.keys(kinds).sort()]));
  });
  /** The options of an interface, with those it extends. */
  const own = (name) => {
    const [, head, body] = new RegExp(`^export interface ${name}(\\s[^{]*)?\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(types);
    const names = [...body.matchAll(/^ {2}(\w+)\??:/gm)].map((m) => m[1]);
    const bases = [...(head ?? '').matchAll(/(Omit|Pick)<(\w+), ([^>]*)>|(?<=extends |, )(\w+)(?= |,|$)/g)];
    for (const [, how, base, keys, whole] of bases) {
      const listed = [...(keys ?? '').matchAll(/'(\w+)'/g)].map((m) => m[1]);
      names.push(...own(base ?? whole).filter((key) => !how || listed.includes(key) === (how === 'Pick')));
    }
    return names;
  };
  const alias = (name) => {
    const [, base, keys] = new RegExp(`^export type ${name} =\\s*Pick<\\s*(\\w+),([^>]*)>`, 'm').exec(types);
    return [...keys.matchAll(/'(\w+)'/g)].map((m) => m[1]).filter((key) => own(base).includes(key));
  };
  const wanted = {
    loadModel: own('FallbackOptions'),
    canRun: own('FallbackOptions'),
    connect: own('ConnectOptions'),
    loadTokenizer: alias('FileOptions'),
    loadEmbedder: own('EmbedderOptions'),
    embed: own('EmbedOptions'),
    'embedder.count': ['prefix'],
    loadHands: own('HandsOptions'),
    detect: own('DetectOptions'),
    loadPhonemizer: own('PhonemizerOptions'),
    loadSpeech: own('SpeechOptions'),
    synthesize: own('SpeakOptions'),
    stream: own('SpeakOptions'),
    generate: own('GenerateOptions'),
    captureActivations: own('CaptureOptions'),
    chat: own('ChatOptions'),
    send: own('SendOptions'),
    'chat.stream': own('StreamOptions'),
    'chat.run': own('RunOptions'),
    create: alias('CreateOptions'),
    tokenize: own('TokenizeOptions'),
    detokenize: own('DetokenizeOptions'),
    formatChat: own('FormatChatOptions'),
    tokenizeChat: own('FormatChatOptions'),
    count: [...own('TokenizeOptions'), ...own('FormatChatOptions')],
    loadVad: own('VadOptions'),
    segments: own('SegmentsOptions'),
  };
  for (const [call, names] of Object.entries(wanted)) assert.deepEqual(calls[call], [...new Set(names)].sort(), call);
});
