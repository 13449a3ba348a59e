// What an entry learns of its sizes on the way: a function that it calls declares `where D % 2 == 0`, and divides by it. In: the check of
// an entry, given what is known. Out: the same, begun again with that fact, so that inside D is 2·(D÷2) as if the entry had declared it.
// Holds: an entry is begun again only before it has made variables, and each time a size more is known.

import type { SizeFact } from '../graph/index.js';
import type { Checker } from './context.js';

/** Thrown to begin again. */
export class Learned extends Error {
  readonly fact: SizeFact;

  constructor(fact: SizeFact) {
    super('an entry is checked again with what it has learned of its sizes');
    this.fact = fact;
  }
}

/** Runs `attempt` until it learns nothing more. */
export function learning<T>(checker: Checker, attempt: (learned: readonly SizeFact[]) => T): T {
  const learned: SizeFact[] = [];
  for (;;) {
    const mark = checker.growth.enter('declaration');
    try {
      const result = attempt(learned);
      checker.growth.returnTo(mark);
      return result;
    } catch (error) {
      if (!(error instanceof Learned)) throw error;
      checker.growth.returnTo(mark);
      learned.push(error.fact);
    }
  }
}
