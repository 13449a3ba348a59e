// Tensors of one value. In: a type and a value. Out: the constant, broadcast. Holds: scalars stay plain constants.

import type { GraphBuilder, TensorNode, TensorType } from '../graph/index.js';
import { apply, broadcast, constant, tensorOf } from '../ops/index.js';

export function full(build: GraphBuilder, type: TensorType, value: number | bigint): TensorNode {
  const scalar = tensorOf(apply(build, constant, [], { value, dtype: type.dtype }));
  return type.shape.length === 0 ? scalar : tensorOf(apply(build, broadcast, [scalar], { shape: type.shape, axes: [] }));
}
