// What a production build of Vite holds for who imports a part of the package, and what it weighs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { gzipSync } from 'node:zlib';

import { build } from 'vite';

import { pack } from './lib/apps.mjs';
import { chromiumTest } from './lib/harness.mjs';

const TIMEOUT = { timeout: 60_000 };

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'webgguf-production-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', pack(folder)], { cwd: folder });
});
after(() => rm(folder, { recursive: true, force: true }));

/**
 * The files of an app that imports these names: its own script, the worker's, the ones for parts of replies and for
 * models on servers, the wasm, that of formats.
 */
async function filesFor(...names) {
  const root = join(folder, names.join('-'));
  mkdirSync(root);
  writeFileSync(join(root, 'index.html'), '<script type="module" src="./main.js"></script>');
  writeFileSync(join(root, 'main.js'), `import { ${names} } from 'webgguf';\nObject.assign(globalThis, { ${names} });\n`);
  const { output } = await build({ root, configFile: false, logLevel: 'silent', build: { write: false } });
  const files = Object.fromEntries(
    output.map((file) => [/worker-|reply-|server-|constrain_bg|\.wasm$|\.html$/.exec(file.fileName)?.[0] ?? 'main', file.code ?? file.source]),
  );
  assert.equal(output.length, Object.keys(files).length, `one file each: ${output.map((file) => file.fileName)}`);
  const { main, 'worker-': worker = '', 'reply-': reply = '', 'server-': server = '', '.wasm': wasm, constrain_bg: constrain } = files;
  const there = Object.entries({ main, worker, reply, server, wasm, constrain }).filter(([, file]) => file);
  const sizes = there.map(([name, file]) => {
    const kilobytes = (bytes) => `${(bytes / 1e3).toFixed(1)} kB`;
    return `${name} ${kilobytes(file.length)}, ${kilobytes(gzipSync(file, { level: 9 }).length)} gzipped`;
  });
  console.log(`${names}: ${sizes.join('; ')}`);
  return { main, worker, reply, server };
}

/** Words that only one part of the package has. */
const PARTS = {
  model: 'the last try to recover',
  starter: "worker can't be started",
  tokenizer: 'the messages or variables of a chat',
  wasm: 'instantiateStreaming',
  replies: 'the chat template does nothing with tools',
  server: "can't be had of a model on a server",
  openai: 'unsupported_parameter',
};
const partsOf = (code) => Object.keys(PARTS).filter((part) => code.includes(PARTS[part]));

const BUILDS = {
  loadModel: ['model', 'starter', 'tokenizer', 'wasm'],
  loadTokenizer: ['tokenizer', 'wasm'],
  listCached: [],
};
for (const [name, parts] of Object.entries(BUILDS)) {
  chromiumTest(`a build with ${name} has of the package: ${parts.join(', ') || 'the files alone'}`, TIMEOUT, async () => {
    const { main, worker, reply, server } = await filesFor(name);
    assert.deepEqual(partsOf(main), parts);
    // A worker has a model of its own, and starts no other. Vite may write one that nothing starts.
    if (worker || parts.includes('starter')) assert.deepEqual(partsOf(worker), ['model', 'tokenizer', 'wasm']);
    // What reads replies as parts is a file of its own, which the first chat that does loads.
    assert.deepEqual(partsOf(reply), parts.includes('model') ? ['replies'] : []);
    assert.deepEqual(partsOf(server), parts.includes('model') ? ['server'] : []);
    assert.doesNotMatch(main + worker + reply + server, /\breact\b|useState|debugger|sourceMappingURL|console\.(log|debug)/i);
  });
}
