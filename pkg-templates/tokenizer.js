// The text side of a model: no GPU is needed. The types and their documentation are in index.d.ts.
import { failure } from './errors.js';

/** JSON of what a template is given; what JSON has not, such as a BigInt or a circle, is the caller's mistake. */
function toJson(variables) {
  try {
    return JSON.stringify(variables);
  } catch (e) {
    throw failure('INVALID_ARGUMENT', `the messages or variables of formatChat are no JSON: ${e.message}`, { cause: e });
  }
}

function needString(what, value) {
  if (typeof value !== 'string') throw failure('INVALID_ARGUMENT', `${what} is ${value}; a string is allowed`);
}

export class Tokenizer {
  #engine;

  /** @internal Use loadTokenizer. */
  constructor(engine) {
    this.#engine = engine;
    this.info = Object.freeze(JSON.parse(engine.info()));
  }

  tokenize(text, { addSpecial = false, parseSpecial = true } = {}) {
    needString('the text', text);
    return this.#engine.tokenize(text, addSpecial, parseSpecial);
  }

  detokenize(ids, { showSpecial = false } = {}) {
    return this.#engine.detokenize(this.#checked(ids), showSpecial);
  }

  formatChat(messages, { addGenerationPrompt = true, template, ...variables } = {}) {
    if (template !== undefined) needString('the template', template);
    const all = { ...variables, messages, add_generation_prompt: addGenerationPrompt };
    return this.#engine.format_chat(toJson(all), template);
  }

  /** @internal The ids of what the model is to go on with: text or ids. */
  promptIds(prompt) {
    if (typeof prompt === 'string') return this.#engine.prompt_ids(prompt);
    if (prompt?.[Symbol.iterator]) return this.#checked(prompt);
    throw failure('INVALID_ARGUMENT', `the prompt is ${prompt}; a string or token ids are allowed`);
  }

  #checked(ids) {
    const limit = this.info.vocabularySize;
    return Uint32Array.from(ids, (id) => {
      if (Number.isInteger(id) && id >= 0 && id < limit) return id;
      throw failure('INVALID_ARGUMENT', `${id} is no token id of this model; 0 to ${limit - 1} is allowed`);
    });
  }
}
