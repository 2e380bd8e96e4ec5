// The package for Node.js, Deno and Bun: paths are sources, and the wasm is read from its file. The rest is index.js.
import { open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { failure } from './errors.js';
import { platform } from './platform.js';

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 18;

/** A file on disk, as the engine reads it. */
class PathFile {
  ranges = true;

  static async open(url) {
    const file = new PathFile();
    file.path = url;
    try {
      file.path = fileURLToPath(url);
      file.handle = await open(file.path);
      const info = await file.handle.stat();
      if (!info.isFile()) throw new Error('it is no file');
      file.size = info.size;
    } catch (e) {
      await file.close();
      throw file.failure(e);
    }
    return file;
  }

  failure(e) {
    return failure('FETCH_FAILED', `the file '${this.path}' can't be read: ${e.message}`, { cause: e });
  }

  reader(start, end) {
    const bytes = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(0, Math.min(end, this.size) - start)));
    let at = start;
    const read = async () => {
      const { bytesRead } = await this.handle.read(bytes, 0, Math.min(bytes.length, end - at), at);
      at += bytesRead;
      return bytesRead ? bytes.subarray(0, bytesRead) : undefined;
    };
    return {
      cancel: () => {},
      read: () => read().catch((e) => {
        throw this.failure(e);
      }),
    };
  }

  async close() {
    await this.handle?.close();
    this.handle = undefined;
  }
}

/** A path as an address; undefined for what is an address of something else. A letter alone is a drive. */
function addressOf(source) {
  const text = String(source);
  const scheme = /^([a-z][a-z\d+.-]+):/i.exec(text)?.[1].toLowerCase();
  if (!scheme) return pathToFileURL(resolve(text)).href;
  if (scheme !== 'file') return undefined;
  if (!URL.canParse(text)) throw failure('INVALID_ARGUMENT', `'${text}' is no URL`);
  return new URL(text).href;
}

const runtime = globalThis.Deno ? 'Deno' : globalThis.Bun ? 'Bun' : 'Node.js';

Object.assign(platform, {
  // Of these, Deno alone has the WebGPU of browsers; what packages add to the others is not enough.
  gpu: runtime === 'Deno',
  addressOf,
  openFile: PathFile.open,
  /** Undefined where it is not on disk. */
  readWasm: (url) => {
    const address = addressOf(url);
    return address && readFile(new URL(address));
  },
  noWebgpu:
    `loadModel and canRun need WebGPU, which ${runtime} does not have; ` +
    (runtime === 'Deno' ? 'it may want --unstable-webgpu' : 'a browser or Deno has it') +
    '. loadTokenizer and inspect run without',
});

export * from './index.js';
