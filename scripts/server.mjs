// A static file server with byte ranges: the demo's, and what the tests put their faults before. No dependencies.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The libraries that the demo page imports, by their path on the site. */
export const VENDOR = {
  '/vendor/marked.js': join(ROOT, 'node_modules/marked/lib/marked.esm.js'),
  '/vendor/purify.js': join(ROOT, 'node_modules/dompurify/dist/purify.es.mjs'),
};

/** What a published site has at its root: the demo page and its model, and beside them the package and the libraries. */
export const SITE = { '/pkg/': join(ROOT, 'pkg'), ...VENDOR, '/': join(ROOT, 'www') };

const MIME = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/**
 * The file of a path, or undefined where no mount has one. The longest mount that fits wins.
 * @param {Record<string, string>} mounts  folders by the path that they are served under, which ends in a slash; files by
 *     theirs, which does not
 */
export async function resolve(mounts, path) {
  const fits = (mount) => (mount.endsWith('/') ? path.startsWith(mount) : path === mount);
  const mount = Object.keys(mounts).sort((a, b) => b.length - a.length).find(fits);
  if (!mount) return undefined;
  const inside = normalize(decodeURIComponent(path.slice(mount.length)) || '.');
  // Nothing above the mount, nothing hidden, no NUL.
  if (inside.split(sep).some((part) => part.startsWith('.') && part !== '.') || inside.includes('\0')) return undefined;
  let file = join(mounts[mount], inside);
  if (path.endsWith('/')) file = join(file, 'index.html');
  const info = await stat(file).catch(() => undefined);
  return info?.isFile() ? { path: file, size: info.size, modified: info.mtime } : undefined;
}

/** The first and last byte that a Range header asks for; 'none' where it is to be ignored, 'unsatisfiable'. */
export function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return 'none';
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

export function sendError(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${status} ${text}\n`);
}

/**
 * What to answer to a request for a file: status, headers, and the bytes from `start` to `end`, both included, if any
 * are wanted.
 */
export function answer(request, file) {
  const etag = `"${file.size.toString(36)}-${file.modified.getTime().toString(36)}"`;
  const headers = {
    'Accept-Ranges': 'bytes',
    'Content-Type': MIME[extname(file.path)] ?? 'application/octet-stream',
    'ETag': etag,
    'Last-Modified': file.modified.toUTCString(),
  };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers };
  const current = [undefined, etag, headers['Last-Modified']].includes(request.headers['if-range']);
  const range = current ? parseRange(request.headers.range, file.size) : 'none';
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { ...headers, 'Content-Length': 0, 'Content-Range': `bytes */${file.size}` } };
  }
  const { start, end } = range === 'none' ? { start: 0, end: file.size - 1 } : range;
  headers['Content-Length'] = end - start + 1;
  if (range !== 'none') headers['Content-Range'] = `bytes ${start}-${end}/${file.size}`;
  const body = request.method !== 'HEAD' && start <= end ? { start, end } : undefined;
  return { status: range === 'none' ? 200 : 206, headers, body };
}

/** Answer with a file, or with the part of it that is asked for. */
export async function sendFile(request, response, file) {
  const { status, headers, body } = answer(request, file);
  response.writeHead(status, headers);
  if (!body) return void response.end();
  // A visitor who leaves is no error.
  await pipeline(createReadStream(file.path, { ...body, highWaterMark: 1 << 18 }), response).catch(() => {});
}

/**
 * Serve folders on this machine only.
 * @param {object} options
 * @param {Record<string, string>} options.mounts
 * @param {number} [options.port]  0, the default, takes any free one
 * @param {(request, response, url: URL) => unknown} [options.route]  asked first; true if it has answered
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serve({ mounts, port = 0, route }) {
  const server = createServer(async (request, response) => {
    try {
      const url = new URL(request.url, 'http://localhost');
      // The browser asks each time whether what it has is current.
      response.setHeader('Cache-Control', 'no-cache');
      if (await route?.(request, response, url)) return;
      if (request.method !== 'GET' && request.method !== 'HEAD') return sendError(response, 405, 'GET and HEAD only');
      const file = await resolve(mounts, url.pathname);
      if (file) await sendFile(request, response, file);
      else sendError(response, 404, 'no such file');
    } catch (e) {
      if (response.headersSent) response.destroy();
      else sendError(response, e instanceof URIError ? 400 : 500, e.message);
    }
  });
  // A connection that is closed for idling may be closed in the moment in which it is used again.
  server.keepAliveTimeout = 0;
  await new Promise((listening, failed) => server.once('error', failed).listen(port, '127.0.0.1', listening));
  const close = () => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  });
  return { url: `http://localhost:${server.address().port}`, close };
}
