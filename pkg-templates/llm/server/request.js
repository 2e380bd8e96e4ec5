// Options of a chat or a text, as a server takes them. What it can't do is an error that says so.
import { failure } from '../../errors.js';

export const lacks = (what) => failure('UNSUPPORTED_BY_SERVER', `${what} can't be had of a model on a server`);

/** Options under the names of the protocol; llama-server and vLLM have two names for the penalty. */
const NAMES = {
  maxTokens: ['max_tokens'],
  temperature: ['temperature'],
  topP: ['top_p'],
  topK: ['top_k'],
  minP: ['min_p'],
  repeatPenalty: ['repeat_penalty', 'repetition_penalty'],
  seed: ['seed'],
  stop: ['stop'],
  ignoreEnd: ['ignore_eos'],
};

function formatOf(format) {
  if (format.type === 'json') return { type: 'json_object' };
  if (format.type === 'json_schema') return { type: 'json_schema', json_schema: { name: 'reply', schema: format.schema, strict: true } };
  throw lacks(`responseFormat of the type '${format.type}'`);
}

/** Sampling options. */
export function samplingOf({ responseFormat, ...options }) {
  const body = responseFormat ? { response_format: formatOf(responseFormat) } : {};
  for (const [option, value] of Object.entries(options)) {
    if (!Object.hasOwn(NAMES, option)) throw lacks(`the option ${option}`);
    for (const name of NAMES[option]) body[name] = value;
  }
  return body;
}

const choiceOf = (choice) => (typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } });

const callOf = (call) => {
  const args = call.function?.arguments;
  return typeof args === 'string' || args === undefined ? call : { ...call, function: { ...call.function, arguments: JSON.stringify(args) } };
};

/** What a chat says, and with what. */
export function chatOf(messages, { tools, variables }, { toolChoice, ...options }) {
  const hasTools = tools?.length > 0;
  return {
    messages: messages.map((message) => (message.tool_calls ? { ...message, tool_calls: message.tool_calls.map(callOf) } : message)),
    ...(hasTools ? { tools } : {}),
    ...(hasTools && toolChoice !== undefined ? { tool_choice: choiceOf(toolChoice) } : {}),
    ...(variables === undefined ? {} : { chat_template_kwargs: variables }),
    ...samplingOf(options),
  };
}
