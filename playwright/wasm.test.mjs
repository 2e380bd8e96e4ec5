// Tests of the crate that run natively run in a browser, too: by wasm-bindgen-test, on a page without the package.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { run } from '../scripts/setup.mjs';
import { open } from './lib/harness.mjs';

let site;
before(async () => {
  run('cargo', ['xtask', 'wasm-tests']);
  site = await open();
});
after(() => site?.close());

/** The tests of a module, and whether they pass; what they print goes to the element `output`. */
async function runTests(name) {
  globalThis.__wbg_test_invoke = (f) => f();
  const module = await import(`/target/wasm-tests/${name}.js`);
  const exports = await module.default({ module_or_path: `/target/wasm-tests/${name}_bg.wasm` });
  const tests = Object.keys(exports).filter((key) => key.startsWith('__wbgt_'));
  const passed = await new module.WasmBindgenTestContext(false).run(tests.map((key) => exports[key]));
  return { n: tests.length, passed, output: document.getElementById('output').textContent };
}

for (const [name, n] of [['base', 1], ['kokoro_blocks', 4], ['rewind', 5]]) {
  test(`tests/${name}.rs in a browser`, { timeout: 300_000 }, async () => {
    const page = await site.browser.newPage();
    await page.goto(`${site.url}/test/wasm.html`);
    const result = await page.evaluate(runTests, name);
    console.log(result.output);
    assert.ok(result.passed, result.output);
    assert.equal(result.n, n);
  });
}
