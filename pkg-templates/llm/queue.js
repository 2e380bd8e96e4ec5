// One call of a model at a time: the others wait for their turn.
import { aborted, failure } from '../errors.js';

/**
 * Milliseconds for which a waiting call bears that the running one's reader asks for no more. Who starts a call in the
 * middle of reading another one would wait for ever.
 */
const UNREAD_MS = 5000;
const LOOK_MS = 250;

/** A call's place in the queue. */
class Turn {
  #queue;
  #onQueue;
  #told;
  /** Since when the caller holds a piece of text and asks for no more. */
  #heldSince = Infinity;

  constructor(queue, onQueue) {
    this.#queue = queue;
    this.#onQueue = onQueue;
    this.begun = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.begun.catch(() => {}); // Who enters hears of it, or has left.
  }

  /** There are `n` calls before this one. */
  move(n) {
    if (n === this.#told) return;
    this.#told = n;
    try {
      this.#onQueue?.(n);
    } catch (e) {
      return this.reject(e);
    }
    if (n === 0) this.resolve();
  }

  hold() {
    this.#heldSince = performance.now();
  }

  goOn() {
    this.#heldSince = Infinity;
  }

  get isHeld() {
    return performance.now() - this.#heldSince > UNREAD_MS;
  }

  leave() {
    this.#queue.leave(this);
  }
}

export class Queue {
  /** The first one runs. */
  #turns = [];
  #closed;

  get length() {
    return this.#turns.length;
  }

  /** Wait for a turn, which must be left when the call is over. */
  async enter(what, { signal, onQueue }) {
    if (this.#closed) throw this.#closed;
    if (signal?.aborted) throw aborted(what, signal);
    const turn = new Turn(this, onQueue);
    const abort = () => turn.reject(aborted(what, signal));
    signal?.addEventListener('abort', abort, { once: true });
    const watch = setInterval(() => this.#turns[0].isHeld && turn.reject(this.#held(what)), LOOK_MS);
    this.#turns.push(turn);
    turn.move(this.#turns.length - 1);
    try {
      await turn.begun;
      return turn;
    } catch (e) {
      turn.leave();
      throw e;
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', abort);
    }
  }

  #held(what) {
    const why = `the call before it was not read on for ${UNREAD_MS / 1e3} s; read it to its end, or leave its loop first`;
    return failure('INVALID_STATE', `${what} can't begin: ${why}`);
  }

  leave(turn) {
    this.#turns = this.#turns.filter((other) => other !== turn);
    this.#turns.forEach((other, i) => other.move(i));
  }

  /** No call begins any more: those that wait fail, too. */
  close(reason) {
    this.#closed = reason;
    for (const turn of this.#turns) turn.reject(reason);
  }
}
