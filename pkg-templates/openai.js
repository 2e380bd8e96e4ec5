// OpenAI's API on a model. The types and their documentation are in openai.d.ts.
import { Completions } from './openai/completions.js';
import { fetchOf } from './openai/fetch.js';
import { Forwarded } from './openai/forward.js';
import { optionsOf } from './options.js';

export { APIError } from './openai/errors.js';

const completionsOf = (model) => (model.forward ? new Forwarded(model) : new Completions(model));

export function openai(model) {
  const completions = completionsOf(model);
  const create = async (body, options) => completions.create(body, optionsOf('create', options));
  return { chat: { completions: { create } } };
}

export const createFetch = (model) => fetchOf(model, completionsOf(model));
