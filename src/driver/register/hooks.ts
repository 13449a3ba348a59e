// Hooks for versions of Node that run them in a thread of their own. In: what is imported. Out: modules for programs.

import { fileURLToPath } from 'node:url';
import { isProgram, moduleText } from './module-text.js';

type Load = (url: string, context: unknown) => unknown;

export const load = (url: string, context: unknown, next: Load): unknown =>
  isProgram(url) ? { format: 'module', shortCircuit: true, source: moduleText(fileURLToPath(url)) } : next(url, context);
