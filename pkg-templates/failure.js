/** The one way errors look: an Error with a stable `code`. */
export function failure(code, message, options) {
  return Object.assign(new Error(message, options), { name: code === 'ABORTED' ? 'AbortError' : 'WebggufError', code });
}
