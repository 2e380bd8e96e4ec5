// `<!--@section: FILE#HEADING-->` in a page stands for that section of another Markdown file, up to the next heading that is
// as high. VitePress' own includes take a whole file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const slug = (heading) => heading.toLowerCase().replace(/[^\w ]/g, '').trim().replaceAll(' ', '-');

function section(text, id) {
  const headings = [...text.matchAll(/^(#+) (.+)$/gm)];
  const at = headings.findIndex((h) => slug(h[2]) === id);
  if (at < 0) throw new Error(`there is no heading #${id}`);
  const next = headings.slice(at + 1).find((h) => h[1].length <= headings[at][1].length);
  return text.slice(headings[at].index, next?.index).trim();
}

/** The text of a page in `folder` with its sections in place. */
export const withSections = (text, folder) =>
  text.replace(/<!--@section: (\S+?)#(\S+?)-->/g, (_, file, id) => section(readFileSync(join(folder, file), 'utf8'), id));
