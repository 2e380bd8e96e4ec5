// A page of this package in a browser with WebGPU: $CHROMIUM, or Chrome where it usually is.
import { server } from './serve.js';

/** WebGPU on the CPU, which every machine has. */
const FLAGS = ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--use-webgpu-adapter=swiftshader', '--no-sandbox'];

/** Run a function in a page. Where there is no browser, the test is skipped, and this returns undefined. */
export async function inBrowser(t, run, argument) {
  const { chromium } = await import('playwright-core');
  const where = process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM } : { channel: 'chrome' };
  let browser;
  try {
    browser = await chromium.launch({ ...where, args: FLAGS });
  } catch (error) {
    t.skip(`no browser can be started, CHROMIUM may name one: ${error.message.split('\n')[0]}`);
    return undefined;
  }
  await new Promise((ready) => server.listen(0, 'localhost', ready));
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.address().port}/test/blank.html`);
    return await page.evaluate(run, argument);
  } finally {
    await browser.close();
    server.close();
  }
}
