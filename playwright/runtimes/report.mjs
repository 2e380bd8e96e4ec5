// What the package does in a runtime that is no browser, as JSON on the last line.
// Usage: report.mjs MODEL_PATH SERVER_URL HUB_URL TOKEN
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import { canRun, inspect, isWebggufError, listCached, loadModel, loadTokenizer, persist, removeCached } from 'webgguf';

const [path, server, hub, token] = process.argv.slice(2);

const outcome = async (call) => {
  try {
    return await call();
  } catch (e) {
    return isWebggufError(e) ? { code: e.code, message: e.message } : { code: 'NOT OURS', message: String(e) };
  }
};

const sources = {
  path,
  relative: relative(process.cwd(), path),
  'file: URL': String(pathToFileURL(path)),
  'URL object': pathToFileURL(path),
  http: `${server}/models/gpt2-tiny.gguf`,
  'a server without ranges': `${server}/fault/no-range/models/gpt2-tiny.gguf`,
  hub: 'hf:maker/gated:Q4_0',
  blob: new Blob([await (await fetch(`${server}/models/gpt2-tiny.gguf`)).arrayBuffer()]),
};

const ids = {};
for (const [name, source] of Object.entries(sources)) {
  ids[name] = await outcome(async () => [...(await loadTokenizer(source, { hub: { url: hub, token } })).tokenize('Once upon a time, there was a fox.')]);
}

const files = {};
for (const [name, source] of Object.entries(sources)) {
  const { metadata, tensors, ...more } = await outcome(() => inspect(source, { hub: { url: hub, token } }));
  files[name] = { ...more, tensors: tensors?.length, tokens: metadata?.['tokenizer.ggml.tokens'].length };
}

const failures = {};
for (const [name, call] of Object.entries({
  missing: () => loadTokenizer('not-there.gguf'),
  folder: () => loadTokenizer('.'),
  host: () => loadTokenizer('file://elsewhere.example/m.gguf'),
  noUrl: () => loadTokenizer('file://[/m.gguf'),
  ftp: () => loadTokenizer('ftp://example.com/m.gguf'),
  ofServer: () => loadTokenizer(`${server}/not-there.gguf`),
})) failures[name] = await outcome(call);

/** The model's text, or why there is none. */
const generate = (options) =>
  outcome(async () => {
    const model = await loadModel(path, { contextLength: 128, ...options });
    let text = '';
    for await (const piece of model.generate('Prince', { maxTokens: 8, temperature: 0 })) text += piece;
    model.destroy();
    return text;
  });

const cache = [await listCached(), await persist(), await removeCached('https://example.com/m.gguf')];
const models = { here: await generate({}), worker: await generate({ worker: true }), canRun: await outcome(async () => (await canRun(path)).fits) };
console.log(JSON.stringify({ ids, files, failures, cache, models }));
