// Requests to a server that speaks OpenAI's protocol: asked again while that may help, and what comes back is checked.
import { aborted, failure } from '../../errors.js';
import { PASSING, Patience, RETRY, Transient, retryAfterMs, within } from '../../source/http.js';
import { absolute } from '../../source/source.js';

/** What differs from files: a server may be silent for as long as it reads a long prompt, and what it answers with 500 often does not pass. */
const DEFAULTS = { attempts: 3, stallMs: 120_000 };
const SHOWN = 200;
/** Characters of a line of a stream. A chunk has some hundred. */
const MAX_LINE = 1 << 22;

/** What came, in an error. */
const quote = (text) => `'${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}'`;

/** What a server says of a failure. */
async function said(response) {
  const text = await response.text().catch(() => '');
  try {
    const { error, message } = JSON.parse(text);
    return { code: error?.code, type: error?.type, param: error?.param, message: error?.message ?? message ?? quote(text) };
  } catch {
    return { message: text ? quote(text) : response.statusText };
  }
}

/** Both names that servers have for a conversation that is too long. */
const isTooLong = ({ code, type }) => code === 'context_length_exceeded' || type === 'exceed_context_size_error';

export class Wire {
  #headers;
  #retry;

  constructor({ baseURL, apiKey, retry }) {
    if (baseURL === undefined) throw failure('INVALID_ARGUMENT', 'baseURL is not given: the address of a server, such as http://localhost:8080/v1, is needed');
    this.url = absolute(baseURL, 'baseURL').replace(/\/+$/, '');
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    this.#retry = { ...RETRY, ...DEFAULTS, ...retry };
  }

  /** The answer to a GET, or to a POST of a body; one that may pass is not taken. */
  async answer(path, body, signal) {
    const url = this.url + path;
    const patience = new Patience({ retry: this.#retry, signal, retries: 0, toString: () => `'${url}'` }, this.#retry.attempts);
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const headers = { ...this.#headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    for (;;) {
      // A request that nobody waits for any more would have the server go on.
      const attempt = new AbortController();
      const abort = () => attempt.abort();
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted) abort();
      try {
        const response = await within(this.#retry.stallMs, fetch(url, { ...post, headers, signal: attempt.signal }), 'no answer came');
        if (!PASSING.has(response.status)) return response;
        const { message } = await said(response);
        throw new Transient(`the server answered ${response.status}: ${message}`, { waitMs: retryAfterMs(response.headers) });
      } catch (e) {
        abort();
        if (signal?.aborted) throw aborted('the request', signal);
        await patience.after(e instanceof Transient ? e : new Transient(e.message, { cause: e }));
      }
    }
  }

  /** The same, where all but success is an error. */
  async good(path, body, signal) {
    const response = await this.answer(path, body, signal);
    if (response.ok) return response;
    const what = await said(response);
    const code = isTooLong(what) ? 'CONTEXT_OVERFLOW' : [400, 422].includes(response.status) ? 'INVALID_ARGUMENT' : 'FETCH_FAILED';
    throw Object.assign(failure(code, `'${this.url}${path}' answered ${response.status}: ${what.message}`), { status: response.status, answer: what });
  }

  /** The JSON of an answer. */
  async json(path, body, signal) {
    const response = await this.good(path, body, signal);
    return this.parsed(await response.text(), 'the answer');
  }

  /** A text as JSON. */
  parsed(text, what) {
    try {
      return JSON.parse(text);
    } catch (e) {
      throw failure('FETCH_FAILED', `${what} of '${this.url}' is no JSON: ${quote(text)}`, { cause: e });
    }
  }

  /** The events of an answer, as JSON, up to `[DONE]`. */
  async *events(path, body, signal) {
    const response = await this.good(path, body, signal);
    const type = response.headers.get('content-type') ?? 'nothing';
    if (!type.startsWith('text/event-stream')) {
      throw failure('FETCH_FAILED', `'${this.url}${path}' answered with ${type} in place of a stream of events: ${quote(await response.text())}`);
    }
    for await (const data of lines(response.body, this.#retry.stallMs, signal)) {
      if (data === '[DONE]') return;
      const event = this.parsed(data, 'an event');
      if (event?.error) throw failure(isTooLong(event.error) ? 'CONTEXT_OVERFLOW' : 'FETCH_FAILED', `the server '${this.url}' failed: ${event.error.message ?? quote(data)}`);
      yield event;
    }
  }
}

/** What the lines `data: …` of a stream hold. No chunk, or the end, comes where a connection breaks: who reads knows what is missing. */
async function* lines(body, stallMs, signal) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await within(stallMs, reader.read(), 'nothing came');
      rest += decoder.decode(value, { stream: !done });
      const whole = rest.split(/\r?\n/);
      rest = done ? '' : whole.pop();
      if (rest.length > MAX_LINE) throw new Error(`a line of the stream has more than ${MAX_LINE} characters`);
      for (const line of whole) if (line.startsWith('data:')) yield line.slice(5).trim();
      if (done) return;
    }
  } catch (e) {
    if (signal?.aborted) throw aborted('the request', signal);
    throw failure('FETCH_FAILED', `the connection broke in the middle of a reply: ${e.message}`, { cause: e });
  } finally {
    reader.cancel().catch(() => {});
  }
}
