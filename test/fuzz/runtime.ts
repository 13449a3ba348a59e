export { front as runtime } from './front.js';
