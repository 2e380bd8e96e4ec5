// Replies in channels: each message names, in its head, what it is. gpt-oss (harmony) and Functionary write them.
import { literal } from './literal.js';
import { Broken } from './reader.js';

const MAX_HEAD = 256;

/**
 * The families. `starts` begin a head, `head` ends it, `ends` end a message. `meaning` of a head: `{ tool }`, `{ type }` of text, or
 * null where it is no head.
 */
const FAMILIES = {
  harmony: {
    starts: ['<|start|>', '<|channel|>'],
    head: '<|message|>',
    ends: ['<|end|>', '<|call|>', '<|return|>', '<|start|>', '<|channel|>'],
    meaning(head) {
      const tool = /to=(?:functions\.)?([\w./-]+)/.exec(head)?.[1];
      return tool ? { tool } : { type: head.includes('analysis') ? 'reasoning' : 'text' };
    },
  },
  functionary: {
    /** The prompt ends with what begins a head. */
    isInHead: true,
    starts: ['>>>'],
    head: '\n',
    ends: ['>>>'],
    meaning(head, tools) {
      if (head.trim() === 'all') return { type: 'text' };
      return tools?.has(head.trim()) ? { tool: head.trim() } : null;
    },
  },
};

/** A head, and what it means. */
function* headOf(reader, family, tools) {
  let text = '';
  const marker = yield* reader.until([family.head], (more) => {
    text += more;
    if (text.length > MAX_HEAD) throw new Broken(`a head has more than ${MAX_HEAD} characters`);
  });
  return marker === null ? null : family.meaning(text, tools);
}

function* call(reader, name, heard) {
  const value = yield* literal(reader);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Broken(`the arguments of '${name}' are no object`);
  heard.call({ name, arguments: value });
}

/** What a message's text is: a call is read to its end first, since its strings may have what ends a message. */
function* hearerOf(reader, meaning, heard) {
  if (meaning.type) return heard[meaning.type];
  yield* call(reader, meaning.tool, heard);
  return () => {};
}

/** The reply, message by message. Without tools, calls are text. */
export function* channels(name, reader, heard, tools) {
  const family = FAMILIES[name];
  let isInHead = Boolean(family.isInHead);
  for (;;) {
    let hear = heard.text;
    let isCall = false;
    reader.record();
    try {
      const meaning = isInHead ? yield* headOf(reader, family, tools) : { type: 'text' };
      isCall = Boolean(meaning?.tool && tools);
      if (meaning && (meaning.type || isCall)) hear = yield* hearerOf(reader, meaning, heard);
      else hear(reader.recorded);
    } catch (e) {
      if (!(e instanceof Broken)) throw e;
      if (isCall) heard.broken(reader.recorded, e);
      else hear(reader.recorded);
    }
    const marker = yield* reader.until(isInHead ? family.ends : family.starts, hear);
    if (marker === null) return;
    heard.mark();
    isInHead = family.starts.includes(marker);
  }
}
