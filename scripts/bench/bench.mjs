// `npm run bench`: the benchmark page in a headless Chromium; the figures of wllama beside it, on the same file.
// Usage: npm run bench [-- [--model FILE|URL] [--pp 512] [--tg 128] [--reps 5] [--vs wllama] [--gpu] [--json]]
//   --gpu   with the machine's GPU and stock flags; otherwise SwiftShader, which runs on the CPU
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { ROOT, SITE, serve } from '../server.mjs';
import { ensurePackage } from '../setup.mjs';
import { launch, measure } from './page.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(ROOT, 'www/models/embedded.gguf') },
    pp: { type: 'string', default: '512' },
    tg: { type: 'string', default: '128' },
    reps: { type: 'string', default: '5' },
    vs: { type: 'string' },
    gpu: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

async function main() {
  if (values.vs !== undefined && values.vs !== 'wllama') throw new Error(`--vs ${values.vs}: wllama is what can be compared with`);
  ensurePackage();
  const { model, pp, tg, reps } = values;
  const isUrl = /^https?:/.test(model);
  const mounts = {
    ...SITE,
    '/bench/': join(ROOT, 'scripts/bench'),
    '/wllama/': join(ROOT, 'node_modules/@wllama/wllama/esm'),
    ...(isUrl ? {} : { '/file/': dirname(resolve(model)) }),
  };
  const site = await serve({ mounts });
  const browser = await launch(values.gpu);
  try {
    const query = new URLSearchParams({ model: isUrl ? model : `/file/${encodeURIComponent(basename(model))}`, pp, tg, reps, kernels: values.json ? 1 : 0, curves: 0 });
    const ours = await measure(browser, `${site.url}/bench.html?${query}`);
    const rows = [{ engine: 'webgguf', loadMs: ours.loadMs, pp: ours[`pp${pp}`], tg: ours[`tg${tg}`] }];
    if (values.vs) rows.push(await measure(browser, `${site.url}/bench/wllama.html?${query}`));
    if (values.json) return console.log(JSON.stringify({ webgguf: ours, wllama: rows[1] }, null, 2));
    console.log(`\n${basename(model)} in Chromium ${browser.version()}, tokens a second, medians of ${reps} runs\n`);
    console.log(`${'engine'.padEnd(28)}${`pp${pp}`.padStart(10)}${`tg${tg}`.padStart(10)}${'load ms'.padStart(10)}`);
    for (const row of rows) {
      console.log(`${row.engine.padEnd(28)}${row.pp.toFixed(1).padStart(10)}${row.tg.toFixed(1).padStart(10)}${String(row.loadMs).padStart(10)}`);
    }
    if (rows[1]) {
      const ratio = (a, b) => `${(a / b).toFixed(2)}x`.padStart(10);
      console.log(`${'ratio'.padEnd(28)}${ratio(rows[0].pp, rows[1].pp)}${ratio(rows[0].tg, rows[1].tg)}${ratio(rows[0].loadMs, rows[1].loadMs)}`);
    }
  } finally {
    await browser.close();
    await site.close();
  }
}

main().catch((e) => {
  console.error(e.message);
  process.exitCode = 1;
});
