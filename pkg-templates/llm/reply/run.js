// The loop of chat.run: the model calls tools, hears their results, and goes on.
import { aborted, failure, shown, unlessAborted } from '../../errors.js';

/** The tools as templates want them. */
export function toolsOf(tools) {
  return Object.entries(tools ?? {}).map(([name, tool]) => {
    if (typeof tool?.execute !== 'function') throw failure('INVALID_ARGUMENT', `tools.${name}.execute is ${shown(tool?.execute)}; a function is allowed`);
    const { description = '', parameters = { type: 'object', properties: {} } } = tool;
    return { type: 'function', function: { name, description, parameters } };
  });
}

/** What a tool gave, as the model hears it. */
const contentOf = (result) => (typeof result === 'string' ? result : result === undefined ? '' : JSON.stringify(result));

/** Execute a call. What fails is the model's to hear. */
async function execute(tools, { id, name, arguments: args }, signal) {
  const message = { role: 'tool', name, tool_call_id: id };
  try {
    if (!Object.hasOwn(tools, name)) throw new Error(`there is no tool '${name}'; there are ${Object.keys(tools).join(', ')}`);
    const result = await unlessAborted(Promise.resolve(tools[name].execute(args, { id, name, signal })), 'run', signal);
    return { part: { type: 'tool-result', id, name, result, isError: false }, message: { ...message, content: contentOf(result) } };
  } catch (e) {
    const result = shown(e?.message ?? e);
    return { part: { type: 'tool-result', id, name, result, isError: true }, message: { ...message, content: `Error: ${result}` } };
  }
}

/** What the model hears of a call that nobody executed: templates want a result for each. */
const unexecuted = ({ id, name }) => ({ role: 'tool', name, tool_call_id: id, content: 'Error: the call was not executed' });

/** `step` says something and gives the parts of the reply; `keep` puts messages into the conversation. */
export async function* run(step, keep, message, { tools, maxSteps, signal }) {
  let said = message;
  /** Results that the conversation does not have yet. Who leaves the loop, or aborts it, finds them there. */
  let owed = [];
  try {
    for (let n = 1; ; n++) {
      const calls = [];
      let finish;
      for await (const part of step(said, n)) {
        if (part.type === 'tool-call') {
          calls.push(part);
          owed = calls.map(unexecuted);
        }
        if (part.type === 'finish') finish = part;
        else yield part;
      }
      if (finish.finishReason !== 'tool-calls' || n >= maxSteps) {
        owed = [];
        return yield finish;
      }
      const results = await Promise.all(calls.map((call) => execute(tools, call, signal)));
      said = owed = results.map((result) => result.message);
      if (signal?.aborted) throw aborted('run', signal);
      for (const { part } of results) yield part;
      owed = [];
    }
  } finally {
    if (owed.length) keep(owed);
  }
}
