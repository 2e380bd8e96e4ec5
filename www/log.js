// The conversation on the page.
import { Markdown } from './markdown.js';
import { splitThinking } from './thinking.js';

/** Why a reply ended, where a reader should know. */
const ENDED = {
  length: 'Stopped at the length that is set.',
  context: 'The context is full: begin a new chat, or load the model with a longer context.',
};

function element(name, className, text = '') {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function button(label, action) {
  const made = element('button', 'link', label);
  made.type = 'button';
  made.addEventListener('click', action);
  return made;
}

/** A prompt and its reply. */
class ExchangeView {
  #answer;
  #thinking;
  #thought;
  #note;
  #markdown;
  #shown;

  constructor(exchange, { isChat, onCopy, onRetry, onEdit, onGoOn }) {
    this.exchange = exchange;
    this.element = element('article', 'exchange');
    this.prompt = element('p', 'prompt', exchange.prompt);
    this.#answer = element('div', 'answer');
    if (isChat) {
      this.#markdown = new Markdown(this.#answer);
      this.#thinking = element('details', 'thinking');
      this.#thought = element('div', 'thought');
      this.#thinking.append(element('summary', '', 'Thinking'), this.#thought);
    }
    this.#note = element('span', 'quiet');
    this.goOn = button('Continue', onGoOn);
    this.retry = button('Retry', onRetry);
    this.actions = element('div', 'actions');
    this.actions.append(
      button('Copy', () => onCopy(splitThinking(exchange.reply).answer)),
      this.retry,
      button('Edit', () => onEdit(exchange)),
      this.goOn,
      this.#note,
    );
    this.element.append(...[this.prompt, this.#thinking, this.#answer, this.actions].filter(Boolean));
  }

  update({ running, isLast }) {
    const { reply, ended } = this.exchange;
    if (reply !== this.#shown) this.#show(reply);
    this.actions.hidden = running && isLast;
    for (const action of this.actions.querySelectorAll('button')) action.disabled = running;
    this.retry.hidden = !isLast;
    const isOver = ['end', 'stop'].includes(ended) || (ended === 'context' && Boolean(this.#markdown));
    this.goOn.hidden = !isLast || !reply || isOver;
    this.#note.textContent = (reply ? ENDED[ended] : 'No reply.') ?? '';
  }

  #show(reply) {
    this.#shown = reply;
    if (!this.#markdown) {
      this.#answer.textContent = reply;
      return;
    }
    const { thought, answer } = splitThinking(reply);
    this.#thinking.hidden = !thought;
    this.#thought.textContent = thought;
    this.#markdown.show(answer);
  }
}

export class Log {
  #element;
  #actions;
  #views = [];

  /** `actions`: onCopy(text), onRetry(), onEdit(exchange), onGoOn(). */
  constructor(element, actions) {
    this.#element = element;
    this.#actions = actions;
  }

  /** Show the conversation as it is now. Cheap while a reply grows: only what changed is touched. */
  show({ exchanges, isChat, forgotten }, running) {
    const kept = this.#views.findIndex(({ exchange }, i) => exchange !== exchanges[i]);
    if (kept >= 0) for (const { element } of this.#views.splice(kept)) element.remove();
    for (const exchange of exchanges.slice(this.#views.length)) {
      const view = new ExchangeView(exchange, { isChat, ...this.#actions });
      this.#views.push(view);
      this.#element.append(view.element);
    }
    this.#element.classList.toggle('plain', !isChat);
    this.#element.setAttribute('aria-busy', running);
    this.#views.forEach((view, i) => {
      view.element.classList.toggle('forgotten', i < forgotten);
      view.update({ running, isLast: i === exchanges.length - 1 });
    });
  }
}
