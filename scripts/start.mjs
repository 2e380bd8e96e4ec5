// `npm start`: set up, build what is out of date, serve the demo page.
import { ROOT, SITE, serve } from './server.mjs';
import { ensurePackage, ensurePackages, ensureRust } from './setup.mjs';

const PORT = Number(process.env.PORT ?? 8080);

try {
  process.chdir(ROOT);
  ensureRust();
  ensurePackages();
  ensurePackage();
  // Another server may have the port.
  const { url } = await serve({ mounts: SITE, port: PORT }).catch(() => serve({ mounts: SITE }));
  console.log(`\nThe demo is at ${url}\nA browser with WebGPU is needed. Stop with Ctrl+C.`);
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
}
