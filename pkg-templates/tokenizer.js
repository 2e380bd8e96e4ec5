// The text side of a model: no GPU is needed. The types and their documentation are in index.d.ts.
import { failure, given, shown, toJson } from './errors.js';

/** Options are what they say, lest a 'false' passes for true. */
function need(type, what, value) {
  if (typeof value !== type) throw failure('INVALID_ARGUMENT', `${what} is ${shown(value)}; a ${type} is allowed`);
}

/** What the wasm makes a conversation's prompt of: JSON of the variables, and the template. */
export function chatArguments(messages, options) {
  const { addGenerationPrompt = true, template, ...variables } = given(options);
  if (template !== undefined) need('string', 'the template', template);
  const all = { ...variables, messages, add_generation_prompt: addGenerationPrompt };
  return [toJson('the messages or variables of a chat', all), template];
}

export class Tokenizer {
  #engine;

  /** @internal Use loadTokenizer. */
  constructor(engine) {
    this.#engine = engine;
    this.info = Object.freeze(JSON.parse(engine.info()));
  }

  tokenize(text, options) {
    const { addSpecial = false, parseSpecial = true } = given(options);
    need('string', 'the text', text);
    return this.#engine.tokenize(text, addSpecial, parseSpecial);
  }

  detokenize(ids, options) {
    const { showSpecial = false } = given(options);
    return this.#engine.detokenize(this.#checked(ids), showSpecial);
  }

  formatChat(messages, options) {
    return this.#engine.format_chat(...chatArguments(messages, options));
  }

  tokenizeChat(messages, options) {
    return this.#engine.chat_ids(...chatArguments(messages, options));
  }

  /** @internal The ids of what the model is to go on with: text or ids. */
  promptIds(prompt, { parseSpecial = true } = {}) {
    need('boolean', 'parseSpecial', parseSpecial);
    if (typeof prompt === 'string') return this.#engine.prompt_ids(prompt, parseSpecial);
    return this.#checked(prompt);
  }

  #checked(ids) {
    if (!ids?.[Symbol.iterator]) throw failure('INVALID_ARGUMENT', `what was given as token ids is ${shown(ids)}; an iterable of them is allowed`);
    const limit = this.info.vocabularySize;
    return Uint32Array.from(ids, (id) => {
      if (Number.isInteger(id) && id >= 0 && id < limit) return id;
      throw failure('INVALID_ARGUMENT', `${shown(id)} is no token id of this model; 0 to ${limit - 1} is allowed`);
    });
  }
}
