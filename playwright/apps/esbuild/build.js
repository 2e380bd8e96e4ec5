import { cpSync } from 'node:fs';

import * as esbuild from 'esbuild';

const options = {
  entryPoints: { main: 'src/index.js', worker: 'webgguf/worker' },
  bundle: true,
  format: 'esm',
  loader: { '.wasm': 'file' },
  outdir: 'dist',
  publicPath: '/',
};
cpSync('page.html', 'dist/index.html');
if (process.argv[2] === 'serve') {
  const context = await esbuild.context(options);
  await context.serve({ servedir: 'dist', port: Number(process.argv[4]) });
} else {
  await esbuild.build({ ...options, minify: true });
}
