// A conversation with a model on a server: the calls of Chat.
import { aborted, failure } from '../../errors.js';
import { optionsOf } from '../../options.js';
import { DEFAULT_STEPS, copies, toMessages } from '../chat.js';
import { chatOf, lacks } from './request.js';

/** A part of a reply, in the message that the conversation keeps. */
function keep(message, part) {
  if (part.type === 'text') message.content += part.delta;
  if (part.type === 'reasoning') message.reasoning_content = (message.reasoning_content ?? '') + part.delta;
  if (part.type === 'invalid-tool-call') message.content += part.text;
  if (part.type !== 'tool-call') return;
  const { id, name, arguments: args } = part;
  (message.tool_calls ??= []).push({ type: 'function', id, function: { name, arguments: args } });
}

export class ServerChat {
  #model;
  #options;
  #format;
  #defaults;
  #first;

  constructor(model, options) {
    this.#options = optionsOf('chat', options);
    const { system, messages = [], overflow = 'error', onDrop, tools, documents, template, variables, ...defaults } = this.#options;
    for (const [name, value] of Object.entries({ documents, template, onDrop })) if (value !== undefined) throw lacks(`the option ${name}`);
    if (overflow !== 'error') throw lacks(`overflow: '${overflow}'`);
    this.#model = model;
    this.#format = { tools, variables };
    this.#defaults = defaults;
    this.#first = copies([...(system === undefined ? [] : [{ role: 'system', content: system }]), ...messages]);
    this.reset();
  }

  reset() {
    this.messages = copies(this.#first);
  }

  fork() {
    const copy = new ServerChat(this.#model, this.#options);
    copy.messages = copies(this.messages);
    return copy;
  }

  async *send(message, options) {
    for await (const part of this.#say(message, optionsOf('send', options), this.#format)) if (part.type === 'text') yield part.delta;
  }

  async *stream(message, options) {
    yield* this.#say(message, optionsOf('chat.stream', options), this.#format);
  }

  async *run(message, options) {
    const { tools, maxSteps = DEFAULT_STEPS, toolChoice, ...more } = optionsOf('chat.run', options);
    const { run, toolsOf } = await this.#model.replies();
    const format = { ...this.#format, tools: toolsOf(tools) };
    if (!format.tools.length) throw failure('INVALID_ARGUMENT', 'run needs tools: { NAME: { description, parameters, execute } }');
    // A call that is forced is forced once: the loop would not end.
    const step = (said, n) => this.#say(said, { ...more, toolChoice: n > 1 && toolChoice !== 'none' ? 'auto' : toolChoice }, format);
    yield* run(step, (said) => this.messages.push(...said), message, { tools, maxSteps, signal: more.signal });
  }

  async *#say(message, { signal, onQueue, keepMessage = true, ...own }, format) {
    const said = toMessages(message);
    // A reset during the turn gives the chat others.
    const { messages } = this;
    const history = [...messages, ...said];
    const body = chatOf(history, format, { maxTokens: this.#model.info.defaults.maxTokens, ...this.#defaults, ...own });
    const reply = { role: 'assistant', content: '' };
    let hasBegun = false;
    try {
      if (signal?.aborted) throw aborted('send', signal);
      for await (const part of this.#model.reply('/chat/completions', body, { signal, onQueue })) {
        keep(reply, part);
        // Only now is the turn part of the history: one that fails before leaves no trace.
        if (!hasBegun) messages.push(...said, reply);
        hasBegun = true;
        yield part;
      }
    } catch (e) {
      if (!hasBegun && e.code === 'ABORTED' && keepMessage) messages.push(...said);
      throw e;
    }
  }
}
