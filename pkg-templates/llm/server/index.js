// Models on a server that speaks OpenAI's protocol. index.js loads this when one is asked for.
import { failure } from '../../errors.js';
import { ServerModel } from './model.js';
import { Wire } from './wire.js';

/** As many tokens as a model here generates at most, unless told otherwise. */
const MAX_TOKENS = 512;
/** What servers answer that list no models. */
const NO_LIST = [404, 405, 501];

async function listed(wire, signal) {
  try {
    const { data } = await wire.json('/models', undefined, signal);
    return Array.isArray(data) ? data.filter((model) => typeof model?.id === 'string') : [];
  } catch (e) {
    if (NO_LIST.includes(e.status)) return [];
    throw e;
  }
}

/** Ask a server for its models, and take one. `why` the model does not run here, if it was to. */
export async function connect({ baseURL, model, apiKey, retry, signal }, why) {
  const wire = new Wire({ baseURL, apiKey, retry });
  const models = await listed(wire, signal);
  const ids = models.map(({ id }) => id);
  const found = models.find(({ id }) => id === model) ?? (models.length === 1 ? models[0] : undefined);
  const name = model ?? found?.id;
  if (name === undefined) throw failure('INVALID_ARGUMENT', `model is not given, and the server has ${ids.length ? `several: '${ids.join("', '")}'` : 'no list of models'}`);
  const warnings = why === undefined ? [] : [`the model runs on the server, since it can't run here: ${why}`];
  if (ids.length && !ids.includes(name)) warnings.push(`the server lists '${ids.join("', '")}', and no '${name}'`);
  // vLLM and llama-server, each in its way.
  const contextLength = found?.max_model_len ?? found?.meta?.n_ctx ?? found?.meta?.n_ctx_train ?? null;
  return new ServerModel(wire, { backend: 'server', name, baseURL: wire.url, contextLength, defaults: { maxTokens: MAX_TOKENS }, warnings });
}
