import { loadModel } from 'webgguf';

const output = document.querySelector('output')!;
try {
  const model = await loadModel('./model.gguf', { worker: location.search === '?worker' });
  for await (const text of model.generate('Prince', { maxTokens: 6, temperature: 0 })) output.textContent += text;
  output.dataset.state = 'done';
} catch (e) {
  output.textContent = String(e);
  output.dataset.state = 'failed';
}
