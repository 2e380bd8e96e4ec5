import { cpSync } from 'node:fs';

import * as esbuild from 'esbuild';

await esbuild.build({
  // The worker and the wasm lie beside the scripts that start them, by their own names.
  entryPoints: {
    page: 'src/index.js',
    background: 'src/background.js',
    offscreen: 'src/offscreen.js',
    worker: 'webgguf/worker',
    webgguf_bg: 'webgguf/webgguf_bg.wasm',
  },
  bundle: true,
  format: 'esm',
  minify: true,
  loader: { '.wasm': 'copy' },
  outdir: 'dist',
});
for (const file of ['manifest.json', 'page.html', 'offscreen.html']) cpSync(file, `dist/${file}`);
