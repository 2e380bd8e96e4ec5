// Replies as parts, and the loop that calls tools. chat.js loads it when it is needed.
export { Reading } from './reading.js';
export { run, toolsOf } from './run.js';
