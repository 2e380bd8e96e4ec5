// `npm run package -- MODEL.gguf [options]`: an npm package of one model. See docs/guide/package.md.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';

import { minify } from '../minify.mjs';
import { ROOT } from '../server.mjs';
import { ensurePackages, ensureRust, run } from '../setup.mjs';
import { factsOf } from './facts.mjs';
import { measure } from './references.mjs';
import { fillFolder } from './template.mjs';

const TEMPLATES = join(ROOT, 'scripts/package/templates');
const PARTS = join(ROOT, 'pkg-templates');

/** Larger files are refused by jsDelivr, and are a burden to whoever installs. */
const MOST_WEIGHT_BYTES = 50e6;

/** Of each family: its wasm, the feature of a further one that pages fetch when they need it, its scripts among `pkg-templates/`, the types. */
const FAMILIES = {
  llm: {
    wasm: 'webgguf',
    lazy: 'constrain',
    scripts: ['constrain-wasm.js', 'index.js', 'llm', 'llm-wasm.js', 'node.js', 'remote.js', 'worker.js'],
    types: ['index.d.ts', 'worker.d.ts'],
    budget: { chat: 385_600, text: 290_000 },
  },
  hands: { wasm: 'webgguf_hands', scripts: ['hands.js'], types: ['hands.d.ts', 'index.d.ts'], budget: { text: 113_500 } },
};
const SHARED = ['beside.js', 'errors.js', 'events.js', 'lifetime.js', 'options.js', 'platform.js', 'source', 'wasm.js', 'wasm.d.ts'];

const OPTIONS = {
  name: { type: 'string' },
  version: { type: 'string', default: '0.1.0' },
  weights: { type: 'string' },
  out: { type: 'string' },
  strict: { type: 'boolean', default: false },
};
const USAGE = 'usage: npm run package -- MODEL.gguf [--name NAME] [--version V] [--weights URL] [--out FOLDER] [--strict]';

/** npm's rule, but for what no new package may be called. */
const NAME = /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/;

const isWeb = (address) => URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);

/** Whether a folder may be emptied: there is nothing in it, or an earlier package. */
const isFree = (folder) => !existsSync(folder) || readdirSync(folder).length === 0 || existsSync(join(folder, 'engine'));

/** What is to be made, or why it can't be. Nothing is built before this is settled. */
function plan(args) {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const { version, weights, strict } = values;
  const must = (holds, why) => {
    if (!holds) throw new Error(why);
  };
  must(positionals.length === 1, USAGE);
  const model = resolve(positionals[0]);
  must(existsSync(model), `there is no file '${model}'`);
  const facts = factsOf(model);
  const name = values.name ?? facts.slug;
  must(NAME.test(name), `'${name}' is no name for an npm package: lower-case letters, digits, '-', '.', '_', and perhaps a scope, '@me/'`);
  must(/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version), `--version is '${version}'; three numbers are needed, as in 1.2.3`);
  must(!strict || facts.licence, `'${model}' names no licence ('general.license'), which --strict asks for`);
  must(weights === undefined || isWeb(weights), `--weights is '${weights}'; an http or https URL is needed`);
  must(!weights || facts.family !== 'hands', 'the networks of hands go into the package: --weights is for larger models');
  const most = `a package holds ${megabytes(MOST_WEIGHT_BYTES)} at most: give the address where they are as --weights`;
  must(weights || facts.bytes <= MOST_WEIGHT_BYTES, `the weights are ${megabytes(facts.bytes)}, and ${most}`);
  const out = resolve(values.out ?? join('target/packages', name));
  must(isFree(out), `the folder '${out}' holds other things than a package: --out names a folder that may be emptied`);
  return { facts, model, name, version, weights, out };
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const count = (n) => (n >= 1e9 ? `${(n / 1e9).toFixed(1)} billion` : n >= 1e6 ? `${(n / 1e6).toFixed(1)} million` : n.toLocaleString('en'));

/** Build the wasm with what the model needs. */
function buildEngine({ wasm, lazy }, { features, selection }, folder) {
  const env = { ...process.env };
  if (selection) {
    env.WEBGGUF_KERNELS = join(ROOT, 'target/selection.toml');
    const list = (values) => JSON.stringify(values);
    mkdirSync(join(ROOT, 'target'), { recursive: true });
    writeFileSync(env.WEBGGUF_KERNELS, `weights = ${list(selection.weights)}\nwithout = ${list(selection.without)}\n`);
  }
  run('cargo', ['xtask', 'engine', wasm, features, folder], { env });
  if (lazy) run('cargo', ['xtask', 'engine', `webgguf_${lazy}`, lazy, folder]);
}

/** What every page downloads of the engine, in bytes after brotli. */
function weigh(folder, { lazy }) {
  const left = (file) => file === 'node.js' || file === `webgguf_${lazy}_bg.wasm`;
  const files = readdirSync(folder, { recursive: true }).filter((file) => /\.(js|wasm)$/.test(file) && !left(file));
  return files.reduce((sum, file) => sum + brotliCompressSync(readFileSync(join(folder, file))).length, 0);
}

/** What the engine's scripts say of where they are is true of the general package: say what is true of this one. */
function place(folder, family, name) {
  const changed = (file, ...pairs) => {
    const path = join(folder, file);
    let script = readFileSync(path, 'utf8');
    for (const [from, to] of pairs) {
      if (!script.includes(from)) throw new Error(`pkg-templates/${file} has no ${from} any more`);
      script = script.replaceAll(from, to);
    }
    writeFileSync(path, script);
  };
  changed('beside.js', ["'/webgguf/$1'", `'/${name}/engine/$1'`], ["['webgguf']", `['${name}']`]);
  if (family === 'hands') changed('hands.js', ["'./hands-lite.gguf'", "'../model.gguf'"]);
}

async function make({ facts, model, name, version, weights, out }) {
  const family = FAMILIES[facts.family];
  rmSync(out, { recursive: true, force: true });
  const engine = join(out, 'engine');
  mkdirSync(engine, { recursive: true });
  for (const part of [...SHARED, ...family.scripts, ...family.types]) cpSync(join(PARTS, part), join(engine, part), { recursive: true });
  place(engine, facts.family, name);
  buildEngine(family, facts, engine);
  await minify(engine);
  cpSync(join(ROOT, 'LICENSE'), join(out, 'LICENSE'));
  if (!weights) cpSync(model, join(out, 'model.gguf'));
  const values = {
    ...facts,
    name,
    version,
    licence: facts.licence ?? 'not named in the file',
    hasChat: Boolean(facts.hasChat),
    isText: !facts.hasChat,
    hasWeights: !weights,
    weights: weights ? `'${weights}'` : "unmoved(new URL('./model.gguf', import.meta.url).href)",
    weightsPlace: weights ?? 'model.gguf, beside this script',
    cdn: `https://cdn.jsdelivr.net/npm/${name}@${version}`,
    size: megabytes(facts.bytes),
    gpuSize: megabytes(facts.gpuBytes ?? 0),
    parameterCount: count(facts.parameters),
    types: facts.types.join(', '),
  };
  const { references, speed } = measure(facts, model);
  const bytes = weigh(engine, family);
  const more = { speed, prompt: JSON.stringify(references.prompt ?? ''), engineBytes: `${(bytes / 1e3).toFixed(0)} kB` };
  for (const folder of ['shared', facts.family]) fillFolder(join(TEMPLATES, folder), out, { ...values, ...more });
  writeFileSync(join(out, 'test/references.json'), `${JSON.stringify(references)}\n`);
  return { bytes, budget: family.budget[facts.hasChat ? 'chat' : 'text'] };
}

try {
  const planned = plan(process.argv.slice(2));
  ensureRust();
  ensurePackages();
  const { bytes, budget } = await make(planned);
  const { out, weights, facts } = planned;
  console.log(`${planned.name} ${planned.version} in ${out}`);
  console.log(`wasm and JavaScript ${bytes} bytes after brotli, ${budget} allowed`);
  console.log(`weights ${facts.bytes} bytes, ${weights ? `from ${weights}` : 'in the package'}`);
  if (bytes > budget) process.exitCode = 1;
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
}
