// The documentation for language models: llms.txt (a list of pages), llms-full.txt (all of the guide), and each page's
// Markdown beside its HTML. See llmstxt.org.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { withSections } from '../../docs/.vitepress/section.mjs';
import { ROOT } from '../server.mjs';

const DOCS = join(ROOT, 'docs');
const INTRO = `# webgguf

> Runs GGUF language models in a browser tab on WebGPU. JavaScript package \`webgguf\`: ES modules and WebAssembly, no dependencies.
`;

/** An address inside the documentation as one of the site: of a page, its Markdown. */
function address(base, path, id = '') {
  if (path.startsWith('../')) return base + path.slice(3) + id;
  const file = /\/$|^$/.test(path) ? `${path}index.md` : `${path}.md`;
  return `${base}docs/${file}${id}`;
}

/** A page as plain Markdown: what it includes is in it, what only VitePress knows is not. */
function plain(path, base) {
  const folder = join(DOCS, dirname(path));
  const text = readFileSync(join(DOCS, path), 'utf8').replace(/^---\n[^]*?\n---\n/, '');
  return withSections(text, folder)
    .replace(/<!--\s*@include: (\S+?)\s*-->/g, (_, file) => readFileSync(join(folder, file), 'utf8').trim())
    .replace(/^<<< (\S+)$/gm, (_, file) => `\`\`\`\n${readFileSync(join(folder, file), 'utf8').trim()}\n\`\`\``)
    .replace(/^```(\w+) run$/gm, '```$1')
    .replace(/\]\(\/([\w./-]*)(#[\w-]+)?\)/g, (_, target, id) => `](${address(base, target, id)})`)
    .replace(/^<!-- .* -->\n/gm, '')
    .trim();
}

/** The paths of all pages: the guide's first, the API's last. */
function pagePaths() {
  const all = readdirSync(DOCS, { recursive: true }).map((path) => path.replaceAll('\\', '/'));
  const pages = all.filter((path) => path.endsWith('.md') && !/^\.|^index\.md$/.test(path)).sort();
  const rank = (path) => (path === 'guide/start.md' ? 0 : path.startsWith('guide/') ? 1 : path.startsWith('api/') ? 3 : 2);
  return pages.sort((a, b) => rank(a) - rank(b));
}

/** Write the files into the site. */
export function writeLlms(out, base) {
  const pages = pagePaths().map((path) => ({ path, text: plain(path, base) }));
  for (const { path, text } of pages) {
    mkdirSync(join(out, 'docs', dirname(path)), { recursive: true });
    writeFileSync(join(out, 'docs', path), `${text}\n`);
  }
  const title = (text) => /^# (.+)$/m.exec(text)[1];
  const line = ({ path, text }) => `- [${title(text)}](${base}docs/${path})`;
  writeFileSync(join(out, 'llms.txt'), `${INTRO}\n## Pages\n\n${pages.map(line).join('\n')}\n`);
  writeFileSync(join(out, 'llms-full.txt'), `${INTRO}\n${pages.map(({ text }) => text).join('\n\n')}\n`);
}
