// Addresses of a hub of models: what they mean, what is said where they mean nothing, and where the token goes.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { F32 } from './lib/gguf.mjs';
import { open } from './lib/harness.mjs';
import { startHub } from './lib/hub.mjs';
import { writeSplit } from './lib/shapes.mjs';

const TIMEOUT = { timeout: 60_000 };
const TOKEN = 'hf_aSecretOfTheTest';
const GPT2 = join(ROOT, 'tests/fixtures/models/gpt2-tiny.gguf');
const RETRY = { attempts: 2, baseDelayMs: 1 };

let site;
let hub;
let page;
before(async () => {
  site = await open();
  writeSplit(join(site.temp, 'split'), 'tiny', F32, 3);
  const part = (n) => [`F32/split-F32-0000${n}-of-00003.gguf`, join(site.temp, `split-0000${n}-of-00003.gguf`)];
  hub = await startHub({
    'maker/split': { files: Object.fromEntries([2, 1, 3].map(part)) },
    'maker/tiny-GGUF': {
      files: {
        'README.md': 1234,
        'Tiny-Q4_K_M.gguf': GPT2,
        'Tiny.Q4_K_S.gguf': 2_500_000_000,
        'Tiny-IQ4_XS.gguf': 12_345_678,
        'tiny-BF16/tiny-BF16-00001-of-00002.gguf': 40_000_000_000,
        'tiny-BF16/tiny-BF16-00002-of-00002.gguf': 7_000_000_000,
        'two/Tiny-Q8_0.gguf': 1000,
        'other/Tiny-Q8_0.gguf': 2000,
        'a folder/tiny 100% q5_0.gguf': GPT2,
        'mmproj-Tiny-Q4_K_M.gguf': 5,
        'Tiny.mmproj-F16.gguf': 5,
        'Tiny-Q4_K_M-imatrix.gguf': 5,
        'imatrix_all.gguf': 5,
      },
    },
    'maker/tiny-GGUF@v2/beta': { files: { 'Tiny-F16.gguf': GPT2 } },
    'maker/gated': { files: { 'Gated-Q4_0.gguf': GPT2 }, token: TOKEN },
    'maker/no-models': { files: { 'README.md': 5, 'model.safetensors': 5 } },
  });
  page = await site.page();
});
after(async () => {
  await hub?.close();
  await site?.close();
});

/** What a tokenizer's load from a source comes to: the size of the vocabulary or the failure. */
const tokenizerOf = (source, { to = page, ...options } = {}) =>
  to.evaluate(async ([source, options]) => {
    let tokenizer;
    const failed = await failureOf(webgguf.loadTokenizer(source, options).then((t) => (tokenizer = t)));
    return failed ?? tokenizer.info.vocabularySize;
  }, [source, { cache: false, hub: { url: hub.url }, retry: RETRY, ...options }]);

const files = () => hub.asked.splice(0).map(({ url }) => url).filter((url) => /\/resolve\//.test(url));

test('every form of an address finds its file', TIMEOUT, async () => {
  hub.asked.length = 0;
  const main = '/maker/tiny-GGUF/resolve/main/Tiny-Q4_K_M.gguf';
  const spaced = '/maker/tiny-GGUF/resolve/main/a%20folder/tiny%20100%25%20q5_0.gguf';
  const beta = '/maker/tiny-GGUF/resolve/v2%2Fbeta/Tiny-F16.gguf';
  const forms = {
    'hf:maker/tiny-GGUF/Tiny-Q4_K_M.gguf': main,
    'HF:maker/tiny-GGUF@main/Tiny-Q4_K_M.gguf': main,
    'hf:maker/tiny-GGUF:Q4_K_M': main,
    'hf:maker/tiny-GGUF:q4_k_m': main,
    'hf:maker/tiny-GGUF@main:Q4_K_M': main,
    'hf:maker/tiny-GGUF:Q5_0': spaced,
    'hf:maker/tiny-GGUF/a folder/tiny%20100%25 q5_0.gguf': spaced,
    'hf:maker/tiny-GGUF@v2%2Fbeta/Tiny-F16.gguf': beta,
    'hf:maker/tiny-GGUF@v2%2Fbeta:F16': beta,
    [`${hub.url}/maker/tiny-GGUF/blob/main/Tiny-Q4_K_M.gguf`]: main,
    [`${hub.url}/maker/tiny-GGUF/raw/main/Tiny-Q4_K_M.gguf`]: main,
    [`${hub.url}/maker/tiny-GGUF/resolve/main/Tiny-Q4_K_M.gguf?download=true`]: `${main}?download=true`,
    [`${hub.url}/maker/tiny-GGUF/blob/v2%2Fbeta/Tiny-F16.gguf`]: beta,
  };
  const vocabulary = await tokenizerOf('/models/gpt2-tiny.gguf');
  assert.ok(vocabulary > 100);
  for (const [source, wanted] of Object.entries(forms)) {
    assert.deepEqual(await tokenizerOf(source), vocabulary, source);
    assert.deepEqual([...new Set(files())], [wanted], source);
  }
  // A list whose parts are addresses of the hub, and an URL object.
  assert.deepEqual(await tokenizerOf(['hf:maker/tiny-GGUF:Q4_K_M']), vocabulary);
  const byObject = await page.evaluate(async (url) => {
    const options = { cache: false, hub: { url: new URL(url) } };
    return (await webgguf.loadTokenizer(new URL('hf:maker/tiny-GGUF:Q4_K_M'), options)).info.vocabularySize;
  }, hub.url);
  assert.equal(byObject, vocabulary);
});

test('huggingface.co is the hub where none is given, and its pages are addresses', TIMEOUT, async () => {
  const context = await site.browser.newContext();
  const asked = [];
  await context.route('https://huggingface.co/**', (route) => {
    asked.push(route.request().url());
    const list = [{ type: 'file', path: 'm.gguf', size: 7e8 }];
    const tree = /\/api\//.test(route.request().url());
    return route.fulfill({ status: tree ? 200 : 404, json: list, headers: { 'Access-Control-Allow-Origin': '*' } });
  });
  const there = await site.page('/test/', context);
  const own = { to: there, hub: {} };
  for (const source of ['hf:a/b/c/m.gguf', 'https://huggingface.co/a/b/blob/main/c/m.gguf', 'https://huggingface.co/a/b/resolve/main/c/m.gguf']) {
    assert.match((await tokenizerOf(source, own)).message, /404: 'a\/b' has no such file/);
    assert.deepEqual([...new Set(asked.splice(0))], ['https://huggingface.co/a/b/resolve/main/c/m.gguf']);
  }
  // With a mirror, pages of the hub itself stay its own.
  const pages = ['https://huggingface.co/a/b', 'https://huggingface.co/a/b/', 'https://huggingface.co/a/b/tree/main', 'https://huggingface.co/a/b/tree/main/c'];
  for (const source of ['hf:a/b', ...pages]) {
    const { code, message } = await tokenizerOf(source, source.startsWith('hf:') ? own : { to: there });
    assert.equal(code, 'INVALID_ARGUMENT', source);
    assert.equal(message, `'${source}' names no GGUF file; there are\n  m.gguf (700 MB)`);
    assert.deepEqual(asked.splice(0), ['https://huggingface.co/api/models/a/b/tree/main?recursive=true']);
  }
  await context.close();
});

const LIST = `
  Tiny-Q4_K_M.gguf (SIZE)
  Tiny.Q4_K_S.gguf (2.5 GB)
  Tiny-IQ4_XS.gguf (12 MB)
  tiny-BF16/tiny-BF16-00001-of-00002.gguf (2 parts, 47 GB)
  two/Tiny-Q8_0.gguf (1.0 kB)
  other/Tiny-Q8_0.gguf (2.0 kB)
  a folder/tiny 100% q5_0.gguf (SIZE)`;

test('what names no model, or several, says what there is', TIMEOUT, async () => {
  const cases = {
    'hf:maker/tiny-GGUF': 'names no GGUF file',
    'hf:maker/tiny-GGUF/two': 'names no GGUF file',
    'hf:maker/tiny-GGUF:Q8_0': 'matches 2 of the models',
    'hf:maker/tiny-GGUF:Q4_K': 'matches none of the models',
    'hf:maker/tiny-GGUF:F16': 'matches none of the models',
    'hf:maker/tiny-GGUF:Q6_K': 'matches none of the models',
    [`${hub.url}/maker/tiny-GGUF`]: 'names no GGUF file',
    [`${hub.url}/maker/tiny-GGUF/tree/main`]: 'names no GGUF file',
  };
  for (const [source, what] of Object.entries(cases)) {
    const { code, message } = await tokenizerOf(source);
    assert.equal(code, 'INVALID_ARGUMENT', source);
    assert.equal(message.replace(/\(\d+ kB\)/g, '(SIZE)'), `'${source}' ${what}; there are${LIST}`);
  }
  const none = await tokenizerOf('hf:maker/no-models');
  assert.equal(none.message, "'hf:maker/no-models' names no GGUF file; there is none");
  assert.match((await tokenizerOf('hf:maker/not-there:Q4_0')).message, /'maker\/not-there' can't be looked up: the hub answered 404/);
});

test('addresses and options that are none are refused before anything is asked', TIMEOUT, async () => {
  hub.asked.length = 0;
  const url = hub.url;
  for (const source of ['hf:', 'hf:tiny', 'hf:a/b:', 'hf:a/b@', 'hf:a/../c.gguf', 'hf:../b/c.gguf', 'hf:a/b@v2/beta:Q4_0', 'hf:a/b@%zz/c.gguf', 'hf:a/b/100%.gguf', 'hf://a/b/c.gguf']) {
    const { code, message } = await tokenizerOf(source);
    assert.equal(code, 'INVALID_ARGUMENT', source);
    assert.ok(message.includes(`'${source}'`) && message.includes('hf:OWNER/REPOSITORY'), message);
  }
  const options = {
    5: 'hub is 5, an object is allowed',
    '{"urll":"x"}': "hub has no option 'urll'; did you mean url?",
    '{"url":"ftp://x"}': "hub.url is 'ftp://x'; an address with http or https",
    '{"url":"/mirror"}': "hub.url is '/mirror'; an address",
    '{"token":5}': 'hub.token is no token',
    '{"token":"a b"}': 'hub.token is no token',
    '{"token":""}': 'hub.token is no token',
  };
  for (const [json, words] of Object.entries(options)) {
    const failures = await page.evaluate(async (hub) => {
      const calls = ['loadModel', 'canRun', 'loadTokenizer', 'removeCached'].map((name) => () => webgguf[name]('hf:a/b/c.gguf', { hub }));
      calls.push(() => webgguf.loadModel('hf:a/b/c.gguf', { hub, worker: true }));
      return Promise.all(calls.map((call) => failureOf(call())));
    }, JSON.parse(json));
    for (const { code, message } of failures) {
      assert.equal(code, 'INVALID_ARGUMENT');
      assert.ok(message.startsWith(words), message);
    }
  }
  assert.deepEqual(hub.asked.map((r) => r.url), [], url);
});

test('a repository that is not public says what it wants, and the token goes to the hub alone', TIMEOUT, async () => {
  hub.asked.length = 0;
  for (const source of ['hf:maker/gated/Gated-Q4_0.gguf', 'hf:maker/gated:Q4_0', `${hub.url}/maker/gated/blob/main/Gated-Q4_0.gguf`]) {
    const without = await tokenizerOf(source);
    assert.equal(without.code, 'FETCH_FAILED');
    assert.ok(without.message.endsWith(
      `answered 401: 'maker/gated' is not public. Accept its terms at ${hub.url}/maker/gated, and give a token as 'hub.token'`), without.message);
    const wrong = await tokenizerOf(source, { hub: { url: hub.url, token: 'hf_another' } });
    assert.match(wrong.message, /answered 403: .* give a token of an account that may read it as 'hub.token'$/);
    assert.ok(!wrong.message.includes('hf_another'), 'the token is not told');
    assert.ok((await tokenizerOf(source, { hub: { url: hub.url, token: TOKEN } })) > 100, source);
  }
  const { disk, own } = { disk: new URL(hub.diskUrl).host, own: new URL(hub.url).host };
  assert.ok(hub.asked.some((r) => r.host === own && r.token === `Bearer ${TOKEN}`));
  assert.ok(hub.asked.some((r) => r.host === disk && r.method === 'GET'));
  assert.deepEqual(hub.asked.filter((r) => r.host === disk && r.token), []);
  // What is no file of the hub gets none.
  hub.asked.length = 0;
  await tokenizerOf(`${hub.diskUrl}/${encodeURIComponent(GPT2)}`, { hub: { url: hub.url, token: TOKEN } });
  assert.ok(hub.asked.length > 0 && hub.asked.every((r) => !r.token));
});

for (const worker of [false, true]) {
  test(`a model of a quantisation loads, and again without the hub${worker ? ', in a worker' : ''}`, { timeout: 120_000 }, async () => {
    const context = await site.browser.newContext();
    const there = await site.page('/test/?load-only', context);
    hub.asked.length = 0;
    const load = (source, more) => there.evaluate(([source, { hub, ...options }]) => outcome(source, { ...options, hub: { ...hub, url: new URL(hub.url) } }),
      [source, { cache: true, worker, retry: RETRY, hub: { url: hub.url, token: TOKEN }, ...more }]);
    const source = 'hf:maker/gated:Q4_0';
    const first = await load(source);
    assert.equal(first.failed, undefined);
    assert.ok(hub.asked.filter((r) => r.host !== new URL(hub.url).host).every((r) => !r.token));
    hub.breakDown();
    const second = await load(source);
    assert.equal(second.failed, undefined);
    assert.equal(second.sum, first.sum);
    assert.equal(second.info.cache.networkBytes, 0);
    // What it has not, it does not invent.
    const { failed: absent } = await load('hf:maker/gated:Q8_0');
    assert.equal(absent.code, 'INVALID_ARGUMENT');
    const { failed: uncached } = await load('hf:maker/tiny-GGUF:Q4_K_M');
    assert.match(uncached.message, /can't be fetched: the server answered 500; 2 attempts failed/);
    const { failed: without } = await load(source, { cache: false });
    assert.equal(without.code, 'FETCH_FAILED');
    const removed = await there.evaluate(async ([source, url]) => {
      const remove = () => webgguf.removeCached(source, { hub: { url } });
      return [await remove(), await remove(), (await webgguf.listCached()).length];
    }, [source, hub.url]);
    assert.deepEqual(removed, [true, false, 0]);
    hub.mend();
    await context.close();
  });
}

test('the parts of a quantisation are one model', TIMEOUT, async () => {
  hub.asked.length = 0;
  const byName = await tokenizerOf('hf:maker/split:f32');
  const wanted = [1, 2, 3].map((n) => `/maker/split/resolve/main/F32/split-F32-0000${n}-of-00003.gguf`);
  assert.deepEqual([...new Set(files())].sort(), wanted);
  assert.ok(byName > 100);
  assert.equal(await tokenizerOf('hf:maker/split/F32/split-F32-00002-of-00003.gguf'), byName);
  assert.deepEqual([...new Set(files())].sort(), wanted);
});

test('canRun takes the same addresses, and an aborted question ends', TIMEOUT, async () => {
  const answers = await page.evaluate(async ([url, source]) => {
    const answer = await webgguf.canRun(source, { hub: { url }, cache: false });
    const signal = AbortSignal.abort('enough');
    const aborted = await failureOf(webgguf.loadModel(source, { hub: { url }, signal }));
    return [answer.fits, aborted.code];
  }, [hub.url, 'hf:maker/tiny-GGUF:Q4_K_M']);
  assert.deepEqual(answers, [true, 'ABORTED']);
});
