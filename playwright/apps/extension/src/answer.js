import { loadModel } from 'webgguf';

async function say({ model: url, prompt }) {
  try {
    const model = await loadModel(url);
    let text = '';
    for await (const piece of model.generate(prompt, { temperature: 0, stop: '.' })) text += piece;
    model.destroy();
    return { text, state: 'done' };
  } catch (e) {
    return { text: `${e.code}: ${e.message}`, state: 'failed' };
  }
}

/** Answer the messages of other parts of the extension that are for `place`. */
export function answerIn(place) {
  chrome.runtime.onMessage.addListener((message, sender, answer) => {
    if (message.in !== place) return false;
    say(message).then(answer);
    return true; // The answer comes later.
  });
}
