// Tensors as callers see them. In: typed arrays and shapes. Out: values with a dtype that can be fed, read and shown.
// Holds: data is row-major and has exactly as many elements as the shape says.
import type { ElementType } from './abi/manifest.js';
import { type ElementArrays, type TypedArray, elementValue, elementTypes, elements, holds } from './element.js';
import { TfcError } from './error.js';

/** A result, or something to feed. `data` may be changed in place; the shape may not. */
export class Tensor<DType extends ElementType = ElementType> {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ElementArrays[DType];

  /** @throws TfcError shape-mismatch when the data has another number of elements, dtype-mismatch when the array does not hold the dtype. */
  constructor(dtype: DType, shape: readonly number[], data: ElementArrays[DType]) {
    if (!holds(dtype, data)) throw new TfcError('dtype-mismatch', `A tensor of ${dtype} keeps its elements in a ${elements[dtype].array}.`);
    const count = shape.reduce((product, size) => product * size, 1);
    if (data.length !== count) throw new TfcError('shape-mismatch', `A tensor of shape [${shape.join(', ')}] has ${count} elements, not ${data.length}.`);
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** Nested arrays of numbers (booleans for bool, bigints for i64 beyond 2⁵³); one value for rank 0. */
  toArray(): NestedValue {
    return nest(this, 0, 0);
  }

  /** The only element. @throws TfcError shape-mismatch when there are more or none. */
  item(): number | bigint | boolean {
    if (this.data.length !== 1) throw new TfcError('shape-mismatch', `A tensor of shape [${this.shape.join(', ')}] is not one value.`);
    return elementValue(this.dtype, this.data, 0);
  }

  toString(): string {
    return `${this.dtype}[${this.shape.join(', ')}]`;
  }
}

export type NestedValue = number | bigint | boolean | readonly NestedValue[];

function nest(tensor: Tensor, axis: number, offset: number): NestedValue {
  const size = tensor.shape[axis];
  if (size === undefined) return elementValue(tensor.dtype, tensor.data, offset);
  let stride = 1;
  for (let inner = axis + 1; inner < tensor.shape.length; inner += 1) stride *= tensor.shape[inner] ?? 1;
  return Array.from({ length: size }, (_, at) => nest(tensor, axis + 1, offset + at * stride));
}

/**
 * A tensor from a typed array, for feeding. Without `dtype` the array decides: Float32Array is f32, Float64Array f64, Int32Array i32, BigInt64Array i64, Uint8Array u8, Uint16Array f16.
 * Without `shape` it has one axis.
 */
export function tensor(data: TypedArray, shape: readonly number[] = [data.length], dtype?: ElementType): Tensor {
  const found = dtype ?? elementTypes.find((candidate) => holds(candidate, data));
  if (found === undefined) throw new TfcError('dtype-mismatch', 'No element type is kept in an array of this kind.');
  return new Tensor(found, shape, data);
}
