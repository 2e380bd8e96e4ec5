// What the npm commands need, found or installed; where it can't be, a word on how. Nothing here needs a package.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { ROOT } from './server.mjs';

const WASM_TARGET = 'wasm32-unknown-unknown';

/** Run a command in the repository; its output is the reader's. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) throw new Error(`${command} can't be run: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

/** A program on the PATH. */
function which(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Debian or what is made of it, and root: apt may be used. */
const canApt = () => process.getuid?.() === 0 && which('apt-get') !== undefined;

function apt(...packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], { env });
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { env });
}

/** Rust with the wasm target and the tools the checks use. */
export function ensureRust() {
  const installed = output('rustup', ['target', 'list', '--installed']);
  if (installed === undefined) throw new Error('Rust is needed: install rustup from https://rustup.rs');
  if (!installed.includes(WASM_TARGET)) run('rustup', ['target', 'add', WASM_TARGET]);
  const missing = ['rustfmt', 'clippy'].filter((c) => !output('rustup', ['component', 'list', '--installed'])?.includes(c));
  if (missing.length) run('rustup', ['component', 'add', ...missing]);
}

/** The packages of package-lock.json. */
export function ensurePackages() {
  const changed = (file) => (existsSync(join(ROOT, file)) ? statSync(join(ROOT, file)).mtimeMs : 0);
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return;
  // On Windows npm is a script, which needs a shell.
  run('npm', ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' });
}

/** A program that has one of these names, or is where it usually is. */
const find = (names, usual) => names.map(which).find(Boolean) ?? usual.find((path) => existsSync(path));

/** Chromium or Chrome: $CHROMIUM, else where they usually are. */
function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const usual = [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ];
  return process.env.CHROMIUM ?? find(names, usual);
}

/** Firefox: $FIREFOX, else where it usually is. */
function findFirefox() {
  const usual = ['/Applications/Firefox.app/Contents/MacOS/firefox', 'C:\\Program Files\\Mozilla Firefox\\firefox.exe'];
  return process.env.FIREFOX ?? find(['firefox-esr', 'firefox'], usual);
}

export function chromiumPath() {
  const path = findChromium();
  if (!path) throw new Error('the browser tests need Chromium: install it, or name one in the variable CHROMIUM');
  return path;
}

export function ensureChromium() {
  if (!findChromium() && canApt()) apt('chromium');
  chromiumPath();
}

export function firefoxPath() {
  const path = findFirefox();
  if (!path) throw new Error('Firefox is not here: install it, or name one in the variable FIREFOX');
  return path;
}

/** Debian's package; that of Ubuntu would want snap. */
export function ensureFirefox() {
  if (!findFirefox() && canApt()) apt('firefox-esr');
  firefoxPath();
}

/** A Vulkan driver for native tests on Linux; Mesa's runs on the CPU. Elsewhere the system has Metal or DirectX. */
export function ensureVulkan() {
  if (process.platform !== 'linux' || process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return;
  const hasDriver = () => ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].some((d) => existsSync(d) && readdirSync(d).length);
  const hasLoader = () => output('/sbin/ldconfig', ['-p'])?.includes('libvulkan.so.1') ?? true;
  if (hasDriver() && hasLoader()) return;
  if (!canApt()) {
    throw new Error(
      'the native tests need a Vulkan driver; Mesa has one that runs on the CPU: ' +
        'libvulkan1 and mesa-vulkan-drivers on Debian and Ubuntu, vulkan-swrast on Arch, mesa-vulkan-drivers on Fedora',
    );
  }
  apt('libvulkan1', 'mesa-vulkan-drivers');
}

function newest(path) {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return 0;
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const SOURCES = ['src', 'shaders', 'build.rs', 'Cargo.toml', 'Cargo.lock', 'xtask', 'pkg-templates', 'LICENSE'];

/** Build pkg/ where anything it is made of is newer. */
export function ensurePackage() {
  const built = newest(join(ROOT, 'pkg/LICENSE')); // written last
  if (Math.max(...SOURCES.map((path) => newest(join(ROOT, path)))) < built) return;
  console.log('Building the package; the first time takes some minutes.');
  run('cargo', ['xtask', 'build']);
}
