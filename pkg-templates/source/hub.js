// The Hugging Face hub, or a mirror of it: what its addresses mean, what its repositories have, and who gets the token.
import { failure, shown } from '../errors.js';
import { fetchJson } from './http.js';
import { unknownName } from '../options.js';

const OWN_URL = 'https://huggingface.co';
const FORMS =
  "'hf:OWNER/REPOSITORY/FILE.gguf' or 'hf:OWNER/REPOSITORY:QUANTISATION', with '@REVISION' after the repository, " +
  'in which a slash is written %2F,';

/** Percent-encoded as the hub wants it, whether it was encoded before or not. */
const encoded = (text) => encodeURIComponent(decodeURIComponent(text));

/** `hf:…`: a repository, a revision, and a path or the name of a quantisation. */
function parseShort(address) {
  const wrong = () => failure('INVALID_ARGUMENT', `the source '${shown(address)}' can't be read: ${FORMS} is allowed`);
  const [, repo, revision = 'main', path, quantisation] =
    /^hf:([\w.-]+\/[\w.-]+)(?:@([^/:]+))?(?:\/([^:]*)|:([^/:]+))?$/i.exec(address) ?? [];
  const names = [...(repo ?? '..').split('/'), revision, ...(path ?? '').split('/')];
  if (names.some((name) => name === '.' || name === '..')) throw wrong();
  try {
    return { repo, revision: encoded(revision), path: path && path.split('/').map(encoded).join('/'), quantisation };
  } catch {
    throw wrong();
  }
}

/** A page of the hub, by its address after the hub's own: a repository, a folder or a file of it. */
function parsePage(rest) {
  const [, repo, kind, revision = 'main', path, query = ''] =
    /^\/([\w.-]+\/[\w.-]+?)(?:\/(tree|blob|raw|resolve)\/([^/?#]+)(?:\/([^?#]*))?)?\/?(\?[^#]*)?(?:#.*)?$/.exec(rest) ?? [];
  // An address of two names may be a file's, where the hub is a folder of some site.
  if (!repo || (!kind && /\.gguf$/i.test(repo))) return undefined;
  return { repo, revision, path: kind === 'tree' ? undefined : path, query };
}

/** The models of a list of files: what is in several parts is one, and what goes with a model is none. */
function modelsOf(files) {
  const models = new Map();
  for (const file of files) {
    const name = file.path.split('/').at(-1);
    if (!/\.gguf$/i.test(name) || /(^|[-._])mmproj[-._]|^imatrix|[-._]imatrix\.gguf$/i.test(name)) continue;
    const key = file.path.replace(/-\d{5}(-of-\d{5}\.gguf)$/i, '$1');
    models.set(key, [...(models.get(key) ?? []), file]);
  }
  return [...models.values()].map((parts) => parts.sort((a, b) => (a.path < b.path ? -1 : 1)));
}

function shownBytes(bytes) {
  if (!(bytes >= 0)) return 'unknown size';
  const units = [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']];
  const [unit, name] = units.find(([least]) => bytes >= least) ?? [1, 'bytes'];
  const n = bytes / unit;
  return `${unit > 1 && n < 10 ? n.toFixed(1) : Math.round(n)} ${name}`;
}

function line(parts) {
  const bytes = shownBytes(parts.reduce((sum, { size }) => sum + size, 0));
  return `\n  ${parts[0].path} (${parts.length > 1 ? `${parts.length} parts, ` : ''}${bytes})`;
}

/** Whether a file's address has the name of a quantisation as a word: `Q4_K` is none of `Q4_K_M`. */
function isOf(quantisation, path) {
  const word = quantisation.replace(/[^\w]/g, '\\$&');
  return new RegExp(`(^|[^A-Za-z0-9])${word}(?![A-Za-z0-9_])`, 'i').test(path);
}

/** The model that is meant; of several, or none, an error says what there is. */
export function choose({ address, quantisation }, models) {
  const found = quantisation === undefined ? [] : models.filter(([{ path }]) => isOf(quantisation, path));
  if (found.length === 1) return found[0];
  const what = quantisation === undefined ? 'names no GGUF file' : `matches ${found.length || 'none'} of the models`;
  const list = models.length ? `there are${models.map(line).join('')}` : 'there is none';
  throw failure('INVALID_ARGUMENT', `'${address}' ${what}; ${list}`);
}

/** What is allowed as `hub`. */
function checked(hub) {
  const { url, token, ...unknown } = hub;
  const [name] = Object.keys(unknown);
  if (name) throw unknownName('hub', name, ['url', 'token']);
  const base = shown(url ?? OWN_URL);
  if (!/^https?:\/\/[^/?#]+(\/[^?#]*)?$/i.test(base)) {
    throw failure('INVALID_ARGUMENT', `hub.url is '${base}'; an address with http or https, without a query, is allowed`);
  }
  // What can't be part of a header is not repeated: it may be a secret.
  if (!(token === undefined || token === null || (typeof token === 'string' && /^[!-~]+$/.test(token)))) {
    throw failure('INVALID_ARGUMENT', 'hub.token is no token: a string of letters, digits and signs, without spaces, is allowed');
  }
  return { url: base.replace(/\/+$/, ''), token: token ?? undefined };
}

export class Hub {
  #url;
  #token;

  /** By the option `hub`. */
  constructor(hub = {}) {
    ({ url: this.#url, token: this.#token } = checked(hub));
  }

  /** What an address means: `repo`, `revision` and, for a file, its `url`; undefined if it is not an address of a hub. */
  parse(address) {
    const base = [this.#url, OWN_URL].find((base) => address.startsWith(`${base}/`)) ?? this.#url;
    const short = /^hf:/i.test(address);
    const place = short ? parseShort(address) : address.startsWith(`${base}/`) && parsePage(address.slice(base.length));
    if (!place) return undefined;
    const { repo, revision, path, query = '' } = place;
    const folder = `${base}/${repo}/resolve/${revision}/`;
    const url = path && (!short || /\.gguf$/i.test(path)) ? folder + path + query : undefined;
    return { ...place, base, address, folder, url };
  }

  /** The models of a repository, each as its files: `path`, `size`, `sha256`, `url`. */
  async models({ base, repo, revision, folder }, { signal, retry }) {
    const url = new URL(`${base}/api/models/${repo}/tree/${revision}?recursive=true`);
    const files = [];
    for (let asked; asked !== url.search; ) {
      asked = url.search;
      const { response, json } = await fetchJson(url.href, { headers: this.headers(url.href), signal, retry });
      const { status } = response;
      const failed = (why) => failure('FETCH_FAILED', `'${repo}' can't be looked up: ${why}`);
      if (!response.ok) throw failed(`the hub answered ${status}${this.hint(folder, status)}`);
      if (!Array.isArray(json)) throw failed(`'${url}' is no list of files`);
      files.push(...json.filter(({ type, path }) => type === 'file' && typeof path === 'string'));
      // Only the page's name is taken over: a mirror may give the addresses of the hub that it mirrors.
      const next = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1];
      if (next) url.search = new URL(next, url).search;
    }
    const entries = files.map(({ path, size, lfs }) => ({
      path,
      size: lfs?.size ?? size,
      sha256: /^[0-9a-f]{64}$/.test(lfs?.oid) ? lfs.oid : undefined,
      url: folder + path.split('/').map(encodeURIComponent).join('/'),
    }));
    return modelsOf(entries);
  }

  /** What the cache has of a repository, as `models` gives it. */
  cachedModels({ folder }, entries) {
    const ours = entries.filter(({ url }) => url.startsWith(folder));
    const pathOf = (url) => decodeURIComponent(url.slice(folder.length).split(/[?#]/)[0]);
    return modelsOf(ours.map(({ url, fileBytes }) => ({ path: pathOf(url), size: fileBytes, url })));
  }

  /** What a request takes with it. The token is the hub's alone. */
  headers(url) {
    const ours = this.#token !== undefined && new URL(url).origin === new URL(this.#url).origin;
    return ours ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  /** What a refusal by the hub may come of, to go on with after the status. */
  hint(url, status) {
    const base = [this.#url, OWN_URL].find((base) => url.startsWith(`${base}/`));
    const repo = base && /^\/([\w.-]+\/[\w.-]+)\/resolve\//.exec(url.slice(base.length))?.[1];
    if (!repo || ![401, 403, 404].includes(status)) return '';
    if (status === 404) return `: '${repo}' has no such file or revision, or is not there`;
    const token = this.#token === undefined ? "a token as 'hub.token'" : "a token of an account that may read it as 'hub.token'";
    return `: '${repo}' is not public. Accept its terms at ${base}/${repo}, and give ${token}`;
  }
}
