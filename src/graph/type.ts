// Types of graph nodes. In: dtype and symbolic shape. Out: tensor types, and tuples of them for ops with several results.

import { bytesOf, type DType, limits, type Shape, shapeEquals } from '../base/index.js';

export interface TensorType {
  readonly kind: 'tensor';
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Only loops have one; `element` takes a tensor out of it. */
export interface TupleType {
  readonly kind: 'tuple';
  readonly items: readonly TensorType[];
}

export type Type = TensorType | TupleType;

export const tensor = (dtype: DType, shape: Shape = []): TensorType => ({ kind: 'tensor', dtype, shape });

export const tensorEquals = (a: TensorType, b: TensorType): boolean => a === b || (a.dtype === b.dtype && shapeEquals(a.shape, b.shape));

export function typeEquals(a: Type, b: Type): boolean {
  if (a.kind === 'tensor') return b.kind === 'tensor' && tensorEquals(a, b);
  return (
    b.kind === 'tuple' && a.items.length === b.items.length && a.items.every((item, at) => tensorEquals(item, b.items[at] as TensorType))
  );
}

/** Why no tensor can have this type, if so: more axes or more bytes than there may be. As in NumPy, sizes of 0 do not help. */
export function excessOf({ dtype, shape }: TensorType): string | undefined {
  if (shape.length > limits.rank) return `a tensor of rank ${shape.length}: at most ${limits.rank} axes`;
  // No coefficient of the number of elements is larger than this product, and it has no more terms than that.
  let [bytes, terms] = [bytesOf(dtype), 1];
  for (const dim of shape) {
    const sum = dim.terms.reduce((total, { coefficient }) => total + Math.abs(coefficient), 0);
    bytes *= Math.max(1, sum);
    terms *= Math.max(1, dim.terms.length);
  }
  if (bytes > limits.bytes) return `${dtype}[${shape.join(', ')}] has more than 2⁴⁸ bytes, and no memory holds it`;
  if (terms > limits.terms) return `the number of elements of ${dtype}[${shape.join(', ')}] has more than ${limits.terms} terms`;
  return undefined;
}

/** Equal texts mean equal types. */
export function typeKey(type: Type): string {
  if (type.kind === 'tuple') return `(${type.items.map(typeKey).join()})`;
  let key: string = type.dtype;
  for (const { key: size } of type.shape) key += `,${size}`;
  return key;
}

/** As written in TDSL: `f32`, `f32[B, 784]`, `(f32, i32[B])`. */
export function typeToString(type: Type): string {
  if (type.kind === 'tuple') return `(${type.items.map(typeToString).join(', ')})`;
  return type.shape.length === 0 ? type.dtype : `${type.dtype}[${type.shape.join(', ')}]`;
}
