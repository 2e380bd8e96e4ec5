// Calls of tools in a reply. There are three syntaxes; the markers around them are the form's, see forms.js.
import { literal, keywords } from './literal.js';
import { Broken, Reader } from './reader.js';

const MAX_NAME = 128;
/** The members of a call that is an object, by the names that models use. */
const NAME = ['name', 'tool_name', 'function'];
const ARGUMENTS = ['arguments', 'parameters', 'args'];
const ID = ['id', 'tool_call_id', 'call_id'];

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const member = (object, names) => object[names.find((name) => Object.hasOwn(object, name))];

/** A value that is there as a whole. */
function valueIn(text) {
  try {
    return JSON.parse(text);
  } catch {
    const reader = new Reader();
    reader.push(text);
    reader.ended = true;
    const { value } = literal(reader).next(); // It never waits: the text has ended.
    if (reader.rest.trim()) throw new Broken('there is more than a value');
    return value;
  }
}

/** Take those of the markers that are there, in their order, with space before each. An id stands for itself. */
export function* skip(reader, markers) {
  let id;
  for (const marker of markers) {
    yield* reader.space();
    if (marker === 'ID') id = yield* reader.run(/[\w.:-]/, MAX_NAME);
    else yield* reader.accept(marker);
  }
  return id;
}

function callOf(name, args, id) {
  const given = typeof args === 'string' ? valueIn(args) : args ?? {};
  if (typeof name !== 'string' || !name) throw new Broken('a call has no name');
  if (!isObject(given)) throw new Broken(`the arguments of '${name}' are no object`);
  return { name, arguments: given, id: typeof id === 'string' && id ? id : undefined };
}

/** Calls that are objects: `{"name": …, "arguments": …}`, `{NAME: ARGUMENTS}`, those within `function`, or an array of them. */
export function callsIn(value) {
  if (Array.isArray(value)) return value.flatMap(callsIn);
  if (!isObject(value)) throw new Broken('a call is no object');
  if (isObject(value.function)) return callsIn({ id: value.id, ...value.function });
  const name = member(value, NAME);
  if (name !== undefined) return [callOf(name, member(value, ARGUMENTS), member(value, ID))];
  const [[key, args] = [], ...more] = Object.entries(value);
  if (more.length || !isObject(args)) throw new Broken('a call has no name');
  return [callOf(key, args)];
}

function* nameOf(reader) {
  const name = yield* reader.run(/[\w.:/-]/, MAX_NAME);
  if (!name) throw new Broken('a call has no name');
  return name;
}

/** An object or an array of them, or `NAME … {…}`. */
function* json(reader, form, tools) {
  for (const bracket of ['{', '[']) if (yield* reader.sees(bracket)) return callsIn(yield* literal(reader));
  const said = yield* nameOf(reader);
  const id = yield* skip(reader, form.between);
  const args = yield* literal(reader);
  // Kimi numbers its calls: `functions.NAME:0`.
  const [, name] = !tools.has(said) && /^(?:functions\.)?(.+):\d+$/.exec(said) || [said, said];
  return [callOf(name, args, id ?? (name === said ? undefined : `functions.${said.replace(/^functions\./, '')}`))];
}

/** A value as text: what it is, its attributes say (`string="true"`), or the tool's schema, or its looks. */
function typed(text, attributes, schema) {
  const types = [schema?.type ?? (schema?.enum?.every((one) => typeof one === 'string') ? 'string' : [])].flat();
  const isText = /string="true"/.test(attributes) || (types.includes('string') && !(text === 'null' && types.includes('null')));
  if (isText) return text;
  try {
    return valueIn(text);
  } catch {
    return text;
  }
}

/** The text of a parameter. Its end mark may be in the text, too: what follows it decides. */
function* parameterText(reader, form) {
  const { open, close } = form.parameter;
  let text = '';
  for (;;) {
    text += (yield* reader.before([close])).text;
    const gap = yield* reader.space();
    if (!(yield* reader.has(1))) return text;
    for (const next of [open, ...form.close.slice(0, 1)]) if (yield* reader.sees(next)) return text;
    text += close + gap;
  }
}

/** `NAME … KEY … VALUE … KEY … VALUE`: values stand there as they are. */
function* parameters(reader, form, tools) {
  const { open, between, lines } = form.parameter;
  const name = yield* nameOf(reader);
  yield* skip(reader, form.between);
  const properties = tools.get(name)?.properties;
  const args = [];
  for (;;) {
    yield* reader.space();
    if (!(yield* reader.accept(open))) break;
    const key = yield* reader.run(/[^\s<>"=]/, MAX_NAME);
    const { text: attributes } = yield* reader.before(['>']);
    for (const marker of between) yield* reader.accept(marker);
    const text = yield* parameterText(reader, form);
    const value = lines ? text.replace(/^\n/, '').replace(/\n$/, '') : text;
    args.push([key, typed(value, attributes, isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined)]);
  }
  return [callOf(name, Object.fromEntries(args))];
}

/** `NAME(KEY=VALUE, …)` */
function* python(reader) {
  if (yield* reader.sees('{')) return callsIn(yield* literal(reader));
  const name = yield* nameOf(reader);
  yield* reader.space();
  if (!(yield* reader.accept('('))) throw new Broken(`'(' is missing after '${name}'`);
  return [callOf(name, yield* keywords(reader, ')'))];
}

const SYNTAXES = { json, parameters, python };

/** Whether another call follows. */
function* more(reader, { separator, open }) {
  yield* reader.space();
  if (separator && (yield* reader.accept(separator))) return true;
  return open.length > 0 && (yield* reader.sees(open[0]));
}

/**
 * Calls, after `marker`, which began them. `hear` gets each as it is complete. Throws `Broken`; what was read since the last
 * good call is `reader.recorded` then.
 */
export function* calls(reader, form, tools, marker, hear) {
  const opening = [...form.section.open, ...form.open];
  let markers = opening.slice(opening.lastIndexOf(marker) + 1);
  do {
    yield* skip(reader, markers);
    yield* reader.space();
    for (const call of yield* SYNTAXES[form.syntax](reader, form, tools)) hear(call);
    yield* skip(reader, form.close);
    reader.record();
    markers = form.open;
  } while (yield* more(reader, form));
  yield* skip(reader, form.section.close);
}
