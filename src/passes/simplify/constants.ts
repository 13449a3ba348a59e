// Rules that compute now what is known now. In: nodes over constants. Out: constants. Holds: results are rounded to their dtype, as running
// code would.

import type { Dim } from '../../base/index.js';
import { type GraphBuilder, isTensorNode, type Node } from '../../graph/index.js';
import {
  apply,
  concat,
  constant,
  dimension,
  elementByElement,
  fill,
  iota,
  knownElement,
  pad,
  reduceAll,
  reduceAny,
  reduceMax,
  reduceMin,
  scalar,
  slice,
  transpose,
} from '../../ops/index.js';
import { arg, isOp, isUnit, splat } from './match.js';
import { type Rule, ruleOf } from './rule.js';

export const constantRules: readonly Rule[] = [
  {
    name: 'fold-constants',
    doc: 'f(1, 2) → its value, rounded to the dtype',
    at: elementByElement,
    apply: (node, { build }) => fold(node, build),
  },
  ruleOf({
    name: 'known-size',
    doc: 'a size that is a number → that number',
    at: [dimension],
    apply: (node, { build }) => {
      const size = node.attrs.dim.constant;
      return size === undefined || !isTensorNode(node) ? undefined : fill(build, node.type, size);
    },
  }),
  ruleOf({
    name: 'single-count',
    doc: 'iota along an axis of size 1 → 0',
    at: [iota],
    apply: (node, { build }) => {
      if (!isTensorNode(node)) return undefined;
      const size = node.type.shape[node.attrs.axis];
      return size !== undefined && isUnit(size) ? fill(build, node.type, 0) : undefined;
    },
  }),
  {
    name: 'move-constant',
    doc: 'transpose or slice of a tensor of one value → that value',
    at: [transpose, slice],
    apply: (node, { build }) => {
      const value = splat(arg(node));
      return value === undefined || !isTensorNode(node) ? undefined : fill(build, node.type, value);
    },
  },
  {
    name: 'pad-zero-with-zeros',
    doc: 'pad(0) → 0',
    at: [pad],
    apply: (node, { build }) => {
      const value = splat(arg(node));
      return value !== undefined && Number(value) === 0 && !Object.is(value, -0) && isTensorNode(node)
        ? fill(build, node.type, value)
        : undefined;
    },
  },
  {
    name: 'join-equal-constants',
    doc: 'concat of tensors of one and the same value → that value',
    at: [concat],
    apply: (node, { build }) => {
      const values = node.args.map(splat);
      const value = values[0];
      if (value === undefined || !isTensorNode(node)) return undefined;
      return values.every((one) => Object.is(one, value)) ? fill(build, node.type, value) : undefined;
    },
  },
  ruleOf({
    name: 'extreme-of-constant',
    doc: 'reduceMax, reduceMin, reduceAny or reduceAll of one value over axes that are not empty → that value',
    at: [reduceMax, reduceMin, reduceAny, reduceAll],
    apply: (node, { build }) => {
      const value = splat(arg(node));
      const shape = arg(node).type.shape;
      const filled = node.attrs.axes.every((axis) => ((shape[axis] as Dim).constant ?? 0) > 0);
      return value !== undefined && filled && isTensorNode(node) ? fill(build, node.type, value) : undefined;
    },
  }),
  ruleOf({
    name: 'slice-of-count',
    doc: 'a slice of iota that leaves the counted axis whole → a smaller iota',
    at: [slice],
    apply: (node, { build }) => {
      const from = arg(node);
      if (!isOp(from, iota) || !isTensorNode(node)) return undefined;
      const axis = from.attrs.axis;
      const whole =
        node.attrs.starts[axis]?.constant === 0 &&
        node.attrs.steps[axis] === 1 &&
        (node.type.shape[axis] as Dim).equals(from.type.shape[axis] as Dim);
      return whole ? apply(build, iota, [], { ...from.attrs, shape: node.type.shape }) : undefined;
    },
  }),
];

function fold(node: Node, build: GraphBuilder): Node | undefined {
  if (!isTensorNode(node) || node.type.shape.length > 0 || !node.args.every((one) => isOp(one, constant))) return undefined;
  const element = knownElement(
    node,
    node.args.map((one) => splat(one) as number | bigint),
  );
  return element === undefined ? undefined : scalar(build, node.type.dtype, element);
}
