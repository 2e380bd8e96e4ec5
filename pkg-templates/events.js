// Who listens to what happens to a model.
import { failure, shown } from './errors.js';

export class Events {
  #listeners;

  constructor(names) {
    this.#listeners = new Map(names.map((name) => [name, new Set()]));
  }

  /** Returns a function that ends the listening. */
  on(name, listener) {
    const listeners = this.#listeners.get(name);
    if (!listeners) {
      throw failure('INVALID_ARGUMENT', `there is no event '${shown(name)}'; ${[...this.#listeners.keys()].join(', ')} is allowed`);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** What a listener throws is reported as the page's own, and the others hear of the event, too. */
  emit(name, event) {
    for (const listener of [...this.#listeners.get(name)]) {
      try {
        listener(event);
      } catch (e) {
        reportError(e);
      }
    }
  }
}
