// OpenAI's API on a model. The types and their documentation are in openai.d.ts.
import { Completions } from './openai/completions.js';
import { fetchOf } from './openai/fetch.js';
import { optionsOf } from './options.js';

export { APIError } from './openai/errors.js';

/** What answers a model's requests; of one model, one, so that all share its chats. */
const all = new WeakMap();
function completionsOf(model) {
  if (!all.has(model)) all.set(model, new Completions(model));
  return all.get(model);
}

export function openai(model) {
  const completions = completionsOf(model);
  const create = async (body, options) => completions.create(body, optionsOf('create', options));
  return { chat: { completions: { create } } };
}

export const createFetch = (model) => fetchOf(model, completionsOf(model));
