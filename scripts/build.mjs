// `npm run build`: set up, build pkg/, weigh it.
import { ensurePackages, ensureRust, run } from './setup.mjs';

try {
  ensureRust();
  ensurePackages();
  run('cargo', ['xtask', 'build']);
  run('cargo', ['xtask', 'size']);
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
}
