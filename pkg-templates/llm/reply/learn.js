// What a model's replies look like, learned from its chat template: a call is rendered, and then a second one; what stands around
// and between them are the markers. No list of models is needed, and a model of tomorrow is read, too.
import { failure } from '../../errors.js';
import { callsIn } from './calls.js';
import { BARE, BEGUN, CHANNELS, FORMS, REASONING } from './forms.js';
import { keywords, literal } from './literal.js';
import { Broken, Reader } from './reader.js';

/** What is rendered: words that no template has. */
const CALLS = ['one', 'two'].map((n) => ({
  id: `Wg${n}0Qzx`,
  name: `probe_${n}`,
  args: { [`key_${n}_a`]: `value_${n}_a`, [`key_${n}_b`]: `value_${n}_b` },
}));
const TEXT = 'Qxtext';
const THOUGHT = 'Qxthought';
const USER = { role: 'user', content: 'Qxuser' };
const TOOLS = CALLS.map(({ name, args }) => ({
  type: 'function',
  function: {
    name,
    description: name,
    parameters: { type: 'object', properties: Object.fromEntries(Object.keys(args).map((key) => [key, { type: 'string', description: key }])), required: Object.keys(args) },
  },
}));
/** The names that templates have for reasoning in a message. */
const THOUGHT_KEYS = ['reasoning_content', 'reasoning', 'thinking'];

/** A text in pieces that are compared as a whole: tags, words, space. `tokens` are those that are no space. */
const pieces = (text) => text.match(/<[^<>]*>?|\[\/?[A-Z][A-Z_ ]+\]|\[|\s|[^<[\s]+/g) ?? [];
const tokens = (text) => pieces(text).filter((piece) => piece.trim());
const isControl = (token) => /^<[|｜].*>$|^\[\/?[A-Z][A-Z_ ]+\]$/.test(token);

function commonPrefix(a, b) {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

const commonSuffix = (a, b) => commonPrefix(a.toReversed(), b.toReversed());

/** What of `text` differs from `other`, in whole tokens. */
function difference(text, other) {
  const [a, b] = [pieces(text), pieces(other)];
  const from = commonPrefix(a, b);
  const to = Math.min(commonSuffix(a, b), a.length - from, b.length - from);
  return a.slice(from, a.length - to).join('');
}

/** What a generator makes of a text from `at` on, and where it ends; null where it can't read it. */
function readAt(text, at, read) {
  const reader = new Reader();
  reader.push(text.slice(at));
  reader.ended = true;
  try {
    const { value } = read(reader).next();
    return { value, start: at, end: text.length - reader.rest.length };
  } catch (e) {
    if (e instanceof Broken) return null;
    throw e;
  }
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The first object in a text that `is` what is looked for. */
function objectIn(text, is, from = 0) {
  for (let at = text.indexOf('{', from); at >= 0; at = text.indexOf('{', at + 1)) {
    const read = readAt(text, at, literal);
    if (read && is(read.value)) return read;
  }
  return null;
}

function isCall(value, { name, args }) {
  try {
    const [call, ...more] = callsIn(value);
    return !more.length && call.name === name && same(call.arguments, args);
  } catch (e) {
    if (e instanceof Broken) return false;
    throw e;
  }
}

/** Parameters that stand in a text one by one: what is around each. */
function parametersIn(body, after, { args }) {
  const places = [];
  let at = after;
  for (const word of Object.entries(args).flat()) {
    const start = body.indexOf(word, at);
    if (start < 0) return null;
    at = start + word.length;
    places.push([start, at]);
  }
  const [[key], [value, valueEnd], [nextKey], [, end]] = places;
  const before = tokens(body.slice(after, key));
  const between = tokens(body.slice(valueEnd, nextKey));
  const open = before.at(-1);
  const close = between[0];
  if (!open || open !== between.at(-1) || !close || close === open) return null;
  const closed = body.indexOf(close, end);
  const middle = body.slice(places[0][1], value);
  if (closed < 0 || !middle.includes('>')) return null;
  return {
    end: closed + close.length,
    between: before.slice(0, -1),
    middle: body.slice(after, body.lastIndexOf(open, key)),
    parameter: { open, close, between: tokens(middle.slice(middle.indexOf('>') + 1)), lines: body[value - 1] === '\n' },
  };
}

/** Where a call is in a text, and how it is written. */
function locate(body, call) {
  const { name, args } = call;
  const whole = objectIn(body, (value) => isCall(value, call));
  if (whole) return { syntax: 'json', start: whole.start, end: whole.end };
  const start = body.indexOf(name);
  if (start < 0) return null;
  const after = start + name.length;
  if (body[after] === '(') {
    const read = readAt(body, after + 1, (reader) => keywords(reader, ')'));
    if (read && same(read.value, args)) return { syntax: 'python', start, end: read.end, middle: '(' };
  }
  const object = objectIn(body, (value) => same(value, args), after);
  // Braces twice: the template writes them itself, around what it did not expect to be text.
  if (object && body[object.start - 1] !== '{') return { syntax: 'json', start, end: object.end, between: tokens(body.slice(after, object.start).replace(/^:\d+/, '').replace(call.id, ' ID ')) };
  const found = parametersIn(body, after, call);
  return found && { syntax: 'parameters', start, ...found };
}

/** What to write so that a call begins: before its name, before its arguments, and, where these are JSON, after them. */
function forcedOf(body, { middle }, { name, args, id }) {
  const start = body.indexOf(name);
  const head = body.slice(0, start);
  if (middle !== undefined) return { head, middle };
  const object = objectIn(body, (value) => same(value, args));
  if (!object || object.start < start) return null;
  if (!isStrict(body, object)) return { head, middle: body.slice(start + name.length, object.start) };
  return { head, middle: body.slice(start + name.length, object.start), tail: body.slice(object.end), id };
}

function isStrict(body, { start, end, value }) {
  try {
    return same(JSON.parse(body.slice(start, end)), value);
  } catch {
    return false;
  }
}

/** The form of calls, from the text of one call and, where the template takes two, of two. */
function formOf(one, two) {
  const single = locate(one, CALLS[0]);
  if (!single) return null;
  const { syntax, between = [], parameter } = single;
  const base = { syntax, between, parameter, forced: forcedOf(one, single, CALLS[0]) };
  const [first, second] = two ? CALLS.map((call) => locate(two, call)) : [];
  if (!first || !second || second.start < first.end) {
    const open = tokens(one.slice(0, single.start));
    const bare = open.length === 0;
    const section = bare ? BARE.section : { open: [], close: [] };
    return { ...base, section, open, close: tokens(one.slice(single.end)), separator: bare ? BARE.separator : '', bare };
  }
  const begin = tokens(two.slice(0, first.start));
  const middle = tokens(two.slice(first.end, second.start));
  const end = tokens(two.slice(second.end));
  const nOpen = commonSuffix(begin, middle);
  const nClose = Math.min(commonPrefix(middle, end), middle.length - nOpen);
  const bare = !begin.some((token) => /^[<[].|\w{4}/.test(token));
  return {
    ...base,
    section: { open: bare ? BARE.section.open : begin.slice(0, begin.length - nOpen), close: end.slice(nClose) },
    open: middle.slice(middle.length - nOpen),
    close: middle.slice(0, nClose),
    separator: middle.slice(nClose, middle.length - nOpen).join(''),
    bare,
  };
}

/** A model's template, asked. */
class Template {
  #model;
  #format;

  constructor(model, format) {
    this.#model = model;
    this.#format = format;
  }

  /** What becomes of messages; null where the template refuses them. */
  async render(messages, { tools, addGenerationPrompt = false } = {}) {
    try {
      return await this.#model.formatChat([USER, ...messages], { ...this.#format, tools, addGenerationPrompt });
    } catch (e) {
      if (e.code !== 'TEMPLATE_ERROR') throw e;
      return null;
    }
  }

  /** Whether the vocabulary has a marker as one token. */
  async hasToken(marker) {
    return (await this.#model.tokenize(marker)).length === 1;
  }
}

/** Messages as a template wants them; see `forTemplate`. */
const messageOf = (n, asText, content) => ({
  role: 'assistant',
  content,
  tool_calls: CALLS.slice(0, n).map(({ id, name, args }) => ({ type: 'function', id, function: { name, arguments: asText ? JSON.stringify(args) : args } })),
});

/** How calls look, and whether the template wants arguments as text. */
async function learnCalls(template) {
  const candidates = [];
  // Some write a text and no calls, others fail at what they are told of tools.
  for (const [content, tools] of [['', TOOLS], [null, TOOLS], [null, undefined]]) {
    const plain = (await template.render([{ role: 'assistant', content: TEXT }], { tools })) ?? '';
    for (const asText of [false, true]) {
      const [one, two] = await Promise.all([1, 2].map((n) => template.render([messageOf(n, asText, content)], { tools })));
      const body = one !== null && difference(one, plain);
      const form = body && formOf(body, two === null ? null : difference(two, plain));
      if (!form) continue;
      // Arguments that became a string within JSON are those of a template that wants an object.
      const isQuoted = body.includes('\\"');
      const object = objectIn(body, (value) => same(value, CALLS[0].args));
      candidates.push({ form, argumentsAsText: asText, withoutContent: content === null, rank: isQuoted ? 2 : object && isStrict(body, object) ? 0 : 1 });
    }
    if (candidates.length) break;
  }
  return candidates.sort((a, b) => a.rank - b.rank)[0];
}

/** What the model reasons between, the name that the template has for it, and what the template writes before the answer. */
async function learnReasoning(template, plain, prompt, tools) {
  const found = { key: THOUGHT_KEYS[0] };
  search: for (const key of THOUGHT_KEYS) {
    for (const message of [{ role: 'assistant', content: TEXT }, ...(tools ? [messageOf(1, false, ''), messageOf(1, true, '')] : [])]) {
      const text = await template.render([{ ...message, [key]: THOUGHT }], { tools });
      const at = text?.indexOf(THOUGHT) ?? -1;
      if (at < 0) continue;
      const before = text.slice(0, at).trimEnd();
      found.key = key;
      const [answer] = text.slice(at + THOUGHT.length).split(TEXT);
      found.pair = REASONING.find(({ open }) => before.endsWith(open));
      const [open, close] = [tokens(before).at(-1), tokens(text.slice(at + THOUGHT.length))[0]];
      if (!found.pair && [open, close].every((marker) => /^[<[]..+[>\]]$/.test(marker)) && !plain.includes(open)) found.pair = { open, close };
      if (found.pair && message.content === TEXT && answer.includes(found.pair.close)) found.answer = answer;
      break search;
    }
  }
  found.pair ??= REASONING.find(({ close }) => prompt.includes(close) || plain.includes(close));
  for (const pair of REASONING) found.pair ??= (await template.hasToken(tokens(pair.open)[0])) ? pair : undefined;
  return found;
}

/** Some templates write that the model did not reason, before a call. */
function withoutReasoning(form, pair) {
  const { section, open } = form;
  const strip = (markers) => markers.filter((marker) => marker !== pair?.open && marker !== pair?.close);
  return { ...form, section: { ...section, open: strip(section.open) }, open: strip(open) };
}

/** Control tokens around a text that belong to no text. */
function silentMarkers(plain, prompt, pair) {
  const around = tokens(difference(plain, prompt ?? '')).filter(isControl);
  return [...new Set(around)].filter((marker) => marker !== pair?.open && marker !== pair?.close);
}

/**
 * How a model's replies look with a chat's format: `{ calls, reasoning, silent, channels }` for the parser; `answer`, the text between
 * reasoning and answer; and what `forTemplate` takes. Fails with `TEMPLATE_ERROR` if there are to be tools and the template
 * does nothing with them.
 */
export async function learn(model, format, withTools) {
  const template = new Template(model, format);
  const tools = withTools ? TOOLS : undefined;
  const prompt = await template.render([], { tools, addGenerationPrompt: true });
  const plain = (await template.render([{ role: 'assistant', content: TEXT }], { tools })) ?? '';
  const family = CHANNELS.find((one) => one.prompt.test(prompt ?? ''));
  const channels = family?.name;
  const reasoning = channels ? {} : await learnReasoning(template, plain, prompt ?? '', tools);
  const form = {
    channels,
    answer: family?.answer ?? reasoning.answer,
    reasoning: reasoning.pair,
    reasoningKey: channels === 'harmony' ? 'thinking' : reasoning.key,
    silent: silentMarkers(plain, prompt, reasoning.pair),
    argumentsAsText: channels === 'functionary',
  };
  if (!withTools) return form;
  const learned = await learnCalls(template);
  if (learned) Object.assign(form, { calls: withoutReasoning(learned.form, reasoning.pair), argumentsAsText: learned.argumentsAsText, withoutContent: learned.withoutContent });
  if (family) return { ...form, calls: { forced: family.forced } };
  if (learned) return form;
  if (prompt !== null && prompt === (await template.render([], { addGenerationPrompt: true }))) {
    throw failure('TEMPLATE_ERROR', "the chat template does nothing with tools: the model would not hear of them; give chat() a template that names them");
  }
  for (const [marker, calls] of FORMS) {
    if (prompt?.includes(marker) || (await template.hasToken(marker))) return { ...form, calls, isWritten: true };
  }
  return { ...form, calls: BARE, isWritten: true };
}

/** Whether a prompt has begun to reason: what the reply begins within, or undefined. */
export function begunReasoning(prompt, { reasoning, channels }) {
  if (channels) return undefined;
  const end = prompt.trimEnd();
  return [...(reasoning ? [reasoning] : []), ...REASONING, ...BEGUN].find(({ open }) => end.endsWith(open));
}

/** Calls as text, for templates that write none. */
function written(calls, { syntax, forced: { head, middle, tail = '' }, separator }) {
  const one = ({ function: { name, arguments: args } }) => {
    if (syntax !== 'python') return head + name + middle + JSON.stringify(args) + tail;
    return `${name}(${Object.entries(args).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(', ')})`;
  };
  return syntax === 'python' ? `${head.slice(0, -1)}[${calls.map(one).join(', ')}]<|tool_call_end|>` : calls.map(one).join(separator === ';' ? ';' : '\n');
}

/**
 * Messages as the template wants them: arguments as an object or as text, reasoning under its name, calls in the content where
 * the template writes none.
 */
export function forTemplate(messages, { argumentsAsText, reasoningKey, withoutContent, isWritten, calls: form }) {
  const argumentsFor = (value) => {
    if (argumentsAsText) return typeof value === 'string' ? value : JSON.stringify(value);
    try {
      return typeof value === 'string' ? JSON.parse(value) : value;
    } catch {
      return value;
    }
  };
  const callFor = (call) => (call?.function ? { ...call, function: { ...call.function, arguments: argumentsFor(call.function.arguments) } } : call);
  return messages.map(({ tool_calls: given, reasoning_content: thought, ...message }) => {
    if (thought !== undefined) message[reasoningKey ?? THOUGHT_KEYS[0]] = thought;
    if (!Array.isArray(given) || !given.length) return message;
    const calls = given.map(callFor);
    if (isWritten) return { ...message, content: `${message.content ?? ''}${written(calls, form)}` };
    return { ...message, ...(withoutContent ? { content: null } : {}), tool_calls: calls };
  });
}
