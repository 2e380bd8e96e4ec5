// The one way errors look.

/** An Error with a stable `code`. */
export function failure(code, message, options) {
  return Object.assign(new Error(message, options), { name: code === 'ABORTED' ? 'AbortError' : 'WebggufError', code });
}

export const aborted = (what, signal) =>
  failure('ABORTED', `${what} was aborted by the caller's signal`, { cause: signal.reason });
