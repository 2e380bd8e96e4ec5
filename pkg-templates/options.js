// The options of each call: their names and what they may be. An unknown name is an error that says which is near.
import { failure, shown } from './errors.js';

const kind = (allowed, is) => ({ allowed, is });

const WHOLE = kind('a whole number from 0 to 4294967295', (v) => Number.isInteger(v) && v >= 0 && v < 2 ** 32);
const NUMBER = kind('a number', Number.isFinite);
const FLAG = kind('true or false', (v) => typeof v === 'boolean');
const NAME = kind('a name', (v) => typeof v === 'string');
const TEXT = kind('a string', (v) => typeof v === 'string');
const CALL = kind('a function', (v) => typeof v === 'function');
const OBJECT = kind('an object', (v) => typeof v === 'object' && !Array.isArray(v));
const ARRAY = kind('an array', Array.isArray);
const SIGNAL = kind('an AbortSignal', (v) => typeof v.aborted === 'boolean');
const STOPS = kind('a string or an array of strings', (v) => [v].flat().every((stop) => typeof stop === 'string'));
const VOICE = kind('a name, or an object of names and weights', (v) => typeof v === 'string' || OBJECT.is(v));
/** Checked where it is used. */
const ANY = kind('', () => true);

const FILES = { signal: SIGNAL, wasmUrl: ANY, cache: ANY, retry: OBJECT, hub: OBJECT };
const LOAD = {
  ...FILES,
  contextLength: WHOLE,
  kvCache: NAME,
  profile: NAME,
  memoryBudget: ANY,
  onProgress: CALL,
  worker: FLAG,
  workerUrl: ANY,
  fallback: OBJECT,
};
const WAIT = { signal: SIGNAL, onQueue: CALL };
const SAMPLING = {
  maxTokens: WHOLE,
  temperature: NUMBER,
  topK: WHOLE,
  topP: NUMBER,
  minP: NUMBER,
  repeatPenalty: NUMBER,
  seed: WHOLE,
  stop: STOPS,
  responseFormat: OBJECT,
  ignoreEnd: FLAG,
  showSpecial: FLAG,
  onToken: CALL,
};
const TEMPLATE = { tools: ARRAY, documents: ARRAY, template: TEXT, variables: OBJECT };
/** Control tokens are not in the parts of a reply. */
const { showSpecial: _, ...STREAM_SAMPLING } = SAMPLING;
const STREAM = { ...STREAM_SAMPLING, ...WAIT, keepMessage: FLAG, toolChoice: ANY, maxReasoningTokens: WHOLE };
const SPEAK = { voice: VOICE, speed: NUMBER, signal: SIGNAL };
const SPECIAL = { addSpecial: FLAG, parseSpecial: FLAG };

/** The options by call. */
export const OPTIONS = {
  loadModel: LOAD,
  canRun: LOAD,
  connect: { baseURL: ANY, model: NAME, apiKey: TEXT, retry: OBJECT, signal: SIGNAL },
  loadTokenizer: FILES,
  inspect: FILES,
  removeCached: { hub: OBJECT },
  loadHands: {
    ...FILES,
    onProgress: CALL,
    maxHands: WHOLE,
    minDetectionScore: NUMBER,
    minPresenceScore: NUMBER,
    smoothing: ANY,
  },
  detect: { timestamp: NUMBER, tracking: FLAG, signal: SIGNAL },
  loadEmbedder: { ...FILES, onProgress: CALL, contextLength: WHOLE, profile: NAME },
  embed: { dimensions: WHOLE, normalize: FLAG, prefix: TEXT, truncate: FLAG, signal: SIGNAL, onProgress: CALL },
  'embedder.count': { prefix: TEXT },
  loadPhonemizer: { signal: SIGNAL, wasmUrl: ANY, dictionary: ANY },
  loadSpeech: { ...FILES, onProgress: CALL, profile: NAME, voices: ANY, dictionary: ANY },
  synthesize: SPEAK,
  stream: SPEAK,
  loadVad: { ...FILES, onProgress: CALL, threshold: NUMBER },
  segments: { minSpeechMs: WHOLE, minSilenceMs: WHOLE, padMs: WHOLE, signal: SIGNAL },
  recover: { signal: SIGNAL, onProgress: CALL },
  generate: { ...SAMPLING, ...WAIT, parseSpecial: FLAG },
  captureActivations: { ...WAIT, decodeSteps: WHOLE },
  chat: { ...SAMPLING, ...TEMPLATE, system: TEXT, messages: ARRAY, overflow: NAME, onDrop: CALL },
  send: { ...SAMPLING, ...WAIT, keepMessage: FLAG },
  'chat.stream': STREAM,
  create: WAIT,
  'chat.run': { ...STREAM, tools: OBJECT, maxSteps: WHOLE },
  tokenize: SPECIAL,
  detokenize: { showSpecial: FLAG },
  formatChat: { ...TEMPLATE, addGenerationPrompt: FLAG },
  tokenizeChat: { ...TEMPLATE, addGenerationPrompt: FLAG },
  count: { ...SPECIAL, ...TEMPLATE, addGenerationPrompt: FLAG },
};

/** Names that others use. */
const ELSEWHERE = {
  maxnewtokens: 'maxTokens',
  maxcompletiontokens: 'maxTokens',
  numpredict: 'maxTokens',
  npredict: 'maxTokens',
  nctx: 'contextLength',
  numctx: 'contextLength',
  contextwindowsize: 'contextLength',
  temp: 'temperature',
  repetitionpenalty: 'repeatPenalty',
  frequencypenalty: 'repeatPenalty',
  abortsignal: 'signal',
  progresscallback: 'onProgress',
  initprogresscallback: 'onProgress',
  stopsequences: 'stop',
  maxthinkingtokens: 'maxReasoningTokens',
  reasoningbudget: 'maxReasoningTokens',
  thinkingbudget: 'maxReasoningTokens',
  maxiterations: 'maxSteps',
  format: 'responseFormat',
  jsonschema: 'responseFormat',
  systemprompt: 'system',
  chattemplate: 'template',
};

const plain = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** How many letters must be added, left out or replaced. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) next.push(Math.min(row[j] + (letter === other ? 0 : 1), row[j + 1] + 1, next[j] + 1));
    row = next;
  }
  return row[b.length];
}

/** The name that was meant, if one is near. */
function near(name, names) {
  const wanted = plain(name);
  const known = ELSEWHERE[wanted];
  if (names.includes(known)) return known;
  const [best] = names.map((other) => [distance(wanted, plain(other)), other]).sort(([a], [b]) => a - b);
  return best && best[0] <= Math.max(1, Math.floor(wanted.length / 3)) ? best[1] : undefined;
}

/** The error for a name that `what` does not have. */
export function unknownName(what, name, names) {
  const meant = near(name, names);
  const hint = meant ? `did you mean ${meant}?` : `${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} allowed`;
  return failure('INVALID_ARGUMENT', `${what} has no option '${name}'; ${hint}`);
}

/** A value in a message: strings are seen to be ones. */
const quoted = (value) => (typeof value === 'string' ? `"${value}"` : shown(value));

/** The options of a call, checked; what is undefined or null is left out, as good as not given. */
export function optionsOf(call, options = {}) {
  const kinds = OPTIONS[call];
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw failure('INVALID_ARGUMENT', `the options of ${call} are ${quoted(options)}; an object is allowed`);
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  for (const [name, value] of given) {
    if (!Object.hasOwn(kinds, name)) {
      if ('variables' in kinds && !near(name, Object.keys(kinds))) {
        throw failure('INVALID_ARGUMENT', `${call} has no option '${name}'; a template's variables go under variables: { ${name}: … }`);
      }
      throw unknownName(call, name, Object.keys(kinds));
    }
    const { allowed, is } = kinds[name];
    if (!is(value)) throw failure('INVALID_ARGUMENT', `${name} is ${quoted(value)}, ${allowed} is allowed`);
  }
  return Object.fromEntries(given);
}

/** What Safari on phones and tablets bears is less than it says. Tablets call themselves Macintosh. */
export function detectProfile({ userAgent = '', maxTouchPoints = 0 } = globalThis.navigator ?? {}) {
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1) ? 'ios' : 'full';
}
