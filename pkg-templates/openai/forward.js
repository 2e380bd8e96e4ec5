// The same for a model on a server, which speaks this language itself: requests go there as they are, but for the model's name.
import { begun } from './chats.js';
import { APIError, asApiError } from './errors.js';
import { ChunkStream, stopping } from './stream.js';

export class Forwarded {
  #model;

  constructor(model) {
    this.#model = model;
  }

  async create(body, { signal, onQueue } = {}) {
    const stop = stopping(signal);
    const { controller } = stop;
    try {
      onQueue?.(0);
      if (body?.stream) return new ChunkStream(await begun(this.#model.forwardEvents('/chat/completions', body, controller.signal)), stop);
      const response = await this.#model.forward('/chat/completions', body, controller.signal);
      const text = await response.text();
      const json = parsed(text);
      if (!response.ok || !json) throw new APIError(response.ok ? 502 : response.status, json?.error ?? { message: `the server answered ${response.status}: ${text.slice(0, 200)}` });
      stop.release();
      return json;
    } catch (e) {
      stop.release();
      throw e.answer ? new APIError(e.status, e.answer, { cause: e }) : asApiError(e);
    }
  }
}

/** What is no JSON is undefined. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
