// Markdown of a reply, shown while it is written. What a model writes is never trusted: it becomes elements of a short
// list, without images, styles or scripts, so that no reply can run code or fetch anything.
import { Marked } from './vendor/marked.js';
import DOMPurify from './vendor/purify.js';

const ALLOWED = {
  ALLOWED_TAGS: [
    'a', 'blockquote', 'br', 'code', 'del', 'em', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 'strong', 'sub',
    'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
  ],
  ALLOWED_ATTR: ['class', 'href', 'start'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const marked = new Marked({ breaks: true });

/** The page has its own first two levels. */
const lowerHeadings = (token) => token.type === 'heading' && (token.depth = Math.min(6, token.depth + 2));

/** A code block with its language and a button that copies it. */
function withCopy(pre) {
  const head = document.createElement('div');
  const language = document.createElement('span');
  const copy = document.createElement('button');
  language.textContent = /language-(\S+)/.exec(pre.firstElementChild?.className)?.[1] ?? 'text';
  copy.type = 'button';
  copy.className = 'link';
  copy.textContent = 'Copy';
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(pre.textContent);
    copy.textContent = 'Copied';
    setTimeout(() => (copy.textContent = 'Copy'), 1500);
  });
  head.className = 'code-head';
  head.append(language, copy);
  pre.before(head);
}

/** Put an element into one that scrolls sideways, by keys too. */
function scrollable(element) {
  const box = document.createElement('div');
  box.className = 'scroll';
  box.tabIndex = 0;
  element.replaceWith(box);
  box.append(element);
}

/** A block of Markdown as an element. */
function render(token) {
  const block = document.createElement('div');
  block.append(DOMPurify.sanitize(marked.parser([token]), ALLOWED));
  for (const link of block.querySelectorAll('a')) Object.assign(link, { target: '_blank', rel: 'noopener noreferrer' });
  for (const pre of block.querySelectorAll('pre')) withCopy(pre);
  for (const wide of block.querySelectorAll('pre, table')) scrollable(wide);
  return block;
}

/** Shows a text that grows. Blocks that stay as they are keep their elements, and so a reader's selection. */
export class Markdown {
  #element;
  #shown = [];

  constructor(element) {
    this.#element = element;
  }

  show(text) {
    const tokens = marked.lexer(text);
    marked.walkTokens(tokens, lowerHeadings);
    const blocks = tokens.filter(({ type }) => type !== 'space');
    let same = 0;
    while (same < blocks.length && blocks[same].raw === this.#shown[same]) same += 1;
    while (this.#element.children.length > same) this.#element.lastElementChild.remove();
    this.#element.append(...blocks.slice(same).map(render));
    this.#shown = blocks.map(({ raw }) => raw);
  }
}
