// A call of the AI SDK, as what a chat takes. What changes nothing here is a warning, as the SDK has it; what can't be read is an error.
import { failure } from '../errors.js';
import { heedsEffort } from '../openai/chats.js';

function textOf(part) {
  if (part.type === 'text') return part.text;
  if (part.type === 'file' && part.data?.type === 'text') return part.data.text;
  const found = part.type === 'file' ? `a file of the type '${part.mediaType}'` : `a part of the type '${part.type}'`;
  throw failure('INVALID_ARGUMENT', `a message holds ${found}; this model takes text only`);
}

function contentOf(parts) {
  const texts = parts.map(textOf);
  return texts.length === 1 ? texts[0] : texts.map((text) => ({ type: 'text', text }));
}

function assistant(parts) {
  const message = { role: 'assistant', content: '' };
  for (const part of parts) {
    if (part.type === 'reasoning') message.reasoning_content = (message.reasoning_content ?? '') + part.text;
    else if (part.type !== 'tool-call') message.content += textOf(part);
    else (message.tool_calls ??= []).push({ type: 'function', id: part.toolCallId, function: { name: part.toolName, arguments: part.input } });
  }
  return message;
}

function resultOf({ type, value, reason }) {
  if (type === 'text' || type === 'error-text') return value;
  if (type === 'execution-denied') return reason ?? 'Error: the call was denied';
  return type === 'content' ? value.map(textOf).join('\n') : JSON.stringify(value);
}

function messagesOf({ role, content }) {
  if (role === 'system') return [{ role, content }];
  if (role === 'user') return [{ role, content: contentOf(content) }];
  if (role === 'assistant') return [assistant(content)];
  // An approval is for who executes the call.
  const results = content.filter((part) => part.type === 'tool-result');
  return results.map(({ toolCallId, toolName, output }) => ({ role: 'tool', name: toolName, tool_call_id: toolCallId, content: resultOf(output) }));
}

function toolsOf(tools, warn, isForced) {
  return tools.flatMap(({ type, id, name, description = '', inputSchema, strict }) => {
    if (type !== 'function') return warn(`the tool '${id}'`, 'only tools of the type function are there') ?? [];
    if (strict && !isForced) warn(`strict, of the tool '${name}'`, 'arguments are held to the schema where toolChoice forces a call');
    return [{ type: 'function', function: { name, description, parameters: inputSchema } }];
  });
}

const CHOICES = { auto: () => 'auto', none: () => 'none', required: () => 'required', tool: ({ toolName }) => ({ name: toolName }) };

function formatOf(format) {
  if (format?.type !== 'json') return undefined;
  return format.schema === undefined ? { type: 'json' } : { type: 'json_schema', schema: format.schema };
}

/** How much to reason: an option, or a variable of templates that have one. */
async function effortOf(effort, model, warn) {
  if (effort === undefined || effort === 'provider-default') return {};
  if (effort === 'none') return { maxReasoningTokens: 0, variables: { enable_thinking: false } };
  if (await heedsEffort(model)) return { variables: { reasoning_effort: effort } };
  warn('reasoning', `the model's template knows no efforts, and so no '${effort}'`);
  return {};
}

/** Options of the call, checked: `{ messages, format, options, warnings }`. */
export async function callOf(given, model) {
  const warnings = [];
  const warn = (feature, details) => void warnings.push({ type: 'unsupported', feature, details });
  for (const name of ['presencePenalty', 'frequencyPenalty']) if (given[name]) warn(name, 'providerOptions.webgguf.repeatPenalty is there');
  const responseFormat = formatOf(given.responseFormat);
  const toolChoice = given.toolChoice && CHOICES[given.toolChoice.type](given.toolChoice);
  let tools = toolsOf(given.tools ?? [], warn, toolChoice !== undefined && toolChoice !== 'auto');
  if (responseFormat && tools.length && toolChoice !== 'none') {
    warn('tools', 'within a response format there are no calls');
    tools = [];
  }
  const effort = await effortOf(given.reasoning, model, warn);
  const { variables, ...own } = given.providerOptions?.webgguf ?? {};
  const allVariables = { ...effort.variables, ...variables };
  return {
    messages: given.prompt.flatMap(messagesOf),
    format: { ...(tools.length ? { tools } : {}), ...(Object.keys(allVariables).length ? { variables: allVariables } : {}) },
    options: {
      maxTokens: given.maxOutputTokens ?? (model.info.backend === 'server' ? undefined : model.info.contextLength),
      temperature: given.temperature,
      topP: given.topP,
      topK: given.topK,
      seed: given.seed === undefined ? undefined : given.seed >>> 0,
      stop: given.stopSequences,
      responseFormat,
      toolChoice: tools.length ? toolChoice : undefined,
      maxReasoningTokens: effort.maxReasoningTokens,
      ...own,
      signal: given.abortSignal,
    },
    warnings,
  };
}
