// What went wrong, in words, and what to do about it.

/** By code: a title, and advice. */
const WORDS = {
  MALFORMED_GGUF: ['This is not a sound GGUF file', 'It may be incomplete: download it again, or try another copy.'],
  MALFORMED_TFLITE: ['This is not a sound TFLite file', 'It may be incomplete: download it again, or try another copy.'],
  MALFORMED_ONNX: ['This is not a sound ONNX file', 'It may be incomplete: download it again, or try another copy.'],
  MALFORMED_DICTIONARY: ['This is not a sound dictionary', 'It may be incomplete: download it again, or try another copy.'],
  UNSUPPORTED_ARCHITECTURE: ['This model is of a kind that can’t be run yet', 'Try one of the kinds named above.'],
  UNSUPPORTED_TENSOR_TYPE: ['This quantisation can’t be run yet', 'Try the same model as Q8_0, Q4_0 or F16.'],
  UNSUPPORTED_TOKENIZER: ['This model’s tokenizer can’t be used yet', 'Try another model.'],
  TEMPLATE_ERROR: ['The model’s chat template failed', 'Leave the system prompt empty, or try another file of the same model.'],
  FETCH_FAILED: [
    'The file can’t be fetched',
    'Check the address and your connection. The server must let other sites read its files (CORS), as Hugging Face’s ' +
      '“resolve” links do. If it does not, download the file and open it from your disk.',
  ],
  SOURCE_CHANGED: ['The file changed while it was read', 'Load it again.'],
  OUT_OF_GPU_MEMORY: [
    'The model does not fit this GPU',
    'Try a smaller model, a smaller quantisation or a shorter context, and close other tabs that use the GPU.',
  ],
  DEVICE_LOST: ['The GPU was lost', 'It was reset, or the tab slept too long. Nothing that was written is gone.'],
  BLOCKED: ['This page may not run the model', 'Its security policy forbids the worker or the wasm.'],
  NO_WEBGPU: [
    'There is no WebGPU here',
    'Use a recent Chrome, Edge, Safari or Firefox. On Linux, Chrome may need its flag: chrome://flags/#enable-unsafe-webgpu',
  ],
  CONTEXT_OVERFLOW: ['The message is too long', 'Shorten it, begin a new chat, or load the model with a longer context.'],
  NOT_FINITE: ['The model computes no numbers', 'The file is broken: download it again, or try another copy.'],
  UNSUPPORTED_BY_SERVER: ['The server can’t do this', 'Use a model that runs in the browser.'],
  INVALID_ARGUMENT: ['An address or a setting can’t be used', 'Change it and try again.'],
  INVALID_STATE: ['The model is busy', 'Wait for it, or reload the page.'],
  INTERNAL: ['A defect', 'Please report it with the words above.'],
};

const $ = (id) => document.getElementById(id);

export function showError(e) {
  const [title, advice] = WORDS[e.code] ?? WORDS.INTERNAL;
  $('error-title').textContent = title;
  $('error-code').textContent = e.code ?? e.name;
  $('error-message').textContent = e.message;
  $('error-advice').textContent = advice;
  $('restart').hidden = e.code !== 'DEVICE_LOST';
  $('error').hidden = false;
}

export function clearError() {
  $('error').hidden = true;
}
