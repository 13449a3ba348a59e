// Hooks for versions of Node that run them in a thread of their own. In: where tfc's API lies. Out: modules for programs.

import { fileURLToPath } from 'node:url';
import { isProgram, moduleText } from './module-text.js';

let api = '';

/** What `register` was given. */
export function initialize(data: { readonly api: string }): void {
  api = data.api;
}

type Load = (url: string, context: unknown) => unknown;

export const load = (url: string, context: unknown, next: Load): unknown =>
  isProgram(url) ? { format: 'module', shortCircuit: true, source: moduleText(fileURLToPath(url), api) } : next(url, context);
