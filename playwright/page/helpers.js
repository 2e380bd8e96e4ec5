// In the page of a test: the package, and what carries results over to Node.
import * as webgguf from '/pkg/index.js';

/** What a promise failed with, or null: an Error loses its code on the way to Node. */
async function failureOf(promise) {
  try {
    await promise;
    return null;
  } catch (e) {
    return { name: e.name, code: e.code, message: e.message, isError: e instanceof Error };
  }
}

/** Everything that a generation yields: the pieces, the ids, and its stats. */
async function collect(model, prompt, options) {
  const ids = [];
  const pieces = [];
  for await (const text of model.generate(prompt, { ...options, onToken: (id) => ids.push(id) })) pieces.push(text);
  return { ids, pieces, text: pieces.join(''), stats: model.stats };
}

Object.assign(globalThis, { webgguf, failureOf, collect });
