// Concrete tensors of the reference interpreters. In: dtypes, shapes, numbers. Out: tensor values and ways through their indices.
// Holds: row-major, one element per index; integers of eight bytes in bigints, everything else in doubles.

import { bytesOf, type DType, InternalError, isInteger, isSigned, isWide } from '../base/index.js';
import type { TensorValue, Value } from './define.js';

export const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

export const emptyValue = (dtype: DType, shape: readonly number[]): TensorValue => {
  const count = countOf(shape);
  return {
    dtype,
    shape,
    data: dtype === 'i64' ? new BigInt64Array(count) : dtype === 'u64' ? new BigUint64Array(count) : new Float64Array(count),
  };
};

export function tensorValue(dtype: DType, shape: readonly number[], elements: Iterable<number | bigint>): TensorValue {
  const value = emptyValue(dtype, shape);
  let at = 0;
  for (const element of elements) put(value, at++, element);
  if (at !== value.data.length) throw new InternalError('evaluate', `${at} elements for the shape [${shape.join(', ')}]`);
  return value;
}

/** Element at a row-major position. */
export function get(value: TensorValue, at: number): number | bigint {
  const element = value.data[at];
  if (element === undefined) throw new InternalError('evaluate', `element ${at} of ${value.data.length}`);
  return element;
}

export function put(value: TensorValue, at: number, element: number | bigint): void {
  if (value.data instanceof Float64Array) value.data[at] = Number(element);
  else value.data[at] = BigInt(element);
}

/** An integer reduced to the range of its dtype. */
export function wrap(dtype: DType, value: bigint): number | bigint {
  if (!isInteger(dtype)) throw new InternalError('evaluate', `${dtype} is no integer`);
  const wrapped = isSigned(dtype) ? BigInt.asIntN(8 * bytesOf(dtype), value) : BigInt.asUintN(8 * bytesOf(dtype), value);
  return isWide(dtype) ? wrapped : Number(wrapped);
}

export function isTensorValue(value: Value): value is TensorValue {
  return !Array.isArray(value);
}

/** Argument `which`, which must be one tensor. */
export function tensorAt(args: readonly Value[], which: number): TensorValue {
  const value = args[which];
  if (value === undefined || !isTensorValue(value)) throw new InternalError('evaluate', `argument ${which} is no tensor`);
  return value;
}

/** Row-major position of an index. */
export function positionOf(shape: readonly number[], index: readonly number[]): number {
  return index.reduce((position, at, axis) => position * (shape[axis] as number) + at, 0);
}

/** Every index of a shape in row-major order; the array is reused. */
export function* indices(shape: readonly number[]): Generator<readonly number[]> {
  if (countOf(shape) === 0) return;
  const index = shape.map(() => 0);
  for (;;) {
    yield index;
    let axis = shape.length - 1;
    for (; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        break;
      }
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** A tensor of the values of `element` at every index. */
export function tabulate(dtype: DType, shape: readonly number[], element: (index: readonly number[]) => number | bigint): TensorValue {
  const value = emptyValue(dtype, shape);
  let at = 0;
  for (const index of indices(shape)) put(value, at++, element(index));
  return value;
}
