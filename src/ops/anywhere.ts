// Masks of flows as a whole. In: a mask. Out: whether any of it is true, as a scalar, and repeated over a shape.

import type { Shape } from '../base/index.js';
import { type GraphBuilder, isTensorNode, type TensorNode } from '../graph/index.js';
import { applyTensor, isNodeOf } from './apply.js';
import { broadcast } from './broadcast.js';
import { spread } from './make.js';
import { reduceAny } from './reduce.js';

/** Whether any element is true, as a scalar. */
export function anywhere(build: GraphBuilder, mask: TensorNode): TensorNode {
  const [arg] = mask.args;
  if (isNodeOf(mask, broadcast) && arg !== undefined && isTensorNode(arg) && arg.type.shape.length === 0) return arg;
  return mask.type.shape.length === 0 ? mask : applyTensor(build, reduceAny, [mask], { axes: mask.type.shape.map((_, axis) => axis) });
}

/** True everywhere if anything of the mask is. */
export const allOrNothing = (build: GraphBuilder, mask: TensorNode, shape: Shape): TensorNode =>
  spread(build, anywhere(build, mask), shape);
