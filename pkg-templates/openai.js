// OpenAI's API on a model. The types and their documentation are in openai.d.ts.
import { Completions } from './openai/completions.js';
import { fetchOf } from './openai/fetch.js';
import { optionsOf } from './options.js';

export { APIError } from './openai/errors.js';

export function openai(model) {
  const completions = new Completions(model);
  const create = async (body, options) => completions.create(body, optionsOf('create', options));
  return { chat: { completions: { create } } };
}

export const createFetch = (model) => fetchOf(model, new Completions(model));
