// The product of all other elements. In: a tensor and axes. Out: at each place the product over `axes` of every element but the one there.
// Holds: exact with any number of zeros, and made of ops that differentiate again; costs three multiplications for each element.

import { elementCount } from '../base/index.js';
import type { GraphBuilder, TensorNode, TensorType } from '../graph/index.js';
import { applyTensor } from './apply.js';
import { elementwise } from './elementwise.js';
import { fill } from './make.js';
import { dimAt } from './problem.js';
import { recurrence, shifted } from './recurrence.js';
import { reshape } from './reshape.js';
import { inverseOrder, transpose } from './transpose.js';

export function othersProduct(build: GraphBuilder, x: TensorNode, axes: readonly number[]): TensorNode {
  if (axes.length === 0) return fill(build, x.type, 1);
  const { shape } = x.type;
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  // Rows of n elements: the kept axes, then the axes of the product as one.
  const order = [...kept, ...axes];
  const moved = applyTensor(build, transpose, [x], { axes: order });
  const lead = kept.map((axis) => dimAt(shape, axis));
  const n = elementCount(axes.map((axis) => dimAt(shape, axis)));
  const rows = applyTensor(build, reshape, [moved], { shape: [...lead, n] });
  const others = applyTensor(build, elementwise.mul, [productBefore(build, rows, false), productBefore(build, rows, true)], {});
  const split = applyTensor(build, reshape, [others], { shape: order.map((axis) => dimAt(shape, axis)) });
  return applyTensor(build, transpose, [split], { axes: inverseOrder(order) });
}

/** At each place of a row the product of the elements before it, or with `back` of those behind it: 1 at the end, then times the next. */
function productBefore(build: GraphBuilder, rows: TensorNode, back: boolean): TensorNode {
  return applyTensor(build, recurrence, [shifted(build, rows, back), endOf(build, rows.type, back)], { reverse: back });
}

/** 1 at the first place of each row, or at the last with `back`, where moving ones leaves a zero; 0 elsewhere. */
function endOf(build: GraphBuilder, type: TensorType, back: boolean): TensorNode {
  const ones = fill(build, type, 1);
  return applyTensor(build, elementwise.sub, [ones, shifted(build, ones, back)], {});
}
