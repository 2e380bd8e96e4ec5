// Models and chats as React hooks. The types and their documentation are in react.d.ts.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { failure } from './errors.js';
import { loadModel } from './index.js';

const IDLE = { status: 'idle', model: undefined, progress: undefined, error: undefined };

export function useModel(source, options) {
  const [state, setState] = useState(IDLE);
  const latest = useRef();
  /** The load that counts: its controller, and its model once that is here. */
  const current = useRef();
  useEffect(() => {
    latest.current = options;
  });
  const key = source instanceof URL ? source.href : source;

  const unload = useCallback(() => {
    current.current?.controller.abort();
    current.current?.model?.destroy();
    current.current = undefined;
    setState(IDLE);
  }, []);

  const load = useCallback(async () => {
    unload();
    if (key === undefined || key === null) return undefined;
    const mine = (current.current = { controller: new AbortController() });
    const set = (change) => current.current === mine && setState((before) => ({ ...before, ...change }));
    set({ status: 'loading' });
    const { autoLoad, onProgress, ...more } = latest.current ?? {};
    const heard = (progress) => {
      set({ progress });
      onProgress?.(progress);
    };
    try {
      const model = await loadModel(key, { ...more, signal: mine.controller.signal, onProgress: heard });
      if (current.current !== mine) return void model.destroy();
      mine.model = model;
      model.on('devicelost', ({ message }) => set({ status: 'lost', error: failure('DEVICE_LOST', message) }));
      set({ status: 'ready', model });
      return model;
    } catch (error) {
      set({ status: 'error', error });
      return undefined;
    }
  }, [key, unload]);

  const recover = useCallback(async () => {
    const mine = current.current;
    if (!mine?.model) return load();
    const set = (change) => current.current === mine && setState((before) => ({ ...before, ...change }));
    set({ status: 'loading', error: undefined });
    try {
      await mine.model.recover({ onProgress: (progress) => set({ progress }), signal: mine.controller.signal });
      set({ status: 'ready' });
      return mine.model;
    } catch (error) {
      set({ status: 'lost', error });
      return undefined;
    }
  }, [load]);

  useEffect(() => {
    if (latest.current?.autoLoad !== false) load();
    return unload;
  }, [load, unload]);

  return { ...state, load, recover, unload };
}

/** What `chat.send` takes, as messages to show. */
const shown = (message) => (typeof message === 'string' ? [{ role: 'user', content: message }] : [message ?? []].flat());

export function useChat(model, options) {
  const [view, setView] = useState({ messages: options?.messages ?? [], status: 'idle', error: undefined });
  const latest = useRef();
  /** Turns that run or wait, each with the messages that are not in the chat yet. */
  const turns = useRef(new Set());
  const stopper = useRef();
  useEffect(() => {
    latest.current = options;
  });

  const [chat, failed] = useMemo(() => {
    try {
      return [model?.chat(options)];
    } catch (error) {
      return [undefined, error];
    }
    // A chat lasts as long as its model: its options are those at its beginning.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [model]);

  const show = useCallback((change) => {
    const all = [...turns.current];
    const status = all.length === 0 ? 'idle' : all[0].isWriting ? 'writing' : 'waiting';
    const messages = [...(chat?.messages ?? latest.current?.messages ?? []), ...all.flatMap((turn) => (turn.isWriting ? [] : turn.said))];
    setView((before) => ({ ...before, messages: messages.map((m) => ({ ...m })), status, ...change }));
  }, [chat]);

  const stop = useCallback(() => stopper.current?.abort(), []);

  const send = useCallback(async (message, own) => {
    if (!chat) return void show({ error: failed ?? failure('INVALID_STATE', 'there is no model yet to send a message to') });
    const turn = { said: shown(message), isWriting: false };
    turns.current.add(turn);
    stopper.current ??= new AbortController();
    let frame;
    show({ error: undefined });
    try {
      for await (const _ of chat.send(message, { ...own, signal: stopper.current.signal })) {
        turn.isWriting = true;
        // A fast model writes more often than a page is drawn.
        frame ??= requestAnimationFrame(() => {
          frame = undefined;
          show();
        });
      }
    } catch (error) {
      if (error.code !== 'ABORTED') setView((before) => ({ ...before, error }));
    } finally {
      if (frame !== undefined) cancelAnimationFrame(frame);
      turns.current.delete(turn);
      if (!turns.current.size) stopper.current = undefined;
      show();
    }
  }, [chat, failed, show]);

  const retry = useCallback((own) => {
    while (chat?.messages.at(-1)?.role === 'assistant') chat.messages.pop();
    return send(undefined, own);
  }, [chat, send]);

  const reset = useCallback(() => {
    stop();
    chat?.reset();
    show({ error: undefined });
  }, [chat, show, stop]);

  useEffect(() => {
    show({ error: failed });
    return stop;
  }, [failed, show, stop]);

  return { ...view, chat, send, stop, retry, reset };
}
