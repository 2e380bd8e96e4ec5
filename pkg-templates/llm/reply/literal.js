// Values as models write them: JSON, Python's literals, and the notation of Gemma, which has names without quotes and strings
// between `<|"|>`. One reader takes all three: a model that mixes them is understood, too.
import { Broken } from './reader.js';

const MAX_DEPTH = 64;
/** What a string begins and ends with. The last one has no escapes. */
const QUOTES = ['"', "'", '<|"|>'];
const RAW = '<|"|>';
const ESCAPES = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', a: '\x07', 0: '\0' };
/** Escapes by a character's number, and how many hexadecimal digits they have. */
const NUMBERED = { u: 4, x: 2, U: 8 };
const WORDS = { true: true, false: false, null: null, True: true, False: false, None: null };
const MAX_STRING = 1 << 18;
/** Characters of a name without quotes, and of a number. */
const MAX_WORD = 256;

function* escaped(reader) {
  if (!(yield* reader.has(1))) throw new Broken('a string has no end');
  const letter = reader.take(1);
  const digits = NUMBERED[letter];
  if (!digits) return Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : letter;
  yield* reader.has(digits);
  const number = reader.take(digits);
  const code = Number.parseInt(number, 16);
  if (!/^[0-9a-f]+$/i.test(number) || number.length < digits || code > 0x10ffff) throw new Broken(`'\\${letter}${number}' is no character`);
  return letter === 'U' ? String.fromCodePoint(code) : String.fromCharCode(code);
}

function* string(reader, quote) {
  let text = '';
  const ends = quote === RAW ? [quote] : [quote, '\\'];
  for (;;) {
    const { text: more, marker } = yield* reader.before(ends);
    text += more;
    if (text.length > MAX_STRING) throw new Broken(`a string has more than ${MAX_STRING} characters`);
    if (marker === quote) return text;
    text += yield* escaped(reader);
  }
}

/** The quote that is next, taken. */
function* quoteOf(reader) {
  for (const quote of QUOTES) if (yield* reader.accept(quote)) return quote;
  return null;
}

/** What stands between two brackets, with commas between. */
function* list(reader, end, item) {
  const items = [];
  for (;;) {
    yield* reader.space();
    if (yield* reader.accept(end)) return items;
    items.push(yield* item());
    yield* reader.space();
    if (yield* reader.accept(end)) return items;
    if (!(yield* reader.accept(','))) throw new Broken(`',' or '${end}' is missing`);
  }
}

function* member(reader, depth) {
  const quote = yield* quoteOf(reader);
  const key = quote ? yield* string(reader, quote) : yield* reader.run(/[\p{L}\p{N}_$.-]/u, MAX_WORD);
  if (!quote && !key) throw new Broken('a name is missing');
  yield* reader.space();
  if (!(yield* reader.accept(':'))) throw new Broken(`':' is missing after '${key}'`);
  return [key, yield* literal(reader, depth)];
}

/** A value. */
export function* literal(reader, depth = 0) {
  if (depth > MAX_DEPTH) throw new Broken(`values are nested deeper than ${MAX_DEPTH}`);
  yield* reader.space();
  if (yield* reader.accept('{')) return Object.fromEntries(yield* list(reader, '}', () => member(reader, depth + 1)));
  if (yield* reader.accept('[')) return yield* list(reader, ']', () => literal(reader, depth + 1));
  if (yield* reader.accept('(')) return yield* list(reader, ')', () => literal(reader, depth + 1));
  const quote = yield* quoteOf(reader);
  if (quote) return yield* string(reader, quote);
  const word = yield* reader.run(/[\w.+-]/, MAX_WORD);
  if (Object.hasOwn(WORDS, word)) return WORDS[word];
  const number = Number(word);
  if (word === '' || !Number.isFinite(number)) throw new Broken(`'${word || reader.rest.slice(0, 1)}' is no value`);
  return number;
}

/** The arguments of a call in Python: `name=value`, up to `end`. */
export function* keywords(reader, end) {
  return Object.fromEntries(
    yield* list(reader, end, function* () {
      const key = yield* reader.run(/[\p{L}\p{N}_]/u, MAX_WORD);
      yield* reader.space();
      if (!key || !(yield* reader.accept('='))) throw new Broken('an argument has no name');
      return [key, yield* literal(reader, 1)];
    }),
  );
}
