// The page's address: a model, a system prompt and a prompt to begin with. They are in the part behind the #, which no
// server gets to see; `?model=` is read as well.

const NAMES = ['model', 'system', 'prompt'];

/** What the address asks for. */
export function readLink({ search, hash } = location) {
  const given = new URLSearchParams([...new URLSearchParams(search), ...new URLSearchParams(hash.slice(1))]);
  return Object.fromEntries(NAMES.map((name) => [name, given.getAll(name).at(-1) ?? '']));
}

/** The address that asks for these; empty ones are left out. */
export function linkTo(wanted) {
  const given = NAMES.filter((name) => wanted[name]).map((name) => [name, wanted[name]]);
  const link = new URL(location.pathname, location.href);
  link.hash = new URLSearchParams(given);
  return link.href;
}
