// The apps of playwright/apps/: each is what a web developer would have, with the package installed as npm installs it.
// Their package.json says what they are made with: `dev` serves, `build` builds into dist/, unless `start` serves the build.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT, serve } from '../../scripts/server.mjs';

const APPS = join(ROOT, 'playwright/apps');
const MODEL = 'gpt2-tiny';
const GOLDEN = JSON.parse(readFileSync(join(ROOT, `tests/fixtures/${MODEL}/greedy.json`), 'utf8'));
/** The first sentence, as the reference has it. */
const EXPECTED = GOLDEN.text.split('.')[0];
/** As hosts of models answer. */
const OPEN = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': '*' };
/** Some tools hang on what they can't bundle. */
const NPM_MS = 240_000;
const START_MS = 60_000;
const SPEAK_MS = 90_000;

/** The package as it would be published: the path of its archive, in `folder`. */
export function pack(folder) {
  const name = execFileSync('npm', ['pack', '--silent', join(ROOT, 'pkg')], { cwd: folder, encoding: 'utf8' }).trim();
  return join(folder, name.split('\n').at(-1));
}

/** Serve folders; other origins may read them. `asked` gets the paths. */
export function serveAll(mounts, { headers = {}, asked = [] } = {}) {
  const route = (request, response, { pathname }) => {
    asked.push(pathname);
    for (const [name, value] of Object.entries({ ...OPEN, ...headers })) response.setHeader(name, value);
  };
  return serve({ mounts, route });
}

/** Serve what every app asks for: a model. `asked` gets the path of each request. */
export async function serveModel(asked) {
  const { url, close } = await serveAll({ '/': join(ROOT, 'tests/fixtures/models') }, { asked });
  return { url: `${url}/${MODEL}.gguf`, close };
}

/** The app in a folder of its own, with the package of `archive` and its tools installed. `next-webpack` is `next` and more. */
export async function makeApp(name, folder, archive) {
  mkdirSync(folder, { recursive: true });
  for (const layer of ['shared', name.split('-')[0], name]) {
    if (existsSync(join(APPS, layer))) cpSync(join(APPS, layer), folder, { recursive: true });
  }
  await npm(folder, ['install', '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline', archive]);
  const { scripts = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { name, folder, scripts };
}

/** Start npm. `end` ends it and all that it started. */
function startNpm(cwd, args) {
  const env = { ...process.env, CI: '1', NEXT_TELEMETRY_DISABLED: '1' };
  // A group of its own, which can be ended as a whole.
  const child = spawn('npm', args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = { output: '', ended: new Promise((resolve) => child.once('close', resolve)) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (run.output += chunk));
  run.isOver = () => child.exitCode !== null || child.signalCode !== null;
  run.end = async () => {
    if (!run.isOver()) process.kill(-child.pid, 'SIGKILL');
    await run.ended;
  };
  return run;
}

/** Run npm to its end; what it wrote. */
async function npm(cwd, args) {
  const run = startNpm(cwd, args);
  const timer = setTimeout(run.end, NPM_MS);
  const status = await run.ended;
  clearTimeout(timer);
  if (status === 0) return run.output;
  throw new Error(`npm ${args.join(' ')} ${status === null ? `had not ended after ${NPM_MS / 1e3} s` : 'failed'}:\n${run.output}`);
}

/** Build the app. */
export async function build({ folder }, args = []) {
  const output = await npm(folder, ['run', 'build', '--', ...args]);
  assert.doesNotMatch(output, /circular|cannot find|can't resolve|can't find/i, output);
}

async function freePort() {
  const server = createServer().listen(0, 'localhost');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Start a script of the app that serves it. */
export async function start({ name, folder }, script) {
  const port = await freePort();
  const run = startNpm(folder, ['run', script, '--', '--port', String(port)]);
  const url = `http://localhost:${port}`;
  const late = Date.now() + START_MS;
  while (!run.isOver() && Date.now() < late) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return { url, close: run.end };
    await sleep(100);
  }
  await run.end();
  throw new Error(`${script} of ${name} did not serve ${url}:\n${run.output}`);
}

/** Serve what `build` made. */
export const serveBuild = (app) =>
  app.scripts.start ? start(app, 'start') : serveAll({ '/': join(app.folder, 'dist') });

/** The page's address, with what it is to do. */
export const address = (url, { model, worker = false }) =>
  `${url}?${new URLSearchParams({ model, prompt: GOLDEN.prompt })}${worker ? '&worker' : ''}`;

/** What a page says once it is done, which must be what the reference says. */
export async function spoken(page) {
  await page.waitForFunction(() => document.querySelector('output')?.dataset.state, null, { timeout: SPEAK_MS });
  const [state, text] = await page.locator('output').evaluate((o) => [o.dataset.state, o.textContent]);
  assert.deepEqual([state, text], ['done', EXPECTED]);
}

/** Open a page of the app: it must say what the reference says, begin no more loads than are said, and miss nothing. */
export async function visit(context, url, { model, worker, loads = 1 }) {
  const page = await context.newPage();
  const answers = [];
  const errors = [];
  let workers = 0;
  page.on('worker', () => workers++);
  page.on('response', (r) => answers.push(`${r.status()} ${r.url()}`));
  page.on('pageerror', (e) => errors.push(e.message));
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
  try {
    await page.goto(address(url, { model, worker }));
    await spoken(page);
    assert.ok(worker ? workers >= 1 && workers <= loads : workers === 0, `workers that ran: ${workers}`);
    assert.deepEqual(errors, []);
    assert.deepEqual(answers.filter((line) => /^[45]/.test(line)), []);
    const modules = answers.filter((line) => /\.wasm\b/.test(line));
    assert.ok(modules.length >= 1 && modules.length <= loads, `the wasm is fetched once: ${modules}`);
  } catch (e) {
    e.message += `\n${[...errors, ...answers].join('\n')}`;
    throw e;
  } finally {
    await page.close();
  }
}

/** Try an app in development and in a build, with and without a worker. Returns the seconds that each took. */
export async function tryApp(context, app, model) {
  const seconds = {};
  const timed = async (what, step) => {
    const started = performance.now();
    await step();
    seconds[what] = Number(((performance.now() - started) / 1e3).toFixed(1));
  };
  const both = async (what, { url, close }) => {
    const loads = app.name === 'react' && what === 'dev' ? 2 : 1; // There React mounts each component twice.
    try {
      for (const worker of [false, true]) {
        await timed(`${what}${worker ? ' worker' : ''}`, () => visit(context, url, { model, worker, loads }));
      }
    } finally {
      await close();
    }
  };
  if (app.scripts.dev) await both('dev', await start(app, 'dev'));
  await timed('building', () => build(app));
  await both('build', await serveBuild(app));
  return seconds;
}
