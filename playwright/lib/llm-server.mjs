// A server that speaks OpenAI's protocol, and misbehaves: `/NAME/v1` is one with the fault NAME, `/good/v1` one without.
import { setTimeout as sleep } from 'node:timers/promises';

import { serve } from '../../scripts/server.mjs';

const MODELS = { object: 'list', data: [{ id: 'served', object: 'model', max_model_len: 4096 }] };
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10, prompt_tokens_details: { cached_tokens: 5 } };

const event = (data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const chunk = (delta, finish_reason = null, more = {}) => event({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'served', choices: [{ index: 0, delta, finish_reason }], ...more });
const END = [event({ choices: [], usage: USAGE }), event('[DONE]')];

const call = (index, id, name, args) => chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: args } }] });
const more = (index, args) => chunk({ tool_calls: [{ index, function: { arguments: args } }] });

/** What the model says: calls, where they are forced; to a tool's result, the result; else its thoughts and a greeting. */
function reply({ messages = [], prompt, tool_choice: choice }) {
  if (prompt !== undefined) return [event({ choices: [{ index: 0, text: ` after ${prompt}` }] }), event({ choices: [{ index: 0, text: '', finish_reason: 'length' }] }), ...END];
  const last = messages.at(-1);
  if (last.role === 'tool') return [chunk({ content: `It is ${last.content}.` }), chunk({}, 'stop'), ...END];
  if (choice && choice !== 'auto' && choice !== 'none') {
    return [call(0, 'a', 'weather', ''), more(0, '{"city":'), more(0, ' "Rome"}'), call(1, 'b', 'weather', '{"city": "Par'), chunk({}, 'tool_calls'), ...END];
  }
  return [chunk({ role: 'assistant', content: '' }), chunk({ reasoning_content: 'A greeting.' }), chunk({ content: 'Grüß' }), chunk({ content: ' Gott 👋' }), chunk({}, 'stop'), ...END];
}

const json = (response, status, body, headers = {}) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const stream = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' });

function good(response, body) {
  if (body.stream) return stream(response).end(reply(body).join(''));
  const message = { role: 'assistant', content: 'Grüß Gott 👋' };
  return json(response, 200, { id: 'c', object: 'chat.completion', created: 1, model: body.model, choices: [{ index: 0, message, finish_reason: 'stop' }], usage: USAGE });
}

/** Faults; `n` is how many requests there were before. */
const FAULTS = {
  good,
  busy: (response, body, n) => (n < 2 ? json(response, n ? 429 : 503, { error: { message: 'loading' } }, { 'retry-after': '0' }) : good(response, body)),
  down: (response) => json(response, 500, { error: { message: 'out of luck' } }),
  /** A few bytes at a time: characters and events come in halves. */
  async slow(response, body) {
    const bytes = Buffer.from(reply(body).join('').replaceAll('\n', '\r\n'));
    stream(response);
    for (let at = 0; at < bytes.length; at += 97) {
      response.write(bytes.subarray(at, at + 97));
      await sleep(5);
    }
    response.end();
  },
  async drop(response, body) {
    stream(response).write(reply(body).slice(0, 4).join(''));
    await sleep(50);
    response.destroy();
  },
  ends: (response, body) => stream(response).end(reply(body).slice(0, 3).join('')),
  broken: (response, body) => stream(response).end(reply(body).slice(0, 3).join('') + event('{"choices": [')),
  odd: (response) => stream(response).end(event({ greeting: 'Hello' })),
  html: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>'),
  fails: (response, body) => stream(response).end(reply(body).slice(0, 3).join('') + event({ error: { message: 'the GPU is gone' } })),
  long: (response) => json(response, 400, { error: { message: '9000 tokens', type: 'invalid_request_error', code: 'context_length_exceeded', param: 'messages' } }),
  silent: () => {},
  stalls: (response, body) => void stream(response).write(reply(body).slice(0, 3).join('')),
};

FAULTS.waits = FAULTS.stalls;

const CORS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*, authorization', 'Access-Control-Expose-Headers': '*' };

/** Start it. `asked` are the bodies of requests so far, `left` counts by fault the readers who went before the end. */
export async function startServer() {
  const seen = {};
  const state = { asked: [], left: {} };
  const route = async (request, response, { pathname }) => {
    for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
    const [, name, path] = /^\/(\w+)\/v1(\/.*)$/.exec(pathname) ?? [];
    if (request.method === 'OPTIONS') response.writeHead(204).end();
    else if (name === 'key' && request.headers.authorization !== 'Bearer secret') json(response, 401, { error: { message: 'no key' } });
    else if (path === '/models') json(response, 200, name === 'two' ? { data: [{ id: 'one' }, { id: 'two' }] } : MODELS);
    else if (!['/chat/completions', '/completions'].includes(path)) json(response, 404, { error: { message: 'no such path', code: 'unknown_url' } });
    else {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = JSON.parse(Buffer.concat(chunks).toString());
      state.asked.push(body);
      response.on('close', () => (state.left[name] = (state.left[name] ?? 0) + (response.writableEnded ? 0 : 1)));
      seen[name] = (seen[name] ?? -1) + 1;
      await (FAULTS[name] ?? good)(response, body, seen[name]);
    }
    return true;
  };
  return Object.assign(state, await serve({ mounts: {}, route }));
}
