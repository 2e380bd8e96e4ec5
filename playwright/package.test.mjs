// The package as its users get it: packed, installed into an empty folder, then used by TypeScript in strict mode.
// apps.test.mjs has the apps that use it, production.test.mjs what their builds hold.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { chromiumTest, open } from './lib/harness.mjs';

const MODEL = '/models/gpt2-tiny.gguf';
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

let site;
let app;
let archive;
before(async () => {
  site = await open();
  app = site.temp;
  cpSync(join(ROOT, 'playwright/app'), app, { recursive: true });
  const inApp = { cwd: app, encoding: 'utf8' };
  const packed = execFileSync(npm, ['pack', '--silent', join(ROOT, 'pkg')], inApp).trim().split('\n').at(-1);
  archive = join(app, packed);
  execFileSync(npm, ['install', '--silent', '--no-audit', '--no-fund', archive], inApp);
});
after(() => site.close());

/** The files of a folder and of those in it. */
const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();

chromiumTest('the package holds what it needs and no more', () => {
  const files = filesOf(join(app, 'node_modules/webgguf'));
  const scripts = [
    'ai-sdk.js', 'beside.js', 'constrain-wasm.js', 'embed.js', 'errors.js', 'events.js', 'hands.js', 'index.js', 'lifetime.js', 'llm-wasm.js', 'node.js', 'openai.js', 'options.js', 'platform.js', 'react.js', 'remote.js', 'speech.js', 'wasm.js',
    'webgguf.js', 'webgguf_constrain.js', 'webgguf_embed.js', 'webgguf_hands.js', 'webgguf_speech.js', 'worker.js',
    ...['base', 'chat', 'format', 'memory', 'model', 'queue', 'tokenizer'].map((name) => `llm/${name}.js`),
    ...['calls', 'channels', 'derive', 'forms', 'index', 'learn', 'literal', 'messages', 'parser', 'reader', 'reading', 'run'].map((name) => `llm/reply/${name}.js`),
    ...['chat', 'index', 'model', 'reply', 'request', 'wire'].map((name) => `llm/server/${name}.js`),
    'ai-sdk/call.js',
    ...['chats', 'completions', 'errors', 'fetch', 'forward', 'request', 'stream'].map((name) => `openai/${name}.js`),
    ...['body', 'cache', 'http', 'hub', 'shared', 'source', 'store'].map((name) => `source/${name}.js`),
  ];
  const types = ['ai-sdk.d.ts', 'embed.d.ts', 'hands.d.ts', 'index.d.ts', 'openai.d.ts', 'react.d.ts', 'speech.d.ts', 'wasm.d.ts', 'worker.d.ts'];
  // They come from elsewhere, see scripts/hands/model.mjs, scripts/speech/dictionary.py and vad.mjs.
  const weights = ['hands-lite.gguf', 'silero-vad.gguf', 'speech-en-us.dict'].filter((name) => existsSync(join(ROOT, 'pkg', name)));
  const wasm = ['webgguf_bg.wasm', 'webgguf_constrain_bg.wasm', 'webgguf_embed_bg.wasm', 'webgguf_hands_bg.wasm', 'webgguf_speech_bg.wasm'];
  const wanted = ['LICENSE', 'README.md', 'package.json', ...weights, ...wasm, ...types, ...scripts].sort();
  assert.deepEqual(files, wanted);
  assert.deepEqual(readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.')), ['webgguf']);
});

chromiumTest('the wasm does not know where it was built', () => {
  const wasm = readFileSync(join(app, 'node_modules/webgguf/webgguf_bg.wasm'), 'latin1');
  assert.doesNotMatch(wasm, /registry\/src|[/\\](root|home|Users)[/\\]/);
});

chromiumTest('what pages load imports nothing of Node.js', () => {
  const folder = join(app, 'node_modules/webgguf');
  const scripts = filesOf(folder).filter((name) => name.endsWith('.js') && /(from|import\() ?['"]node(:|\.js)/.test(readFileSync(join(folder, name), 'utf8')));
  assert.deepEqual(scripts, ['node.js']);
});

const bin = (name) => join(ROOT, 'node_modules/.bin', name);
/** Run a program; what it wrote. Its failure is an error. */
const output = (command, ...args) => execFileSync(command, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

chromiumTest('publint finds nothing', { timeout: 60_000 }, () => {
  assert.match(output(bin('publint'), 'run', '--strict', archive), /All good!/);
});

chromiumTest('attw finds nothing: the types are found by all that can import a module', { timeout: 60_000 }, () => {
  // What has but `require` can't use this package; it has no old entry points for such.
  assert.match(output(bin('attw'), archive, '--profile', 'esm-only', '--format', 'ascii'), /"webgguf\/worker"/);
});

chromiumTest('npm would publish it as it is', { timeout: 60_000 }, () => {
  const { stderr, status } = spawnSync(npm, ['publish', '--dry-run', '--tag', 'latest'], { cwd: join(ROOT, 'pkg'), encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const warnings = stderr.split('\n').filter((line) => /^npm (warn|error)/i.test(line) && !/logged in/.test(line));
  assert.deepEqual(warnings, []);
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

chromiumTest('the scripts use no name that is not there', { timeout: 60_000 }, () => {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const scripts = filesOf(join(ROOT, 'pkg-templates')).filter((name) => name.endsWith('.js')).map((name) => join('node_modules/webgguf', name));
  const options = ['--noEmit', '--allowJs', '--checkJs', '--target', 'esnext', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, ...scripts], { cwd: app, encoding: 'utf8' });
  // What JavaScript leaves to be inferred is no concern here. TS2304 and TS2552: cannot find a name.
  const missing = stdout.split('\n').filter((line) => /error TS(2304|2552):/.test(line));
  assert.deepEqual(missing, []);
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
    'model.chat({ temprature: 1 })',
    'model.chat({ enable_thinking: false })',
    'model.formatChat([], { enable_thinking: false })',
    'model.generate([{ role: "user", content: "Hi" }])',
    'model.chat().send(5)',
    'model.chat().stream("x", { showSpecial: true })',
    'model.chat().stream("x", { toolChoice: "any" })',
    'model.chat().run("x", { tools: { f: { description: "f" } } })',
    'loadModel(5)',
    'model.stats.finishReason === "ended"',
  ];
  // A line of the file each, so that one run of the compiler judges them all.
  const head = ["import { Model, loadModel } from 'webgguf'", 'declare const model: Model'];
  writeFileSync(join(app, 'wrong.ts'), [...head, ...wrong, ''].join(';\n'));
  const verdict = typeCheck('wrong.ts');
  wrong.forEach((line, i) => assert.match(verdict, new RegExp(`wrong\\.ts\\(${head.length + i + 1},`), line));
});

chromiumTest('what a model says of itself is what the types say', { timeout: 90_000 }, async () => {
  const page = await site.page();
  const said = await page.evaluate(async (url) => {
    const progress = [];
    const model = await webgguf.loadModel(url, { onProgress: (p) => progress.push(p) });
    const { stats } = await collect(model, 'Prince', { maxTokens: 2 });
    const [[{ data, ...activation }]] = await model.captureActivations([1]);
    const own = Object.getPrototypeOf(model);
    const members = [own, Object.getPrototypeOf(own)].flatMap(Object.getOwnPropertyNames).concat(Object.keys(model));
    return { info: model.info, stats, activation, progress: progress.at(-1), members, exports: Object.keys(webgguf) };
  }, MODEL);
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
  const code = ['model', 'base'].map((name) => readFileSync(join(ROOT, `pkg-templates/llm/${name}.js`), 'utf8')).join();
  const internal = [...code.matchAll(/@internal[^*]*\*\/\s+(?:async )?\*?(\w+)[( ]/g)].map((m) => m[1]);
  const methods = said.members.filter((name) => !internal.includes(name));
  for (const name of methods) assert.match(types, new RegExp(`^  (readonly )?${name}\\b`, 'm'), `${name} is typed`);
  const exported = ['Chat', 'Model', 'Tokenizer', 'canRun', 'connect', 'inspect', 'isWebggufError', 'listCached', 'loadModel', 'loadTokenizer', 'persist', 'removeCached'];
  assert.deepEqual(said.exports.sort(), exported);
});

chromiumTest('the codes of errors are those of the types', () => {
  const rust = readFileSync(join(ROOT, 'src/error.rs'), 'utf8');
  const types = readFileSync(join(ROOT, 'pkg-templates/index.d.ts'), 'utf8');
  const folder = join(ROOT, 'pkg-templates');
  const scripts = filesOf(folder).filter((name) => name.endsWith('.js')).map((name) => readFileSync(join(folder, name), 'utf8'));
  // What forbids the worker or the wasm is known to the scripts alone.
  const ofScripts = scripts.join('').matchAll(/(?:failure\(|\? \[)'([A-Z_]+)'/g);
  const codes = [...new Set([...rust.matchAll(/=> "([A-Z_]+)"/g), ...ofScripts].map((m) => m[1]))].sort();
  assert.ok(codes.length > 5);
  assert.deepEqual([...types.matchAll(/^  \| '([A-Z_]+)'/gm)].map((m) => m[1]).sort(), codes);
  const words = readFileSync(join(ROOT, 'www/errors.js'), 'utf8');
  for (const code of codes) if (code !== 'ABORTED') assert.match(words, new RegExp(`^  ${code}: \\[`, 'm'), `${code} has words on the page`);
});
