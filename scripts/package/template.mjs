// Files with gaps, {{name}}, and what fills them.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Fill the gaps of a text. A block from {{#name}} to {{/name}} stays where the value is true. */
export function fill(text, values, what) {
  const value = (name) => {
    if (!(name in values)) throw new Error(`${what} asks for '${name}', which is none of ${Object.keys(values).join(', ')}`);
    return values[name];
  };
  // A tag that has a line of its own takes that line with it.
  const lines = text.replace(/^(\{\{[#/]\w+\}\})\n/gm, '$1');
  const blocks = lines.replace(/\{\{#(\w+)\}\}([^]*?)\{\{\/\1\}\}/g, (_, name, inner) => (value(name) ? inner : ''));
  return blocks.replace(/\{\{(\w+)\}\}/g, (_, name) => String(value(name)));
}

/** Fill the files of a folder, and of those in it, into another one. */
export function fillFolder(from, to, values) {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const target = join(to, path.slice(from.length));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, fill(readFileSync(path, 'utf8'), values, path));
  }
}
