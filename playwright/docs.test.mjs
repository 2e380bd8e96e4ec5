// The documentation: the site is built as it is published, under a path; its links, its code and its live examples hold.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before } from 'node:test';

import axe from 'axe-core';

import { ROOT, serve } from '../scripts/server.mjs';
import { chromiumTest, open } from './lib/harness.mjs';
import { checkSnippets } from './lib/snippets.mjs';

const BASE = '/webgguf/';
const TIMEOUT = { timeout: 120_000 };
/** For what follows the load of a model. */
const LOADED = { timeout: 60_000 };

const filesIn = (folder) => readdirSync(folder, { recursive: true }).map((path) => path.replaceAll('\\', '/'));
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
/** The Markdown files that people wrote. */
const ROOT_FILES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'pkg-templates/README.md', 'scripts/fixtures/README.md'];
const pages = () => filesIn(join(ROOT, 'docs')).filter((path) => /^(?!api\/|\.).*\.md$/.test(path)).map((path) => `docs/${path}`);

let site;
let served;
before(async () => {
  site = await open();
  process.env.SITE_BASE = BASE;
  const { writeSite } = await import('../scripts/site/site.mjs');
  await writeSite(join(site.temp, 'site'));
  served = await serve({ mounts: { [BASE]: join(site.temp, 'site') } });
}, TIMEOUT);
after(async () => {
  await served?.close();
  await site?.close();
});

/** Addresses of other sites are not visited, but must have the shape of one. */
const isExternal = (link) => /^(https:\/\/[\w.-]+\.\w+(\/|$)|mailto:)/.test(link);

const decode = (text) => text.replaceAll('&amp;', '&');

chromiumTest('every link of the built site leads to a file, and to a heading that is there', TIMEOUT, () => {
  const root = join(site.temp, 'site');
  const text = new Map();
  const html = (file) => text.get(file) ?? text.set(file, readFileSync(file, 'utf8')).get(file);
  const wrong = [];
  let n = 0;
  for (const path of filesIn(root).filter((path) => path.endsWith('.html'))) {
    const page = new URL(`http://site${BASE}${path}`);
    for (const [, link] of html(join(root, path)).matchAll(/<(?:a|link|script|img)\b[^>]*? (?:href|src)="([^"]*)"/g)) {
      n += 1;
      if (isExternal(decode(link)) || link.startsWith('data:')) continue;
      const url = new URL(decode(link), page);
      let file = join(root, decodeURIComponent(url.pathname).replace(BASE, '/'));
      if (url.pathname.endsWith('/')) file += 'index.html';
      const there = url.pathname.startsWith(BASE) && existsSync(file) && statSync(file).isFile();
      const id = decodeURIComponent(url.hash.slice(1));
      if (!there || (id && file.endsWith('.html') && !html(file).includes(`id="${id}"`))) wrong.push(`${path}: ${link}`);
    }
  }
  console.log(`${n} links`);
  assert.ok(n > 500);
  assert.deepEqual([...new Set(wrong)], []);
});

chromiumTest('every link of the repository’s Markdown files leads somewhere', () => {
  const wrong = [];
  for (const path of ROOT_FILES) {
    // Code has no links.
    const text = read(path).replace(/^```[^]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map((m) => m[1] ?? m[2]);
    for (const link of links) {
      if (isExternal(link)) continue;
      const [file, id] = link.split('#');
      const target = file ? join(ROOT, dirname(path), file) : join(ROOT, path);
      const headings = existsSync(target) && id ? [...readFileSync(target, 'utf8').matchAll(/^#+ (.+)$/gm)] : [];
      const ids = headings.map((m) => m[1].toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));
      if (!existsSync(target) || (id && !ids.includes(id))) wrong.push(`${path}: ${link}`);
    }
  }
  assert.deepEqual(wrong, []);
});

chromiumTest('every block of code is sound TypeScript against the package’s types', TIMEOUT, () => {
  const { count, complaints } = checkSnippets([...ROOT_FILES, ...pages()], site.temp);
  console.log(`${count} blocks`);
  assert.ok(count > 30);
  assert.equal(complaints, '');
});

chromiumTest('a block that is wrong is found, with its file and line', TIMEOUT, () => {
  const { complaints } = checkSnippets([relative(ROOT, join(import.meta.dirname, 'page/wrong.md'))], join(site.temp, 'wrong'));
  assert.match(complaints, /wrong\.md:5: error TS\d+: .*temprature/);
});

chromiumTest('each code of an error has a section', () => {
  const codes = [...read('pkg-templates/index.d.ts').matchAll(/^  \| '([A-Z_]+)'/gm)].map((m) => m[1]);
  const sections = [...read('docs/guide/troubleshooting.md').matchAll(/^## ([A-Z_]+)$/gm)].map((m) => m[1]);
  assert.deepEqual(sections.toSorted(), codes.toSorted());
});

chromiumTest('llms.txt lists every page, and its links lead to them', () => {
  const root = join(site.temp, 'site');
  const list = readFileSync(join(root, 'llms.txt'), 'utf8');
  const links = [...list.matchAll(/\]\((.+?)\)/g)].map((m) => m[1]);
  for (const link of links) assert.ok(existsSync(join(root, link.replace(BASE, '/'))), link);
  for (const path of pages()) if (path !== 'docs/index.md') assert.ok(links.includes(BASE + path), path);
  const full = readFileSync(join(root, 'llms-full.txt'), 'utf8');
  assert.match(full, /## OUT_OF_GPU_MEMORY/);
  assert.equal(full.match(/How webgguf is built/g).length, 1, 'what a page includes is there');
  for (const page of ['docs/add-an-architecture.html', 'docs/add-an-architecture.md']) {
    const text = readFileSync(join(root, page), 'utf8');
    assert.match(text, /Adding an architecture/);
    assert.doesNotMatch(text, /Choices that were not obvious/, 'a section is not the whole file');
  }
  assert.doesNotMatch(full, /@include|<Live|^<<< /m);
});

/** The live examples of all pages, by page. */
const live = () => pages().filter((path) => /^```js run$/m.test(read(path))).map((path) => path.replace('.md', '.html'));

for (const path of live()) {
  chromiumTest(`the examples of ${path} run`, TIMEOUT, async () => {
    const page = await site.browser.newPage();
    const asked = [];
    const errors = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (e) => errors.push(e.message));
    await page.goto(served.url + BASE + path);
    await page.waitForSelector('.live .run');
    assert.deepEqual(asked.filter((url) => /gguf$|wasm$/.test(url)), [], 'nothing is loaded before a button is pressed');
    for (const example of await page.locator('.live').all()) {
      await example.getByRole('button', { name: 'Run', exact: true }).click();
      await example.and(page.locator('[data-state=done], [data-state=failed]')).waitFor(LOADED);
      const output = await example.locator('output').textContent();
      assert.equal(await example.getAttribute('data-state'), 'done', output);
      assert.ok(output.length > 10, output);
    }
    assert.deepEqual(asked.filter((url) => !url.startsWith(served.url)), [], 'no other site is asked for anything');
    assert.deepEqual(errors, []);
    await page.close();
  });
}

chromiumTest('an example can be edited and stopped', TIMEOUT, async () => {
  const page = await site.browser.newPage();
  await page.goto(`${served.url}${BASE}docs/guide/start.html`);
  const code = page.locator('.live textarea');
  const before = await code.inputValue();
  const run = () => page.getByRole('button', { name: 'Run', exact: true }).click();
  await code.fill("print('edited');");
  await run();
  await page.waitForSelector('.live[data-state=done]');
  assert.equal(await page.textContent('.live output'), 'edited');
  await code.fill("const model = await webgguf.loadModel(builtIn, { kvCashe: 'f16' });");
  await run();
  await page.waitForSelector('.live[data-state=failed]', LOADED);
  assert.match(await page.textContent('.live output'), /^INVALID_ARGUMENT: .*kvCashe/);
  await page.getByRole('button', { name: 'Undo changes' }).click();
  assert.equal(await code.inputValue(), before);
  // So long a text that there is time to stop it.
  await code.fill(before.replace('maxTokens: 40', 'maxTokens: 400'));
  await run();
  await page.waitForFunction(() => document.querySelector('.live output').textContent.length > 20, null, LOADED);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.waitForSelector('.live[data-state=done]');
  const text = await page.textContent('.live output');
  await page.waitForTimeout(500);
  assert.equal(await page.textContent('.live output'), text, 'nothing comes after Stop');
  await page.close();
});

chromiumTest('the search finds a page', TIMEOUT, async () => {
  const page = await site.browser.newPage();
  await page.goto(`${served.url}${BASE}docs/`);
  await page.getByRole('button', { name: 'Search' }).first().click();
  await page.locator('.VPLocalSearchBox .search-input').fill('context is full');
  await page.locator('.VPLocalSearchBox .result', { hasText: 'When the context is full' }).first().click();
  await page.waitForURL(/guide\/chat\.html#when-the-context-is-full/);
  await page.close();
});

for (const colorScheme of ['light', 'dark']) {
  chromiumTest(`pages are accessible, ${colorScheme}`, TIMEOUT, async () => {
    const page = await site.browser.newPage({ colorScheme });
    const paths = ['', 'guide/start.html', 'guide/troubleshooting.html', 'guide/bundlers/', 'checks.html', 'api/functions/webgguf.loadModel.html', '404.html'];
    for (const path of paths) {
      await page.goto(`${served.url}${BASE}docs/${path}`);
      await page.waitForSelector('main, [role=main]');
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      assert.deepEqual(violations.map((v) => `${path}: ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target).join('; ')}`), []);
    }
    await page.close();
  });
}
