// For tests of loading alone: only the kernels that bring weights in and the self-test's are compiled. The others take a
// software GPU seconds.
const { createComputePipelineAsync: compile } = GPUDevice.prototype;

GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
  return /^(repack\/rows|matmul\/vec\.f32\.rms_norm\.store)/.test(descriptor.label) ? compile.call(this, descriptor) : Promise.resolve({});
};
