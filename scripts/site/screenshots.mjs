// Pictures of the demo for README.md and the documentation: docs/public/demo-light.png and demo-dark.png.
// Usage: node scripts/site/screenshots.mjs
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { openBrowser } from '../../playwright/lib/harness.mjs';
import { ROOT, SITE, serve } from '../server.mjs';
import { ensureChromium, ensurePackage } from '../setup.mjs';

/** The largest size of a picture, in bytes. */
const LIMIT = 200e3;
const READY = { timeout: 120_000 };
const FOLDER = join(ROOT, 'docs/public');

/** One exchange with the built-in model, in which it has written some lines. */
async function converse(page) {
  await page.waitForSelector('#send:enabled', READY);
  await page.fill('#prompt', 'The Emperor rode along the line of troops.');
  await page.press('#prompt', 'Enter');
  await page.waitForFunction(() => document.getElementById('log').textContent.length > 500, null, READY);
  await page.keyboard.press('Escape');
  await page.waitForSelector('#log[aria-busy=false]', READY);
}

async function takePictures() {
  ensureChromium();
  ensurePackage();
  mkdirSync(FOLDER, { recursive: true });
  const site = await serve({ mounts: SITE });
  const browser = await openBrowser();
  try {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ colorScheme, viewport: { width: 1120, height: 700 } });
      await page.goto(site.url);
      await converse(page);
      await page.waitForTimeout(500); // what moves has come to rest
      const path = join(FOLDER, `demo-${colorScheme}.png`);
      await page.screenshot({ path });
      const { size } = statSync(path);
      console.log(`${path}: ${(size / 1e3).toFixed(0)} kB`);
      if (size > LIMIT) throw new Error(`${path} has ${size} bytes, ${LIMIT} are allowed`);
    }
  } finally {
    await browser.close();
    await site.close();
  }
}

takePictures().catch((e) => {
  console.error(e.message);
  process.exitCode = 1;
});
