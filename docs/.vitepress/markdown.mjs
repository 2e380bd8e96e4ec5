// What this documentation has beside VitePress' own Markdown.
import { dirname } from 'node:path';

import { withSections } from './section.mjs';

/** A fence of `js run` becomes an example that runs in the page: theme/Live.vue. The tests press its button, too. */
function live(md) {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, at, ...rest) => {
    const { info, content } = tokens[at];
    if (!/^js run\b/.test(info)) return fence(tokens, at, ...rest);
    return `<Live code="${encodeURIComponent(content.trim())}" />`;
  };
}

/** A link that begins with `/../` leaves the documentation for the rest of the site, at `base`. */
function outside(md, base) {
  const open = md.renderer.rules.link_open;
  md.renderer.rules.link_open = (tokens, at, options, env, self) => {
    const token = tokens[at];
    const [, path] = /^\/\.\.\/(.*)/.exec(token.attrGet('href')) ?? [];
    if (path === undefined) return open(tokens, at, options, env, self);
    token.attrSet('href', base + path);
    token.attrSet('target', '_self'); // not a page that VitePress' router knows
    return self.renderToken(tokens, at, options);
  };
}

/** Sections of other files: section.mjs. */
function sections(md) {
  md.core.ruler.before('normalize', 'sections', (state) => {
    if (state.env.path) state.src = withSections(state.src, dirname(state.env.path));
  });
}

export const extend = (base) => (md) => {
  sections(md);
  live(md);
  outside(md, base);
};
