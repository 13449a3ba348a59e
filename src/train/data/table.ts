// Data in memory, one row per example. In: what readers of files found. Out: columns of rows that a training loop cuts into batches. Holds:
// what cannot be counted exactly is no count.

import type { ElementType, TypedArray } from '../../../runtime/index.js';

/**
 * `rows` examples with `rowShape` each, row-major.
 * @example
 * ```ts
 * const column: Column = { name: 'x', data: new Float32Array(100 * 4), rows: 100, rowShape: [4] };
 * ```
 */
export interface Column {
  readonly name: string;
  readonly data: TypedArray;
  readonly rows: number;
  readonly rowShape: readonly number[];
  /** Default: what the array's kind says; bool and floats of 16 and 8 bits share theirs with integers. */
  readonly dtype?: ElementType;
}

/**
 * The elements of a shape; NaN when its sizes, those beside an empty axis too, are more than can be counted: NumPy takes no such array
 * either.
 */
export function countOf(shape: readonly number[]): number {
  const product = shape.reduce((total, size) => total * (size || 1), 1);
  return !Number.isSafeInteger(product) ? Number.NaN : shape.includes(0) ? 0 : product;
}
