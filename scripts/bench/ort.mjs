// Copies what a page needs of ONNX Runtime Web to target/ort/, so that any static server can serve it.
// Usage: node scripts/bench/ort.mjs [FOLDER]   the folder of the package onnxruntime-web, default node_modules/onnxruntime-web
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../server.mjs';

/** A build an execution provider: WebGPU's, and the one without. Each has a module of its own that fetches the wasm. */
const FILES = [
  'ort.webgpu.min.mjs',
  'ort-wasm-simd-threaded.asyncify.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
  'ort.wasm.min.mjs',
  'ort-wasm-simd-threaded.mjs',
  'ort-wasm-simd-threaded.wasm',
];

const from = process.argv[2] ?? join(ROOT, 'node_modules/onnxruntime-web');
const to = join(ROOT, 'target/ort');
mkdirSync(to, { recursive: true });
for (const name of FILES) copyFileSync(join(from, 'dist', name), join(to, name));
console.log(`onnxruntime-web ${JSON.parse(readFileSync(join(from, 'package.json'))).version} in ${to}`);
