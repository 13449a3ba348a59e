// Types of graph nodes. In: dtype and symbolic shape. Out: tensor types, and tuples of them for ops with several results.

import { type DType, type Shape, shapeEquals } from '../base/index.js';

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

export const tensorEquals = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && shapeEquals(a.shape, b.shape);

export function typeEquals(a: Type, b: Type): boolean {
  if (a.kind === 'tensor') return b.kind === 'tensor' && tensorEquals(a, b);
  return b.kind === 'tuple' && a.items.length === b.items.length && a.items.every((item, at) => tensorEquals(item, b.items[at] as TensorType));
}

/** As written in TDSL: `f32`, `f32[B, 784]`, `(f32, i32[B])`. */
export function typeToString(type: Type): string {
  if (type.kind === 'tuple') return `(${type.items.map(typeToString).join(', ')})`;
  return type.shape.length === 0 ? type.dtype : `${type.dtype}[${type.shape.join(', ')}]`;
}
