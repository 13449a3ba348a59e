// Tensors as callers see them. In: typed arrays and shapes. Out: values with a dtype that can be fed, read and shown.
// Holds: data is row-major and has exactly as many elements as the shape says.
import type { ElementType } from './abi/manifest.js';
import {
  type ElementArrays,
  type TypedArray,
  elementValue,
  elementTypes,
  elements,
  heldBy,
  holds,
  isElementType,
  lengthOf,
} from './element.js';
import { TfcError } from './error.js';
import { shown, withArticle } from './shown.js';

declare const sizes: unique symbol;

/**
 * Sizes as TypeScript compares them: axis by axis, where `number`, a size that is not known, fits every other. Methods are compared in both
 * directions, and that is the relation.
 */
interface Compatible<Type> {
  with(other: Type): void;
}

/**
 * A result, or something to feed. `data` may be changed in place; the shape may not. `Shape` is what is known of it before the program
 * runs: a `Tensor<'f32', readonly [number, 784]>` is not taken for one of 100 columns.
 * @example
 * ```ts
 * const weights = session.get('net/w') as Tensor<'f32'>;
 * console.log(weights.shape, weights.data[0], weights.toArray());
 * ```
 */
export class Tensor<DType extends ElementType = ElementType, Shape extends readonly number[] = readonly number[]> {
  /** Exists for TypeScript alone. */
  declare readonly [sizes]?: Compatible<{ readonly [Axis in keyof Shape]: Compatible<Shape[Axis]> }>;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ElementArrays[DType];

  /**
   * @throws TfcError shape-mismatch when the data has another number of elements, dtype-mismatch when the array does not hold the dtype,
   * bad-data for what is no shape or element type.
   */
  constructor(dtype: DType, shape: Shape, data: ElementArrays[DType]) {
    if (!isElementType(dtype)) throw noElementType(dtype);
    if (!holds(dtype, data))
      throw new TfcError('dtype-mismatch', `A tensor of ${dtype} keeps its elements in ${withArticle(elements[dtype].array)}.`);
    const sizes = requireShape(shape);
    const count = sizes.reduce((product, size) => product * size, 1);
    if (lengthOf(data) !== count)
      throw new TfcError('shape-mismatch', `A tensor of shape [${sizes.join(', ')}] has ${count} elements, not ${lengthOf(data)}.`);
    this.dtype = dtype;
    this.shape = sizes;
    this.data = data;
  }

  /**
   * Nested arrays of numbers (booleans for bool, bigints for i64 beyond 2⁵³); one value for rank 0. @throws TfcError out-of-memory for more
   * values and rows than JavaScript's heap takes.
   */
  toArray(): NestedValue {
    if (!fitsNested(this.shape))
      throw new TfcError(
        'out-of-memory',
        `${this.toString()} is too large for nested arrays, which take at most ${mostNested} values and rows.`,
        { hint: 'Its elements lie row by row in `data`.' },
      );
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

/** A gigabyte of numbers. */
const mostNested = 2 ** 26;

/** Whether JavaScript's heap takes a tensor of this shape as nested arrays. */
export function fitsNested(shape: readonly number[]): boolean {
  // Every row is an array of its own, also one without elements.
  let [all, rows] = [0, 1];
  for (const size of shape) {
    rows *= size;
    all += rows;
  }
  return all <= mostNested;
}

/**
 * Elements in as many arrays as there are axes; of a scalar the element.
 * @example
 * ```ts
 * const rows: NestedValue = zeros([2, 2]).toArray();
 * console.log(rows); // [ [ 0, 0 ], [ 0, 0 ] ]
 * ```
 */
export type NestedValue = number | bigint | boolean | readonly NestedValue[];

function nest(tensor: Tensor, axis: number, offset: number): NestedValue {
  const size = tensor.shape[axis];
  if (size === undefined) return elementValue(tensor.dtype, tensor.data, offset);
  let stride = 1;
  for (let inner = axis + 1; inner < tensor.shape.length; inner += 1) stride *= tensor.shape[inner] ?? 1;
  return Array.from({ length: size }, (_, at) => nest(tensor, axis + 1, offset + at * stride));
}

/** The dtype that an array decides for alone. */
type HeldBy<Data extends TypedArray> = Data extends Float32Array
  ? 'f32'
  : Data extends Float64Array
    ? 'f64'
    : Data extends Int32Array
      ? 'i32'
      : Data extends BigInt64Array
        ? 'i64'
        : Data extends Uint8Array
          ? 'u8'
          : Data extends Int8Array
            ? 'i8'
            : Data extends Int16Array
              ? 'i16'
              : Data extends Uint16Array
                ? 'u16'
                : Data extends Uint32Array
                  ? 'u32'
                  : 'u64';

/**
 * A tensor from a typed array, for feeding. Without `dtype` the array decides: Float32Array is f32, Float64Array f64, Int32Array i32,
 * BigInt64Array i64, Uint8Array u8, and so on; floats of 16 and 8 bits are said. Without `shape` it has one axis.
 * @example
 * ```ts
 * const rows = tensor(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 4]);
 * session.run('predict', { x: rows });
 * ```
 */
export function tensor<DType extends ElementType, const Shape extends readonly number[]>(
  data: ElementArrays[DType],
  shape: Shape,
  dtype: DType,
): Tensor<DType, Shape>;
export function tensor<Data extends TypedArray, const Shape extends readonly number[] = readonly [number]>(
  data: Data,
  shape?: Shape,
): Tensor<HeldBy<Data>, Shape>;
export function tensor(data: TypedArray, shape?: readonly number[], dtype?: ElementType): Tensor;
export function tensor(data: TypedArray, shape?: readonly number[], dtype?: ElementType): Tensor {
  const found = dtype ?? heldBy(data);
  if (found === undefined)
    throw new TfcError(
      'dtype-mismatch',
      `No element type is kept in ${ArrayBuffer.isView(data) ? 'an array of this kind' : shown(data)}.`,
      { hint: 'A tensor is made of a typed array: Float32Array, Int32Array, ….' },
    );
  return new Tensor(found, shape ?? [ArrayBuffer.isView(data) ? lengthOf(data) : 0], data);
}

/** More axes than any entry takes. */
export const mostAxes = 64;

/** A copy of a shape, which nobody else changes. @throws TfcError bad-data for what is none. */
export function requireShape(shape: unknown, whose = ''): readonly number[] {
  try {
    return sizesOf(shape, whose);
  } catch (cause) {
    if (cause instanceof TfcError) throw cause;
    throw new TfcError('bad-data', `${whose}the shape cannot be read.`, { cause });
  }
}

function sizesOf(shape: unknown, whose: string): readonly number[] {
  if (!Array.isArray(shape))
    throw new TfcError('bad-data', `${whose}${shown(shape)} is no shape.`, { hint: 'A shape is an array of sizes: [50, 784].' });
  const axes = shape.length;
  if (!(axes <= mostAxes)) throw new TfcError('bad-data', `${whose}a shape has at most ${mostAxes} axes, not ${axes}.`);
  const sizes: number[] = [];
  for (let axis = 0; axis < axes; axis += 1) {
    const size: unknown = shape[axis];
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw new TfcError('bad-data', `${whose}${shown(size)} is no size of an axis.`);
    sizes.push(size);
  }
  if (!Number.isSafeInteger(sizes.reduce((total, size) => total * size, 1)))
    throw new TfcError('bad-data', `${whose}[${sizes.join(', ')}] are more elements than can be counted.`);
  return sizes;
}

export const noElementType = (name: unknown): TfcError =>
  new TfcError('bad-data', `${shown(name)} is no element type.`, { hint: `There are ${elementTypes.join(', ')}.` });
