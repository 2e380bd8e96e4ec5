// The network that comes with webgguf/speech: Silero VAD (MIT) for 16 kHz, `models/silero-vad.gguf`. `cargo xtask build` puts it
// into the package. It is no part of the repository.
// Usage: node scripts/speech/vad.mjs [FOLDER], with silero_vad_16k_op15.onnx in it
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ROOT } from '../server.mjs';
import { run } from '../setup.mjs';

const DATA = process.env.WEBGGUF_DATA ?? join(ROOT, '../shared/data');

/** The file of snakers4/silero-vad, src/silero_vad/data, and its SHA-256. */
const NETWORK = 'silero_vad_16k_op15.onnx';
const SHA256 = '7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49';

export const VAD_MODEL = join(ROOT, 'models/silero-vad.gguf');

/** Make the file, unless it is there. Returns whether it is there then: not where the network is not. */
export function ensureVadModel(folder = join(DATA, 'audio')) {
  if (existsSync(VAD_MODEL)) return true;
  const file = resolve(folder, NETWORK);
  if (!existsSync(file)) return false;
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (sum !== SHA256) throw new Error(`${file} has the SHA-256 ${sum}; ${NETWORK} is ${SHA256}`);
  mkdirSync(join(ROOT, 'models'), { recursive: true });
  run('cargo', ['run', '--quiet', '--all-features', '--bin', 'webgguf', '--', 'convert', file, VAD_MODEL]);
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder] = process.argv.slice(2);
  if (!ensureVadModel(folder)) {
    console.error(`${NETWORK} is not in ${resolve(folder ?? join(DATA, 'audio'))}`);
    process.exitCode = 1;
  }
}
