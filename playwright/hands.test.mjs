// webgguf/hands: hands in pictures and videos.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { HANDS_MODEL, ensureHandsModel } from '../scripts/hands/model.mjs';
import { ROOT } from '../scripts/server.mjs';
import { open } from './lib/harness.mjs';

const TIMEOUT = { timeout: 180_000 };
const skip = ensureHandsModel() ? false : 'SKIP: the networks of hands are not there';

let site;
let page;
before(async () => {
  if (skip) return;
  copyFileSync(HANDS_MODEL, join(ROOT, 'pkg/hands-lite.gguf'));
  site = await open();
  page = await site.page();
  await page.evaluate(async () => {
    const { loadHands } = await import('/pkg/hands.js');
    globalThis.loadHands = loadHands;
    globalThis.progress = [];
    globalThis.hands = await loadHands(undefined, { onProgress: ({ phase, fraction }) => progress.push([phase, fraction]) });
    globalThis.picture = new Image();
    picture.src = '/pictures/hands.jpg';
    await picture.decode();
    /** The picture on a canvas, moved. */
    globalThis.moved = (x = 0, y = 0, scale = 1) => {
      const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
      const context = canvas.getContext('2d');
      context.setTransform(scale, 0, 0, scale, x, y);
      context.drawImage(picture, 0, 0);
      return canvas;
    };
    globalThis.failureOf = (promise) => promise.then(() => undefined, ({ code, message }) => ({ code, message }));
  });
});
after(() => site?.close());

test('both hands of a picture are found, and told apart', { ...TIMEOUT, skip }, async () => {
  const { found, info, stats, progress } = await page.evaluate(async () => {
    const found = await hands.detect(picture);
    return { found, info: hands.info, stats: hands.stats, progress };
  });
  console.log(info, stats);
  assert.equal(found.length, 2);
  for (const { landmarks, worldLandmarks, handedness, handednessScore, score, box } of found) {
    assert.equal(landmarks.length, 21);
    assert.equal(worldLandmarks.length, 21);
    assert.match(handedness, /^(Left|Right)$/);
    assert.ok(handednessScore > 0.5 && score > 0.5);
    for (const { x, y } of landmarks) assert.ok(x >= box.xmin - 1e-6 && x <= box.xmin + box.width + 1e-6 && y >= box.ymin - 1e-6);
    const [wrist, middle] = [landmarks[0], landmarks[9]];
    assert.ok(middle.y < wrist.y, 'the fingers are up');
  }
  const [left] = found.map(({ box }) => box.xmin).sort((a, b) => a - b);
  assert.ok(left < 0.2);
  assert.deepEqual([info.palms.variant, info.palms.inputSize, info.landmarks.variant, info.landmarks.inputSize], ['lite', 192, 'lite', 224]);
  assert.ok(info.memory.weights > 3e6 && stats.gpuBytes > info.memory.weights);
  assert.equal(progress.at(-1)[1], 1);
});

test('every kind of picture gives the same hands', { ...TIMEOUT, skip }, async () => {
  const all = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    canvas.getContext('2d').drawImage(picture, 0, 0);
    const offscreen = moved();
    const kinds = {
      image: picture,
      canvas,
      offscreen,
      bitmap: await createImageBitmap(picture),
      frame: globalThis.VideoFrame && new VideoFrame(offscreen, { timestamp: 0 }),
      data: canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height),
    };
    const found = {};
    for (const [kind, value] of Object.entries(kinds)) if (value) found[kind] = await hands.detect(value, { tracking: false });
    return found;
  });
  const points = (found) => found.flatMap(({ landmarks }) => landmarks.flatMap(({ x, y }) => [x * 480, y * 360]));
  const want = points(all.data);
  for (const [kind, found] of Object.entries(all)) {
    const worst = Math.max(...points(found).map((v, i) => Math.abs(v - want[i])));
    console.log(`${kind}: ${found.length} hands, ${worst.toFixed(4)} pixels from ImageData's`);
    assert.ok(worst < 0.5, kind);
  }
});

test('hands are followed from frame to frame, with one network a hand', { ...TIMEOUT, skip }, async () => {
  const frames = await page.evaluate(async () => {
    hands.reset();
    const frames = [];
    for (let i = 0; i < 12; i++) {
      const found = await hands.detect(moved(i * 2, i, 1 + i / 200), { timestamp: i * 33 });
      frames.push([found.length, hands.stats.palmsMs, found.map(({ landmarks }) => landmarks[9].x * 480)]);
    }
    return frames;
  });
  for (const [i, [n, palmsMs]] of frames.entries()) {
    assert.equal(n, 2, `frame ${i}`);
    assert.equal(palmsMs > 0, i === 0, `palms are looked for in the first frame alone: ${i}`);
  }
  const xs = frames.map(([, , x]) => x[0]);
  for (let i = 1; i < xs.length; i++) assert.ok(xs[i] - xs[i - 1] > 0.5 && xs[i] - xs[i - 1] < 6, `the hand moves with the picture: ${xs}`);
});

test('what is no picture is named, and so are options', { ...TIMEOUT, skip }, async () => {
  const failed = await page.evaluate(async () => ({
    text: await failureOf(hands.detect('hands.jpg')),
    nothing: await failureOf(hands.detect()),
    empty: await failureOf(hands.detect(new Image())),
    video: await failureOf(hands.detect(document.createElement('video'))),
    option: await failureOf(hands.detect(picture, { time: 1 })),
    many: await failureOf(loadHands(undefined, { maxHands: 99 })),
    score: await failureOf(loadHands(undefined, { minDetectionScore: 2 })),
    typo: await failureOf(loadHands(undefined, { maxHand: 1 })),
    model: await failureOf(loadHands('/models/gpt2-tiny.gguf')),
    missing: await failureOf(loadHands('/no/such.gguf', { retry: { attempts: 1 } })),
  }));
  console.log(failed);
  const { missing, model, ...rest } = failed;
  for (const [what, { code, message }] of Object.entries(rest)) {
    assert.equal(code, 'INVALID_ARGUMENT', what);
    assert.ok(message.length > 20, what);
  }
  assert.match(failed.many.message, /maxHands/);
  assert.match(failed.typo.message, /did you mean maxHands\?/);
  assert.equal(missing.code, 'FETCH_FAILED');
  assert.equal(model.code, 'UNSUPPORTED_ARCHITECTURE');
});

test('a picture without hands has none; one of another origin is refused', { ...TIMEOUT, skip }, async () => {
  const result = await page.evaluate(async () => {
    const empty = new OffscreenCanvas(64, 48);
    empty.getContext('2d').fillRect(0, 0, 64, 48);
    return await hands.detect(empty, { tracking: false });
  });
  assert.deepEqual(result, []);
});

test('abort, destroy', { ...TIMEOUT, skip }, async () => {
  const failed = await page.evaluate(async () => {
    const other = await loadHands();
    const controller = new AbortController();
    const aborted = failureOf(other.detect(picture, { signal: controller.signal }));
    controller.abort();
    const codes = [(await aborted).code];
    const running = failureOf(other.detect(picture));
    await new Promise((resolve) => setTimeout(resolve, 5));
    other.destroy();
    codes.push((await running)?.code);
    codes.push((await failureOf(other.detect(picture))).code);
    return codes;
  });
  assert.deepEqual(failed, ['ABORTED', 'DEVICE_LOST', 'INVALID_STATE']);
});
