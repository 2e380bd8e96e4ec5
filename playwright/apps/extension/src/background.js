// The service worker: it has WebGPU and wasm, but can start no worker of its own.
import { answerIn } from './answer.js';

answerIn('background');
