// A `fetch` whose server is a model of this page.
import { aborted } from '../errors.js';
import { APIError, asApiError, invalid, unsupported } from './errors.js';
import { idOf } from './completions.js';

const PATH = /(?:^|\/)(chat\/completions|embeddings|models)(?:\/([^/]+))?\/?$/;

/** Nothing here gets better by asking again, which clients do by themselves after some answers. */
const answer = (status, body) => Response.json(body, { status, headers: { 'x-should-retry': 'false' } });
const failed = (e) => {
  const { status, error } = asApiError(e);
  return answer(status, { error });
};

/**
 * Chunks as server-sent events. What fails in the middle is an event, too. As behind a real server, the reply is written on while nobody
 * reads, so that a slow reader holds nobody up; `maxTokens` limits it.
 */
function events(stream) {
  const encoder = new TextEncoder();
  const chunks = stream[Symbol.asyncIterator]();
  const event = (data) => encoder.encode(`data: ${data}\n\n`);
  const body = new ReadableStream({
    async pull(controller) {
      let data;
      let isOver = false;
      try {
        const { done, value } = await chunks.next();
        isOver = done;
        data = done ? '[DONE]' : JSON.stringify(value);
      } catch (e) {
        isOver = true;
        data = JSON.stringify({ error: asApiError(e).error });
      }
      const { signal } = stream.controller;
      if (signal.aborted) return controller.error(aborted('the request', signal));
      controller.enqueue(event(data));
      if (isOver) controller.close();
    },
    async cancel(reason) {
      stream.controller.abort(reason);
      await chunks.return();
    },
  }, { highWaterMark: Infinity });
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' } });
}

async function bodyOf(request) {
  const text = await request.text();
  try {
    return JSON.parse(text);
  } catch (e) {
    throw invalid(null, `The body is no JSON: ${e.message}.`, 'invalid_json');
  }
}

function models(model, id) {
  const known = { id: idOf(model), object: 'model', created: 0, owned_by: 'webgguf' };
  if (id === undefined) return { object: 'list', data: [known] };
  if (decodeURIComponent(id) === known.id) return known;
  throw new APIError(404, { message: `The model '${id}' does not exist; '${known.id}' does.`, param: 'model', code: 'model_not_found' });
}

async function forwarded(model, request, path, signal = request.signal) {
  return model.forward(path, request.method === 'POST' ? await bodyOf(request) : undefined, signal);
}

/** @see openai.d.ts */
export function fetchOf(model, completions) {
  return async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    const [, endpoint, id] = PATH.exec(pathname) ?? [];
    try {
      const isKnown = endpoint === 'models' || (endpoint && id === undefined);
      if (!isKnown) throw new APIError(404, { message: `Unknown request URL: ${request.method} ${pathname}.`, code: 'unknown_url' });
      const method = endpoint === 'models' ? 'GET' : 'POST';
      if (request.method !== method) {
        throw new APIError(405, { message: `${pathname} takes ${method}, not ${request.method}.`, code: 'method_not_supported' });
      }
      // A model on a server has one that answers this.
      if (model.forward) return await forwarded(model, request, `/${endpoint}${id === undefined ? '' : `/${id}`}`, init?.signal);
      if (endpoint === 'models') return answer(200, models(model, id));
      if (endpoint === 'embeddings') throw unsupported('input', 'is for embeddings, which this model does not make.');
      const body = await bodyOf(request);
      const made = await completions.create(body, { signal: init?.signal ?? request.signal });
      return body.stream ? events(made) : answer(200, made);
    } catch (e) {
      if (e.code === 'ABORTED') throw e;
      return failed(e);
    }
  };
}
