// `npm start`: set up, build what is out of date, serve the demo page.
import { join } from 'node:path';

import { ROOT, SITE, serve } from '../server.mjs';
import { ensurePackage, ensurePackages, ensureRust } from '../setup.mjs';

const PORT = Number(process.env.PORT ?? 8080);

try {
  process.chdir(ROOT);
  ensureRust();
  ensurePackages();
  ensurePackage();
  // The documentation is there once `npm run site` has built it.
  const mounts = { ...SITE, '/docs/': join(ROOT, 'site/docs') };
  // Another server may have the port.
  const { url } = await serve({ mounts, port: PORT }).catch(() => serve({ mounts }));
  console.log(`\nThe demo is at ${url}\nA browser with WebGPU is needed. Stop with Ctrl+C.`);
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
}
