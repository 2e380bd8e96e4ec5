// `npm run site`: the whole site as static files in site/: the demo, the benchmark, the package, the built-in model, the
// documentation. SITE_BASE is the path that it will be served under, such as /webgguf/; default /.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { writeApi } from './api-docs.mjs';
import { writeLlms } from './llms.mjs';
import { ROOT, SITE } from '../server.mjs';
import { ensurePackage, ensurePackages, ensureRust } from '../setup.mjs';

/** Write the site into `out`, from the package as it is. */
export async function writeSite(out) {
  const base = process.env.SITE_BASE ?? '/';
  if (!/^\/(.*\/)?$/.test(base)) throw new Error(`SITE_BASE is '${base}'; a path that starts and ends with / is allowed`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  // The shortest first: it holds the others.
  for (const mount of Object.keys(SITE).sort((a, b) => a.length - b.length)) {
    cpSync(SITE[mount], join(out, mount), { recursive: true, dereference: true });
  }
  await writeApi();
  // What VitePress imports is in node_modules, which is made sure of before.
  const { build } = await import('vitepress');
  await build(join(ROOT, 'docs'), { outDir: join(out, 'docs'), logLevel: 'warn' });
  writeLlms(out, base);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    process.chdir(ROOT);
    ensureRust();
    ensurePackages();
    ensurePackage();
    await writeSite(join(ROOT, 'site'));
    console.log('\nThe site is in site/.');
  } catch (e) {
    console.error(e.message);
    process.exitCode = 1;
  }
}
