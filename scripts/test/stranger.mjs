// A stranger's path, timed: a new Vite app, the package, the code of its README, a build, and the first token in Chromium.
// Usage: node scripts/test/stranger.mjs
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { pack, serveAll, start } from '../../playwright/lib/apps.mjs';
import { withChatTemplate } from '../../playwright/lib/gguf.mjs';
import { openBrowser } from '../../playwright/lib/harness.mjs';
import { ROOT } from '../server.mjs';

/** A model that can chat, as the README's can. */
const MODEL = 'tests/fixtures/models/qwen3-tiny.gguf';
const TEMPLATE = '{% for message in messages %}{{ message.content }} {% endfor %}';

/** The README's code, with an address of a model that is here. */
function code(model) {
  const readme = readFileSync(join(ROOT, 'pkg-templates/README.md'), 'utf8');
  const [, block] = /```js\n([^]*?)```/.exec(readme);
  const changed = block.replace(/(?<=loadModel\(')[^']*/, model);
  if (changed === block) throw new Error(`the README's code loads no model:\n${block}`);
  return changed;
}

/** Go the path. Returns the seconds of each step. */
export async function stranger() {
  const folder = mkdtempSync(join(tmpdir(), 'webgguf-stranger-'));
  const app = join(folder, 'app');
  const seconds = {};
  const timed = async (step, work) => {
    const started = performance.now();
    const result = await work();
    seconds[step] = Number(((performance.now() - started) / 1e3).toFixed(2));
    return result;
  };
  const npm = (cwd, ...args) => {
    // What a build before this said of its environment is not a stranger's.
    const env = { ...process.env, NODE_ENV: undefined };
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd, env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stdout}${stderr}`);
  };
  const open = [];
  try {
    const archive = pack(folder);
    mkdirSync(join(folder, 'models'));
    writeFileSync(join(folder, 'models/chat.gguf'), withChatTemplate(readFileSync(join(ROOT, MODEL)), TEMPLATE));
    const models = await serveAll({ '/': join(folder, 'models') });
    open.push(models);
    await timed('npm create vite', () => npm(folder, 'create', '--yes', 'vite@latest', 'app', '--', '--template', 'vanilla-ts'));
    await timed('npm install', () => npm(app, 'install', '--no-audit', '--no-fund'));
    await timed('npm install webgguf', () => npm(app, 'install', '--no-audit', '--no-fund', archive));
    writeFileSync(join(app, 'src/main.ts'), code(`${models.url}/chat.gguf`));
    await timed('npm run build', () => npm(app, 'run', 'build'));
    const preview = await timed('npm run preview', () => start({ name: 'the app', folder: app }, 'preview'));
    open.push(preview);
    const browser = await openBrowser();
    open.push(browser);
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (e) => errors.push(e.message));
    await timed('first token', async () => {
      await page.goto(preview.url);
      const before = await page.evaluate(() => document.querySelector('#app').textContent);
      await page.waitForFunction((before) => document.body.innerText.trim() !== before.trim(), before, { timeout: 60_000 }).catch((e) => {
        throw new Error(`no token came: ${errors.join('; ') || e.message}`);
      });
    });
    return seconds;
  } finally {
    for (const it of open.reverse()) await it.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(JSON.stringify(await stranger()));
