import wasmUrl from 'webgguf/webgguf_bg.wasm';

import { say } from './say.js';

say(document.querySelector('output'), { wasmUrl, workerUrl: '/worker.js' });
