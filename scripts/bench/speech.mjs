// Kokoro in webgguf and in ONNX Runtime Web, on the page speech.html in a headless Chromium. Prints its JSON.
// Usage: node scripts/bench/speech.mjs [--gpu] [NAME=VALUE…]   parameters of the page, as in README.md
//   --gpu   with the machine's GPU and stock flags; otherwise SwiftShader, which runs on the CPU
import { ROOT, serve } from '../server.mjs';
import { launch, measure } from './page.mjs';

/** With these, a page may have shared memory, and ONNX Runtime threads. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

const args = process.argv.slice(2);
const parameters = args.filter((arg) => arg !== '--gpu').map((arg) => arg.split(/=(.*)/s).slice(0, 2));
const isolate = (_, response) => {
  for (const [name, value] of Object.entries(ISOLATED)) response.setHeader(name, value);
};
const site = await serve({ mounts: { '/': ROOT }, route: isolate });
const browser = await launch(args.includes('--gpu'));
try {
  const result = await measure(browser, `${site.url}/scripts/bench/speech.html?${new URLSearchParams(parameters)}`);
  console.log(JSON.stringify(result, null, 2));
} finally {
  await browser.close();
  await site.close();
}
