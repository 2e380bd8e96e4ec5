// Errors as OpenAI's API has them, and how the engine's become such.

/** @see openai.d.ts */
export class APIError extends Error {
  constructor(status, { message, type = status < 500 ? 'invalid_request_error' : 'server_error', param = null, code = null }, options) {
    super(message, options);
    Object.assign(this, { name: 'APIError', status, type, param, code, error: { message, type, param, code } });
  }
}

export const invalid = (param, message, code = 'invalid_value') => new APIError(400, { message, param, code });
export const unsupported = (param, why) => invalid(param, `Unsupported parameter: '${param}' ${why}`, 'unsupported_parameter');

/** What a code of the engine is in HTTP, and in OpenAI's words where these differ. */
const STATUS = {
  INVALID_ARGUMENT: [400, 'invalid_value'],
  TEMPLATE_ERROR: [400],
  CONTEXT_OVERFLOW: [400, 'context_length_exceeded'],
  INVALID_STATE: [409],
  DEVICE_LOST: [503],
  FETCH_FAILED: [502],
};

/** Parameters by the option that they became. */
const PARAMETERS = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  minP: 'min_p',
  repeatPenalty: 'repeat_penalty',
  stop: 'stop',
  seed: 'seed',
  responseFormat: 'response_format',
  toolChoice: 'tool_choice',
  variables: 'chat_template_kwargs',
};

/** What was thrown, as an error of the API; a stop stays a stop. */
export function asApiError(e) {
  if (e instanceof APIError || e?.code === 'ABORTED') return e;
  const [status, code = String(e?.code ?? 'INTERNAL').toLowerCase()] = STATUS[e?.code] ?? [500];
  const param = PARAMETERS[/^\w+/.exec(e?.message)?.[0]] ?? (status === 400 && code === 'context_length_exceeded' ? 'messages' : null);
  return new APIError(status, { message: String(e?.message ?? e), param, code }, { cause: e });
}
