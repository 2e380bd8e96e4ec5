// The dialog that a model is chosen in.
import { canRun } from './pkg/index.js';
import { cachedModels, showCached } from './cached.js';
import { bytes } from './format.js';
import { EMBEDDED, MODELS } from './models.js';

const $ = (id) => document.getElementById(id);

/** Whether a model fits this device, in words; empty where nobody can tell, as when there is no network. */
async function fitOf({ url }) {
  try {
    // The header goes by: what a visitor did not ask to load is not kept.
    const { fits, contextLength, reason } = await canRun(url, { cache: false, retry: { attempts: 1 } });
    if (fits) return { fits, text: 'Fits this device' };
    if (contextLength) return { fits: true, text: `Fits with a context of ${contextLength}` };
    return { fits, text: `Too large here: ${reason}` };
  } catch {
    return { text: '' };
  }
}

/** Questions are asked one after the other: each reads some megabytes. */
let asked = Promise.resolve();

function card(model, onLoad) {
  const item = $('card').content.firstElementChild.cloneNode(true);
  const part = (name) => item.querySelector(`.${name}`);
  part('name').textContent = model.name;
  part('facts').textContent = `${bytes(model.bytes)} · ${model.parameters} parameters · ${model.type} · ${model.licence}`;
  part('about').textContent = model.note;
  part('load').addEventListener('click', () => onLoad(model.url));
  item.ask = () => {
    item.ask = undefined;
    asked = asked.then(async () => {
      const { fits, text } = await fitOf(model);
      part('fit').textContent = text;
      part('fit').dataset.fits = fits;
    });
  };
  return item;
}

/**
 * Fill the dialog; returns what opens it. `onLoad` gets an address or a file, and the context that is wanted; `current`
 * tells what is loaded.
 */
export function prepareModelList(onLoad, current) {
  const dialog = $('models');
  const choose = (source) => {
    dialog.close();
    onLoad(source, $('context').valueAsNumber || undefined);
  };
  const cards = [EMBEDDED, ...MODELS].map((model) => ({ ...model, item: card(model, choose) }));
  $('cards').append(...cards.map(({ item }) => item));

  // A card is asked about once it is seen, unless the visitor wants to save data.
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting && navigator.onLine) target.ask?.();
  });
  if (!navigator.connection?.saveData) cards.forEach(({ item }) => seen.observe(item));

  $('models-open').addEventListener('click', openModelList);
  $('address').addEventListener('submit', (event) => {
    event.preventDefault();
    if ($('url').value.trim()) choose($('url').value.trim());
  });
  $('file').addEventListener('change', () => {
    const [file] = $('file').files;
    $('file').value = ''; // so that the same file can be chosen again
    if (file) choose(file);
  });

  return openModelList;

  async function openModelList() {
    if (!dialog.open) dialog.showModal();
    const kept = await cachedModels();
    for (const { item, name, url } of cards) {
      const button = item.querySelector('.load');
      item.querySelector('.kept').hidden = !kept.some((entry) => entry.url === url && entry.complete);
      button.disabled = url === current();
      button.textContent = button.disabled ? 'Loaded' : 'Load';
      button.ariaLabel = `${button.textContent} ${name}`;
    }
    await showCached(choose);
  }
}
