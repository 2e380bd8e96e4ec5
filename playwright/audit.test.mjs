// Accessibility of every page of the site, by axe: light and dark, desktop and phone, in the states that a visitor brings
// about. docs.test.mjs audits the documentation.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 240_000 };
const READY = { timeout: 60_000 };
const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
const LOOKS = [
  { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
];

let site;
before(async () => (site = await open()));
after(() => site?.close());

/** What axe finds on a page as it is now, in each look, in words. */
async function violations(page, state, looks = LOOKS) {
  const found = [];
  for (const { colorScheme, viewport } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    const { violations } = await page.evaluate(() => axe.run());
    for (const { id, help, nodes } of violations) {
      const where = nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary.split('\n').at(-1).trim()}`);
      found.push(`${state}, ${colorScheme}, ${viewport.width} wide: ${id} (${help})\n  ${where.join('\n  ')}`);
    }
  }
  return found;
}

async function auditedPage(path) {
  const page = await site.page('/icon.svg');
  await page.addInitScript(AXE); // The pages' own policy lets no other script in.
  await page.goto(site.url + path);
  return page;
}

/** A conversation as a chat model's would be, with all that Markdown has. */
const REPLY = `<think>\nHm.\n</think>\n\n# Title\n\nSome *text*, a [link](https://example.com) and \`code\`.\n
> A quotation\n\n1. one\n2. two\n\n\`\`\`python\nprint(1)\n\`\`\`\n\n| a | b |\n|---|---|\n| 1 | 2 |`;

test('the demo page has no violations, in any state', TIMEOUT, async () => {
  const page = await auditedPage('/');
  await page.waitForSelector('#send:enabled', READY);
  const found = [...(await violations(page, 'start'))];
  await page.locator('#starters button').first().click();
  await page.waitForFunction(() => document.querySelector('.answer')?.textContent.length > 40, null, READY);
  await page.locator('#send').click();
  await page.waitForSelector('#log[aria-busy="false"]');
  found.push(...(await violations(page, 'text')));
  for (const open of ['models', 'settings']) {
    await page.locator(`#${open}-open`).click();
    await page.waitForTimeout(300);
    found.push(...(await violations(page, open)));
    await page.keyboard.press('Escape');
  }
  await page.evaluate(async (reply) => {
    const { Log } = await import('./log.js');
    const exchanges = Array.from({ length: 3 }, () => ({ prompt: 'Hello', reply, ended: 'length' }));
    new Log(document.getElementById('log'), {}).show({ exchanges, isChat: true, forgotten: 1 }, false);
    const { showError } = await import('./errors.js');
    showError({ code: 'DEVICE_LOST', message: 'the GPU’s process ended' });
    document.getElementById('progress').hidden = document.getElementById('editing').hidden = false;
  }, REPLY);
  found.push(...(await violations(page, 'chat with an error')));
  assert.deepEqual(found, []);
  await page.close();
});

test('the benchmark page has no violations', TIMEOUT, async () => {
  const page = await auditedPage('/bench.html?model=/models/embedded.gguf&pp=16&tg=4&reps=1&kernels=0');
  const found = [...(await violations(page, 'start'))];
  await page.click('#run');
  await page.waitForFunction(() => window.__result, undefined, READY);
  found.push(...(await violations(page, 'result')));
  assert.deepEqual(found, []);
  await page.close();
});
