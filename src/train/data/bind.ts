// Which columns of a table belong to which feed. In: names of columns, feeds, what was told. Out: columns per feed; where names say
// nothing, which feed takes the last column and which takes the others. Holds: no column is given to two feeds, but where that was told.
//
// A feed takes the columns that were told (`pixel*`: all that start so); else the column with its name; else all that have its name, then a
// number or a separator: x0, x_1, x.mean, x[2]. One feed that is left takes all columns that nobody took. Two feeds of which nothing is
// named are told apart by their shapes: the one with one number per row takes the last column.

import { isInteger } from '../../base/index.js';
import type { TensorSpec } from '../../../runtime/index.js';
import { badData } from '../../input/json.js';
import type { DatasetOptions } from './dataset-options.js';

export interface Bindings {
  readonly columns: ReadonlyMap<string, readonly string[]>;
  /** The feed that takes the last column. */
  readonly last?: TensorSpec;
  /** The feed that takes what is left. */
  readonly others?: TensorSpec;
}

/** Errors: bad-data. */
export function bind(where: string, names: readonly string[], feeds: readonly TensorSpec[], options: DatasetOptions): Bindings {
  const columns = new Map<string, readonly string[]>();
  for (const feed of feeds) {
    const told = options.columns !== undefined && Object.hasOwn(options.columns, feed.name) ? options.columns[feed.name] : undefined;
    if (told !== undefined) columns.set(feed.name, toldColumns(where, names, feed, typeof told === 'string' ? [told] : told));
    else if (names.includes(feed.name)) columns.set(feed.name, [feed.name]);
  }
  // The longest name that fits: x_small_1 is a column of x_small, not of x.
  const open = feeds.filter(({ name }) => !columns.has(name)).sort((a, b) => b.name.length - a.name.length);
  const taken = new Set([...columns.values()].flat());
  for (const feed of open) {
    const found = names.filter((name) => !taken.has(name) && hasPrefix(name, feed.name));
    if (found.length === 0) continue;
    columns.set(feed.name, found);
    for (const name of found) taken.add(name);
  }
  const left = feeds.filter(({ name }) => !columns.has(name));
  const [one, two] = left;
  if (one === undefined) return { columns };
  if (two === undefined && (feeds.length > 1 || names.length > 0)) return { columns, others: one };
  const single = left.filter(isSingle);
  const [last] = single;
  if (left.length !== 2 || single.length !== 1 || last === undefined || columns.size > 0 || names.length < 2) {
    throw badData(
      `${where}: columns ${names.slice(0, 40).join(', ')}${names.length > 40 ? ', …' : ''} do not say which feed they are (${left.map((feed) => feed.name).join(', ')})`,
      'Name columns after feeds (x, or x0, x1, …), say which they are, or use one feed with one number per row: it takes the last column.',
    );
  }
  return { columns, last, others: left.find((feed) => feed !== last) as TensorSpec };
}

function toldColumns(where: string, names: readonly string[], feed: TensorSpec, told: readonly string[]): readonly string[] {
  return told.flatMap((name) => {
    if (names.includes(name)) return [name];
    const found = name.endsWith('*') ? names.filter((one) => one.startsWith(name.slice(0, -1))) : [];
    if (found.length > 0) return found;
    throw badData(`${where}: no column ${JSON.stringify(name)} for the feed ${feed.name}`, `It has ${names.slice(0, 40).join(', ')}.`);
  });
}

const hasPrefix = (name: string, feed: string): boolean => name.startsWith(feed) && /^[\d_.:/[-]/.test(name.slice(feed.length));

/** One number per row. */
export const isSingle = (feed: TensorSpec): boolean => feed.shape.slice(1).every((size) => size === 1);

export const takesWhole = ({ dtype }: TensorSpec): boolean => isInteger(dtype);
