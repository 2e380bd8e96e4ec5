// A page of measurements in a headless Chromium, which leaves its figures in window.__result.
import { chromium } from 'playwright-core';

import { chromiumPath } from '../setup.mjs';

const SOFTWARE = ['--enable-features=Vulkan', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
/** A large model on a slow GPU. */
const TIMEOUT_MS = 30 * 60_000;

/** A browser with the machine's GPU and stock flags; otherwise with SwiftShader, which runs on the CPU. */
export const launch = (gpu) =>
  chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox', ...(gpu ? [] : SOFTWARE)] });

/** What a page leaves in window.__result, once its button, if it has one, is pressed. */
export async function measure(browser, url) {
  const page = await browser.newPage();
  await page.goto(url);
  for (const button of await page.$$('#run')) await button.click();
  await page.waitForFunction(() => window.__result, undefined, { timeout: TIMEOUT_MS });
  const result = await page.evaluate(() => window.__result);
  await page.close();
  if (result.error) throw new Error(`${new URL(url).pathname}: ${result.error}`);
  return result;
}
