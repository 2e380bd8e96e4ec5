// Where cached files are kept: folders of small files that are written once. The origin private file system where there
// is one, else the Cache API.
import { readAll } from './body.js';

const ROOT = 'webgguf';

/** Whether files can be kept at all: a store is an origin's, and runtimes that are no browsers have none. */
export const keepsFiles = () => Boolean(globalThis.location);

/** OPFS: https://fs.spec.whatwg.org */
class OpfsStore {
  kind = 'opfs';

  static async open() {
    // Safari before version 26 can write in workers only.
    const asynchronous = 'createWritable' in (globalThis.FileSystemFileHandle?.prototype ?? {});
    if (!asynchronous && !OpfsFolder.synchronous) throw new Error('files can be written in workers only here');
    const store = new OpfsStore();
    store.root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
    return store;
  }

  async folder(name, create) {
    try {
      return new OpfsFolder(await this.root.getDirectoryHandle(name, { create }));
    } catch (e) {
      if (!create && e.name === 'NotFoundError') return undefined;
      throw e;
    }
  }

  async folders() {
    const names = [];
    for await (const name of this.root.keys()) names.push(name);
    return names;
  }

  async remove(name) {
    await this.root.removeEntry(name, { recursive: true }).catch((e) => {
      if (e.name !== 'NotFoundError') throw e;
    });
  }
}

class OpfsFolder {
  /** Whether this is a worker, which writes without a copy. */
  static synchronous = 'createSyncAccessHandle' in (globalThis.FileSystemFileHandle?.prototype ?? {});

  constructor(handle) {
    this.handle = handle;
  }

  async names() {
    const names = [];
    for await (const name of this.handle.keys()) names.push(name);
    return names;
  }

  /** The bytes of a file, read into the buffer, which is gone then; undefined if it is too small. */
  async read(name, buffer) {
    const file = await (await this.handle.getFileHandle(name)).getFile();
    return readAll(file.stream(), buffer);
  }

  async write(name, bytes) {
    const handle = await this.handle.getFileHandle(name, { create: true });
    try {
      if (OpfsFolder.synchronous) await writeSynchronously(handle, bytes);
      else await writeAsynchronously(handle, bytes);
    } catch (e) {
      await this.remove(name).catch(() => {});
      throw e;
    }
  }

  async remove(name) {
    await this.handle.removeEntry(name);
  }
}

async function writeSynchronously(handle, bytes) {
  const access = await handle.createSyncAccessHandle();
  try {
    access.truncate(0);
    const written = access.write(bytes, { at: 0 });
    if (written !== bytes.length) throw new DOMException(`${written} of ${bytes.length} bytes were written`, 'QuotaExceededError');
    access.flush();
  } finally {
    access.close();
  }
}

async function writeAsynchronously(handle, bytes) {
  const writable = await handle.createWritable();
  try {
    await writable.write(bytes);
    await writable.close();
  } catch (e) {
    await writable.abort().catch(() => {});
    throw e;
  }
}

/** The Cache API: a file is an answer to an address that no server has. */
class CacheApiStore {
  kind = 'cache-api';

  static async open() {
    const store = new CacheApiStore();
    store.cache = await caches.open(ROOT);
    return store;
  }

  async folder(name, create) {
    const folder = new CacheApiFolder(this.cache, addressOf(name));
    return create || (await folder.names()).length ? folder : undefined;
  }

  async folders() {
    const prefix = addressOf('');
    const names = (await this.cache.keys()).map(({ url }) => url.slice(prefix.length - 1).split('/')[0]);
    return [...new Set(names)];
  }

  async remove(name) {
    const folder = new CacheApiFolder(this.cache, addressOf(name));
    for (const file of await folder.names()) await folder.remove(file);
  }
}

/** The address of a folder, with a slash at its end. */
const addressOf = (name) => `${globalThis.location.origin}/.${ROOT}-cache/${name}/`;

class CacheApiFolder {
  constructor(cache, address) {
    this.cache = cache;
    this.address = address;
  }

  async names() {
    const urls = (await this.cache.keys()).map(({ url }) => url);
    return urls.filter((url) => url.startsWith(this.address)).map((url) => url.slice(this.address.length));
  }

  async read(name, buffer) {
    const response = await this.cache.match(this.address + name);
    if (!response) throw new DOMException(`'${name}' is not there`, 'NotFoundError');
    return readAll(response.body, buffer);
  }

  async write(name, bytes) {
    await this.cache.put(this.address + name, new Response(bytes));
  }

  async remove(name) {
    await this.cache.delete(this.address + name);
  }
}

/**
 * The best store that works here, after its first use: private windows have stores that refuse.
 * @throws the last one's reason
 */
export async function openStore() {
  if (!keepsFiles()) throw new Error('there is no origin to keep files for');
  const reasons = [];
  for (const Store of [OpfsStore, CacheApiStore]) {
    try {
      return await Store.open();
    } catch (e) {
      reasons.push(e?.message ?? e);
    }
  }
  throw new Error(reasons.join('; '));
}
