// What combiners do. In: a combiner and a dtype. Out: where a combination starts, one step of it as an expression and in numbers.
// Holds: max and min are NaN when any element is; integer sums and products are not wrapped here.

import { type DType, dtypes, isFloat, isWide } from '../base/index.js';
import type { Combiner } from './ir.js';

export interface CombinerRow {
  /** The function of kernel IR that combines two values. */
  readonly fn: string;
  readonly numbers: (a: number, b: number) => number;
  readonly integers: (a: bigint, b: bigint) => bigint;
  /** What it is of no elements. */
  readonly start: 0 | 1 | 'lowest' | 'highest';
}

export const combiners: Readonly<Record<Combiner, CombinerRow>> = {
  sum: { fn: 'add', numbers: (a, b) => a + b, integers: (a, b) => a + b, start: 0 },
  product: { fn: 'mul', numbers: (a, b) => a * b, integers: (a, b) => a * b, start: 1 },
  max: { fn: 'maximum', numbers: Math.max, integers: (a, b) => (a > b ? a : b), start: 'lowest' },
  min: { fn: 'minimum', numbers: Math.min, integers: (a, b) => (a < b ? a : b), start: 'highest' },
  any: { fn: 'or', numbers: (a, b) => a | b, integers: (a, b) => a | b, start: 0 },
  all: { fn: 'and', numbers: (a, b) => a & b, integers: (a, b) => a & b, start: 1 },
};

/** What combining no elements gives; integers of eight bytes in bigints. */
export function ofNothing(combine: Combiner, dtype: DType): number | bigint {
  const { start } = combiners[combine];
  const { bounds } = dtypes[dtype];
  if (start === 'lowest') return bounds[0];
  if (start === 'highest') return bounds[1];
  return isWide(dtype) ? BigInt(start) : start;
}

/** What changes nothing: as `ofNothing`, but −0 for sums of floats, so that even a sum of nothing but −0 stays −0. */
export const neutral = (combine: Combiner, dtype: DType): number | bigint =>
  combine === 'sum' && isFloat(dtype) ? -0 : ofNothing(combine, dtype);
