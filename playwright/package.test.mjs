// The package as its users get it: packed, installed into an empty folder, then used by a plain page, by Vite in
// development and in a build, and by TypeScript in strict mode.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { build, createServer, preview } from 'vite';

import { ROOT, serve } from '../scripts/server.mjs';
import { chromiumTest, open } from './lib/harness.mjs';

const MODEL = 'models/gpt2-tiny.gguf';
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

let site;
let app;
before(async () => {
  site = await open();
  app = site.temp;
  cpSync(join(ROOT, 'playwright/app'), app, { recursive: true });
  cpSync(join(ROOT, MODEL), join(app, 'public/model.gguf'));
  const inApp = { cwd: app, encoding: 'utf8' };
  const packed = execFileSync(npm, ['pack', '--silent', join(ROOT, 'pkg')], inApp).trim().split('\n').at(-1);
  execFileSync(npm, ['install', '--silent', '--no-audit', '--no-fund', `./${packed}`], inApp);
});
after(() => site.close());

/** A page that shows what the model says, or the error. */
async function visit(url) {
  const page = await site.browser.newPage();
  const asked = [];
  page.on('response', (response) => asked.push(`${response.status()} ${new URL(response.url()).pathname}`));
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('output').dataset.state, null, { timeout: 60_000 });
  const [state, text] = await page.locator('output').evaluate((o) => [o.dataset.state, o.textContent]);
  await page.close();
  assert.equal(state, 'done', `${text}\n${asked.join('\n')}`);
  assert.ok(text.length > 0);
  const wasm = asked.filter((line) => line.endsWith('.wasm'));
  assert.equal(wasm.length, 1, `the wasm is fetched once: ${wasm}`);
  console.log(`${wasm}: "${text}"`);
}

chromiumTest('the package holds what it needs and no more', () => {
  const files = readdirSync(join(app, 'node_modules/webgguf')).sort();
  const scripts = [
    'body.js', 'cache.js', 'chat.js', 'errors.js', 'events.js', 'http.js', 'index.js', 'memory.js', 'remote.js', 'source.js',
    'store.js', 'tokenizer.js', 'webgguf.js', 'worker.js',
  ];
  const wanted = ['LICENSE', 'README.md', 'index.d.ts', 'package.json', 'webgguf_bg.wasm', ...scripts].sort();
  assert.deepEqual(files, wanted);
  assert.deepEqual(readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.')), ['webgguf']);
});

test('a plain page with a module script', { timeout: 90_000 }, async () => {
  const mounts = { '/node_modules/': join(app, 'node_modules'), '/model.gguf': join(app, 'public/model.gguf'), '/': app };
  const plain = await serve({ mounts });
  for (const where of ['', '?worker']) await visit(`${plain.url}/plain.html` + where);
  await plain.close();
});

chromiumTest('Vite in development, without configuration', { timeout: 90_000 }, async () => {
  const vite = await createServer({ root: app, configFile: false, logLevel: 'warn', server: { port: 0 } });
  await vite.listen();
  for (const where of ['', '?worker']) await visit(vite.resolvedUrls.local[0] + where);
  await vite.close();
});

chromiumTest('Vite in a build, without configuration', { timeout: 90_000 }, async () => {
  await build({ root: app, configFile: false, logLevel: 'warn' });
  const vite = await preview({ root: app, configFile: false, preview: { port: 0 } });
  for (const where of ['', '?worker']) await visit(vite.resolvedUrls.local[0] + where);
  await vite.close();
});

chromiumTest('a build under a path of its own', { timeout: 90_000 }, async () => {
  await build({ root: app, configFile: false, logLevel: 'warn', base: './', build: { outDir: 'out/deep/site' } });
  const plain = await serve({ mounts: { '/': join(app, 'out') } });
  for (const where of ['', '?worker']) await visit(`${plain.url}/deep/site/` + where);
  await plain.close();
});

/** TypeScript's verdict on a file of the app; empty is good. */
function typeCheck(file) {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2022'];
  const resolution = ['--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
  try {
    execFileSync(process.execPath, [tsc, ...options, ...resolution, file], { cwd: app, encoding: 'utf8' });
    return '';
  } catch (e) {
    return e.stdout;
  }
}

chromiumTest('the types serve a program that uses all of the API', { timeout: 60_000 }, () => {
  assert.equal(typeCheck('usage.ts'), '');
});

chromiumTest('the types refuse what the API refuses', { timeout: 60_000 }, () => {
  const wrong = [
    'model.generate("x", { temprature: 1 })',
    'model.generate(5)',
    'model.generate("x", { stop: [1] })',
    'model.info.layers = 3',
    'new Model()',
    'model.formatChat([{ content: "Hi" }])',
    'model.chat({ overflow: "drop" })',
    'model.chat().send(5)',
    'loadModel(5)',
    'model.stats.finishReason === "ended"',
  ];
  for (const line of wrong) {
    writeFileSync(join(app, 'wrong.ts'), `import { Model, loadModel } from 'webgguf';\ndeclare const model: Model;\n${line};\n`);
    assert.match(typeCheck('wrong.ts'), /wrong\.ts\(3,/, line);
  }
});

chromiumTest('what a model says of itself is what the types say', { timeout: 90_000 }, async () => {
  const page = await site.page();
  const said = await page.evaluate(async (url) => {
    const progress = [];
    const model = await webgguf.loadModel(url, { onProgress: (p) => progress.push(p) });
    const { stats } = await collect(model, 'Prince', { maxTokens: 2 });
    const [[{ data, ...activation }]] = await model.captureActivations([1]);
    const members = Object.getOwnPropertyNames(Object.getPrototypeOf(model)).concat(Object.keys(model));
    return { info: model.info, stats, activation, progress: progress.at(-1), members, exports: Object.keys(webgguf) };
  }, `/${MODEL}`);
  await page.close();
  // A literal is checked both ways: what is missing and what is too much.
  const literals = {
    ModelInfo: said.info,
    GenerateStats: said.stats,
    Progress: said.progress,
    "Omit<Activation, 'data'>": said.activation,
  };
  const lines = Object.entries(literals).map(([type, value], i) => `export const v${i}: ${type} = ${JSON.stringify(value)};`);
  const imports = "import type { Activation, GenerateStats, ModelInfo, Progress } from 'webgguf';";
  writeFileSync(join(app, 'said.ts'), [imports, ...lines].join('\n'));
  assert.equal(typeCheck('said.ts'), '');
  const types = readFileSync(join(ROOT, 'pkg-templates/index.d.ts'), 'utf8');
  const code = readFileSync(join(ROOT, 'pkg-templates/index.js'), 'utf8');
  const internal = [...code.matchAll(/@internal[^*]*\*\/\s+(?:async )?(\w+)\(/g)].map((m) => m[1]);
  const methods = said.members.filter((name) => !internal.includes(name));
  for (const name of methods) assert.match(types, new RegExp(`^  (readonly )?${name}\\b`, 'm'), `${name} is typed`);
  const exported = ['Chat', 'Model', 'Tokenizer', 'canRun', 'isWebggufError', 'listCached', 'loadModel', 'loadTokenizer', 'persist', 'removeCached'];
  assert.deepEqual(said.exports.sort(), exported);
});

chromiumTest('the codes of errors are those of the types', () => {
  const rust = readFileSync(join(ROOT, 'src/error.rs'), 'utf8');
  const types = readFileSync(join(ROOT, 'pkg-templates/index.d.ts'), 'utf8');
  const folder = join(ROOT, 'pkg-templates');
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js')).map((name) => readFileSync(join(folder, name), 'utf8'));
  // What forbids the worker or the wasm is known to the scripts alone.
  const ofScripts = scripts.join('').matchAll(/(?:failure\(|\? \[)'([A-Z_]+)'/g);
  const codes = [...new Set([...rust.matchAll(/=> "([A-Z_]+)"/g), ...ofScripts].map((m) => m[1]))].sort();
  assert.ok(codes.length > 5);
  assert.deepEqual([...types.matchAll(/^  \| '([A-Z_]+)'/gm)].map((m) => m[1]).sort(), codes);
  const words = readFileSync(join(ROOT, 'www/errors.js'), 'utf8');
  for (const code of codes) if (code !== 'ABORTED') assert.match(words, new RegExp(`^  ${code}: \\[`, 'm'), `${code} has words on the page`);
});
