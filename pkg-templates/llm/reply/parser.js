// Replies, read as they come: text, reasoning and calls apart.
import { calls } from './calls.js';
import { channels } from './channels.js';
import { Broken, Reader } from './reader.js';

/** What models reason between, where nothing else is known of them; at a reply's beginning only. */
const THINK = { open: '<think>', close: '</think>' };

/** Parts as they are sure. Space around a marker is the marker's; so space at an end waits for what comes next. */
class Parts {
  #parts = [];
  /** What the last text is of, and the space at its end. */
  #type;
  #space = '';

  /** Text of a type: `text` or `reasoning`. */
  say(type, text) {
    if (type !== this.#type) {
      this.mark();
      // Space that begins a reply is the reply's.
      text = this.#type === undefined && type === 'text' ? text : text.trimStart();
      if (!text) return;
      this.#type = type;
    }
    if (!text.trim()) {
      this.#space += text;
      return;
    }
    const all = this.#space + text;
    const delta = all.trimEnd();
    this.#space = all.slice(delta.length);
    const last = this.#parts.at(-1);
    if (last?.type === type) last.delta += delta;
    else if (delta) this.#parts.push({ type, delta });
  }

  /** A marker stands here. */
  mark() {
    if (this.#type !== undefined) this.#type = null;
    this.#space = '';
  }

  add(part) {
    this.#type ??= null;
    this.mark();
    this.#parts.push(part);
  }

  end() {
    if (this.#space && this.#type === 'text') this.#parts.push({ type: 'text', delta: this.#space });
    this.#space = '';
  }

  take() {
    return this.#parts.splice(0);
  }

  get type() {
    return this.#type;
  }
}

const isTag = (marker) => /^[<[].{2}/.test(marker);

/** The beginnings of calls of a form. Some models leave out the first ones. */
function beginnings({ section, open }) {
  const [first, last] = [[section.open[0], open[0]], open.at(-1)];
  const all = first.filter((marker) => marker !== undefined && (isTag(marker) || /\w{4}/.test(marker)));
  return [...new Set(last !== undefined && isTag(last) ? [...all, last] : all)];
}

/**
 * A parser of one reply. `form` is what learn.js found: `{ calls, reasoning, silent, channels }`. `tools` are the parameters'
 * schemas by name; without them no calls are looked for. `isReasoning`: the prompt has begun to reason.
 */
export class ReplyParser {
  #reader = new Reader();
  #parts = new Parts();
  #form;
  #tools;
  #steps;

  constructor(form, { tools, isReasoning = false } = {}) {
    this.#form = form;
    this.#tools = tools;
    this.#steps = form.channels ? channels(form.channels, this.#reader, this.#heard(), tools) : this.#read(isReasoning);
  }

  /** More of the reply. Returns the parts that are sure now. */
  push(text) {
    this.#reader.push(text);
    this.#steps.next();
    return this.#parts.take();
  }

  /** The reply is over. */
  end() {
    this.#reader.ended = true;
    this.#steps.next();
    this.#parts.end();
    return this.#parts.take();
  }

  /** Whether what came last is reasoning. */
  get isReasoning() {
    return this.#parts.type === 'reasoning';
  }

  #heard() {
    const parts = this.#parts;
    return {
      text: (text) => parts.say('text', text),
      reasoning: (text) => parts.say('reasoning', text),
      mark: () => parts.mark(),
      call: (call) => parts.add({ type: 'tool-call', ...call }),
      broken: (text, e) => parts.add({ type: 'invalid-tool-call', text, reason: e.message }),
    };
  }

  *#read(isReasoning) {
    const { reasoning, silent = [], calls: form } = this.#form;
    const reader = this.#reader;
    const heard = this.#heard();
    if (isReasoning) {
      // Some write again what the prompt ends with.
      yield* reader.space();
      yield* reader.accept((reasoning ?? THINK).open);
      yield* this.#reason(reasoning ?? THINK, heard);
    }
    yield* this.#begin(heard);
    const begin = form && this.#tools ? beginnings(form) : [];
    const markers = [...new Set([...begin, ...silent, ...(reasoning ? [reasoning.open, reasoning.close] : [])])];
    const text = (more) => {
      heard.text(more);
      reader.record();
    };
    for (;;) {
      reader.record();
      const marker = yield* reader.until(markers, text);
      if (marker === null) return;
      // A word may be a word: the space before it is the text's then.
      const isWord = begin.includes(marker) && !isTag(marker);
      if (!isWord) heard.mark();
      if (begin.includes(marker)) {
        yield* this.#calls(form, marker, begin, heard);
      } else if (marker === reasoning?.open) {
        yield* this.#reason(reasoning, heard);
        yield* this.#begin(heard);
      }
    }
  }

  *#reason({ close }, heard) {
    yield* this.#reader.until([close], heard.reasoning);
    heard.mark();
  }

  *#calls(form, marker, begin, heard) {
    const reader = this.#reader;
    try {
      yield* calls(reader, form, this.#tools, marker, heard.call);
    } catch (e) {
      if (!(e instanceof Broken)) throw e;
      if (!isTag(marker)) return heard.text(reader.recorded);
      yield* this.#skipBroken(form, begin);
      heard.broken(reader.recorded, e);
    }
  }

  /** What is left of a call that is none, up to its end or to the next one. */
  *#skipBroken({ section, close }, begin) {
    const end = close.at(-1) ?? section.close.at(-1);
    if (end === undefined) return;
    const marker = yield* this.#reader.until([end, ...begin], () => {});
    if (begin.includes(marker)) this.#reader.back(marker);
  }

  /** The beginning of a reply, or of what follows reasoning: it may be reasoning that no marker begins, or a call without a marker. */
  *#begin(heard) {
    const reader = this.#reader;
    const { reasoning, calls: form } = this.#form;
    reader.record();
    yield* reader.space();
    const pair = reasoning ?? THINK;
    if (yield* reader.accept(pair.open)) {
      heard.mark();
      yield* this.#reason(pair, heard);
      reader.record();
      yield* reader.space();
    }
    if (form?.bare && this.#tools) {
      for (const marker of ['{', '[']) {
        if (yield* reader.sees(marker)) return yield* this.#bareCalls(form, heard);
      }
    }
    heard.text(reader.recorded);
  }

  /** Calls that are bare JSON: only those of known tools are, the rest is text. */
  *#bareCalls(form, heard) {
    const reader = this.#reader;
    const hear = (call) => {
      if (!this.#tools.has(call.name)) throw new Broken(`there is no tool '${call.name}'`);
      heard.call(call);
    };
    try {
      yield* calls(reader, { ...form, section: { open: [], close: form.section.close } }, this.#tools, undefined, hear);
    } catch (e) {
      if (!(e instanceof Broken)) throw e;
      heard.text(reader.recorded);
    }
  }
}
