// Names of a text that is written. In: stems and paths. Out: names that nothing else in the text has. Holds: none is a word of the
// language, or of a function that ops are written with.

import { contextualWords, reservedWords } from '../../grammar/index.js';
import { dtypeNames } from '../base/index.js';
import { scalarNames, scalarTable, tdsl } from '../ops/index.js';

const words: readonly string[] = [
  ...reservedWords,
  ...contextualWords,
  ...tdsl.writingFunctions,
  ...dtypeNames,
  ...scalarNames.flatMap((name) => scalarTable[name].builtin ?? []),
];

export class Names {
  readonly #taken = new Set<string>(words);
  /** By stem, the first number that may be free. */
  readonly #next = new Map<string, number>();

  /** Keeps a name for what has it already; false where something else has it. */
  take(name: string): boolean {
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** The stem, or with the first number behind it that makes it another one. */
  fresh(stem: string): string {
    const name = nameOf(stem);
    if (this.take(name)) return name;
    // What ends in a digit would read as another number.
    const start = /\d$/.test(name) ? `${name}_` : name;
    for (let number = this.#next.get(start) ?? 1; ; number++) {
      if (!this.take(`${start}${number}`)) continue;
      this.#next.set(start, number + 1);
      return `${start}${number}`;
    }
  }

  /** The last parts of a path that are free together, one part at least. */
  ofPath(path: string): string {
    const parts = partsOf(path);
    for (let count = 1; count <= parts.length; count++) {
      const name = nameOf(parts.slice(-count).join('_'));
      if (this.take(name)) return name;
    }
    return this.fresh(parts.join('_'));
  }
}

/** Parts of a path; an element of a list is one with its list. */
export const partsOf = (path: string): readonly string[] => path.replaceAll(/\/(?=\d+(?:\/|$))/g, '_').split('/');

/** A text as a name. */
export function nameOf(text: string): string {
  const plain = text.replaceAll(/[^\p{L}\p{M}\p{N}_]/gu, '_');
  return /^[\p{L}_]/u.test(plain) ? plain : `_${plain}`;
}

/** For each path the last parts of it that no other one ends in, as a name. */
export function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  const parts = new Map(paths.map((path) => [path, partsOf(path)]));
  const end = (path: string, count: number): string => nameOf((parts.get(path) ?? []).slice(-count).join('_'));
  return new Map(
    [...parts].map(([path, own]) => {
      let count = 1;
      while (count < own.length && [...parts.keys()].some((other) => other !== path && end(other, count) === end(path, count))) count++;
      return [path, end(path, count)];
    }),
  );
}
