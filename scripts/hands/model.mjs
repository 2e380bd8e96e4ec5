// The networks that come with webgguf/hands: MediaPipe's LITE pair (Apache-2.0) as one GGUF file, `models/hands-lite.gguf`.
// `cargo xtask build` puts it into the package. It is no part of the repository.
// Usage: node scripts/hands/model.mjs [FOLDER], with palm_detection_lite.tflite and hand_landmark_lite.tflite in it
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ROOT } from '../server.mjs';
import { run } from '../setup.mjs';

const DATA = process.env.WEBGGUF_DATA ?? join(ROOT, '../shared/data');

/** The files, by their SHA-256: those of google-ai-edge/mediapipe, modules/palm_detection and modules/hand_landmark. */
const NETWORKS = {
  'palm_detection_lite.tflite': 'e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18',
  'hand_landmark_lite.tflite': 'd7fde8ac11f8ce03f8663775bfc323f4fc9f2a38062b4f4efa142874ef5b2a48',
};

export const HANDS_MODEL = join(ROOT, 'models/hands-lite.gguf');

/** Make the file, unless it is there. Returns whether it is there then: not where the networks are not. */
export function ensureHandsModel(folder = join(DATA, 'vision')) {
  if (existsSync(HANDS_MODEL)) return true;
  const files = Object.keys(NETWORKS).map((name) => resolve(folder, name));
  if (!files.every(existsSync)) return false;
  for (const [i, [name, wanted]] of Object.entries(NETWORKS).entries()) {
    const sum = createHash('sha256').update(readFileSync(files[i])).digest('hex');
    if (sum !== wanted) throw new Error(`${files[i]} has the SHA-256 ${sum}; ${name} is ${wanted}`);
  }
  mkdirSync(join(ROOT, 'models'), { recursive: true });
  run('cargo', ['run', '--quiet', '--all-features', '--bin', 'webgguf', '--', 'convert', ...files, HANDS_MODEL]);
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder] = process.argv.slice(2);
  if (!ensureHandsModel(folder)) {
    console.error(`${Object.keys(NETWORKS).join(' and ')} are not in ${resolve(folder ?? join(DATA, 'vision'))}`);
    process.exitCode = 1;
  }
}
