// The scalar table: every scalar function, by name. In: its rows. Out: the table, and evaluation of one point for interpreters. Holds:
// kernel names are unique.

import { type DType, InternalError, isFloat } from '../../base/index.js';
import { arithmetic } from './arithmetic.js';
import type { ScalarFunction } from './function.js';
import { logic } from './logic.js';
import { transcendental } from './transcendental.js';
import { wrap } from '../value.js';

export const scalarTable = { ...arithmetic, ...transcendental, ...logic };

export type ScalarName = keyof typeof scalarTable;
export const scalarNames = Object.keys(scalarTable) as readonly ScalarName[];

/** The row of an `apply` in kernel IR. */
export const scalarOfKernel: ReadonlyMap<string, ScalarFunction> = new Map(
  scalarNames.map((name) => [scalarTable[name].kernel, scalarTable[name]]),
);

/**
 * One value. `dtype` is that of the arguments (for `select`: of the last two). i64 values are bigints, all others numbers (bool: 0 or 1);
 * the result likewise, a number for bool results. Integers wrap; floats are not rounded.
 */
export function evaluateScalar(row: ScalarFunction, dtype: DType, args: readonly (number | bigint)[]): number | bigint {
  if (isFloat(dtype) || dtype === 'bool') return row.evaluate(...args.map(Number));
  if (row.integer === undefined) throw new InternalError('evaluate', `${row.kernel} of ${dtype}`);
  const value = row.integer(...args.map(BigInt));
  return row.result === 'bool' ? Number(value) : wrap(dtype, value);
}
