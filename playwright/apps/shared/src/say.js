// What each app does: it loads the model that the page's address names, and shows what the model says.
import { loadModel } from 'webgguf';

/** Write the text, or the error, into `output`. */
export async function say(output, options) {
  const query = new URLSearchParams(location.search);
  try {
    const model = await loadModel(query.get('model'), { worker: query.has('worker'), ...options });
    const pieces = model.generate(query.get('prompt'), { temperature: 0, stop: '.' });
    for await (const text of pieces) output.append(text);
    model.destroy();
    output.dataset.state = 'done';
  } catch (e) {
    output.textContent = `${e.code}: ${e.message}`;
    output.dataset.state = 'failed';
  }
}
