// How calls look, from a text with one call and a text with two: what stands around and between them are the markers.
import { callsIn } from './calls.js';
import { BARE } from './forms.js';
import { keywords, literal } from './literal.js';
import { Broken, Reader } from './reader.js';

/** What is rendered: words that no template has. */
export const CALLS = ['one', 'two'].map((n) => ({
  id: `Wg${n}0Qzx`,
  name: `probe_${n}`,
  args: { [`key_${n}_a`]: `value_${n}_a`, [`key_${n}_b`]: `value_${n}_b` },
}));

/** A text in pieces that are compared as a whole: tags, words, space. `tokens` are those that are no space. */
const pieces = (text) => text.match(/<[^<>]*>?|\[\/?[A-Z][A-Z_ ]+\]|\[|\s|[^<[\s]+/g) ?? [];
export const tokens = (text) => pieces(text).filter((piece) => piece.trim());
export const isControl = (token) => /^<[|｜].*>$|^\[\/?[A-Z][A-Z_ ]+\]$/.test(token);

function commonPrefix(a, b) {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

const commonSuffix = (a, b) => commonPrefix(a.toReversed(), b.toReversed());

/** What of `text` differs from `other`, in whole tokens. */
export function difference(text, other) {
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

export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The first object in a text that `is` what is looked for. */
export function objectIn(text, is, from = 0) {
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

export function isStrict(body, { start, end, value }) {
  try {
    return same(JSON.parse(body.slice(start, end)), value);
  } catch {
    return false;
  }
}

/** The form of calls, from the text of one call and, where the template takes two, of two. */
export function formOf(one, two) {
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
