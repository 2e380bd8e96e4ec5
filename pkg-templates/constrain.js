// The engine of response formats: fetched when a call first asks for one, or with whoever imports 'webgguf/constrain'.
import { platform } from './platform.js';
import { Wasm } from './wasm.js';
import init, { Vocabulary, on_panic } from './webgguf_constrain.js';

const wasm = new Wasm(() => new URL('./webgguf_constrain_bg.wasm', import.meta.url), { default: init, on_panic });

platform.constrain = { wasm, Vocabulary };
