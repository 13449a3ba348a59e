// Whether results can be printed. In: an entry and its feeds. Out: a refusal before anything is computed, where the sizes say that no line
// of JSON takes the result. Holds: what is wrong with feeds is said by who runs the entry.

import { constants } from 'node:buffer';
import type { EntrySpec, Manifest, OpenEntrySpec, SessionMethods } from '../../../runtime/index.js';
import { TfcError } from '../../../runtime/error.js';
import { ranksOf } from '../../../runtime/open-rank.js';
import { evaluate, type Sizes } from '../../../runtime/size.js';
import { type FedShape, solveSizes, withQuotients } from '../../../runtime/solve.js';
import { fitsNested } from '../../../runtime/tensor.js';
import type { Feeds } from './feeds.js';

/** Errors: out-of-memory; those of compiling an entry with an open rank, which is built for the ranks that are fed. */
export function requirePrintable({ entries, open }: Manifest, session: SessionMethods, named: string, feeds: Feeds): void {
  const opened = open.find(({ name }) => name === named);
  const entry = opened === undefined ? entries.find(({ name }) => name === named) : specOf(session, opened, feeds);
  if (entry === undefined) return;
  const sizes = sizesOf(entry, feeds);
  const shapes = entry.outputs.map(({ shape }) => shape.map((size) => evaluate(size, sizes)));
  const known = shapes.filter((shape) => shape.every((size) => size !== undefined));
  // A digit and a comma for each element.
  const letters = known.reduce((sum, shape) => sum + 2 * shape.reduce((product, size) => product * size, 1), 0);
  if (letters > constants.MAX_STRING_LENGTH || !known.every(fitsNested)) throw tooLong(named);
}

/** The entry of the ranks that feeds have; undefined when they are wrong. */
function specOf(session: SessionMethods, open: OpenEntrySpec, feeds: Feeds): EntrySpec | undefined {
  const ranks = ((): Readonly<Record<string, number>> | undefined => {
    try {
      return ranksOf(open, feeds);
    } catch {
      return undefined;
    }
  })();
  return ranks === undefined ? undefined : session.entry(open.name, { ranks }).spec;
}

export const tooLong = (entry: string, cause?: unknown): TfcError =>
  new TfcError('out-of-memory', `the result of ${entry} is too long for a line of JSON`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Reduce it in the program, or run it from TypeScript.',
  });

/** What feeds say of the free sizes: nothing when they are wrong. */
function sizesOf(entry: EntrySpec, feeds: Feeds): Sizes {
  try {
    const named = solveSizes(
      entry,
      entry.feeds.map(({ name, shape }) => shapeOf(feeds[name], shape.length)),
    );
    return withQuotients(entry, named);
  } catch {
    return new Map();
  }
}

function shapeOf(value: Feeds[string] | undefined, rank: number): FedShape {
  if (typeof value === 'object' && 'shape' in value) return { shape: value.shape, length: 0 };
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level) && shape.length < rank; level = level[0]) shape.push(level.length);
  return { shape, length: 0 };
}
