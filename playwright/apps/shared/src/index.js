import { say } from './say.js';

say(document.querySelector('output'));
