// The product of all other elements. In: a tensor and axes. Out: at each place the product over `axes` of every element but the one there.
// Holds: exact with any number of zeros, and made of ops that differentiate again; costs n² multiplications for n elements along the axes.

import { elementCount } from '../base/index.js';
import type { GraphBuilder, TensorNode } from '../graph/index.js';
import { applyTensor } from './apply.js';
import { broadcast } from './broadcast.js';
import { elementwise } from './elementwise.js';
import { fill } from './make.js';
import { dimAt } from './problem.js';
import { reduceProduct } from './reduce.js';
import { reshape } from './reshape.js';
import { iota } from './sources.js';
import { inverseOrder, transpose } from './transpose.js';

export function othersProduct(build: GraphBuilder, x: TensorNode, axes: readonly number[]): TensorNode {
  if (axes.length === 0) return fill(build, x.type, 1);
  const { shape, dtype } = x.type;
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  // Rows of n elements: the kept axes, then the axes of the product as one.
  const order = [...kept, ...axes];
  const moved = applyTensor(build, transpose, [x], { axes: order });
  const lead = kept.map((axis) => dimAt(shape, axis));
  const n = elementCount(axes.map((axis) => dimAt(shape, axis)));
  const rows = applyTensor(build, reshape, [moved], { shape: [...lead, n] });
  // [lead…, i, j] holds element j, and 1 where j = i; the product runs over j.
  const square = [...lead, n, n];
  const rank = lead.length;
  const repeated = applyTensor(build, broadcast, [rows], { shape: square, axes: [...lead.map((_, axis) => axis), rank + 1] });
  const position = (axis: number) => applyTensor(build, iota, [], { shape: square, axis, dtype: 'i32' });
  const own = applyTensor(build, elementwise.eq, [position(rank), position(rank + 1)], {});
  const masked = applyTensor(build, elementwise.select, [own, fill(build, { kind: 'tensor', dtype, shape: square }, 1), repeated], {});
  const others = applyTensor(build, reduceProduct, [masked], { axes: [rank + 1] });
  const split = applyTensor(build, reshape, [others], { shape: order.map((axis) => dimAt(shape, axis)) });
  return applyTensor(build, transpose, [split], { axes: inverseOrder(order) });
}
