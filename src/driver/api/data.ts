// Data sets for the API. In: columns as a caller has them. Out: a data set. Holds: what is no column is refused before anything is computed
// with it; whatever is thrown is a TfcError.

import { elements, heldBy, holds, isElementType } from '../../../runtime/element.js';
import { reading } from '../../../runtime/error.js';
import { shown, withArticle } from '../../../runtime/shown.js';
import { TfcError } from '../../../runtime/index.js';
import { noElementType } from '../../../runtime/tensor.js';
import * as dataset from '../../train/data/dataset.js';
import { type Column, countOf } from '../../train/data/table.js';
import { guarded } from './datasets.js';
import { asTfcErrors } from './failures.js';

/**
 * A data set of columns in memory. `data` is row-major, a typed array: it says the element type, or `dtype` does (of floats of 16 and 8
 * bits, which lie in integers). @throws TfcError invalid-value for what is no column; bad-data for columns of different lengths, or
 * without rows.
 * @example
 * ```ts
 * const points = inMemory([
 *   { name: 'x', data: new Float32Array(100 * 4), rows: 100, rowShape: [4] },
 *   { name: 'y', data: new Int32Array(100), rows: 100, rowShape: [] },
 * ]);
 * ```
 */
export const inMemory = (columns: readonly Column[]): dataset.Dataset =>
  asTfcErrors(() => guarded(dataset.inMemory(reading('The columns', () => columnsOf(columns)))));

function columnsOf(columns: unknown): readonly Column[] {
  if (!Array.isArray(columns)) throw new TfcError('invalid-value', `Columns are an array, not ${shown(columns)}.`);
  return Array.from(columns as readonly unknown[], columnOf);
}

const isCount = (size: unknown): size is number => Number.isSafeInteger(size) && (size as number) >= 0;

function columnOf(column: unknown): Column {
  const { name, data, rows, rowShape, dtype } = (typeof column === 'object' && column !== null ? column : {}) as {
    readonly [Name in keyof Column]?: unknown;
  };
  if (typeof name !== 'string' || heldBy(data) === undefined || !Array.isArray(rowShape) || !rowShape.every(isCount))
    throw new TfcError(
      'invalid-value',
      `A column has a name, data, rows and rowShape; ${typeof name === 'string' ? name : shown(column)} does not.`,
    );
  const { length } = data as Column['data'];
  if (!isCount(rows) || length !== rows * countOf(rowShape))
    throw new TfcError(
      'invalid-value',
      `${name} has ${length} numbers, and ${shown(rows)} rows of [${rowShape.join(', ')}] are ${Number(rows) * countOf(rowShape)}.`,
    );
  if (dtype !== undefined && !isElementType(dtype)) throw noElementType(dtype);
  if (dtype !== undefined && !holds(dtype, data))
    throw new TfcError('invalid-value', `${name} is said to be ${dtype}, which lies in ${withArticle(elements[dtype].array)}.`);
  return { name, data: data as Column['data'], rows, rowShape, ...(dtype === undefined ? {} : { dtype }) };
}
