// The option `responseFormat`: what a reply may be.
import { failure, shown } from '../errors.js';
import { unknownName } from '../options.js';

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

/** A response format, checked, as the engine takes it. */
export function responseFormatOf(format) {
  if (format === undefined || format === null) return undefined;
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
  return { kind: type, text: more?.text ? more.text(value) : '', choices: type === 'choice' ? value : [] };
}
