// Results of an entry for every row of a data set. In: a function with a row of results per row, data. Out: its results as whole arrays.
// Holds: rows are in the order of the data, whatever the batch; a result without a row per row is refused before anything runs.

import { type ElementType, type EntrySpec, type FeedValue, type Result, Tensor, type TypedArray } from '../../runtime/index.js';
import { allocate } from '../../runtime/element.js';
import { DiagnosticsError } from '../base/index.js';
import { batchedFeeds } from './data/batch-size.js';
import type { Dataset } from './data/dataset.js';
import { countOf } from './data/table.js';
import type { RunStep } from './train.js';

/** One result, with its rows as the first axis. */
export interface PredictionColumn {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Errors: bad-data for a result that has no row per row; those of the data and of the entry. */
export async function predictOver(
  entry: EntrySpec,
  run: RunStep,
  data: Dataset,
  { batch, constant = {} }: { readonly batch: number; readonly constant?: Readonly<Record<string, FeedValue>> },
): Promise<readonly PredictionColumn[]> {
  requireRows(entry);
  const names = new Set(entry.feeds.map(({ name }) => name));
  const pieces = new Map<string, Tensor[]>();
  for await (const { feeds } of data.batches({ epoch: 1, seed: 0, batch, shuffle: false, rest: 'keep' })) {
    const own = Object.entries(feeds).filter(([name]) => names.has(name));
    const given = run({ ...constant, ...Object.fromEntries(own) });
    const result = given instanceof Promise ? await given : given;
    for (const [name, tensor] of tensorsOf(result, '')) pieces.set(name, [...(pieces.get(name) ?? []), tensor]);
  }
  return [...pieces].map(([name, tensors]) => joined(name, tensors));
}

function requireRows(entry: EntrySpec): void {
  const { name, outputs } = entry;
  const [batched] = batchedFeeds(entry);
  const rows = JSON.stringify(batched?.shape[0]);
  const other = outputs.find(({ shape }) => JSON.stringify(shape[0]) !== rows);
  if (other === undefined) return;
  throw new DiagnosticsError([
    {
      code: 'bad-data',
      message: `${name} returns ${other.name === '' ? 'one value' : other.name}, which has no row per row of the data`,
      hint: 'Means of numbers over the data are computed by tfc eval.',
    },
  ]);
}

/** Tensors by their path in the result: `result` for one alone, `point/0`. */
function tensorsOf(result: Result, path: string): [name: string, tensor: Tensor][] {
  if (result instanceof Tensor) return [[path === '' ? 'result' : path, result]];
  if (typeof result !== 'object') return [];
  return Object.entries(result).flatMap(([name, one]: [string, Result]) => tensorsOf(one, path === '' ? name : `${path}/${name}`));
}

function joined(name: string, tensors: readonly Tensor[]): PredictionColumn {
  const [first] = tensors as [Tensor, ...Tensor[]];
  const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  const data = allocate(first.dtype, countOf(shape));
  let at = 0;
  for (const one of tensors) {
    (data as Float64Array).set(one.data as Float64Array, at);
    at += one.data.length;
  }
  return { name, dtype: first.dtype, shape, data };
}
