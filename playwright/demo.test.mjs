// The demo page as a visitor has it.
import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test as nodeTest } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { F32, header, withChatTemplate } from './lib/gguf.mjs';
import { BROWSER, chromiumTest, open } from './lib/harness.mjs';
import { describe } from './lib/shapes.mjs';

const READY = { timeout: 60_000 };
const TIMEOUT = { timeout: 120_000 };
/** So long a text that there is time to stop it, and one that the model does not end by itself. */
const LONG = { Length: '400', Seed: '1' };
/** As a chat model's, but in words that a model of one novel knows. */
const TEMPLATE = '{% for m in messages %}{{ m.content }}\n{% endfor %}';

/** A phone's page loads no model by itself. */
const NO_MODEL = { userAgent: 'Mobi' };

/** A test whose failure says what the page showed. */
function test(name, options, body) {
  nodeTest(name, options, async () => {
    try {
      await body();
    } catch (e) {
      const seen = await page?.locator('dialog[open], body').last().innerText().catch(() => 'nothing');
      e.stack += `\nThe page showed:\n${seen}`;
      throw e;
    }
  });
}

let site;
/** The page with the built-in model, and the one with a chat model. */
let page;
let chat;
before(async () => {
  // Chromium stops giving GPUs to pages after a few ends of the process.
  site = await open({ args: ['--disable-gpu-process-crash-limit'] });
  writeFileSync(join(site.temp, 'chat.gguf'), withChatTemplate(readFileSync(join(ROOT, 'tests/fixtures/models/qwen3-tiny.gguf')), TEMPLATE));
  const context = await site.browser.newContext();
  await simulateHub(context, {});
  page = await site.page('/', context);
  await ready(page);
});
after(() => site?.close());
/** What a test that failed left open or running must not fail the next one. */
afterEach(async () => {
  for (const open of [page, chat]) {
    await open?.evaluate(() => document.querySelector('dialog[open]')?.close());
    await open?.keyboard.press('Escape');
    await open?.waitForSelector('#log[aria-busy="false"]', { state: 'attached' });
  }
});

const text = (id) => page.locator(`#${id}`).textContent();
const press = (name) => page.getByRole('button', { name, exact: true }).click();
const ready = (page) => page.waitForSelector('#send:enabled', READY);
const writing = (page) => page.waitForSelector('#log[aria-busy="true"]', READY);
const idle = (page) => page.waitForSelector('#log[aria-busy="false"]', READY);
const prompts = (page) => page.locator('.prompt').allTextContents();
const answers = (page) => page.locator('.answer').allTextContents();
const answerLongerThan = (page, n) =>
  page.waitForFunction((n) => [...document.querySelectorAll('.answer')].at(-1)?.textContent.length > n, n, READY);

async function say(page, message) {
  await page.getByLabel('Message').fill(message);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await answerLongerThan(page, 0);
  await idle(page);
}

/** Change settings by their labels, as a visitor does. Playwright's `fill` adds to numbers in Firefox. */
async function set(page, values) {
  await page.getByRole('button', { name: 'Settings' }).click();
  for (const [label, value] of Object.entries(values)) {
    const field = page.getByLabel(label, { exact: false });
    await field.press('ControlOrMeta+a');
    if (value) await field.pressSequentially(value);
    else await field.press('Delete');
  }
  await page.getByRole('button', { name: 'Done' }).click();
}

async function loadAddress(page, address) {
  await page.locator('#models-open').click();
  await page.getByLabel('Address of a GGUF file').fill(address);
  await page.locator('#address').getByRole('button', { name: 'Load' }).click();
}

/** The page with a chat model, which its link names, and no conversation. */
async function chatPage() {
  if (!chat) {
    const link = `/#model=${encodeURIComponent(`${site.url}/temp/chat.gguf`)}`;
    chat = await site.page(link, page.context());
    await chat.getByRole('button', { name: 'Load chat.gguf' }).click();
    await ready(chat);
  }
  await chat.getByRole('button', { name: 'New chat' }).click();
  await set(chat, { 'Length': '8', 'Seed': '5', 'System prompt': '' });
  return chat;
}

test('opens with the built-in model ready, its facts, and ways to begin', TIMEOUT, async () => {
  assert.equal(await text('model-name'), 'War and Peace');
  assert.match(await text('start-text'), /one book/);
  assert.ok((await page.locator('#starters button').count()) > 1);
  await page.locator('#models-open').click();
  assert.match(await text('model-facts'), /3\.48 M parameters · llama · Q8_0 · context 512/);
  assert.match(await text('model-memory'), /\d MB of GPU memory · \w/);
  await page.keyboard.press('Escape');
  if (BROWSER === 'chromium') assert.equal(page.workers().length, 1, 'the model runs in a worker');
});

test('goes on with a text, streams, stops, continues', TIMEOUT, async () => {
  await set(page, LONG);
  await page.locator('#starters button').first().click();
  await answerLongerThan(page, 10);
  const [early] = await answers(page);
  await answerLongerThan(page, early.length);
  await press('Stop');
  await idle(page);
  const [stopped] = await answers(page);
  assert.ok(stopped.startsWith(early));
  assert.match(await text('speed'), /tok\/s/);
  assert.match(await text('first'), /\d m?s/);
  assert.match(await text('used'), /^\d+ of 512$/);
  await page.waitForTimeout(500);
  assert.deepEqual(await answers(page), [stopped], 'nothing comes after Stop');
  assert.ok(!(await page.locator('#error').isVisible()), 'stopping is no error');
  await set(page, { Length: '8' });
  await press('Continue');
  await answerLongerThan(page, stopped.length);
  await idle(page);
  assert.ok((await answers(page))[0].startsWith(stopped));
  assert.deepEqual((await prompts(page)).length, 1);
});

test('what is written next is added to the text, however long it gets', TIMEOUT, async () => {
  const next = 'He turned to Pierre. '.repeat(60);
  for (let i = 0; i < 2; i++) await say(page, next);
  assert.equal((await answers(page)).length, 3);
  assert.ok(!(await page.locator('#error').isVisible()), 'the text is longer than the context by now');
});

test('a new chat begins anew; the same seed gives the same text, Enter sends, Escape stops', TIMEOUT, async () => {
  await press('New chat');
  assert.deepEqual(await answers(page), []);
  await set(page, { Length: '8', Seed: '5' });
  const texts = [];
  for (let i = 0; i < 2; i++) {
    await press('New chat');
    const field = page.getByLabel('Message');
    assert.ok(await field.evaluate((e) => e === document.activeElement), 'the field has the focus');
    await page.keyboard.type('One line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('and another');
    assert.equal(await field.inputValue(), 'One line\nand another');
    await page.keyboard.press('Enter');
    await answerLongerThan(page, 0);
    await idle(page);
    assert.equal(await field.inputValue(), '');
    texts.push((await answers(page))[0]);
  }
  assert.equal(texts[0], texts[1]);
  assert.deepEqual(await prompts(page), ['One line\nand another']);
  await set(page, LONG);
  await page.getByLabel('Message').fill('The battle');
  await page.keyboard.press('Enter');
  await writing(page);
  await page.keyboard.press('Escape');
  await idle(page);
  assert.equal(await text('status'), 'Stopped');
});

test('a setting out of range is not used, and nothing is lost', TIMEOUT, async () => {
  await set(page, { 'Top p': '2' });
  assert.ok(await page.locator('#settings').isVisible(), 'the dialog stays until the value is mended');
  await page.keyboard.press('Escape');
  const before = await prompts(page);
  await page.locator('.exchange').last().getByRole('button', { name: 'Retry' }).click();
  await page.locator('#settings').waitFor(); // the field is shown
  assert.deepEqual(await prompts(page), before);
  await page.getByLabel('Top p').press('ControlOrMeta+a');
  await page.getByLabel('Top p').pressSequentially('0.95');
  await press('Done');
});

test('an address that holds no model gives an error in words, and the model that was there stays', TIMEOUT, async () => {
  for (const [path, title, code] of [
    ['/fault/not-found/models/embedded.gguf', /can’t be fetched/, 'FETCH_FAILED'],
    ['/fault/wrong-magic/models/embedded.gguf', /not a sound GGUF/, 'MALFORMED_GGUF'],
  ]) {
    await loadAddress(page, site.url + path);
    await page.waitForFunction((c) => document.getElementById('error-code').textContent === c, code, READY);
    assert.match(await text('error-title'), title);
    assert.ok((await text('error-advice')).length > 20, 'and what to do');
    assert.equal(await text('model-name'), 'War and Peace');
  }
  await set(page, { Length: '4' });
  await say(page, 'Then');
  assert.ok(!(await page.locator('#error').isVisible()), 'the error goes when work goes on');
});

test('a load can be cancelled, and progress is told', TIMEOUT, async () => {
  await loadAddress(page, `${site.url}/fault/slow/models/embedded.gguf?ms=300`);
  await page.waitForFunction(() => document.getElementById('progress-bar').value > 0, null, READY);
  assert.match(await text('progress-figures'), /B of 3\.70 MB|kernels, \d+ of \d+/);
  await page.locator('#cancel').click();
  await page.waitForSelector('#progress', { state: 'hidden' });
  assert.ok(!(await page.locator('#error').isVisible()));
  assert.equal(await text('model-name'), 'War and Peace');
});

test('a local file loads, chosen or dropped', TIMEOUT, async () => {
  await page.locator('#models-open').click();
  await page.locator('#file').setInputFiles(join(ROOT, 'tests/fixtures/models/gpt2-tiny.gguf'));
  await page.waitForFunction(() => document.getElementById('model-name').textContent === 'gpt2-tiny.gguf', null, READY);
  const data = await page.evaluateHandle(async (url) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([await (await fetch(url)).blob()], 'dropped.gguf'));
    return transfer;
  }, `${site.url}/models/gpt2-tiny.gguf`);
  await page.dispatchEvent('#log', 'dragenter', { dataTransfer: data });
  await page.getByText('Drop a GGUF file').waitFor();
  await page.dispatchEvent('#log', 'drop', { dataTransfer: data });
  await page.getByText('Drop a GGUF file').waitFor({ state: 'hidden' });
  await page.waitForFunction(() => document.getElementById('model-name').textContent === 'dropped.gguf', null, READY);
  assert.deepEqual(await prompts(page), [], 'a text goes on with the model that began it');
});

test('what is kept on the device is listed with its size, and can be removed', TIMEOUT, async () => {
  await page.locator('#models-open').click();
  const entry = page.locator('#cached li').filter({ hasText: 'War and Peace' });
  await entry.filter({ hasText: '3.77 MB' }).waitFor();
  await page.locator('#cached-figures').filter({ hasText: 'of storage used' }).waitFor();
  if (BROWSER === 'chromium') { // Firefox asks its user.
    await page.locator('#persist').click();
    await page.getByText(/The browser (keeps|may remove) these files/).waitFor();
  }
  await page.locator('#cached li').filter({ hasText: 'incomplete' }).first().waitFor(); // the load that was cancelled
  await entry.getByRole('button', { name: 'Remove War and Peace' }).click();
  await entry.waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
});

test('a chat: replies, retry, edit, and the system prompt', TIMEOUT, async () => {
  const page = await chatPage();
  await say(page, 'Who is Pierre?');
  await say(page, 'And Natásha?');
  const [first, second] = await answers(page);
  assert.match(await page.locator('#used').textContent(), /^\d+ of 256$/);

  await page.locator('.exchange').last().evaluate((e) => e.setAttribute('data-before', ''));
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.waitForSelector('.exchange:last-child:not([data-before])');
  await idle(page);
  assert.deepEqual(await answers(page), [first, second], 'the same seed, the same reply');

  await page.locator('.exchange').first().getByRole('button', { name: 'Edit' }).click();
  assert.equal(await page.getByLabel('Message').inputValue(), 'Who is Pierre?');
  await page.keyboard.press('Escape');
  assert.equal(await page.getByLabel('Message').inputValue(), '');
  assert.equal((await prompts(page)).length, 2, 'nothing is gone before the new message is sent');
  await page.locator('.exchange').first().getByRole('button', { name: 'Edit' }).click();
  await say(page, 'Who is Napoleon?');
  assert.deepEqual(await prompts(page), ['Who is Napoleon?']);

  const replyWith = async (system) => {
    await page.getByRole('button', { name: 'New chat' }).click();
    await set(page, { 'System prompt': system });
    await say(page, 'Who is Pierre?');
    return (await answers(page))[0];
  };
  assert.notEqual(await replyWith('The French are at the gates.'), first);
  assert.equal(await replyWith(''), first);
});

test('a chat longer than the context goes on, and shows what the model no longer sees', TIMEOUT, async () => {
  const page = await chatPage();
  for (const name of ['One', 'Two', 'Three', 'Four']) await say(page, `${name} of them rode past. `.repeat(10));
  assert.ok((await page.locator('.forgotten').count()) > 0);
  assert.equal((await answers(page)).length, 4);
  assert.ok(!(await page.locator('#error').isVisible()));
});

test('Markdown is shown while it grows, and what a model writes runs nothing and fetches nothing', TIMEOUT, async () => {
  const page = await site.page('/', site.browser, NO_MODEL);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const shown = await page.evaluate(async () => {
    const { Markdown } = await import('./markdown.js');
    globalThis.ran = [];
    const show = (source) => {
      const element = document.createElement('div');
      document.getElementById('log').append(element);
      const markdown = new Markdown(element);
      for (let n = 1; n <= source.length; n++) markdown.show(source.slice(0, n));
      return element;
    };
    const attacks = [
      '<img src="https://evil.example/x.png" onerror="ran.push(1)">', '![x](https://evil.example/y.png)',
      '<script>ran.push(2)</script>', '[go](javascript:ran.push(3))', '<a href="javascript:ran.push(4)">go</a>',
      '<a href="data:text/html,<script>ran.push(5)</script>">go</a>', '<svg onload="ran.push(6)"><script>ran.push(7)</script></svg>',
      '<iframe srcdoc="<script>parent.ran.push(8)</script>"></iframe>', '<p style="background:url(https://evil.example/z)">x</p>',
      '<form action="https://evil.example"><button>go</button></form>', '<math><mtext><style><img src=x onerror=ran.push(9)>',
      '<details open ontoggle=ran.push(10)>x</details>', '`` `<img src=x onerror=ran.push(11)>` ``', '[x]( java\nscript:ran.push(12) )',
      '<base href="https://evil.example/">', '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    ].map((source) => show(`Before\n\n${source}\n\nAfter`));
    for (const link of document.querySelectorAll('#log a')) link.click();
    const tame = show('# Title\n\nSome *text*, [a link](https://example.com).\n\n- one\n- two\n\n```python\nprint(1)\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |');
    await new Promise((later) => setTimeout(later, 300));
    const all = attacks.flatMap((element) => [...element.querySelectorAll('*')]);
    return {
      ran,
      names: [...new Set(all.map((e) => e.localName))].sort(),
      attributes: [...new Set(all.flatMap((e) => e.getAttributeNames()))].sort(),
      hrefs: all.filter((e) => e.href).map((e) => e.href),
      whole: attacks.every((e) => e.textContent.includes('Before') && e.textContent.includes('After')),
      tame: [...tame.querySelectorAll('h3, em, a, li, pre code, td, button')].map((e) => `${e.localName} ${e.textContent}`),
      rel: tame.querySelector('a').rel,
    };
  });
  assert.deepEqual(shown.ran, []);
  assert.deepEqual(shown.hrefs, []);
  assert.deepEqual(shown.names, ['a', 'br', 'code', 'div', 'p']);
  assert.deepEqual(shown.attributes.filter((name) => !['rel', 'target'].includes(name)), []);
  assert.ok(shown.whole, 'the text around is there');
  assert.deepEqual(shown.tame, [
    'h3 Title', 'em text', 'a a link', 'li one', 'li two', 'button Copy', 'code print(1)\n', 'td 1', 'td 2',
  ]);
  assert.match(shown.rel, /noopener/);
  assert.deepEqual(asked.filter((url) => !url.startsWith(site.url) && !url.startsWith('blob:')), []);
  await page.close();
});

test('blocks that stay as they are keep their elements; thoughts are told from answers', TIMEOUT, async () => {
  const { same, split } = await page.evaluate(async () => {
    const { Markdown } = await import('./markdown.js');
    const { splitThinking } = await import('./thinking.js');
    const element = document.createElement('div');
    const markdown = new Markdown(element);
    markdown.show('First\n\nSecond');
    const first = element.firstElementChild;
    markdown.show('First\n\nSecond grows\n\nThird');
    return {
      same: first === element.firstElementChild && element.textContent.replaceAll('\n', '') === 'FirstSecond growsThird',
      split: ['Hi', '<think>\nHm', '<think>\nHm\n</think>\n\nHi', 'Hm</think>Hi'].map(splitThinking),
    };
  });
  assert.ok(same);
  assert.deepEqual(split, [
    { thought: null, answer: 'Hi' }, { thought: 'Hm', answer: '' }, { thought: 'Hm', answer: 'Hi' }, { thought: 'Hm', answer: 'Hi' },
  ]);
});

/** Stands in for the hub: `files` by the end of their address; all else is not found. */
async function simulateHub(context, files) {
  const asked = [];
  await context.route('https://huggingface.co/**', async (route) => {
    const request = route.request();
    const path = Object.entries(files).find(([name]) => new URL(request.url()).pathname.endsWith(name))?.[1];
    asked.push(request.url());
    const headers = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*', 'etag': '"1"', 'accept-ranges': 'bytes' };
    if (!path) return route.fulfill({ status: 404, headers });
    const body = readFileSync(path);
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers().range ?? '') ?? [];
    if (from === undefined) return route.fulfill({ status: 200, headers, body });
    const part = body.subarray(Number(from), to ? Number(to) + 1 : undefined);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${body.length}`;
    await route.fulfill({ status: 206, headers: { ...headers, 'content-range': range }, body: part });
  });
  return asked;
}

chromiumTest('model cards say what fits before a download, and load from the hub', TIMEOUT, async () => {
  const context = await site.browser.newContext();
  // A device with little memory, and a model that is too large for it.
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'deviceMemory', { value: 0.25 }));
  const { metadata, tensors } = describe('smollm2-135m', F32);
  const large = join(site.temp, 'large.gguf');
  writeFileSync(large, header(metadata, tensors));
  truncateSync(large, 540e6);
  const asked = await simulateHub(context, { 'SmolLM2-135M-Instruct-Q4_K_M.gguf': join(site.temp, 'chat.gguf'), 'Qwen3-0.6B-Q8_0.gguf': large });
  const page = await site.page('/', context);
  await ready(page);
  assert.deepEqual(asked, [], 'nothing is asked before the list is opened');
  await page.locator('#models-open').click();
  const card = (name) => page.locator('#cards li').filter({ hasText: name });
  assert.equal(await page.locator('#cards li').count(), 6);
  await card('SmolLM2').getByText('Fits this device').waitFor(READY);
  await card('Qwen3').getByText(/Too large here: .*\d/).waitFor(READY);
  assert.equal(await card('Gemma 3 270M').locator('.fit').textContent(), '', 'where nobody can tell, nothing is said');
  const bytesRead = await page.evaluate(() => performance.getEntriesByType('resource').filter((e) => /huggingface/.test(e.name)).length);
  assert.ok(bytesRead < 20, 'headers alone');
  await page.getByRole('button', { name: 'Load SmolLM2 135M' }).click();
  await page.waitForFunction(() => document.getElementById('model-name').textContent === 'SmolLM2 135M', null, READY);
  await set(page, { Length: '4' });
  await say(page, 'Hello');
  await page.locator('#models-open').click();
  await card('SmolLM2').getByText('On this device').waitFor();
  assert.ok(await card('SmolLM2').getByRole('button').isDisabled(), 'what is loaded is not offered');
  assert.deepEqual(page.errors.filter((e) => !/404/.test(e)), []);
  await context.close();
});

chromiumTest('a link fills in a model, a system prompt and a prompt, and fetches nothing; Copy link makes one', TIMEOUT, async () => {
  const context = await site.browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  const asked = await simulateHub(context, { 'SmolLM2-135M-Instruct-Q4_K_M.gguf': join(site.temp, 'chat.gguf') });
  const model = 'hf:bartowski/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct-Q4_K_M.gguf';
  const address = `${site.url}/#${new URLSearchParams({ model, system: 'Be brief.', prompt: 'Why & how?' })}`;
  const page = await site.page('/icon.svg', context);
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(address);
  await page.waitForTimeout(1000);
  assert.deepEqual(asked.filter((url) => url.endsWith('.gguf')), []);
  assert.equal(await page.getByLabel('Message').inputValue(), 'Why & how?');
  assert.equal(await page.locator('#system').inputValue(), 'Be brief.');
  await page.getByRole('button', { name: /^Load SmolLM2 135M · 105 MB/ }).click();
  await ready(page);
  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.getByText('Link copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);

  await page.goto(`${site.url}/?model=${encodeURIComponent(`${site.url}/models/gpt2-tiny.gguf`)}`);
  await page.getByRole('button', { name: 'Load gpt2-tiny.gguf' }).waitFor();
  assert.equal(await page.locator('#url').inputValue(), `${site.url}/models/gpt2-tiny.gguf`);
  await context.close();
});

chromiumTest('code and replies can be copied', TIMEOUT, async () => {
  const context = await site.browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], ...NO_MODEL });
  const page = await site.page('/', context);
  await page.evaluate(async () => {
    const { Markdown } = await import('./markdown.js');
    new Markdown(document.getElementById('log')).show('Before\n\n```js\nlet a = 1 < 2;\n```');
  });
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'let a = 1 < 2;\n');
  await page.getByRole('button', { name: 'Load War and Peace' }).click();
  await ready(page);
  await page.evaluate(() => document.getElementById('log').replaceChildren());
  await set(page, { Length: '4' });
  await say(page, 'The battle began');
  await page.locator('.actions').getByRole('button', { name: 'Copy' }).click();
  await page.locator('.toast').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), (await answers(page))[0]);
  await context.close();
});

test('a phone loads nothing by itself; one tap does', TIMEOUT, async () => {
  const phone = await site.browser.newPage({ viewport: { width: 390, height: 844 }, userAgent: 'Mozilla/5.0 (iPhone; Mobile)' });
  const asked = [];
  phone.on('request', (request) => asked.push(request.url()));
  await phone.goto(site.url);
  await phone.getByRole('button', { name: 'Load War and Peace · 3.77 MB' }).waitFor();
  assert.deepEqual(asked.filter((url) => /\.(gguf|wasm)$/.test(url)), []);
  await phone.getByRole('button', { name: 'Load War and Peace · 3.77 MB' }).click();
  await ready(phone);
  await phone.close();
});

test('fits phones and large screens, in any state', TIMEOUT, async () => {
  const page = await chatPage();
  await say(page, `A word as long as this: ${'x'.repeat(120)}`);
  await page.evaluate(() => (document.getElementById('error').hidden = document.getElementById('progress').hidden = false));
  for (const open of [null, 'models', 'settings']) {
    if (open) await page.locator(`#${open}-open`).click();
    for (const width of [320, 360, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const { scrollWidth, wide } = await page.evaluate(() => ({
        scrollWidth: document.documentElement.scrollWidth,
        wide: [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 60)),
      }));
      assert.ok(scrollWidth <= width, `${open} at ${width}: ${scrollWidth} wide`);
      assert.deepEqual(wide, [], `${open} at ${width}: these stick out`);
    }
    if (open) await page.keyboard.press('Escape');
  }
  await page.evaluate(() => (document.getElementById('error').hidden = document.getElementById('progress').hidden = true));
});

test('every target is large enough for a thumb; a dialog gives the focus back', TIMEOUT, async () => {
  for (const open of ['models', 'settings']) {
    await page.locator(`#${open}-open`).click();
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, input:not(.unseen), textarea, summary')].flatMap((e) => {
        const { height, width } = e.getBoundingClientRect();
        return height > 0 && (height < 24 || width < 24) ? [`${e.outerHTML.slice(0, 60)} is ${width} by ${height}`] : [];
      }));
    assert.deepEqual(small, []);
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => document.activeElement.id), `${open}-open`);
  }
});

/** As a policy does. */
function forbidWorkers() {
  globalThis.Worker = class {
    constructor() {
      throw new DOMException('workers are forbidden', 'SecurityError');
    }
  };
}

test('without WebGPU the page says so', TIMEOUT, async () => {
  const other = await site.browser.newPage();
  await other.addInitScript(() => Object.defineProperty(navigator, 'gpu', { value: undefined }));
  await other.addInitScript(forbidWorkers);
  await other.goto(site.url);
  await other.waitForSelector('#error:not([hidden])');
  assert.equal(await other.locator('#error-code').textContent(), 'NO_WEBGPU');
  assert.match(await other.locator('#error').textContent(), /Chrome/);
  await other.close();
});

test('nothing was written to the console as an error', () => {
  // The browser itself notes the 404 that a test asks for.
  assert.deepEqual(page.errors.filter((e) => !/404/.test(e)), []);
});

/** A text that is lost to `fault` in the middle, and a tap. */
async function loseAndRestart(page, fault) {
  await ready(page);
  await set(page, LONG);
  await page.getByLabel('Message').fill('It was already late when Prince Andrew');
  await page.keyboard.press('Enter');
  await answerLongerThan(page, 20);
  await fault();
  const restart = page.getByRole('button', { name: 'Tap to restart' });
  await restart.waitFor({ timeout: 30_000 });
  const [before] = await answers(page);
  await restart.click();
  await answerLongerThan(page, before.length + 10);
  await page.keyboard.press('Escape');
  await idle(page);
  const all = await answers(page);
  assert.equal(all.length, 1);
  assert.ok(all[0].startsWith(before), 'the text goes on');
  await restart.waitFor({ state: 'hidden' });
}

test('a lost GPU where workers are forbidden: tap to restart, and the text goes on', TIMEOUT, async () => {
  const lost = await site.browser.newPage({ viewport: { width: 390, height: 844 } });
  await lost.addInitScript(() => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      globalThis.device = await requestDevice.apply(this, args);
      return globalThis.device;
    };
  });
  await lost.addInitScript(forbidWorkers);
  await lost.goto(site.url);
  await loseAndRestart(lost, () => lost.evaluate(() => globalThis.device.destroy()));
  await lost.close();
});

chromiumTest('a GPU process that ends under a worker: tap to restart, and the text goes on', TIMEOUT, async () => {
  const lost = await site.page('/');
  const devtools = await site.browser.newBrowserCDPSession();
  // The answer does not always come.
  const crash = () => Promise.race([devtools.send('Browser.crashGpuProcess'), lost.waitForTimeout(500)]).catch(() => {});
  await loseAndRestart(lost, crash);
  await lost.close();
});
