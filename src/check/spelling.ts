// Did you mean …? In: a name that nobody knows and the names that exist. Out: the nearest one as a hint.

import { nearest } from '../base/index.js';

/** `did you mean `relu`?`, or undefined. */
export function suggestion(name: string, candidates: Iterable<string>): string | undefined {
  const found = nearest(name, candidates);
  return found === undefined ? undefined : `did you mean \`${found}\`?`;
}
