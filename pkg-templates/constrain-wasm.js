// The wasm of response formats. Its script is small and comes with the others, since not every worker can import one later.
import { Wasm } from './wasm.js';
import init, { on_panic } from './webgguf_constrain.js';

export const wasm = /* @__PURE__ */ new Wasm(() => new URL('./webgguf_constrain_bg.wasm', import.meta.url), { default: init, on_panic });
