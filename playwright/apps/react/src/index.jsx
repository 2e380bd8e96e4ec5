import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useModel } from 'webgguf/react';

const query = new URLSearchParams(location.search);

function App() {
  const { model, status, error } = useModel(query.get('model'), { worker: query.has('worker') });
  const [said, setSaid] = useState({ text: '', state: undefined });
  useEffect(() => {
    if (!model) return;
    const say = async () => {
      let text = '';
      for await (const piece of model.generate(query.get('prompt'), { temperature: 0, stop: '.' })) setSaid({ text: (text += piece) });
      setSaid({ text, state: 'done' });
    };
    say().catch((e) => setSaid({ text: e.message, state: 'failed' }));
  }, [model]);
  if (status === 'error') return <output data-state="failed">{error.message}</output>;
  return <output data-state={said.state}>{said.text}</output>;
}

createRoot(document.querySelector('#root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
