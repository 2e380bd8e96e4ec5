// In the page of a test: the package, and what carries results over to Node.
import * as webgguf from '/pkg/index.js';

/** What a promise failed with, or null: an Error loses its code on the way to Node. */
async function failureOf(promise) {
  try {
    await promise;
    return null;
  } catch (e) {
    return { name: e.name, code: e.code, message: e.message, isError: e instanceof Error };
  }
}

/** Everything that a generation yields: the pieces, the ids, and its stats. */
async function collect(model, prompt, options) {
  const ids = [];
  const pieces = [];
  for await (const text of model.generate(prompt, { ...options, onToken: (id) => ids.push(id) })) pieces.push(text);
  return { ids, pieces, text: pieces.join(''), stats: model.stats };
}

/** Load, and tell how it went: the checksum of the weights on the GPU and what the model says of itself, or the failure. */
async function outcome(source, options) {
  const start = performance.now();
  let model;
  const load = async () => (model = await webgguf.loadModel(source, { contextLength: 64, cache: false, ...options }));
  const failed = await failureOf(load());
  const seconds = (performance.now() - start) / 1e3;
  if (failed) return { failed, seconds };
  const sum = await model.weightsChecksum();
  model.destroy();
  return { sum, seconds, info: model.info };
}

// Tests of loading alone: only the kernels that bring weights in and the self-test's are compiled, the others take a software GPU seconds.
if (new URLSearchParams(location.search).has('load-only')) {
  const { createComputePipelineAsync: compile } = GPUDevice.prototype;
  GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
    return /^(repack|matmul_vec\.f32\.rms_norm\.staged\.store)/.test(descriptor.label) ? compile.call(this, descriptor) : Promise.resolve({});
  };
}

Object.assign(globalThis, { webgguf, failureOf, collect, outcome });
