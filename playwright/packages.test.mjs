// Packages of one model, as `npm run package` makes them: packed, installed, used by TypeScript and by Vite, and their own tests.
// Each takes a build of the crate: `npm run test:large -- packages`.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { HANDS_MODEL } from '../scripts/hands/model.mjs';
import { ROOT } from '../scripts/server.mjs';
import { chromiumPath } from '../scripts/setup.mjs';
import { serveAll } from './lib/apps.mjs';
import { withChatTemplate } from './lib/gguf.mjs';
import { openBrowser } from './lib/harness.mjs';

const MAKE = join(ROOT, 'scripts/package/package.mjs');
const TEXT = (name) => `
import { loadModel } from '${name}';
const model = await loadModel({ cache: false });
let text = '';
for await (const piece of model.generate('It was already late when', { maxTokens: 24, temperature: 0 })) text += piece;
document.title = JSON.stringify(text);`;
const CHAT = (name) => `
import { loadModel } from '${name}';
const model = await loadModel({ cache: false });
let text = '';
for await (const piece of model.chat({ maxTokens: 8, temperature: 0 }).send('It was')) text += piece;
document.title = JSON.stringify(text.length > 0);`;
const HANDS = (name) => `
import { loadHands } from '${name}';
const hands = await loadHands({ cache: false });
document.title = JSON.stringify((await hands.detect(new ImageData(320, 240))).length);`;

const PACKAGES = [
  { name: 'test-embedded', model: 'www/models/embedded.gguf', files: ['index.js', 'node.js'], use: TEXT },
  { name: '@test/gpt2', model: 'tests/fixtures/models/gpt2-tiny.gguf', files: ['index.js', 'node.js'], use: TEXT },
  { name: 'test-chat', model: 'target/packages/chat.gguf', files: ['index.js', 'node.js'], use: CHAT },
  { name: 'test-hands', model: HANDS_MODEL, files: ['index.js'], use: HANDS },
];
const skip = process.env.WEBGGUF_ALL ? false : 'SKIP: `npm run test:large -- packages` makes the packages';
const make = (...args) => spawnSync(process.execPath, [MAKE, ...args], { cwd: ROOT, encoding: 'utf8' });
const bin = (name) => join(ROOT, 'node_modules/.bin', name);

let temp;
let browser;
before(async () => {
  temp = mkdtempSync(join(tmpdir(), 'webgguf-packages-'));
  if (skip) return;
  browser = await openBrowser();
  const model = readFileSync(join(ROOT, 'tests/fixtures/models/qwen3-tiny.gguf'));
  const template = '{% for message in messages %}{{ message.content }} {% endfor %}';
  mkdirSync(join(ROOT, 'target/packages'), { recursive: true });
  writeFileSync(join(ROOT, 'target/packages/chat.gguf'), withChatTemplate(model, template));
});
after(async () => {
  await browser?.close();
  rmSync(temp, { recursive: true });
});

/** The title that a page gives itself. */
async function title(folder) {
  const site = await serveAll({ '/': folder });
  const page = await browser.newPage();
  try {
    await page.goto(site.url);
    await page.waitForFunction(() => document.title, null, { timeout: 120_000 });
    return JSON.parse(await page.title());
  } finally {
    await page.close();
    await site.close();
  }
}

for (const { name, model, files, use } of PACKAGES) {
  test(name, { timeout: 900_000, skip: skip || (model === HANDS_MODEL && !existsSync(model) && 'SKIP: the networks of hands are not there') }, async () => {
    // Where the repository's playwright-core is found.
    const folder = join(ROOT, 'target/packages', name);
    const made = make(model, '--name', name, '--strict');
    assert.equal(made.status, 0, made.stderr + made.stdout);
    console.log(made.stdout.trim());

    const env = { ...process.env, CHROMIUM: chromiumPath() };
    // A test that knows that it runs in one reports to that alone.
    delete env.NODE_TEST_CONTEXT;
    const own = spawnSync('npm', ['test'], { cwd: folder, encoding: 'utf8', env });
    assert.equal(own.status, 0, own.stdout);
    assert.match(own.stdout, /skipped 0/);

    const app = join(temp, name.replace('/', '-'));
    mkdirSync(app);
    const inApp = { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
    const archive = join(app, execFileSync('npm', ['pack', '--silent', folder], inApp).trim().split('\n').at(-1));
    writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', archive], inApp);
    const installed = readdirSync(join(app, 'node_modules', name)).sort();
    assert.deepEqual(installed, ['LICENSE', 'README.md', 'engine', 'index.d.ts', 'model.gguf', 'package.json', ...files].sort());
    assert.match(execFileSync(bin('publint'), ['run', '--strict', archive], inApp), /All good!/);
    execFileSync(bin('attw'), [archive, '--profile', 'esm-only', '--format', 'ascii', '--exclude-entrypoints', 'webgguf_bg.wasm', 'webgguf_hands_bg.wasm'], inApp);

    writeFileSync(join(app, 'main.ts'), use(name));
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, 'main.ts'], inApp);

    writeFileSync(join(app, 'main.js'), use(name));
    const page = (script, map = '') => `<!doctype html><link rel="icon" href="data:,">${map}<script type="module" src="${script}"></script>`;
    const { text } = JSON.parse(readFileSync(join(folder, 'test/references.json'), 'utf8'));
    const expected = new Map([[TEXT, text], [CHAT, true], [HANDS, 0]]).get(use);
    writeFileSync(join(app, 'index.html'), page('./main.js', `<script type="importmap">{ "imports": { "${name}": "./node_modules/${name}/index.js" } }</script>`));
    assert.deepEqual(await title(app), expected, 'in a plain page');
    writeFileSync(join(app, 'index.html'), page('./main.js'));
    execFileSync(bin('vite'), ['build', '--logLevel', 'warn'], inApp);
    assert.deepEqual(await title(join(app, 'dist')), expected, 'built by Vite');
  });
}

test('what can not be packaged is refused before anything is built', { skip }, () => {
  const refused = (with_, ...args) => {
    const { status, stderr } = make(...args);
    assert.equal(status, 1);
    assert.match(stderr, with_);
  };
  refused(/usage:/);
  refused(/no file '.*nowhere\.gguf'/, 'nowhere.gguf');
  refused(/is no GGUF file/, 'tests/fixtures/tflite/tiny.tflite');
  refused(/'Big Name' is no name/, 'www/models/embedded.gguf', '--name', 'Big Name');
  refused(/--weights is 'ftp:/, 'www/models/embedded.gguf', '--weights', 'ftp://a/b');
  refused(/--version is 'next'/, 'www/models/embedded.gguf', '--version', 'next');
  refused(/holds other things/, 'www/models/embedded.gguf', '--out', ROOT);
  const unlicensed = join(temp, 'unlicensed.gguf');
  const model = readFileSync(join(ROOT, 'tests/fixtures/models/qwen2.gguf'), 'latin1');
  writeFileSync(unlicensed, model.replace('general.license', 'general.unknown'), 'latin1');
  refused(/names no licence/, unlicensed, '--strict');
});
