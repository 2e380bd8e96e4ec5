const output = document.querySelector('output');
const worker = new SharedWorker(new URL('./shared.js', import.meta.url), { type: 'module' });
worker.onerror = (e) => Object.assign(output, { textContent: e.message }).dataset.state = 'failed';
worker.port.onmessage = ({ data: { text = '', state } }) => {
  output.append(text);
  if (state) output.dataset.state = state;
};
worker.port.postMessage(Object.fromEntries(new URLSearchParams(location.search)));
