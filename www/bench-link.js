// A result as the part of an address after the #, which no server gets to see: JSON, compressed, in base64url.

const KEY = 'result';

const through = (bytes, transform) => new Response(new Blob([bytes]).stream().pipeThrough(transform));

/** The address of this page that shows a result. */
export async function linkTo(result) {
  const packed = await through(JSON.stringify(result), new CompressionStream('deflate-raw')).arrayBuffer();
  const text = btoa(String.fromCharCode(...new Uint8Array(packed)));
  const link = new URL(location.pathname, location.href);
  link.hash = `${KEY}=${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
  return link.href;
}

/** The result of an address; undefined where it has none. Rejects where the address is damaged. */
export async function resultOf({ hash }) {
  const text = new URLSearchParams(hash.slice(1)).get(KEY);
  if (text === null) return undefined;
  const packed = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const result = JSON.parse(await through(packed, new DecompressionStream('deflate-raw')).text());
  if (result?.engine !== 'webgguf') throw new Error('it holds no result');
  return result;
}
