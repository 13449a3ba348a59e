// Programs to start from. In: the checkout. Out: their texts, and the words in them. Holds: the same order on every machine.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/driver/package.js';
import { layers, training, words as clauseWords } from '../grammar/program-texts.js';

const folders = [
  'test/programs',
  'test/diagnostics/cases',
  'test/check',
  'src/std',
  'examples/first-graph',
  'examples/hospital',
  'examples/linear-regression',
  'examples/mnist',
  'examples/moons',
];

/** Words, marks and the space between them: joined they are the text. */
export const wordsOf = (text: string): string[] =>
  text.match(/\s+|\/\/[^\n]*|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e-?\d+)?|"[^"\n]*"|<-|=>|\.\.\.|\.\.|[<>=!]=|\*\*|&&|\|\||./gu) ?? [];

export const isSolid = (word: string): boolean => word.trim() !== '' && !word.startsWith('//');

export interface Texts {
  /** Each as its words. */
  readonly programs: readonly (readonly string[])[];
  readonly vocabulary: readonly string[];
}

let loaded: Texts | undefined;

export function texts(): Texts {
  if (loaded !== undefined) return loaded;
  const files = folders.flatMap((folder) => {
    const path = join(packageRoot(), folder);
    return readdirSync(path)
      .filter((name) => name.endsWith('.tdsl'))
      .sort()
      .map((name) => readFileSync(join(path, name), 'utf8'));
  });
  const programs = [...files, layers, training, clauseWords].map(wordsOf);
  loaded = { programs, vocabulary: [...new Set(programs.flat().filter(isSolid))] };
  return loaded;
}
