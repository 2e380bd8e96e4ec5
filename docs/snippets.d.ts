// What the documentation's code may use without saying where it comes from. Each block of `ts`, `tsx` and `js` in the Markdown
// files is a module that is type-checked with these globals (playwright/docs.test.mjs); one that imports or declares a
// name itself has its own. Blocks marked `js run` become live examples, with `builtIn`, `print` and `signal`.

declare const Chat: typeof import('webgguf').Chat;
declare const canRun: typeof import('webgguf').canRun;
declare const inspect: typeof import('webgguf').inspect;
declare const isWebggufError: typeof import('webgguf').isWebggufError;
declare const listCached: typeof import('webgguf').listCached;
declare const loadModel: typeof import('webgguf').loadModel;
declare const loadTokenizer: typeof import('webgguf').loadTokenizer;
declare const persist: typeof import('webgguf').persist;
declare const removeCached: typeof import('webgguf').removeCached;

/** A model that is loaded, a conversation with it, an address of a file. */
declare const model: import('webgguf').Model;
declare const chat: import('webgguf').Chat;
declare const messages: import('webgguf').Message[];
declare const url: string;

/** The page's own: it shows a piece of text; it waits until the visitor agrees. */
declare function show(text: string | null): void;
declare function askTheVisitor(text: string): Promise<void>;
declare const button: HTMLButtonElement;
declare const note: HTMLElement;

/** Of live examples: the address of the built-in model, a place for text, the Stop button. */
declare const builtIn: string;
declare function print(text: string): void;
declare const signal: AbortSignal;

/** Of service workers, which the DOM's types do not know. */
interface Window {
  addEventListener(type: 'install', listener: (event: { waitUntil(done: Promise<unknown>): void }) => void): void;
}
