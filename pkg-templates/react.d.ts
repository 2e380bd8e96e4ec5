/**
 * webgguf for React: a model and a chat as hooks.
 *
 * ```tsx
 * function Assistant() {
 *   const { model, status, progress } = useModel('https://example.com/model.gguf', { worker: true });
 *   const { messages, send } = useChat(model, { system: 'Be brief.' });
 *   if (status === 'loading') return <progress value={progress?.fraction ?? 0} />;
 *   return (
 *     <form action={(data) => send(String(data.get('text')))}>
 *       {messages.map((m, i) => <p key={i}>{String(m.content)}</p>)}
 *       <input name="text" />
 *     </form>
 *   );
 * }
 * ```
 */
import type {
  Chat,
  ChatOptions,
  FallbackOptions,
  LoadOptions,
  Message,
  Model,
  Progress,
  SendOptions,
  ServerModel,
  Source,
  WorkerModel,
} from './index.js';

export interface UseModelOptions extends Omit<LoadOptions, 'signal'> {
  /** Load as soon as the component is there, and again when the source changes. False waits for `load`. Default true. */
  autoLoad?: boolean | undefined;
}

export interface ModelState<M = Model | WorkerModel> {
  /** The model; undefined until it is loaded. */
  model: M | undefined;
  /** `lost`: the GPU went away; `recover` brings the model back. */
  status: 'idle' | 'loading' | 'ready' | 'lost' | 'error';
  progress: Progress | undefined;
  /** Why the load failed, or the device is lost: a `WebggufError`, or what your `onProgress` threw. */
  error: unknown;
  /** Load the model, from the beginning. Resolves to it; to undefined where that fails, is ended or overtaken. */
  load(): Promise<M | undefined>;
  /** Bring a lost model back onto a GPU. */
  recover(): Promise<M | undefined>;
  /** End a load, give the model's memory back. It happens by itself when the component goes. */
  unload(): void;
}

/**
 * Load a model for as long as the component is there. It is loaded again when `source` changes (a Blob or an array: by
 * identity, so keep it between renders); the options count when a load begins. Null or undefined loads nothing.
 */
export function useModel(
  source: Source | null | undefined,
  options: UseModelOptions & Pick<FallbackOptions, 'fallback'>,
): ModelState<Model | WorkerModel | ServerModel>;
export function useModel(source: Source | null | undefined, options: UseModelOptions & { worker: true }): ModelState<WorkerModel>;
export function useModel(source: Source | null | undefined, options?: UseModelOptions & { worker?: false | undefined }): ModelState<Model>;
export function useModel(source: Source | null | undefined, options?: UseModelOptions): ModelState;

export interface ChatState {
  /** What was said, with the reply as it grows and messages that wait for theirs. */
  messages: Message[];
  /** `waiting`: for the first piece of a reply; `writing`: the reply grows. */
  status: 'idle' | 'waiting' | 'writing';
  /** Why the last turn, or the chat itself, failed. A stop is no failure. */
  error: unknown;
  /** The conversation, whose `messages` are yours to edit; undefined without a model, or one without a chat template. */
  chat: Chat | undefined;
  /** Say something. Resolves when the reply is whole, stopped or failed; it does not reject. */
  send(message?: string | Message | readonly Message[], options?: Omit<SendOptions, 'signal'>): Promise<void>;
  /** End the reply, and turns that wait. */
  stop(): void;
  /** Have the last reply written again. */
  retry(options?: Omit<SendOptions, 'signal'>): Promise<void>;
  /** Begin again. */
  reset(): void;
}

/** A conversation with a model, a new one for each model. The options are those of `model.chat` at its beginning. */
export function useChat(model: Model | WorkerModel | ServerModel | null | undefined, options?: ChatOptions): ChatState;
