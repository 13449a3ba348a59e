// Nodes that rules and passes need all the time. In: a builder and values. Out: constants of any shape, sizes as numbers, items of tuples.

import { type Dim, type DType, isFloat, roundTo, type Shape, isWide } from '../base/index.js';
import { type GraphBuilder, type Node, type TensorNode, type TensorType } from '../graph/index.js';
import { applyTensor } from './apply.js';
import { broadcast } from './broadcast.js';
import { cast } from './cast.js';
import { element } from './identity.js';
import { constant, dimension } from './sources.js';
import { wrap } from './value.js';

/** A scalar constant, rounded to its dtype: equal values are the same node. */
export function scalar(build: GraphBuilder, dtype: DType, value: number | bigint | boolean): TensorNode {
  const exact = isWide(dtype)
    ? wrap(dtype, typeof value === 'bigint' ? value : BigInt(roundTo(dtype, Number(value))))
    : roundTo(dtype, Number(value));
  return applyTensor(build, constant, [], { value: exact, dtype });
}

/** A scalar repeated over a shape. */
export const spread = (build: GraphBuilder, value: TensorNode, shape: Shape): TensorNode =>
  shape.length === 0 ? value : applyTensor(build, broadcast, [value], { shape, axes: [] });

/** A constant of a type. */
export const fill = (build: GraphBuilder, type: TensorType, value: number | bigint | boolean): TensorNode =>
  spread(build, scalar(build, type.dtype, value), type.shape);

export const zeros = (build: GraphBuilder, type: TensorType): TensorNode => fill(build, type, 0);

/** A size as a scalar of `dtype`. */
export function sizeAs(build: GraphBuilder, dim: Dim, dtype: DType): TensorNode {
  if (dim.constant !== undefined) return scalar(build, dtype, dim.constant);
  const size = applyTensor(build, dimension, [], { dim });
  return dtype === 'i32' ? size : applyTensor(build, cast, [size], { dtype });
}

export const item = (build: GraphBuilder, tuple: Node, index: number): TensorNode => applyTensor(build, element, [tuple], { index });

/** Types that derivatives exist for. */
export const isDifferentiable = (type: TensorType): boolean => isFloat(type.dtype);
