// How much memory a model may take, as far as a browser tells.
import { failure, shown } from '../errors.js';

const GIB = 2 ** 30;
/** Told of this much or more, a browser may mean any more: many tell no higher number. */
const ENOUGH_GIB = 8;

/**
 * Bytes that a model may take; undefined where nothing is known. On devices with less than 8 GiB of memory GPU and CPU
 * mostly share it, and the system and the browser need theirs: half of it is the model's.
 */
function defaultBudget() {
  const gib = globalThis.navigator?.deviceMemory; // Chromium only.
  return gib < ENOUGH_GIB ? (gib * GIB) / 2 : undefined;
}

/** The options that the engine takes: with the caller's budget, or this device's. */
export function engineOptions({ contextLength, kvCache, profile, memoryBudget = defaultBudget() }) {
  if (memoryBudget !== undefined && memoryBudget !== Infinity && !(Number.isSafeInteger(memoryBudget) && memoryBudget >= 0)) {
    throw failure('INVALID_ARGUMENT', `memoryBudget is ${shown(memoryBudget)}; a whole number of bytes or Infinity is allowed`);
  }
  return { contextLength, kvCache, profile, memoryBudget: memoryBudget === Infinity ? undefined : memoryBudget };
}
