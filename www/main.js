// The chat page: connects a model, a conversation and what is on the page.
import { Conversation } from './conversation.js';
import { acceptDrops } from './drop.js';
import { clearError, showError } from './errors.js';
import { bytes, count, duration, rate } from './format.js';
import { linkTo, readLink } from './link.js';
import { cancelLoading, load, recover } from './loader.js';
import { Log } from './log.js';
import { prepareModelList } from './model-list.js';
import { EMBEDDED, modelOf, nameOf } from './models.js';
import { settings, settingsAreValid } from './settings.js';
import { STARTERS } from './starters.js';

const $ = (id) => document.getElementById(id);

/** For those who listen; of what leaves no other trace, for those who look as well. */
function say(text, { seen = false } = {}) {
  $('status').textContent = text;
  $('status').className = seen ? 'toast' : 'unseen';
  if (seen) setTimeout(() => ($('status').className = 'unseen'), 2000);
}

let model;
/** What the model was loaded from: an address or a file. */
let source;
let conversation;
/** Of the reply that is being written. */
let running;
/** The exchange whose prompt is in the composer, to be sent anew. */
let editing;

// ---- the model

/** A model larger than this goes before the next one comes. */
const LARGE_BYTES = 200e6;

async function use(wanted, contextLength) {
  running?.abort();
  if (model?.info.memory.weights > LARGE_BYTES) {
    model.destroy();
    model = undefined;
    refresh();
  }
  const loading = load(wanted, nameOf(wanted), contextLength);
  refresh();
  const loaded = await loading;
  // Where that failed or was cancelled, the model that there was stays.
  if (loaded) adopt(loaded, wanted);
  refresh();
}

function adopt(loaded, from) {
  running?.abort();
  model?.destroy();
  const goesOn = conversation?.isChat && loaded.info.chatTemplates.length > 0;
  model = loaded;
  source = from;
  conversation = new Conversation(model, goesOn ? conversation.exchanges : []);
  model.on('devicelost', ({ message }) => showError({ code: 'DEVICE_LOST', message }));
  say(`${nameOf(source)} is ready`);
  showStarters();
  describe(model.info);
  if (matchMedia('(hover: hover)').matches) $('prompt').focus();
}

function describe(info) {
  const { weights, kvCache, activations } = info.memory;
  const { parameters, architecture, types, contextLength } = info;
  const facts = [`${count(parameters)} parameters`, architecture, types[0], `context ${contextLength}`];
  $('loaded-name').textContent = nameOf(source);
  $('model-facts').textContent = facts.join(' · ');
  $('model-warnings').textContent = info.warnings.join(' ');
  $('model-warnings').hidden = !info.warnings.length;
  const memory = bytes(weights + kvCache + activations);
  $('model-memory').textContent = `${memory} of GPU memory · ${info.gpu.adapter || 'a GPU without a name'}`;
}

// ---- the conversation

const log = new Log($('log'), {
  onCopy: async (text) => {
    await navigator.clipboard.writeText(text);
    say('Copied', { seen: true });
  },
  onRetry: retry,
  onEdit: edit,
  onGoOn: () => run((options) => conversation.goOn(settings(), options)),
});

/** Let the model write, by `start` with the options of `generate`, and show it as it comes. */
async function run(start) {
  if (!model || running || !settingsAreValid()) return;
  clearError();
  const controller = (running = new AbortController());
  say('The model is writing');
  const onToken = meter();
  try {
    const writing = start({ signal: controller.signal, onToken });
    refresh();
    scrollTo({ top: document.documentElement.scrollHeight });
    await writing;
    say('The reply is complete');
  } catch (e) {
    if (controller.signal.aborted) say('Stopped');
    else showError(e);
  } finally {
    if (running === controller) running = undefined;
    showContext();
    refresh();
  }
}

/** What `onToken` is to be for a reply: it keeps the figures. */
function meter() {
  const start = performance.now();
  let first;
  let n = 0;
  return () => {
    n += 1;
    first ??= performance.now();
    $('first').textContent = duration(first - start);
    if (n > 1) $('speed').textContent = rate(((n - 1) * 1e3) / (performance.now() - first));
    refreshSoon();
  };
}

function showContext() {
  const used = model?.history.length;
  $('used').textContent = used ? `${used} of ${model.info.contextLength}` : '–';
}

function send() {
  const prompt = $('prompt').value.trim();
  if (!prompt || !model || running || !settingsAreValid()) return;
  if (editing) conversation.cut(conversation.exchanges.indexOf(editing));
  stopEditing();
  $('prompt').value = '';
  run((options) => conversation.send(prompt, settings(), options));
}

function retry() {
  run((options) => conversation.send(conversation.cut(conversation.exchanges.length - 1), settings(), options));
}

function edit(exchange) {
  editing = exchange;
  $('editing').hidden = false;
  $('prompt').value = exchange.prompt;
  $('prompt').focus();
}

function stopEditing() {
  if (editing) $('prompt').value = '';
  editing = undefined;
  $('editing').hidden = true;
}

function reset() {
  running?.abort();
  clearError();
  stopEditing();
  if (model) conversation = new Conversation(model);
  for (const id of ['speed', 'first', 'used']) $(id).textContent = '–';
  refresh();
  say('New chat');
  $('prompt').focus();
}

// ---- the page

/** What a visitor's link asks for. */
const wanted = readLink();

/** What the start offers to load. */
const offered = () => wanted.model || EMBEDDED.url;

function showOffer() {
  const { name, bytes: size } = modelOf(offered()) ?? { name: nameOf(offered()) };
  $('load').textContent = `Load ${name}${size ? ` · ${bytes(size)}` : ''}`;
}

function showStarters() {
  const texts = STARTERS[source === EMBEDDED.url ? 'novel' : conversation.isChat ? 'chat' : 'text'];
  const items = texts.map((text) => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.addEventListener('click', () => run((options) => conversation.send(text, settings(), options)));
    item.append(button);
    return item;
  });
  $('starters').replaceChildren(...items);
}

let refreshing = false;

/** Text may come faster than pictures. */
function refreshSoon() {
  if (refreshing) return;
  refreshing = true;
  requestAnimationFrame(() => {
    refreshing = false;
    refresh();
  });
}

/** Make the page say what is so. The end of the text stays in view, unless the reader has scrolled away from it. */
function refresh() {
  const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 60;
  const isEmpty = !conversation?.exchanges.length;
  const loading = !$('progress').hidden;
  if (conversation) log.show(conversation, Boolean(running));
  $('start').hidden = !isEmpty;
  $('figures').hidden = isEmpty;
  $('starters').hidden = !model;
  $('load').hidden = Boolean(model);
  $('choose').textContent = model ? 'Or choose a model that chats' : 'Choose another model';
  $('choose').className = model ? 'link' : '';
  $('offer').hidden = loading || Boolean(conversation?.isChat);
  $('loaded').hidden = !model;
  if (model) {
    $('start-title').textContent = nameOf(source);
    $('start-text').textContent = modelOf(source)?.note ?? model.info.name ?? model.info.architecture;
  }
  $('model-name').textContent = model ? nameOf(source) : 'Choose a model';
  const whatToAdd = isEmpty ? 'Begin a text; the model goes on' : 'Add to the text';
  $('prompt').placeholder = !model || conversation.isChat ? 'Write a message' : whatToAdd;
  $('send').disabled = !model;
  $('send').ariaLabel = running ? 'Stop' : 'Send';
  $('send').toggleAttribute('data-running', Boolean(running));
  if (atEnd && !isEmpty) scrollTo({ top: document.documentElement.scrollHeight });
}

const openModels = prepareModelList(use, () => source);
acceptDrops($('drop'), (file) => use(file));

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  if (running) running.abort();
  else send();
});
$('prompt').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape' || document.querySelector('dialog[open]')) return;
  if (running) running.abort();
  else stopEditing();
});
$('edit-cancel').addEventListener('click', () => {
  stopEditing();
  $('prompt').focus();
});
$('restart').addEventListener('click', async () => {
  if (!(await recover(model, nameOf(source)))) return;
  const last = conversation.exchanges.at(-1);
  if (!last || last.ended) return;
  if (last.reply) await run((options) => conversation.goOn(settings(), options));
  else retry();
});
$('link').addEventListener('click', async () => {
  const address = typeof source === 'string' && source !== EMBEDDED.url ? (modelOf(source)?.hub ?? source) : '';
  const prompt = $('prompt').value.trim() || conversation?.exchanges[0]?.prompt;
  await navigator.clipboard.writeText(linkTo({ model: address, system: settings().system, prompt }));
  say('Link copied', { seen: true });
});
$('new').addEventListener('click', reset);
$('cancel').addEventListener('click', cancelLoading);
$('load').addEventListener('click', () => use(modelOf(offered())?.url ?? offered()));
$('choose').addEventListener('click', openModels);

// ---- at first

$('prompt').value = wanted.prompt;
$('system').value = wanted.system;
$('url').value = wanted.model;
showOffer();
refresh();
// The model of a link may be large, and a phone's visitor may pay for each byte: both wait to be told.
if (!wanted.model && !/Mobi|Android|iPhone|iPad/.test(navigator.userAgent)) use(EMBEDDED.url);
