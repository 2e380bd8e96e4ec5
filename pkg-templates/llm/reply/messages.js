// Messages as a model's template wants them.

/** Calls as text, for templates that write none. */
function written(calls, { syntax, forced: { head, middle, tail = '' }, separator }) {
  const one = ({ function: { name, arguments: args } }) => {
    if (syntax !== 'python') return head + name + middle + JSON.stringify(args) + tail;
    return `${name}(${Object.entries(args).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(', ')})`;
  };
  return syntax === 'python' ? `${head.slice(0, -1)}[${calls.map(one).join(', ')}]<|tool_call_end|>` : calls.map(one).join(separator === ';' ? ';' : '\n');
}

/**
 * Messages as the template wants them: arguments as an object or as text, reasoning under its name, calls in the content where
 * the template writes none.
 */
export function forTemplate(messages, { argumentsAsText, reasoningKey, withoutContent, isWritten, calls: form }) {
  const argumentsFor = (value) => {
    if (argumentsAsText) return typeof value === 'string' ? value : JSON.stringify(value);
    try {
      return typeof value === 'string' ? JSON.parse(value) : value;
    } catch {
      return value;
    }
  };
  const callFor = (call) => (call?.function ? { ...call, function: { ...call.function, arguments: argumentsFor(call.function.arguments) } } : call);
  return messages.map(({ tool_calls: given, reasoning_content: thought, ...message }) => {
    if (thought !== undefined) message[reasoningKey ?? 'reasoning_content'] = thought;
    if (!Array.isArray(given) || !given.length) return message;
    const calls = given.map(callFor);
    if (isWritten) return { ...message, content: `${message.content ?? ''}${written(calls, form)}` };
    return { ...message, ...(withoutContent ? { content: null } : {}), tool_calls: calls };
  });
}
