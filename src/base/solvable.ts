// Which sizes follow from shapes. In: sizes that are known as numbers when something is called. Out: the names among them that have a value
// then.
// Holds: a name is found from a size in which every other name is known and it stands alone in its terms, so runtimes solve one linear
// equation after the other.

import type { Dim } from './dim.js';

/** `round` is called before the sizes are gone through once more. */
export function solvableNames(sizes: readonly Dim[], round: () => void = () => undefined): ReadonlySet<string> {
  const solved = new Set<string>();
  for (let progress = true; progress;) {
    round();
    progress = false;
    for (const dim of sizes) {
      const open = [...dim.names].filter((name) => !solved.has(name));
      const [only] = open;
      if (only === undefined || open.length > 1 || dim.terms.some((term) => term.names.filter((one) => one === only).length > 1)) continue;
      solved.add(only);
      progress = true;
    }
  }
  return solved;
}
