// A server's misdeeds. `/fault/NAME/PATH?…` answers with the file at /PATH as the fault NAME has it.
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { answer, resolve, sendError, sendFile } from '../../scripts/server.mjs';

/** Send an answer whose body goes through `spoil(chunk, at)`, which returns bytes, or null to break the connection. */
async function sendSpoilt(response, { status, headers, body }, file, spoil) {
  response.writeHead(status, headers);
  if (!body) return void response.end();
  let at = body.start;
  for await (const chunk of createReadStream(file.path, body)) {
    const bytes = await spoil(chunk, at);
    if (!bytes || response.destroyed) return void response.destroy();
    response.write(bytes);
    at += chunk.length;
  }
  response.end();
}

/** Each takes the request, the response, the honest file and the URL's query. */
const FAULTS = {
  /** The file is not there. */
  'not-found': (request, response) => sendError(response, 404, 'no such file'),

  /** Range headers are not looked at. */
  'no-range': (request, response, file) => {
    delete request.headers.range;
    return sendFile(request, response, file);
  },

  /** The file ends after `size` bytes, as far as the server knows. */
  'truncated': (request, response, file, query) =>
    sendFile(request, response, { ...file, size: Math.min(file.size, Number(query.get('size'))) }),

  /** The connection breaks at byte `at` of the file, in whichever answer it falls. */
  'drop': (request, response, file, query) => {
    const limit = Number(query.get('at'));
    return sendSpoilt(response, answer(request, file), file, async (chunk, at) => {
      if (at + chunk.length <= limit) return chunk;
      // What was written must leave before the connection goes.
      if (at < limit) await new Promise((sent) => response.write(chunk.subarray(0, limit - at), sent));
      await sleep(20);
      return null;
    });
  },

  /** The file does not start with GGUF. */
  'wrong-magic': (request, response, file) =>
    sendSpoilt(response, answer(request, file), file, (chunk, at) => {
      if (at === 0) chunk.write('GGML');
      return chunk;
    }),

  /** `ms` milliseconds pass before each 64 kB. */
  'slow': (request, response, file, query) =>
    sendSpoilt(response, answer(request, file), file, async (chunk) => {
      await sleep(Number(query.get('ms') ?? 20));
      return chunk;
    }),
};

/** A route for `serve`. */
export function faults(mounts) {
  return async (request, response, url) => {
    const [, name, path] = /^\/fault\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    if (!name) return false;
    const file = await resolve(mounts, path);
    const fault = FAULTS[name];
    // What a fault leaves in the browser's cache would be the next one's.
    response.setHeader('Cache-Control', 'no-store');
    if (fault && file) await fault(request, response, file, url.searchParams);
    else sendError(response, 500, `the test asks for fault '${name}' of '${path}', one of which is not there`);
    return true;
  };
}
