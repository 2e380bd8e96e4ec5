// A hub of models as huggingface.co is one, as far as the package asks it: the list of a repository's files, page by
// page, and files that lie on a server of another origin, with redirects to it. Some repositories want a token.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';

import { sendError, sendFile } from '../../scripts/server.mjs';

/** Files of a page of the list: few, so that there are several. */
const PAGE = 3;

const listen = (handler) => new Promise((listening) => {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1', () => listening({ server, url: `http://localhost:${server.address().port}` }));
});

/** What the hub lets scripts of other origins do: a preflight for the token, and to read these headers. */
function allowScripts(request, response) {
  response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
  response.setHeader('Access-Control-Allow-Headers', 'Authorization,Range');
  response.setHeader('Access-Control-Expose-Headers', 'Link,ETag,Accept-Ranges,Content-Range,X-Linked-ETag');
  if (request.method === 'OPTIONS') response.writeHead(204).end();
  return request.method === 'OPTIONS';
}

/**
 * Start a hub.
 * @param {Record<string, { files: Record<string, string | number>, token?: string }>} repositories  by `OWNER/NAME` or
 *   `OWNER/NAME@REVISION`; a file is the path of its bytes, or the size of one that is only listed
 */
export async function startHub(repositories) {
  /** Requests so far, of both servers. */
  const asked = [];
  const note = (request) => asked.push({ host: request.headers.host, method: request.method, url: request.url, token: request.headers.authorization });

  const disk = await listen(async (request, response) => {
    note(request);
    if (allowScripts(request, response)) return;
    const path = decodeURIComponent(request.url.slice(1));
    const { size, mtime } = statSync(path);
    await sendFile(request, response, { path, size, modified: mtime });
  });

  const hub = await listen(async (request, response) => {
    note(request);
    if (allowScripts(request, response)) return;
    const url = new URL(request.url, hub.url);
    const [, api, name, revision, path] =
      /^(\/api\/models)?\/([\w.-]+\/[\w.-]+)\/(?:tree|resolve)\/([^/]+)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    const at = decodeURIComponent(revision ?? '');
    const repository = repositories[at === 'main' ? name : `${name}@${at}`];
    if (hub.broken) return sendError(response, 500, 'out of order');
    if (!repository) return sendError(response, 404, 'Repository not found');
    if (repository.token && request.headers.authorization !== `Bearer ${repository.token}`) {
      return sendError(response, request.headers.authorization ? 403 : 401, 'Access to this model is restricted');
    }
    if (api) return sendList(response, url, repository.files);
    const file = repository.files[decodeURIComponent(path)];
    if (typeof file !== 'string') return sendError(response, 404, 'Entry not found');
    response.writeHead(302, { Location: `${disk.url}/${encodeURIComponent(file)}`, 'X-Linked-ETag': `"${sumOf(file)}"` }).end();
  });

  return {
    url: hub.url,
    diskUrl: disk.url,
    asked,
    /** From now on all questions are answered 500. */
    breakDown: () => (hub.broken = true),
    mend: () => (hub.broken = false),
    async close() {
      for (const { server } of [hub, disk]) {
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      }
    },
  };
}

const sumOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A page of a repository's files, and a link to the next one as the hub itself is called, whatever mirror answers. */
function sendList(response, url, files) {
  const from = Number(url.searchParams.get('cursor') ?? 0);
  const all = Object.entries(files).map(([path, file]) => {
    const size = typeof file === 'string' ? statSync(file).size : file;
    const oid = typeof file === 'string' ? sumOf(file) : createHash('sha256').update(path).digest('hex');
    return { type: 'file', oid: 'c0ffee', size, path, lfs: { oid, size, pointerSize: 134 } };
  });
  const entries = [{ type: 'directory', oid: 'dead', size: 0, path: 'folder.gguf' }, ...all];
  const headers = { 'Content-Type': 'application/json' };
  if (from + PAGE < entries.length) {
    headers.Link = `<https://huggingface.co${url.pathname}?recursive=true&limit=${PAGE}&cursor=${from + PAGE}>; rel="next"`;
  }
  response.writeHead(200, headers).end(JSON.stringify(entries.slice(from, from + PAGE)));
}
