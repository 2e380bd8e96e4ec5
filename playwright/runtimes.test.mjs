// The package, packed and installed, in runtimes that are no browsers: Node.js, and with WEBGGUF_ALL Deno and Bun.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT, SITE, serve } from '../scripts/server.mjs';
import { faults } from './lib/faults.mjs';
import { BROWSER, MODELS } from './lib/harness.mjs';
import { startHub } from './lib/hub.mjs';

const MODEL = join(ROOT, 'tests/fixtures/models/gpt2-tiny.gguf');
const TOKEN = 'hf_aSecretOfTheTest';
const TIMEOUT = { timeout: 180_000 };
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const run = promisify(execFile);

let app;
let site;
let hub;
before(async () => {
  const mounts = { ...SITE, ...MODELS };
  site = await serve({ mounts, route: faults(mounts) });
  hub = await startHub({ 'maker/gated': { files: { 'Gated-Q4_0.gguf': MODEL }, token: TOKEN } });
  app = mkdtempSync(join(tmpdir(), 'webgguf-runtimes-'));
  cpSync(join(ROOT, 'playwright/runtimes'), app, { recursive: true });
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
  install(execFileSync(npm, ['pack', '--silent', join(ROOT, 'pkg')], { cwd: app, encoding: 'utf8' }).trim().split('\n').at(-1));
});
after(async () => {
  await hub?.close();
  await site?.close();
  rmSync(app, { recursive: true, force: true });
});

/** Install a package into the app: one of the registry, or the file of one. */
function install(name) {
  const spec = name.endsWith('.tgz') ? `./${name}` : name;
  execFileSync(npm, ['install', '--silent', '--no-audit', '--no-fund', spec], { cwd: app });
}

async function check(name, command, args, { webgpu }) {
  hub.asked.length = 0;
  const { stdout, stderr } = await run(command, [...args, 'report.mjs', MODEL, site.url, hub.url, TOKEN], { cwd: app, timeout: 120_000 });
  const { ids, files, failures, cache, models } = JSON.parse(stdout.trim().split('\n').at(-1));
  console.log(`${name}: ${JSON.stringify(models)}`);

  const wanted = ids.path;
  assert.ok(Array.isArray(wanted) && wanted.length > 5, JSON.stringify(ids));
  for (const [source, found] of Object.entries(ids)) assert.deepEqual(found, wanted, source);
  const described = { architecture: 'gpt2', fileBytes: statSync(MODEL).size, unsupported: [], tokens: 2048 };
  for (const [source, found] of Object.entries(files)) {
    const { architecture, fileBytes, unsupported, tokens } = found;
    assert.deepEqual({ architecture, fileBytes, unsupported, tokens }, described, `${source}: ${JSON.stringify(found)}`);
  }
  const disk = new URL(hub.diskUrl).host;
  assert.ok(hub.asked.some((r) => r.host === disk) && hub.asked.every((r) => (r.host === disk ? !r.token : r.token === `Bearer ${TOKEN}`)));

  assert.match(failures.missing.message, /^the file '.*not-there.gguf' can't be read: .*[Nn]o such file/);
  assert.match(failures.folder.message, /^the file '.*' can't be read: /);
  assert.match(failures.ofServer.message, /answered 404$/);
  const broken = { host: 'FETCH_FAILED', noUrl: 'INVALID_ARGUMENT', ftp: 'INVALID_ARGUMENT' };
  const codes = Object.fromEntries(Object.entries(failures).map(([what, { code }]) => [what, code]));
  assert.deepEqual(codes, { ...broken, missing: 'FETCH_FAILED', folder: 'FETCH_FAILED', ofServer: 'FETCH_FAILED' });
  assert.deepEqual(cache, [[], false, false]);

  if (webgpu) {
    assert.ok(models.here.length > 5 && models.here === models.worker && models.canRun === true, JSON.stringify(models));
  } else {
    const message = `loadModel and canRun need WebGPU, which ${name} does not have; a browser or Deno has it. loadTokenizer and inspect run without`;
    for (const found of Object.values(models)) assert.deepEqual(found, { code: 'NO_WEBGPU', message });
    assert.equal(stderr, '', 'nothing is warned of');
  }
  const required = await run(command, [...args, 'required.cjs', MODEL], { cwd: app, timeout: 60_000 });
  assert.equal(required.stdout, '2048\n');
}

// What a runtime does is the same whatever the browser.
if (BROWSER === 'chromium') {
  test('Node.js', TIMEOUT, () => check('Node.js', process.execPath, [], { webgpu: false }));

  if (process.env.WEBGGUF_ALL) {
    test('Bun', TIMEOUT, () => {
      install('bun@1.4.5');
      return check('Bun', join(app, 'node_modules/.bin/bun'), [], { webgpu: false });
    });

    test('Deno, with a model on its WebGPU', TIMEOUT, () => {
      install('deno@2.9.6');
      return check('Deno', join(app, 'node_modules/.bin/deno'), ['run', '--allow-all'], { webgpu: true });
    });
  }
}
