// The text side of a model: no GPU is needed. The types and their documentation are in index.d.ts.
import { failure, shown } from '../errors.js';
import { optionsOf } from '../options.js';

function checkText(text) {
  if (typeof text !== 'string') throw failure('INVALID_ARGUMENT', `the text is ${shown(text)}; a string is allowed`);
}

const isIterable = (value) => Boolean(value?.[Symbol.iterator]);
const isMessage = (value) => typeof value === 'object' && value !== null && 'role' in value;

/** A prompt is a text or ids. Messages are none. */
export function checkPrompt(prompt) {
  if (isMessage(prompt) || (Array.isArray(prompt) && prompt.some(isMessage))) {
    throw failure('INVALID_ARGUMENT', 'what was given as a prompt are messages; use chat(), or give the ids of tokenizeChat(messages)');
  }
  if (!isIterable(prompt)) {
    throw failure('INVALID_ARGUMENT', `the prompt is ${shown(prompt)}; a string or an iterable of token ids is allowed`);
  }
}

/**
 * What the wasm makes a conversation's prompt of: JSON of the variables, which templates read as JSON, and the template.
 * What JSON has not, such as a circle, is the caller's mistake.
 */
export function chatArguments(messages, { addGenerationPrompt = true, template, variables, ...more }) {
  const all = { ...variables, ...more, messages, add_generation_prompt: addGenerationPrompt };
  try {
    return [JSON.stringify(all), template];
  } catch (e) {
    throw failure('INVALID_ARGUMENT', `the messages or variables of a chat are no JSON: ${e.message}`, { cause: e });
  }
}

export class Tokenizer {
  #engine;

  /** @internal Use loadTokenizer. */
  constructor(engine) {
    this.#engine = engine;
    this.info = Object.freeze(engine.info());
  }

  tokenize(text, options) {
    const { addSpecial = false, parseSpecial = true } = optionsOf('tokenize', options);
    checkText(text);
    return this.#engine.tokenize(text, addSpecial, parseSpecial);
  }

  detokenize(ids, options) {
    const { showSpecial = false } = optionsOf('detokenize', options);
    return this.#engine.detokenize(this.#checked(ids), showSpecial);
  }

  count(input, options) {
    const { addSpecial, parseSpecial, ...chat } = optionsOf('count', options);
    const ids = Array.isArray(input) ? this.tokenizeChat(input, chat) : this.tokenize(input, { addSpecial, parseSpecial });
    return ids.length;
  }

  formatChat(messages, options) {
    return this.#engine.format_chat(...chatArguments(messages, optionsOf('formatChat', options)));
  }

  tokenizeChat(messages, options) {
    return this.#engine.chat_ids(...chatArguments(messages, optionsOf('tokenizeChat', options)));
  }

  /** @internal What the engine of response formats needs to know of the tokens. */
  vocabulary() {
    return this.#engine.vocabulary();
  }

  /** @internal The ids of what the model is to go on with: text or ids. */
  promptIds(prompt, parseSpecial = true) {
    return typeof prompt === 'string' ? this.#engine.prompt_ids(prompt, parseSpecial) : this.#checked(prompt);
  }

  #checked(ids) {
    if (!isIterable(ids)) throw failure('INVALID_ARGUMENT', `what was given as token ids is ${shown(ids)}; an iterable of them is allowed`);
    const limit = this.info.vocabularySize;
    return Uint32Array.from(ids, (id) => {
      if (Number.isInteger(id) && id >= 0 && id < limit) return id;
      throw failure('INVALID_ARGUMENT', `${shown(id)} is no token id of this model; 0 to ${limit - 1} is allowed`);
    });
  }
}
