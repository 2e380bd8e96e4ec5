// What a model's replies look like, learned from its chat template: histories with a call, two calls and reasoning are rendered. No
// list of models is needed, and a model of tomorrow is read, too.
import { failure } from '../../errors.js';
import { CALLS, difference, formOf, isControl, isStrict, objectIn, same, tokens } from './derive.js';
import { BARE, BEGUN, CHANNELS, FORMS, REASONING } from './forms.js';

const TEXT = 'Qxtext';
const THOUGHT = 'Qxthought';
const USER = { role: 'user', content: 'Qxuser' };
const TOOLS = CALLS.map(({ name, args }) => ({
  type: 'function',
  function: {
    name,
    description: name,
    parameters: { type: 'object', properties: Object.fromEntries(Object.keys(args).map((key) => [key, { type: 'string', description: key }])), required: Object.keys(args) },
  },
}));
/** The names that templates have for reasoning in a message. */
const THOUGHT_KEYS = ['reasoning_content', 'reasoning', 'thinking'];

/** A model's template, asked. */
class Template {
  #model;
  #format;

  constructor(model, format) {
    this.#model = model;
    this.#format = format;
  }

  /** What becomes of messages; null where the template refuses them. */
  async render(messages, { tools, addGenerationPrompt = false } = {}) {
    try {
      return await this.#model.formatChat([USER, ...messages], { ...this.#format, tools, addGenerationPrompt });
    } catch (e) {
      if (e.code !== 'TEMPLATE_ERROR') throw e;
      return null;
    }
  }

  /** Whether the vocabulary has a marker as one token. */
  async hasToken(marker) {
    return (await this.#model.tokenize(marker)).length === 1;
  }
}

/** A message with calls. */
const messageOf = (n, asText, content) => ({
  role: 'assistant',
  content,
  tool_calls: CALLS.slice(0, n).map(({ id, name, args }) => ({ type: 'function', id, function: { name, arguments: asText ? JSON.stringify(args) : args } })),
});

/** How calls look, and whether the template wants arguments as text. */
async function learnCalls(template) {
  const candidates = [];
  // Some write a text and no calls, others fail at what the prompt says of tools.
  for (const [content, tools] of [['', TOOLS], [null, TOOLS], [null, undefined]]) {
    const plain = (await template.render([{ role: 'assistant', content: TEXT }], { tools })) ?? '';
    for (const asText of [false, true]) {
      const [one, two] = await Promise.all([1, 2].map((n) => template.render([messageOf(n, asText, content)], { tools })));
      const body = one !== null && difference(one, plain);
      const form = body && formOf(body, two === null ? null : difference(two, plain));
      if (!form) continue;
      // Arguments that became a string within JSON are those of a template that wants an object.
      const isQuoted = body.includes('\\"');
      const object = objectIn(body, (value) => same(value, CALLS[0].args));
      candidates.push({ form, argumentsAsText: asText, withoutContent: content === null, rank: isQuoted ? 2 : object && isStrict(body, object) ? 0 : 1 });
    }
    if (candidates.length) break;
  }
  return candidates.sort((a, b) => a.rank - b.rank)[0];
}

/** What the model reasons between, the name that the template has for it, and what the template writes before the answer. */
async function learnReasoning(template, plain, prompt, tools) {
  const found = { key: THOUGHT_KEYS[0] };
  search: for (const key of THOUGHT_KEYS) {
    for (const message of [{ role: 'assistant', content: TEXT }, ...(tools ? [messageOf(1, false, ''), messageOf(1, true, '')] : [])]) {
      const text = await template.render([{ ...message, [key]: THOUGHT }], { tools });
      const at = text?.indexOf(THOUGHT) ?? -1;
      if (at < 0) continue;
      const before = text.slice(0, at).trimEnd();
      found.key = key;
      const [answer] = text.slice(at + THOUGHT.length).split(TEXT);
      found.pair = REASONING.find(({ open }) => before.endsWith(open));
      const [open, close] = [tokens(before).at(-1), tokens(text.slice(at + THOUGHT.length))[0]];
      if (!found.pair && [open, close].every((marker) => /^[<[]..+[>\]]$/.test(marker)) && !plain.includes(open)) found.pair = { open, close };
      if (found.pair && message.content === TEXT && answer.includes(found.pair.close)) found.answer = answer;
      break search;
    }
  }
  found.pair ??= REASONING.find(({ close }) => prompt.includes(close) || plain.includes(close));
  for (const pair of REASONING) found.pair ??= (await template.hasToken(tokens(pair.open)[0])) ? pair : undefined;
  return found;
}

/** Some templates write that the model did not reason, before a call. */
function withoutReasoning(form, pair) {
  const { section, open } = form;
  const strip = (markers) => markers.filter((marker) => marker !== pair?.open && marker !== pair?.close);
  return { ...form, section: { ...section, open: strip(section.open) }, open: strip(open) };
}

/** Control tokens around a text that belong to no text. */
function silentMarkers(plain, prompt, pair) {
  const around = tokens(difference(plain, prompt ?? '')).filter(isControl);
  return [...new Set(around)].filter((marker) => marker !== pair?.open && marker !== pair?.close);
}

/**
 * How a model's replies look with a chat's format: `{ calls, reasoning, silent, channels }` for the parser; `answer`, the text between
 * reasoning and answer; and what `forTemplate` takes. Fails with `TEMPLATE_ERROR` if there are to be tools and the template
 * does nothing with them.
 */
export async function learn(model, format, withTools) {
  const template = new Template(model, format);
  const tools = withTools ? TOOLS : undefined;
  const prompt = await template.render([], { tools, addGenerationPrompt: true });
  const plain = (await template.render([{ role: 'assistant', content: TEXT }], { tools })) ?? '';
  const family = CHANNELS.find((one) => one.prompt.test(prompt ?? ''));
  const channels = family?.name;
  const reasoning = channels ? {} : await learnReasoning(template, plain, prompt ?? '', tools);
  const form = {
    channels,
    answer: family?.answer ?? reasoning.answer,
    reasoning: reasoning.pair,
    reasoningKey: channels === 'harmony' ? 'thinking' : reasoning.key,
    silent: silentMarkers(plain, prompt, reasoning.pair),
    argumentsAsText: channels === 'functionary',
  };
  if (!withTools) return form;
  const learned = await learnCalls(template);
  if (learned) Object.assign(form, { calls: withoutReasoning(learned.form, reasoning.pair), argumentsAsText: learned.argumentsAsText, withoutContent: learned.withoutContent });
  if (family) return { ...form, calls: { forced: family.forced } };
  if (learned) return form;
  if (prompt !== null && prompt === (await template.render([], { addGenerationPrompt: true }))) {
    throw failure('TEMPLATE_ERROR', "the chat template does nothing with tools: the model would not hear of them; give chat() a template that names them");
  }
  for (const [marker, calls] of FORMS) {
    if (prompt?.includes(marker) || (await template.hasToken(marker))) return { ...form, calls, isWritten: true };
  }
  return { ...form, calls: BARE, isWritten: true };
}

/** Whether a prompt has begun to reason: what the reply begins within, or undefined. */
export function begunReasoning(prompt, { reasoning, channels }) {
  if (channels) return undefined;
  const end = prompt.trimEnd();
  return [...(reasoning ? [reasoning] : []), ...REASONING, ...BEGUN].find(({ open }) => end.endsWith(open));
}
