// What a model thinks before it answers. Models write it between <think> and </think>; some templates write the first.

/** The two parts of a reply; `thought` is null where there is none. */
export function splitThinking(reply) {
  const end = reply.indexOf('</think>');
  const begun = reply.trimStart().startsWith('<think>');
  if (end < 0 && !begun) return { thought: null, answer: reply };
  const thought = reply.slice(0, end < 0 ? undefined : end).replace('<think>', '').trim();
  return { thought, answer: end < 0 ? '' : reply.slice(end + '</think>'.length).trimStart() };
}
