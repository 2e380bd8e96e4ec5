// The package in a browser: it loads, and finds no hand where there is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inBrowser } from './browser.js';

test('an empty picture has no hand', { timeout: 300_000 }, async (t) => {
  const found = await inBrowser(t, async () => {
    const { loadHands } = await import('/index.js');
    const hands = await loadHands({ cache: false });
    return hands.detect(new ImageData(320, 240));
  });
  if (found) assert.deepEqual(found, []);
});
