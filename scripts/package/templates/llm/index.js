// {{title}}, on WebGPU. The types and their documentation are in index.d.ts.
import * as engine from './engine/index.js';
import { unmoved } from './engine/beside.js';

export { Chat, Model, Tokenizer, isWebggufError, listCached, persist, removeCached } from './engine/index.js';

/** Where the weights are: {{weightsPlace}}. */
const weights = () => {{weights}};

const withWeights = (call) => async (options) => {
  const { source = weights(), ...more } = options ?? {};
  return call(source, more);
};

export const loadModel = withWeights(engine.loadModel);
export const canRun = withWeights(engine.canRun);
export const loadTokenizer = withWeights(engine.loadTokenizer);
