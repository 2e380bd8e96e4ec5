// A document that nobody sees. It stays until it is closed.
import { answerIn } from './answer.js';

answerIn('offscreen');
