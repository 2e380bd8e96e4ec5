// The body of a request, as what a chat takes. What can't be honoured is an error that names the parameter.
import { heedsEffort } from './chats.js';
import { invalid, unsupported } from './errors.js';

const MAX_CHOICES = 128;
const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];
const EFFORTS = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** Parameters that are options under another name. The last three are llama-server's. */
const OPTIONS = {
  temperature: 'temperature',
  top_p: 'topP',
  stop: 'stop',
  top_k: 'topK',
  min_p: 'minP',
  repeat_penalty: 'repeatPenalty',
};
/** Parameters with code of their own here. */
const READ = [
  'messages', 'model', 'n', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens', 'seed', 'tools', 'tool_choice', 'parallel_tool_calls',
  'response_format', 'reasoning_effort', 'chat_template_kwargs',
];
/** Words to whoever runs the service, which change no reply. */
const LABELS = ['user', 'safety_identifier', 'metadata', 'prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options'];
/** What can't be honoured, with the values that ask for nothing. */
const LACKING = {
  audio: [],
  frequency_penalty: [0],
  function_call: [],
  functions: [],
  logit_bias: [{}],
  logprobs: [false],
  modalities: [['text']],
  moderation: [],
  prediction: [],
  presence_penalty: [0],
  service_tier: ['auto', 'default'],
  store: [false],
  top_logprobs: [],
  verbosity: ['medium'],
  web_search_options: [],
};
const INSTEAD = { functions: '; use tools', function_call: '; use tool_choice' };

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const is = (value, other) => JSON.stringify(value) === JSON.stringify(other);

function whole(param, value, from, to) {
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw invalid(param, `Invalid value for '${param}': a whole number from ${from} to ${to} is allowed, found ${JSON.stringify(value)}.`);
}

function flag(param, value) {
  if (typeof value === 'boolean') return value;
  throw invalid(param, `Invalid type for '${param}': true or false is allowed, found ${JSON.stringify(value)}.`, 'invalid_type');
}

/** The names that the API has, and none that it has not. */
function checkNames(body) {
  for (const [name, value] of Object.entries(body)) {
    if (READ.includes(name) || LABELS.includes(name) || Object.hasOwn(OPTIONS, name)) continue;
    if (!Object.hasOwn(LACKING, name)) throw invalid(name, `Unknown parameter: '${name}'.`, 'unknown_parameter');
    if (!LACKING[name].some((neutral) => is(value, neutral))) throw unsupported(name, `is not supported with this model${INSTEAD[name] ?? ''}.`);
  }
}

function partOf(part, where) {
  if (part?.type === 'text' && typeof part.text === 'string') return { type: 'text', text: part.text };
  if (part?.type === 'refusal' && typeof part.refusal === 'string') return { type: 'text', text: part.refusal };
  throw unsupported(where, `is of the type '${part?.type}': this model takes text only.`);
}

function contentOf({ role, content, refusal }, where) {
  const said = content ?? refusal ?? (role === 'assistant' ? '' : content);
  if (typeof said === 'string') return said;
  if (Array.isArray(said)) return said.map((part, i) => partOf(part, `${where}[${i}]`));
  throw invalid(where, `Invalid type for '${where}': a string or an array of parts is allowed, found ${JSON.stringify(said)}.`, 'invalid_type');
}

function callOf(call, where) {
  const { id, function: { name, arguments: args } = {} } = call ?? {};
  if (typeof id === 'string' && typeof name === 'string' && typeof args === 'string') return { type: 'function', id, function: { name, arguments: args } };
  throw invalid(where, `Invalid value for '${where}': { id, type: 'function', function: { name, arguments } } with strings is allowed.`);
}

/** The messages as chats have them. What a client echoes of a reply beside these, such as `annotations`, says nothing to a model. */
function messagesOf(messages) {
  if (!Array.isArray(messages) || !messages.length) throw invalid('messages', "Invalid value for 'messages': an array with a message is needed.");
  const names = new Map();
  return messages.map((message, i) => {
    const where = `messages[${i}]`;
    const { role, name, tool_calls: calls, tool_call_id: id, reasoning_content: thought } = message ?? {};
    if (!ROLES.includes(role)) {
      throw invalid(`${where}.role`, `Invalid value for '${where}.role': '${ROLES.join("', '")}' are allowed, found ${JSON.stringify(role)}.`);
    }
    for (const other of ['audio', 'function_call']) {
      if (message[other] !== undefined && message[other] !== null) throw unsupported(`${where}.${other}`, 'is not supported with this model.');
    }
    // Templates know `system`, which `developer` is the newer name of.
    const said = { role: role === 'developer' ? 'system' : role, content: contentOf(message, `${where}.content`) };
    if (name !== undefined && name !== null) said.name = name;
    if (typeof thought === 'string') said.reasoning_content = thought;
    if (calls !== undefined && calls !== null && !Array.isArray(calls)) {
      throw invalid(`${where}.tool_calls`, `Invalid type for '${where}.tool_calls': an array is allowed, found ${JSON.stringify(calls)}.`, 'invalid_type');
    }
    if (calls?.length) said.tool_calls = calls.map((call, j) => callOf(call, `${where}.tool_calls[${j}]`));
    for (const call of said.tool_calls ?? []) names.set(call.id, call.function.name);
    if (role !== 'tool') return said;
    if (!names.has(id)) throw invalid(`${where}.tool_call_id`, `Invalid value for '${where}.tool_call_id': no message before has a call ${JSON.stringify(id)}.`);
    return { name: names.get(id), ...said, tool_call_id: id };
  });
}

function toolsOf(tools, isForced) {
  if (!Array.isArray(tools)) throw invalid('tools', `Invalid type for 'tools': an array is allowed, found ${JSON.stringify(tools)}.`, 'invalid_type');
  return tools.map((tool, i) => {
    if (tool?.type !== 'function') throw unsupported(`tools[${i}].type`, `is ${JSON.stringify(tool?.type)}; 'function' is allowed.`);
    const { name, description = '', parameters = { type: 'object', properties: {} }, strict } = tool.function ?? {};
    if (typeof name !== 'string') throw invalid(`tools[${i}].function.name`, `Invalid type for 'tools[${i}].function.name': a string is allowed.`, 'invalid_type');
    if (strict && !isForced) {
      throw unsupported(`tools[${i}].function.strict`, "can't be enforced while the model is free to call or not; leave it out, or force a call by tool_choice.");
    }
    return { type: 'function', function: { name, description, parameters } };
  });
}

function toolChoiceOf(choice) {
  if (['auto', 'none', 'required'].includes(choice)) return choice;
  if (choice?.type === 'function' && typeof choice.function?.name === 'string') return { name: choice.function.name };
  throw unsupported('tool_choice', `is ${JSON.stringify(choice)}; 'auto', 'none', 'required' or { type: 'function', function: { name } } is allowed.`);
}

/** OpenAI's formats in the engine's names. The engine's others may be asked for, too. */
function formatOf(format) {
  if (!isObject(format)) throw invalid('response_format', `Invalid type for 'response_format': an object is allowed, found ${JSON.stringify(format)}.`, 'invalid_type');
  if (format.type === 'text') return undefined;
  if (format.type === 'json_object') return { type: 'json' };
  if (format.type === 'json_schema' && isObject(format.json_schema)) return { type: 'json_schema', schema: format.json_schema.schema ?? true };
  return format;
}

/** How much to reason: an option, or a variable of templates that have one. */
async function effortOf(effort, model) {
  if (effort === 'none') return { maxReasoningTokens: 0, variables: { enable_thinking: false } };
  if (!EFFORTS.includes(effort)) {
    throw invalid('reasoning_effort', `Invalid value for 'reasoning_effort': 'none', '${EFFORTS.join("', '")}' are allowed, found ${JSON.stringify(effort)}.`);
  }
  if (!(await heedsEffort(model))) throw unsupported('reasoning_effort', `is '${effort}', and this model's template knows no efforts; 'none' is allowed.`);
  return { variables: { reasoning_effort: effort } };
}

/** Tokens to generate at most, by either name. */
function limitOf(body) {
  const name = ['max_completion_tokens', 'max_tokens'].find((name) => body[name] !== undefined);
  return name && whole(name, body[name], 1, 2 ** 32 - 1);
}

/** A body, checked: `{ messages, format, options, n, stream, includeUsage, oneCall }`. */
export async function requestOf(given, model) {
  if (!isObject(given)) throw invalid(null, 'The body is no JSON object.', 'invalid_type');
  const body = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined));
  checkNames(body);
  const { n = 1, stream = false, stream_options: { include_usage = false, include_obfuscation = false, ...others } = {}, seed } = body;
  for (const name of [...Object.keys(others), ...(include_obfuscation ? ['include_obfuscation'] : [])]) {
    throw unsupported(`stream_options.${name}`, 'is not supported; include_usage is.');
  }
  const toolChoice = body.tool_choice === undefined ? undefined : toolChoiceOf(body.tool_choice);
  const isForced = toolChoice !== undefined && toolChoice !== 'auto';
  const tools = body.tools === undefined ? [] : toolsOf(body.tools, isForced);
  const responseFormat = body.response_format === undefined ? undefined : formatOf(body.response_format);
  if (responseFormat && tools.length && toolChoice !== 'none') {
    throw unsupported('response_format', "with tools is not supported: within a format there are no calls; use tool_choice: 'none', or leave one of them out.");
  }
  const { maxReasoningTokens, variables } = body.reasoning_effort === undefined ? {} : await effortOf(body.reasoning_effort, model);
  const { chat_template_kwargs: ownVariables = {} } = body;
  if (!isObject(ownVariables)) {
    throw invalid('chat_template_kwargs', `Invalid type for 'chat_template_kwargs': an object is allowed, found ${JSON.stringify(ownVariables)}.`, 'invalid_type');
  }
  const kwargs = { ...variables, ...ownVariables };
  const options = { maxTokens: limitOf(body) ?? model.info.contextLength, responseFormat, toolChoice, maxReasoningTokens };
  for (const [name, option] of Object.entries(OPTIONS)) if (body[name] !== undefined) options[option] = body[name];
  if (seed !== undefined) options.seed = whole('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) >>> 0;
  return {
    messages: messagesOf(body.messages),
    format: { ...(tools.length ? { tools } : {}), ...(Object.keys(kwargs).length ? { variables: kwargs } : {}) },
    options,
    n: whole('n', n, 1, MAX_CHOICES),
    stream: flag('stream', stream),
    includeUsage: flag('stream_options.include_usage', include_usage),
    oneCall: !flag('parallel_tool_calls', body.parallel_tool_calls ?? true),
  };
}
