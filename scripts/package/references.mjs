// What a package's own test compares with: the model on this machine's GPU, natively.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { webgguf } from './facts.mjs';

const PROMPT = 'It was already late when';
const MAX_TOKENS = 24;
/** Values that are kept of each intermediate. */
const KEPT = 16;

/** An array of f32 as NumPy writes it, format 1.0. */
function readNpy(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

/** A cut of an array: some of its values, evenly spread, and its root mean square. */
function cut(data) {
  const n = Math.min(KEPT, data.length);
  const values = Array.from({ length: n }, (_, i) => Number(data[Math.floor((i * data.length) / n)].toPrecision(7)));
  const rms = Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);
  return { length: data.length, rms: Number(rms.toPrecision(7)), values };
}

/**
 * A prompt, its tokens, the text after it, and a cut of each intermediate of the prompt; and how fast the model writes on this machine,
 * in words. Of hands, nothing.
 */
export function measure({ family }, model) {
  if (family !== 'llm') return { references: {}, speed: '' };
  const ids = JSON.parse(webgguf(['tokenize', model, '--special', '--json'], PROMPT).stdout);
  const options = ['--prompt', PROMPT, '--max-tokens', String(MAX_TOKENS), '--temperature', '0', '--stats'];
  const { stdout, stderr } = webgguf(['generate', model, ...options]);
  const text = stdout.replace(/\n$/, '').slice(PROMPT.length);
  const speed = /([\d.]+)\/s, on (.+)/.exec(stderr)?.slice(1).join(' tokens a second on ') ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'webgguf-package-'));
  try {
    webgguf(['activations', model, '--prompt', PROMPT, '--out', folder]);
    const prefill = join(folder, 'prefill');
    const activations = readdirSync(prefill).sort().map((file) => [basename(file, '.npy'), cut(readNpy(join(prefill, file)))]);
    const references = { prompt: PROMPT, ids, maxTokens: MAX_TOKENS, text, activations: Object.fromEntries(activations) };
    return { references, speed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
