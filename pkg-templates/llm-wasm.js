// The wasm of language models.
import { Wasm } from './wasm.js';
import init, { on_panic } from './webgguf.js';

export const wasm = /* @__PURE__ */ new Wasm(() => new URL('./webgguf_bg.wasm', import.meta.url), { default: init, on_panic });
