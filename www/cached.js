// The models that are kept on this device.
import { listCached, persist, removeCached } from './pkg/index.js';
import { showError } from './errors.js';
import { bytes } from './format.js';
import { nameOf } from './models.js';

const $ = (id) => document.getElementById(id);

/** The files of a split model are one: by the address of its first. */
const firstPart = (url) => url.replace(/-\d{5}(-of-\d{5}\.gguf)/, '-00001$1');

/** What is kept, a model an entry: `url`, `bytes` and whether it is `complete`. */
export async function cachedModels() {
  const models = new Map();
  for (const { url, bytes, complete } of await listCached()) {
    const first = firstPart(url);
    const known = models.get(first) ?? { url: first, bytes: 0, complete: true };
    models.set(first, { url: first, bytes: known.bytes + bytes, complete: known.complete && complete });
  }
  return [...models.values()];
}

function row({ url, bytes: size, complete }, onLoad) {
  const item = document.createElement('li');
  const name = document.createElement('span');
  const figures = document.createElement('span');
  const use = document.createElement('button');
  const remove = document.createElement('button');
  name.textContent = nameOf(url);
  name.title = url;
  figures.className = 'quiet figures';
  figures.textContent = complete ? bytes(size) : `${bytes(size)}, incomplete`;
  use.textContent = complete ? 'Load' : 'Go on';
  remove.textContent = 'Remove';
  for (const button of [use, remove]) {
    button.type = 'button';
    button.className = 'link';
    button.ariaLabel = `${button.textContent} ${nameOf(url)}`;
  }
  use.addEventListener('click', () => onLoad(url));
  remove.addEventListener('click', async () => {
    await removeCached(url).catch(showError);
    await showCached(onLoad);
    $('cached-title').focus(); // The button that had the focus is gone.
  });
  item.append(name, figures, use, remove);
  return item;
}

/** List what is kept; `onLoad` gets the address of the one that is chosen. */
export async function showCached(onLoad) {
  const [models, estimate, persisted] = await Promise.all([
    cachedModels(),
    navigator.storage?.estimate?.(),
    navigator.storage?.persisted?.(),
  ]);
  const used = estimate?.usage === undefined ? '' : `${bytes(estimate.usage)} of storage used.`;
  // All at once, so that nobody sees the list without its sum.
  $('cached').replaceChildren(...models.map((model) => row(model, onLoad)));
  $('cached-figures').textContent = models.length ? used : 'Nothing yet: a model that was loaded once is kept here.';
  $('persist').hidden = !models.length || persisted !== false;
}

$('persist').addEventListener('click', async () => {
  const kept = await persist();
  $('persist').hidden = kept;
  // In a place of its own: the list may be written again in the meantime.
  $('persisted').textContent = kept ? 'The browser keeps these files.' : 'The browser may remove these files when space runs short.';
});
