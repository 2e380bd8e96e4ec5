import { say } from './say.js';

const output = document.querySelector('output');
const query = new URLSearchParams(location.search);

/** Have another part of the extension say it. */
async function ask() {
  if (query.get('in') === 'offscreen') {
    await chrome.offscreen.createDocument({ url: 'offscreen.html', reasons: ['WORKERS'], justification: 'runs a model' });
  }
  const { text, state } = await chrome.runtime.sendMessage(Object.fromEntries(query));
  output.textContent = text;
  output.dataset.state = state;
}

if (query.has('in')) ask();
else say(output);
