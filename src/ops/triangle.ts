// Triangles of square matrices. In: a tensor whose last two axes are square. Out: it with zeros outside of a triangle.
// Holds: what is left out is never read into the result, so it may be anything; the choice is linear, so it is its own derivative.

import type { GraphBuilder, TensorNode } from '../graph/index.js';
import { applyTensor } from './apply.js';
import { fill, zeros } from './make.js';
import { scalars } from './scalars.js';
import { iota, type IotaAttrs } from './sources.js';

/** Which places of a matrix: those below the diagonal, on and above it, on it, … */
export type Part = 'below' | 'notAbove' | 'above' | 'notBelow' | 'diagonal';

const comparisons = { below: 'gt', notAbove: 'ge', above: 'lt', notBelow: 'le', diagonal: 'eq' } as const;

function places(build: GraphBuilder, { type: { shape } }: TensorNode, part: Part): TensorNode {
  const count = (back: number): TensorNode => applyTensor<IotaAttrs>(build, iota, [], { shape, axis: shape.length - back, dtype: 'i32' });
  return scalars[comparisons[part]](build, count(2), count(1));
}

/** The part of `x`, and that of `others` elsewhere: zeros, if nothing is given. */
export const partOf = (build: GraphBuilder, x: TensorNode, part: Part, others: TensorNode = zeros(build, x.type)): TensorNode =>
  scalars.select(build, places(build, x, part), x, others);

/** What stands below the diagonal, ones on it, zeros above. */
export const unitLower = (build: GraphBuilder, x: TensorNode): TensorNode =>
  partOf(build, x, 'below', partOf(build, fill(build, x.type, 1), 'diagonal'));
