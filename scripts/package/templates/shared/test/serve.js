// Serves this package, with byte ranges: `npm run demo`.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = { '.css': 'text/css; charset=utf-8', '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.json': 'application/json', '.wasm': 'application/wasm' };

export const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const path = join(ROOT, normalize(decodeURIComponent(pathname === '/' ? '/demo.html' : pathname)));
  const info = path.startsWith(ROOT) ? await stat(path).catch(() => undefined) : undefined;
  if (!info?.isFile()) return response.writeHead(404).end();
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(last ? Number(last) : info.size - 1, info.size - 1);
  const headers = { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream', 'Content-Length': end - start + 1, 'Accept-Ranges': 'bytes' };
  if (first !== undefined) headers['Content-Range'] = `bytes ${start}-${end}/${info.size}`;
  response.writeHead(first === undefined ? 200 : 206, headers);
  createReadStream(path, { start, end }).pipe(response);
});

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  server.listen(8000, 'localhost', () => console.log('http://localhost:8000'));
}
