// Normalization of features. In: the training part of a data set. Out: per feature a shift and a scale, as plain data; any part with them
// applied. Holds: x becomes (x - shift) / scale in f64, rounded once; what is the same in every row becomes 0; statistics come from the
// part that they were fitted on and from no other.
//
// Means and deviations are Welford's (1962): one pass, no cancellation.

import { type ElementType, type FeedValue, TfcError, type TypedArray } from '../../../runtime/index.js';
import { elements } from '../../../runtime/element.js';
import { shown } from '../../../runtime/shown.js';
import { badData } from '../../input/json.js';
import type { Batch } from './batches.js';
import type { ColumnSpec, Dataset } from './dataset.js';
import { countOf } from './table.js';

/**
 * `standard`: mean 0, deviation 1; `range`: from 0 to 1.
 * @example
 * ```ts
 * const kind: NormalizationKind = 'range';
 * const normalization = await fit(data, ['x'], kind);
 * ```
 */
export type NormalizationKind = 'standard' | 'range';

/**
 * How features were scaled: x becomes (x − shift) / scale.
 * @example
 * ```ts
 * const normalization: Normalization = await fit(data, ['x']);
 * console.log(normalization.columns['x']?.shift);
 * ```
 */
export interface Normalization {
  readonly kind: NormalizationKind;
  /** By feed; one number per element of a row. */
  readonly columns: Readonly<Record<string, { readonly shift: readonly number[]; readonly scale: readonly number[] }>>;
}

/** Rows that are read at once. */
const fitBatch = 1024;

/**
 * What normalizes these feeds, from all rows of `dataset` (its training part). Errors: bad-data for NaN and infinities, which have no mean;
 * invalid-value for feeds that it does not have, or that are no floats.
 */
export async function fit(dataset: Dataset, feeds: readonly string[], kind: NormalizationKind = 'standard'): Promise<Normalization> {
  if ((kind as unknown) !== 'standard' && (kind as unknown) !== 'range')
    throw new TfcError('invalid-value', `Features are normalized by "standard" or by "range", not by ${shown(kind)}.`);
  const sums = feeds.map((name) => new Statistics(floatColumn(dataset, name)));
  const pass = { epoch: 1, seed: 0, batch: fitBatch, shuffle: false, rest: 'keep' } as const;
  for await (const batch of dataset.batches(pass)) for (const one of sums) one.add(arrayOf(batch, one.name), batch.rows);
  return { kind, columns: Object.fromEntries(sums.map((one) => [one.name, one.result(kind)])) };
}

/**
 * The data set with features normalized. Errors: invalid-value when it does not have the features that were fitted.
 * @example
 * ```ts
 * const normalization = await fit(data, ['x'], 'range');
 * const scaled = normalized(data, normalization);
 * ```
 */
export function normalized(dataset: Dataset, normalization: Normalization): Dataset {
  const columns = Object.entries(requireNormalization(normalization).columns).map(([name, { shift, scale }]) => {
    const column = floatColumn(dataset, name);
    const length = countOf(column.rowShape);
    if (shift.length !== length) throw new TfcError('invalid-value', `${name} has ${length} features, and ${shift.length} were fitted.`);
    return { name, dtype: column.dtype, shift: Float64Array.from(shift), scale: Float64Array.from(scale) };
  });
  const apply = (batch: Batch): Batch => {
    for (const { name, dtype, shift, scale } of columns) {
      const data = arrayOf(batch, name);
      const { read, write } = access(dtype);
      // A batch's memory is its own: the rows that it was copied from stay as they are.
      for (let at = 0, feature = 0; at < data.length; at += 1, feature = feature + 1 === shift.length ? 0 : feature + 1)
        data[at] = write((read(data[at] as number) - (shift[feature] as number)) / (scale[feature] as number));
    }
    return batch;
  };
  const { data: _, select, ...others } = dataset;
  return {
    ...others,
    batches: (pass) => {
      const batches = dataset.batches(pass);
      return Symbol.asyncIterator in batches ? mapLater(batches, apply) : mapNow(batches, apply);
    },
    ...(select === undefined ? {} : { select: (positions) => normalized(select.call(dataset, positions), normalization) }),
  };
}

function* mapNow(batches: Iterable<Batch>, apply: (batch: Batch) => Batch): Generator<Batch> {
  for (const batch of batches) yield apply(batch);
}

async function* mapLater(batches: AsyncIterable<Batch>, apply: (batch: Batch) => Batch): AsyncGenerator<Batch> {
  for await (const batch of batches) yield apply(batch);
}

/**
 * A normalization that was kept. @throws TfcError invalid-value for what is none.
 * @example
 * ```ts
 * const kept = JSON.stringify(await fit(data, ['x']));
 * const scaled = normalized(data, requireNormalization(JSON.parse(kept)));
 * ```
 */
export function requireNormalization(value: unknown): Normalization {
  const isNumbers = (list: unknown): list is readonly number[] => Array.isArray(list) && list.every((one) => Number.isFinite(one));
  const { kind, columns } = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly [Name in keyof Normalization]?: unknown;
  };
  const isColumn = (column: unknown): boolean => {
    const { shift, scale } = (typeof column === 'object' && column !== null ? column : {}) as {
      readonly shift?: unknown;
      readonly scale?: unknown;
    };
    return isNumbers(shift) && isNumbers(scale) && shift.length === scale.length && scale.every((one) => one > 0);
  };
  if (
    (kind !== 'standard' && kind !== 'range') ||
    typeof columns !== 'object' ||
    columns === null ||
    !Object.values(columns).every(isColumn)
  )
    throw new TfcError('invalid-value', `A normalization has a kind and, per column, shifts and scales; ${shown(value)} is none.`);
  return value as Normalization;
}

function floatColumn({ columns }: Dataset, name: string): ColumnSpec {
  const column = columns.find((one) => one.name === name);
  if (column === undefined)
    throw new TfcError('invalid-value', `There is no column ${shown(name)} to normalize.`, {
      hint: `There are ${columns.map((one) => one.name).join(', ')}.`,
    });
  if (!/^b?f/.test(column.dtype)) throw new TfcError('invalid-value', `${name} is ${column.dtype}, and only floats are normalized.`);
  return column;
}

const arrayOf = ({ feeds }: Batch, name: string): Float64Array =>
  (feeds[name] as Extract<FeedValue, { readonly data: TypedArray }>).data as Float64Array;

const same = (value: number): number => value;

/** Numbers from what an array holds, and back. */
const access = (dtype: ElementType): { readonly read: (value: number) => number; readonly write: (value: number) => number } => {
  const { patterns } = elements[dtype];
  return { read: patterns?.toNumber ?? same, write: patterns?.fromNumber ?? same };
};

class Statistics {
  readonly name: string;
  readonly #read: (value: number) => number;
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  readonly #least: Float64Array;
  readonly #most: Float64Array;
  #rows = 0;

  constructor({ name, dtype, rowShape }: ColumnSpec) {
    const length = countOf(rowShape);
    this.name = name;
    this.#read = access(dtype).read;
    this.#means = new Float64Array(length);
    this.#squares = new Float64Array(length);
    this.#least = new Float64Array(length).fill(Infinity);
    this.#most = new Float64Array(length).fill(-Infinity);
  }

  add(data: Float64Array, rows: number): void {
    const length = this.#means.length;
    for (let row = 0; row < rows; row += 1) {
      this.#rows += 1;
      for (let feature = 0; feature < length; feature += 1) {
        const value = this.#read(data[row * length + feature] as number);
        if (!Number.isFinite(value))
          throw badData(`row ${this.#rows - 1} of ${this.name} has ${value} as feature ${feature}, and only finite numbers have a mean`);
        const mean = this.#means[feature] as number;
        const next = mean + (value - mean) / this.#rows;
        this.#means[feature] = next;
        (this.#squares[feature] as number) += (value - mean) * (value - next);
        if (value < (this.#least[feature] as number)) this.#least[feature] = value;
        if (value > (this.#most[feature] as number)) this.#most[feature] = value;
      }
    }
  }

  result(kind: NormalizationKind): { readonly shift: number[]; readonly scale: number[] } {
    const scales =
      kind === 'range'
        ? this.#most.map((most, at) => most - (this.#least[at] as number))
        : this.#squares.map((square) => Math.sqrt(square / this.#rows));
    // What does not vary is only shifted.
    return { shift: [...(kind === 'range' ? this.#least : this.#means)], scale: [...scales].map((scale) => (scale > 0 ? scale : 1)) };
  }
}
