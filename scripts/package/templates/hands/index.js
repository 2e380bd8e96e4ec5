// {{title}}, on WebGPU. The types and their documentation are in index.d.ts.
import * as engine from './engine/hands.js';

export { Hands, isWebggufError } from './engine/hands.js';

export async function loadHands(options) {
  const { source, ...more } = options ?? {};
  return engine.loadHands(source, more);
}
