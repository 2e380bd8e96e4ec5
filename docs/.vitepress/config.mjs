// The documentation site. `npm run site` writes docs/api/ first, and sets the base.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitepress';

import { extend } from './markdown.mjs';

const DOCS = fileURLToPath(new URL('..', import.meta.url));
/** The path that the site is served under; the documentation is in its folder docs/. */
const BASE = process.env.SITE_BASE ?? '/';
const REPOSITORY = 'https://github.com/webgguf/webgguf';

/** A page's first heading; of the API's pages, without the kind. */
function title(path) {
  const text = readFileSync(`${DOCS}${path}.md`, 'utf8');
  const [, heading] = /^# (?:(?:Module|Function|Class|Interface|Type Alias|Variable): )?(.+)$/m.exec(text);
  return heading.replace(/[`\\]/g, '');
}
const page = (path) => ({ text: title(path), link: `/${path}` });
const pages = (folder, ...names) => names.map((name) => page(`${folder}/${name}`));

/** The pages of a folder, but for its index, by title. */
function folder(path) {
  if (!existsSync(DOCS + path)) return [];
  const names = readdirSync(DOCS + path).filter((file) => file.endsWith('.md') && file !== 'index.md');
  return pages(path, ...names.map((file) => file.slice(0, -3))).sort((a, b) => a.text.localeCompare(b.text));
}

const GUIDE = [
  { text: 'Begin', items: pages('guide', 'start', 'chat', 'tools', 'generate', 'structured', 'embed', 'hands', 'speech', 'stop-and-errors', 'troubleshooting') },
  { text: 'Load a model', items: pages('guide', 'sources', 'caching', 'memory', 'workers', 'gpu-lost') },
  { text: 'Where it runs', items: pages('guide', 'react', 'openai', 'tokenizer', 'csp', 'cdn', 'phones', 'command-line', 'package') },
  { text: 'Bundlers and frameworks', link: '/guide/bundlers/', collapsed: true, items: folder('guide/bundlers') },
  {
    text: 'webgguf itself',
    items: [{ text: 'How it is built', link: '/architecture' }, ...['add-an-architecture', 'phonemes', 'checks', 'speed'].map(page)],
  },
];
/**
 * Options and results are a link away from what takes or gives them, and on their module's page. In the list beside every page they
 * made pages come alive a third later on phones.
 */
const API = ['modules', 'functions', 'classes'].map((kind) => ({
  text: kind[0].toUpperCase() + kind.slice(1),
  items: folder(`api/${kind}`),
}));

export default defineConfig({
  title: 'webgguf',
  description: 'Run GGUF language models in a browser tab, on WebGPU.',
  lang: 'en',
  base: `${BASE}docs/`,
  cleanUrls: false,
  // Links out of the documentation, to the rest of the site, start with `/../`; a test follows them in the built site.
  ignoreDeadLinks: [/^\/\.\.\//],
  head: [['link', { rel: 'icon', href: `${BASE}icon.svg`, type: 'image/svg+xml' }]],
  markdown: {
    config: extend(BASE),
    languageAlias: { cjs: 'js', mjs: 'js' },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide/start', activeMatch: '/guide/' },
      { text: 'API', link: '/api/', activeMatch: '/api/' },
      { text: 'Speed', link: '/speed' },
      { text: 'Chat demo', link: '/../', target: '_self' },
      { text: 'Hands demo', link: '/../hands.html', target: '_self' },
      { text: 'Speech demo', link: '/../speech.html', target: '_self' },
      { text: 'Benchmark', link: '/../bench.html', target: '_self' },
    ],
    sidebar: { '/api/': [{ text: 'API', link: '/api/' }, ...API.filter((group) => group.items.length)], '/': GUIDE },
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    notFound: { linkText: 'To the first page', linkLabel: 'To the first page' },
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
    editLink: { pattern: `${REPOSITORY}/edit/main/docs/:path` },
  },
});
