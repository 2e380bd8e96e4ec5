// A reply as chat.stream gives it: parts, and the message that they make.
import { failure, shown } from '../../errors.js';
import { begunReasoning, learn } from './learn.js';
import { forTemplate } from './messages.js';
import { ReplyParser } from './parser.js';

/** Mistral's templates take ids of nine letters and digits, others any. */
const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');

/** The tools of a chat by name, with what their arguments may be. */
function schemasOf(tools = []) {
  const functions = tools.map((tool) => tool?.function ?? tool).filter((tool) => typeof tool?.name === 'string');
  return new Map(functions.map(({ name, parameters }) => [name, parameters]));
}

/** The tools that must be called; undefined where the model chooses. */
function forcedNames(choice, schemas) {
  if (choice === 'auto' || choice === 'none') return undefined;
  if (choice === 'required' && schemas.size) return [...schemas.keys()];
  const name = choice?.name;
  if (schemas.has(name)) return [name];
  const names = [...schemas.keys()].map((name) => `'${name}'`).join(', ') || 'none';
  const found = name === undefined ? shown(choice) : `{ name: '${shown(name)}' }`;
  throw failure('INVALID_ARGUMENT', `toolChoice is ${found}; 'auto', 'none', 'required' or the { name } of a tool is allowed; the tools are ${names}`);
}

export class Reading {
  #model;
  #form;
  /** How the template is given calls that were made. */
  #written;
  #format;
  #schemas;
  #forced;
  #budget;
  #maxTokens;
  #parser;
  #nReasoning = 0;
  #nTokens = 0;
  /** Ids of calls that the conversation has. */
  #ids;
  message = { role: 'assistant', content: '' };

  /** `format` is what the prompt is made with; `learned` keeps what was found out of it. */
  static async begin(model, learned, format, { toolChoice = 'auto', maxReasoningTokens, maxTokens, responseFormat }) {
    const tools = toolChoice === 'none' ? undefined : format.tools;
    const key = Boolean(format.tools?.length);
    if (!learned.has(key)) {
      learned.set(key, learn(model, format, key));
      learned.get(key).catch(() => learned.delete(key));
    }
    const reading = new Reading();
    reading.#model = model;
    reading.#schemas = schemasOf(tools);
    reading.#forced = forcedNames(toolChoice, reading.#schemas);
    if (reading.#forced && responseFormat) {
      throw failure('INVALID_ARGUMENT', "toolChoice forces a call and responseFormat forbids it; with responseFormat, 'auto' or 'none' is allowed");
    }
    reading.#form = await learned.get(key);
    // Calls may be older than this turn's tools.
    reading.#written = (await learned.get(true)) ?? reading.#form;
    if (reading.#forced && !reading.#form.calls?.forced) {
      throw failure('INVALID_ARGUMENT', `toolChoice can't be enforced with this model's calls, in which arguments come before the name; use 'auto'`);
    }
    reading.#format = { ...format, tools };
    reading.#budget = maxReasoningTokens ?? Infinity;
    reading.#maxTokens = maxTokens;
    // Within a format there are no calls: its text is all the caller's.
    if (responseFormat || !tools?.length) reading.#schemas = undefined;
    return reading;
  }

  get format() {
    return this.#format;
  }

  forTemplate(messages) {
    return forTemplate(messages, this.#written);
  }

  /** Arrays of parts, as they come. `generate` continues ids. */
  async *read(generate, ids, kept, onToken) {
    const prompt = await this.#model.formatChat(this.forTemplate(kept), this.#format);
    const begun = begunReasoning(prompt, this.#form);
    const reasoning = begun ?? this.#form.reasoning;
    this.#ids = new Set(kept.flatMap((message) => message.tool_calls ?? []).map(({ id }) => id));
    this.#parser = new ReplyParser({ ...this.#form, reasoning }, { tools: this.#schemas, isReasoning: Boolean(begun) });
    const run = (ids, more) => {
      const heard = (id) => {
        this.#nTokens++;
        if (this.#parser.isReasoning) this.#nReasoning++;
        onToken?.(id);
      };
      return generate(ids, { showSpecial: true, maxTokens: Math.max(1, this.#maxTokens - this.#nTokens), ...more, onToken: heard });
    };
    const answer = this.#form.answer ?? `${reasoning?.close ?? '</think>'}\n\n`;
    if (this.#forced) yield* this.#readForced(run, ids, begun ? answer : '');
    else if (begun && this.#budget === 0) yield* this.#readAnswer(run, ids, answer);
    else yield* this.#readFreely(run, ids, answer);
    yield this.#took(this.#parser.end());
    const { finishReason } = this.#model.stats;
    yield [{ type: 'finish', finishReason: finishReason === 'end' && this.message.tool_calls ? 'tool-calls' : finishReason }];
  }

  /** What the model wants to write, but for reasoning beyond its budget. */
  async *#readFreely(run, ids, answer) {
    for await (const piece of run(ids)) {
      yield* this.#push(piece);
      if (this.#parser.isReasoning && this.#nReasoning >= this.#budget) break;
    }
    const isOver = this.#model.stats.finishReason !== null;
    if (!isOver && this.#nTokens < this.#maxTokens) yield* this.#readAnswer(run, this.#model.history, answer);
  }

  /** What comes after reasoning that is ended here, by `answer`. */
  async *#readAnswer(run, ids, answer) {
    yield* this.#push(answer);
    for await (const piece of run(await this.#joined(ids, answer))) yield* this.#push(piece);
  }

  /** A call: its beginning is part of the prompt, the name is one of the tools', the arguments are as its schema wants them. */
  async *#readForced(run, ids, begin) {
    const { head, middle, tail, id } = this.#form.calls.forced;
    const names = this.#forced;
    let name = names[0];
    let opening = begin + head;
    const isCut = () => this.#model.stats.finishReason !== 'end';
    if (names.length > 1) {
      name = '';
      const choice = { responseFormat: { type: 'choice', choices: names }, stop: [] };
      for await (const piece of run(await this.#joined(ids, opening), choice)) name += piece;
      if (isCut()) return;
    }
    const callId = newId();
    opening += name + (id ? middle.replaceAll(id, callId) : middle);
    yield* this.#push(opening);
    const prompt = await this.#joined(ids, opening);
    const schema = this.#schemas.get(name) ?? { type: 'object' };
    const more = tail === undefined ? {} : { responseFormat: { type: 'json_schema', schema }, stop: [] };
    for await (const piece of run(prompt, more)) yield* this.#push(piece);
    if (tail !== undefined && !isCut()) yield* this.#push(id ? tail.replaceAll(id, callId) : tail);
  }

  /** Ids with those of a text after them. */
  async #joined(ids, text) {
    return [...ids, ...(text ? await this.#model.tokenize(text) : [])];
  }

  *#push(piece) {
    const parts = this.#took(this.#parser.push(piece));
    if (parts.length) yield parts;
  }

  /** Parts, which are in the message now. */
  #took(parts) {
    const { message } = this;
    return parts.map((part) => {
      if (part.type === 'text') message.content += part.delta;
      if (part.type === 'invalid-tool-call') message.content += part.text;
      if (part.type === 'reasoning') message.reasoning_content = (message.reasoning_content ?? '') + part.delta;
      if (part.type !== 'tool-call') return part;
      const { name, arguments: args } = part;
      const id = part.id === undefined || this.#ids.has(part.id) ? newId() : part.id;
      this.#ids.add(id);
      (message.tool_calls ??= []).push({ type: 'function', id, function: { name, arguments: args } });
      return { type: 'tool-call', id, name, arguments: args };
    });
  }
}
