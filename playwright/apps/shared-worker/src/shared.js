// The one model of all tabs.
import { loadModel } from 'webgguf';

let loading;

async function answer(port, { model: url, prompt }) {
  try {
    loading ??= loadModel(url);
    const model = await loading;
    const pieces = model.generate(prompt, { temperature: 0, stop: '.' });
    for await (const text of pieces) port.postMessage({ text });
    port.postMessage({ state: 'done' });
  } catch (e) {
    port.postMessage({ text: `${e.code}: ${e.message}`, state: 'failed' });
  }
}

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => answer(port, data);
};
