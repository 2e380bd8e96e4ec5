import { useState } from 'react';
import { useChat, useModel } from 'webgguf/react';

const query = new URLSearchParams(location.search);
const SOURCE = query.get('model') ?? 'hf:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf';

const say = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function App() {
  // 640 MB are downloaded when the visitor asks for them, not before.
  const { model, status, progress, error, load, recover } = useModel(SOURCE, { worker: true, autoLoad: false });
  const chat = useChat(model, { system: 'Be brief.', maxTokens: 400 });
  const [text, setText] = useState('');

  if (status === 'idle') return <button onClick={load}>Load the model</button>;
  if (status === 'loading') return <progress value={progress?.fraction ?? 0} />;
  if (status === 'error') return <p role="alert">{say(error)}</p>;
  if (status === 'lost') return <button onClick={recover}>The GPU went away. Start again</button>;
  return (
    <main>
      <ol>
        {chat.messages.map(({ role, content }, i) => (
          <li key={i}><b>{role}</b> {String(content)}</li>
        ))}
      </ol>
      {chat.error ? <p role="alert">{say(chat.error)}</p> : null}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          chat.send(text);
          setText('');
        }}
      >
        <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
        <button>Send</button>
        <button type="button" disabled={chat.status === 'idle'} onClick={chat.stop}>Stop</button>
        <button type="button" onClick={() => chat.retry()}>Retry</button>
        <button type="button" onClick={chat.reset}>New chat</button>
        <output>{chat.status}</output>
      </form>
    </main>
  );
}
