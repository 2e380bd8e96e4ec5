// Files that sites share by their SHA-256: Cross-Origin Storage, a proposal (https://wicg.github.io/cross-origin-storage).
// No browser has it without an extension yet, and it may change.

const storage = () => globalThis.navigator?.crossOriginStorage;

/** Whether the browser has it. */
export const sharesFiles = () => typeof storage()?.requestFileHandle === 'function';

const handleOf = (sha256, options) => storage().requestFileHandle({ algorithm: 'SHA-256', value: sha256 }, options);

/** The file, if it is there and this site may read it. The browser has checked its sum when it was stored. */
export async function readShared(sha256, size) {
  try {
    const file = await (await handleOf(sha256)).getFile();
    return file.size === size ? file : undefined;
  } catch {
    return undefined;
  }
}

/** Store a file for every site, from `reader`, which is of all of it. Where that fails, nothing is stored. */
export async function writeShared(sha256, reader) {
  let writable;
  try {
    writable = await (await handleOf(sha256, { create: true, origins: '*' })).createWritable();
    for (let chunk; (chunk = await reader.read()); ) await writable.write(chunk.slice());
    await writable.close();
  } catch {
    reader.cancel();
    await writable?.abort().catch(() => {});
  }
}
