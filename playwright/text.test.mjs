// Tokenizers and chat templates in wasm: what the native tests hold, held in the browser, without a GPU.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { DATA, open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 120_000 };
const FIXTURES = join(ROOT, 'tests/fixtures/text');
/** The time of the templates' goldens. */
const NOW = '2026-02-03T04:05:06Z';

const LLAMA_CPP = 'llama.cpp-vocab/ggml-vocab-';
/** A vocabulary, the cases that go with it, its goldens, and whether text comes back from its ids. */
const VOCABULARIES = [
  [`${LLAMA_CPP}llama-spm.gguf`, `${LLAMA_CPP}llama-spm.gguf`, 'llama-spm', true],
  [`${LLAMA_CPP}phi-3.gguf`, `${LLAMA_CPP}phi-3.gguf`, 'phi-3', true],
  [`${LLAMA_CPP}gpt-2.gguf`, `${LLAMA_CPP}gpt-2.gguf`, 'gpt-2', true],
  [`${LLAMA_CPP}deepseek-llm.gguf`, `${LLAMA_CPP}deepseek-llm.gguf`, 'deepseek-llm', true],
  [`${LLAMA_CPP}starcoder.gguf`, `${LLAMA_CPP}starcoder.gguf`, 'starcoder', true],
  [`${LLAMA_CPP}refact.gguf`, `${LLAMA_CPP}refact.gguf`, 'refact', true],
  [`${LLAMA_CPP}bert-bge.gguf`, `${LLAMA_CPP}bert-bge.gguf`, 'bert-bge', false],
  ['tokenizers/vocab-smollm2.gguf', 'tokenizers/vocab-smollm2.gguf', 'smollm2', true],
  ['tokenizers/vocab-llama-bpe.gguf', `${LLAMA_CPP}llama-bpe.gguf`, 'llama-bpe', true],
  ['tokenizers/vocab-qwen2.gguf', `${LLAMA_CPP}qwen2.gguf`, 'qwen2', true],
  ['tokenizers/vocab-qwen2.gguf', `${LLAMA_CPP}deepseek-r1-qwen.gguf`, null, true],
  [`${LLAMA_CPP}gpt-neox.gguf`, null, 'gpt-neox', true],
  [`${LLAMA_CPP}baichuan.gguf`, null, 'baichuan', true],
];
const TINY = ['tiny-bpe', 'tiny-raw-bpe', 'tiny-spm', 'tiny-unigram', 'tiny-wordpiece'];

/** Why a test is skipped: a file of the shared data is not there. */
const missing = (...files) => {
  const file = files.find((file) => file && !existsSync(join(DATA, file)));
  return file && `${file} is not in WEBGGUF_DATA`;
};

const readJson = (name) => JSON.parse(readFileSync(join(FIXTURES, name)));

let site;
let page;
before(async () => {
  site = await open();
  // No GPU: a tokenizer needs none.
  page = await site.page('/test/', undefined, { timezoneId: 'UTC' });
  await page.clock.setFixedTime(NOW);
  await page.evaluate(() => {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
    globalThis.tokenizers = new Map();
    globalThis.tokenizerOf = async (url) => {
      if (!tokenizers.has(url)) tokenizers.set(url, await webgguf.loadTokenizer(url));
      return tokenizers.get(url);
    };
  });
});
after(() => site.close());

/** The ids of texts, and the texts of the ids. */
const roundTrip = (url, texts) =>
  page.evaluate(async ([url, texts]) => {
    const tokenizer = await tokenizerOf(url);
    const ids = texts.map((text) => [...tokenizer.tokenize(text, { parseSpecial: false })]);
    return { ids, back: ids.map((list) => tokenizer.detokenize(list)), warnings: tokenizer.info.warnings };
  }, [url, texts]);

for (const [vocabulary, cases, , lossless] of VOCABULARIES.filter(([, cases]) => cases)) {
  test(`47 of 47 cases of ${cases} with ${vocabulary}`, { ...TIMEOUT, skip: missing(vocabulary, `${cases}.inp`) }, async () => {
    const texts = readFileSync(join(DATA, `${cases}.inp`), 'utf8').split('\n__ggml_vocab_test__\n');
    const lines = readFileSync(join(DATA, `${cases}.out`), 'utf8').split('\n');
    const wanted = texts.map((_, i) => (lines[i] ?? '').split(' ').filter(Boolean).map(Number));
    assert.equal(texts.length, 47);
    const { ids, back, warnings } = await roundTrip(`/data/${vocabulary}`, texts);
    assert.deepEqual(ids, wanted);
    if (lossless) assert.deepEqual(back, texts);
    assert.deepEqual(warnings, []);
  });
}

/** FNV-1a over the ids as 32-bit numbers, folded: what the goldens keep. */
function hash16(ids) {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(Uint32Array.from(ids).buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 16)) & 0xffff;
}

const GOLDENS = [
  ...TINY.map((name) => [name, `/fixtures/text/${name}.gguf`, false]),
  ...VOCABULARIES.filter(([, , golden]) => golden).map(([file, , golden]) => [golden, `/data/${file}`, missing(file)]),
];
for (const [golden, url, skip] of GOLDENS) {
  test(`2000 texts as the tokenizer of ${golden} has them`, { ...TIMEOUT, skip }, async () => {
    const texts = readJson('corpus.json');
    const file = readFileSync(join(FIXTURES, `${golden}.hashes`));
    const { ids } = await roundTrip(url, texts);
    const wrong = texts.filter((_, i) => hash16(ids[i]) !== file.readUInt16LE(2 * i));
    assert.equal(texts.length, 2000);
    assert.deepEqual(wrong, []);
  });
}

/**
 * Milliseconds of a processor to tokenize a text, the best of three, and how many tokens it has. Other work on the machine
 * does not count.
 */
async function time(page, vocabulary, text) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const seconds = async () =>
    (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;
  await page.evaluate(async ([url, text]) => {
    Object.assign(globalThis, { tokenizer: await webgguf.loadTokenizer(url), text });
  }, [`/data/${vocabulary}`, text]);
  let ms = Infinity;
  let n = 0;
  for (let i = 0; i < 3; i++) {
    const start = await seconds();
    n = await page.evaluate(() => tokenizer.tokenize(text).length);
    ms = Math.min(ms, 1e3 * ((await seconds()) - start));
  }
  await session.detach();
  return { ms, n };
}

const BOOK = 'text/war-and-peace.txt';
/** One of each kind, and the two that most models have. */
const TIMED = ['gpt-2', 'llama-bpe', 'qwen2', 'llama-spm', 'bert-bge'];
test('1 MB of English takes less than a second with the vocabulary of GPT-2', { timeout: 240_000, skip: missing(BOOK) }, async () => {
  const english = readFileSync(join(DATA, BOOK)).subarray(0, 1e6).toString('utf8');
  const page = await site.page(); // One whose clock goes.
  for (const [vocabulary] of VOCABULARIES.filter(([file, , golden]) => TIMED.includes(golden) && !missing(file))) {
    const { ms, n } = await time(page, vocabulary, english);
    const letter = await time(page, vocabulary, 'a'.repeat(1e6));
    console.log(`${vocabulary}: 1 MB of English in ${ms.toFixed(0)} ms, ${n} tokens; of one letter in ${letter.ms.toFixed(0)} ms`);
    if (vocabulary.endsWith('gpt-2.gguf')) assert.ok(ms > 0 && ms < 1000, `${ms} ms`);
    assert.ok(letter.ms < 5000, `${letter.ms} ms`);
  }
  await page.close();
});

test('of a model file only the header is fetched', TIMEOUT, async () => {
  const asked = [];
  page.on('request', (request) => request.url().includes('embedded') && asked.push(request.headers().range));
  const info = await page.evaluate(async () => (await webgguf.loadTokenizer('/models/embedded.gguf')).info);
  assert.deepEqual(asked, ['bytes=0-1048575']);
  assert.deepEqual(info, { vocabularySize: 2048, endTokens: [0], chatTemplates: [], warnings: [] });
});

test('a tokenizer comes from a Blob, and from a server without ranges', TIMEOUT, async () => {
  const ids = await page.evaluate(async () => {
    const blob = await (await fetch('/models/embedded.gguf')).blob();
    const sources = [blob, new Uint8Array(await blob.arrayBuffer()), '/fault/no-range/models/embedded.gguf'];
    return Promise.all(sources.map(async (s) => (await webgguf.loadTokenizer(s)).tokenize('Prince').join()));
  });
  assert.equal(new Set(ids).size, 1);
});

test('what is no source, text or id is named', TIMEOUT, async () => {
  const codes = await page.evaluate(async () => {
    const t = await tokenizerOf('/models/embedded.gguf');
    const failed = [
      failureOf(webgguf.loadTokenizer(5)),
      failureOf(webgguf.loadTokenizer('/models/embedded.gguf', { signal: AbortSignal.abort() })),
      failureOf(webgguf.loadTokenizer('/fault/not-found/models/embedded.gguf')),
      failureOf(webgguf.loadTokenizer('/fault/wrong-magic/models/embedded.gguf')),
      ...[() => t.tokenize(5), () => t.detokenize([2048]), () => t.detokenize(['a'])].map((f) => failureOf((async () => f())())),
    ];
    return (await Promise.all(failed)).map((f) => f?.code);
  });
  const argument = 'INVALID_ARGUMENT';
  assert.deepEqual(codes, [argument, 'ABORTED', 'FETCH_FAILED', 'MALFORMED_GGUF', argument, argument, argument]);
});

/** FNV-1a, 64 bits. */
function fnv64(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, '0');
}

/** A template of the shared data: a file, or a line of a list. */
function templateSource(name) {
  const line = /^templates\.jsonl\/(\d+)$/.exec(name)?.[1];
  if (!line) return readFileSync(join(DATA, `chat-templates/${name}.jinja`), 'utf8');
  const lines = readFileSync(join(DATA, 'chat-golden/templates.jsonl'), 'utf8').split('\n');
  return Object.values(JSON.parse(lines[line]))[0];
}

const TEMPLATES = ['chat-templates', 'chat-golden/templates.jsonl'];
test("models' own templates render as in Python", { ...TIMEOUT, skip: missing(...TEMPLATES) }, async () => {
  // With numbers as they are written: to Python, 1.0 is not 1.
  await page.evaluate((json) => {
    const asWritten = (_, value, { source }) => (typeof value === 'number' && `${value}` !== source ? JSON.rawJSON(source) : value);
    globalThis.conversations = JSON.parse(json, asWritten);
  }, readFileSync(join(FIXTURES, 'conversations.json'), 'utf8'));
  let [equal, errors, lenient] = [0, 0, 0];
  const wrong = [];
  for (const [name, all] of Object.entries(readJson('chat.json'))) {
    // Where a template takes text only, contents in parts become text: tests/chat_parts.rs.
    const golden = Object.fromEntries(Object.entries(all).filter(([conversation]) => !/part/.test(conversation)));
    const rendered = await page.evaluate(async ([template, names]) => {
      const tokenizer = await tokenizerOf('/fixtures/text/tiny-bpe.gguf');
      return names.map((name) => {
        const { messages, add_generation_prompt: addGenerationPrompt = false, ...variables } = conversations[name];
        try {
          return tokenizer.formatChat(messages, { variables, addGenerationPrompt, template });
        } catch (e) {
          return { code: e.code };
        }
      });
    }, [templateSource(name), Object.keys(golden)]);
    Object.entries(golden).forEach(([conversation, wanted], i) => {
      const got = rendered[i];
      // The native tests say which templates fail in Python alone.
      if (wanted === 'error') got.code === 'TEMPLATE_ERROR' ? errors++ : lenient++;
      else if (!got.code && fnv64(got) === wanted) equal++;
      else wrong.push(`${name}, ${conversation}: ${got.code ?? got.slice(0, 200)}`);
    });
  }
  console.log(`${equal} prompts equal, ${errors} errors in both, ${lenient} errors in Python only`);
  assert.deepEqual(wrong, []);
});

/** What formatChat gives or fails with. */
const format = (url, messages, options) =>
  page.evaluate(async ([url, messages, options]) => {
    const tokenizer = await tokenizerOf(url);
    try {
      return tokenizer.formatChat(messages, options);
    } catch (e) {
      return { code: e.code, message: e.message };
    }
  }, [url, messages, options]);

test('ChatML takes the place of no template where the vocabulary has its tokens', TIMEOUT, async () => {
  const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hi' }];
  const chatml = '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n';
  const url = '/fixtures/text/tiny-bpe.gguf';
  assert.equal(await format(url, messages), `${chatml}<|im_start|>assistant\n`);
  assert.equal(await format(url, messages, { addGenerationPrompt: false }), chatml);
  const failed = await format('/models/embedded.gguf', messages);
  assert.equal(failed.code, 'TEMPLATE_ERROR');
  assert.match(failed.message, /no chat template.*ChatML/);
});

test('a template sees tools, documents and variables, special tokens and the clock', TIMEOUT, async () => {
  const template = "{{ bos_token }}{{ strftime_now('%d %b %Y %H:%M') }}|{{ tools | tojson }}|{{ documents[0].text }}|{{ enable_thinking }}|{{ messages[0].content }}";
  const options = { template, tools: [{ name: 'f' }], documents: [{ text: 'D' }], variables: { enable_thinking: false } };
  const prompt = await format('/models/embedded.gguf', [{ role: 'user', content: 'é🦙' }], options);
  assert.equal(prompt, '<|endoftext|>03 Feb 2026 04:05|[{"name": "f"}]|D|False|é🦙');
});

test('the clock is that of the user', TIMEOUT, async () => {
  const elsewhere = await site.page('/test/', undefined, { timezoneId: 'Asia/Kolkata' });
  await elsewhere.clock.setFixedTime(NOW);
  const prompt = await elsewhere.evaluate(async () => {
    const tokenizer = await webgguf.loadTokenizer('/models/embedded.gguf');
    return tokenizer.formatChat([], { template: "{{ strftime_now('%H:%M') }}" });
  });
  assert.equal(prompt, '09:35');
  await elsewhere.close();
});

test('what is wrong with a template or with messages is named', TIMEOUT, async () => {
  const user = [{ role: 'user', content: 'Hi' }];
  const cases = [
    [user, { template: "\n\n{{ raise_exception('No') }}" }, 'TEMPLATE_ERROR', /line 3: No/],
    [user, { template: 'a\n{% if %}' }, 'TEMPLATE_ERROR', /line 2: syntax error/],
    [user, { template: '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}' }, 'TEMPLATE_ERROR', /fuel/],
    [user, { template: 'tool_use' }, 'TEMPLATE_ERROR', /no chat template 'tool_use'/],
    [user, { template: 5 }, 'INVALID_ARGUMENT', /template is 5/],
    ['Hi', { template: '{{ 1 }}' }, 'INVALID_ARGUMENT', /messages are (a )?string/],
    [undefined, { template: '{{ 1 }}' }, 'INVALID_ARGUMENT', /messages are/],
    [[...user, { content: 'x' }], { template: '{{ 1 }}' }, 'INVALID_ARGUMENT', /role of message 1 is undefined/],
  ];
  for (const [messages, options, code, words] of cases) {
    const failed = await format('/models/embedded.gguf', messages, options);
    assert.equal(failed.code, code, JSON.stringify(options));
    assert.match(failed.message, words);
  }
  const circle = await page.evaluate(() => failureOf((async () => {
    const message = { role: 'user' };
    (await tokenizerOf('/models/embedded.gguf')).formatChat([Object.assign(message, { message })], { template: '{}' });
  })()));
  assert.equal(circle.code, 'INVALID_ARGUMENT');
});
