// The option `responseFormat`: what a reply may be.
import { wasm } from '../constrain-wasm.js';
import { failure, guarded, shown } from '../errors.js';
import { unknownName } from '../options.js';
import { Vocabulary } from '../webgguf_constrain.js';

const isText = (value) => typeof value === 'string';
const isSchema = (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
const isList = (value) => Array.isArray(value) && value.length > 0 && value.every(isText);

/** The formats: what each has beside its type, and how the engine gets it. */
const FORMATS = {
  json: null,
  json_schema: { name: 'schema', allowed: 'an object, true or false', is: isSchema, text: (schema) => JSON.stringify(schema) },
  regex: { name: 'pattern', allowed: 'a string', is: isText, text: (pattern) => pattern },
  grammar: { name: 'grammar', allowed: 'a string', is: isText, text: (grammar) => grammar },
  choice: { name: 'choices', allowed: 'an array of strings', is: isList },
};

/** A response format, checked, as its engine takes it. */
function checked(format) {
  const { type, ...rest } = format;
  if (!Object.hasOwn(FORMATS, type)) {
    const types = Object.keys(FORMATS).join("', '");
    throw failure('INVALID_ARGUMENT', `responseFormat.type is ${shown(type)}; '${types}' are allowed`);
  }
  const more = FORMATS[type];
  for (const name of Object.keys(rest)) {
    if (name !== more?.name) throw unknownName('responseFormat', name, more ? ['type', more.name] : ['type']);
  }
  const value = more && rest[more.name];
  if (more && !more.is(value)) {
    throw failure('INVALID_ARGUMENT', `responseFormat.${more.name} is ${shown(value)}; ${more.allowed} is allowed`);
  }
  return [type, more?.text ? more.text(value) : '', type === 'choice' ? value : []];
}

/** Where the engine's wasm is, if the model's own is kept somewhere by its name: beside it. */
const besideOf = (wasmUrl) => {
  const own = /webgguf(?=_bg\.wasm(\?|$))/;
  return own.test(wasmUrl) ? String(wasmUrl).replace(own, 'webgguf_constrain') : undefined;
};

/** The response formats of a model. */
export class Formats {
  #tokenizer;
  #wasmUrl;
  #vocabulary;

  constructor(tokenizer, wasmUrl) {
    this.#tokenizer = tokenizer;
    this.#wasmUrl = wasmUrl;
  }

  /** What the wasm of the model asks which tokens may come next; undefined without a format. */
  async begin(format, ignoreEnd = false) {
    if (format === undefined || format === null) return undefined;
    const arguments_ = checked(format);
    await wasm.initialize(besideOf(this.#wasmUrl));
    this.#vocabulary ??= guarded(new Vocabulary(...this.#tokenizer.vocabulary()));
    return this.#vocabulary.begin(...arguments_, !ignoreEnd);
  }
}
