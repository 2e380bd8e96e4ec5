import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useChat, useModel } from 'webgguf/react';

/** What the component's hooks said when it was last rendered. */
let now;
/** Who said something, in each picture of the conversation. */
const seen = new Set();

function Hooks() {
  const [source, setSource] = useState();
  const model = useModel(source, { contextLength: 128, cache: false, retry: { attempts: 1 } });
  const chat = useChat(model.model, { maxTokens: 3, ignoreEnd: true });
  now = { ...model, chat, setSource };
  seen.add(chat.messages.map((m) => m.role).join());
  return null;
}

async function until(condition) {
  for (let i = 0; i < 600; i++) {
    if (condition(now)) return;
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error(`stuck: ${now.status}, ${now.error}`);
}

globalThis.tryHooks = async (chatModel, baseModel) => {
  const result = {};
  const root = createRoot(document.getElementById('root'));
  root.render(<StrictMode><Hooks /></StrictMode>);
  await until((now) => now);
  await now.chat.send('too early');
  await until((now) => now.chat.error);
  result.early = now.chat.error.code;

  now.setSource(chatModel);
  await until((now) => now.status === 'ready');
  result.first = [now.status, now.model.info.architecture];
  const first = now.model;
  await until((now) => now.chat.chat);
  const sent = [now.chat.send('A'), now.chat.send('B')];
  await Promise.all(sent);
  result.waited = seen.has('user,user');
  await until((now) => now.chat.status === 'idle' && now.chat.messages.length === 4);
  result.turns = now.chat.messages.map((m) => m.role);

  now.setSource(baseModel);
  await until((now) => now.status === 'ready' && now.model !== first);
  result.changed = [now.status, now.model.info.architecture];
  result.firstLoaded = first.isLoaded;
  await until((now) => now.chat.error);
  result.base = now.chat.error.code;

  now.setSource('/none.gguf');
  await until((now) => now.status === 'error');
  result.failed = [now.status, now.error.code];
  now.setSource(null);
  await until((now) => now.status === 'idle');
  result.none = [now.status, Boolean(now.model)];

  // The browser takes the device away.
  const { requestDevice } = GPUAdapter.prototype;
  let device;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    return (device = await requestDevice.apply(this, args));
  };
  now.setSource(chatModel);
  await until((now) => now.status === 'ready');
  device.destroy();
  await until((now) => now.status === 'lost');
  result.lost = [now.status];
  await now.recover();
  await until((now) => now.status === 'ready');
  result.lost.push(now.status);
  const last = now.model;
  root.unmount();
  await new Promise((later) => setTimeout(later, 100));
  result.gone = last.isLoaded;
  return result;
};
