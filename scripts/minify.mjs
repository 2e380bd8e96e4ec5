// `node scripts/minify.mjs FOLDER`: its scripts as pages download them, without comments and with short names. Paths and what
// modules export stay.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Minify every script of a folder, in place. */
export async function minify(folder) {
  const { minifySync } = await import('vite');
  for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js'))) {
    const path = join(folder, name);
    const { code, errors } = minifySync(name, readFileSync(path, 'utf8'), { module: true, mangle: { toplevel: true } });
    if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
    // Some bundlers find the files of a package by paths in quotes alone. That a wasm which nobody uses is not wanted, a
    // comment says, which is lost above.
    const found = code.replace(/(new URL|import)\(`([^`$]+)`/g, "$1('$2'");
    writeFileSync(path, found.replace(/=(new \w+\(\(\)=>new URL\()/g, '=/* @__PURE__ */$1'));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await minify(process.argv[2]);
