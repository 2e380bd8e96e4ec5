// The package for Node.js, Deno and Bun: the tokenizer runs there, too.
import './engine/node.js';

export * from './index.js';
