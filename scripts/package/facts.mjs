// What a package has to know of its model. All of it is in the file's header.
import { spawnSync } from 'node:child_process';
import { basename, extname } from 'node:path';

import { ROOT } from '../server.mjs';

/** Call the native command, which reads `input`. Returns what it prints, and what it writes to its error output. */
export function webgguf(args, input = '') {
  const command = ['run', '--quiet', '--all-features', '--bin', 'webgguf', '--', ...args];
  const { status, stdout, stderr, error } = spawnSync('cargo', command, { cwd: ROOT, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error) throw error;
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
  return { stdout, stderr };
}

/** Kernels that every device is tested with before a model is loaded. */
const TESTED_WITH = ['f32', 'q4_0'];

/** A name for npm: `SmolLM2 135M Instruct` is `smollm2-135m-instruct`. */
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');

/**
 * The facts of a model file.
 *
 * @returns {{ family: 'llm' | 'hands', title: string, slug: string, licence: string | undefined, architecture: string,
 *   bytes: number, parameters: number, features: string, selection: { weights: string[], without: string[] } | undefined,
 *   types: string[], contextLength?: number, gpuBytes?: number, hasChat?: boolean }}
 *   `features` are those of the crate; `selection` is what build.rs reads
 */
export function factsOf(file) {
  const found = JSON.parse(webgguf(['inspect', '--json', file]).stdout);
  if (found.chatTemplates === undefined) {
    throw new Error(`'${file}' is no GGUF file: make one of it by 'webgguf convert', see docs/guide/command-line.md`);
  }
  const { architecture, metadata, parameters, fileBytes: bytes } = found;
  const title = found.name ?? basename(file, extname(file));
  const types = found.types.map(({ type }) => type);
  const licence = metadata['general.license'];
  const facts = { title, slug: slug(title), licence, architecture, bytes, parameters, types };
  if (architecture === 'mediapipe-hands') return { ...facts, title: 'MediaPipe hands', slug: 'hands', family: 'hands', features: 'hands' };
  if (architecture === 'kokoro') {
    throw new Error(`'${file}' is a model for speech, of which no packages are made yet: webgguf/speech loads it from its address`);
  }
  if (found.unsupported.length) throw new Error(`'${file}' can't be packaged: ${found.unsupported.join('; ')}`);
  const hasChat = found.chatTemplates.length > 0;
  const hasExperts = Object.keys(metadata).some((key) => key.endsWith('.expert_count') && metadata[key] > 0);
  return {
    ...facts,
    family: 'llm',
    features: hasChat ? 'llm,templates' : 'llm',
    selection: {
      weights: [...new Set([...TESTED_WITH, ...types.map((type) => type.toLowerCase())])].sort(),
      without: hasExperts ? [] : ['experts'],
    },
    contextLength: found.memory.contextLength,
    gpuBytes: found.memory.total,
    hasChat,
  };
}
