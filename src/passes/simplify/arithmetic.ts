// Rules of arithmetic. In: elementwise sums, products, powers. Out: fewer operations. Holds: the results of floating-point.md: exact but
// for the sign of a zero.

import { isFloat, isInteger, roundTo, isSigned } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import { isTensorNode } from '../../graph/index.js';
import { elementwise, fill, opOf } from '../../ops/index.js';
import { arg, beside, floats, isFinite, isNormal, isOp, isPowerOfTwo, isSplat, make, splat } from './match.js';
import type { Rule } from './rule.js';

const { add, div, mul, neg, pow, sub } = elementwise;
const { abs, exp, log1p, reciprocal, sigmoid, softplusRest, sqrt, square } = elementwise;
const { ceil, cos, cosh, floor, max, min, round, sign, trunc } = elementwise;

const signed = (node: Node): boolean => isTensorNode(node) && (isFloat(node.type.dtype) || isSigned(node.type.dtype));

/** −c for a tensor of the one value c. */
function negated(build: GraphBuilder, node: TensorNode): TensorNode | undefined {
  const value = splat(node);
  return value === undefined || !isFloat(node.type.dtype) ? undefined : fill(build, node.type, -value);
}

export const sumRules: readonly Rule[] = [
  { name: 'add-zero', doc: 'x + 0 → x', at: [add], apply: (node) => beside(node, 0) },
  { name: 'subtract-zero', doc: 'x − 0 → x', at: [sub], apply: (node) => (isSplat(arg(node, 1), 0) ? arg(node) : undefined) },
  {
    name: 'subtract-from-zero',
    doc: '0 − x → −x',
    at: [sub],
    apply: (node, { build }) => (isSplat(arg(node), 0) && signed(node) ? make(build, neg, arg(node, 1)) : undefined),
  },
  {
    name: 'integer-difference-with-itself',
    doc: 'x − x → 0 for integers (a float may be infinite or NaN)',
    at: [sub],
    apply: (node, { build }) =>
      arg(node) === arg(node, 1) && isTensorNode(node) && isInteger(node.type.dtype) ? fill(build, node.type, 0) : undefined,
  },
  { name: 'double-negation', doc: '−(−x) → x', at: [neg], apply: (node) => (isOp(arg(node), neg) ? arg(arg(node)) : undefined) },
  {
    name: 'negated-difference',
    doc: '−(a − b) → b − a, if nothing else takes the difference',
    at: [neg],
    apply: (node, { build, uses }) => {
      const inner = arg(node);
      return isOp(inner, sub) && uses(inner) <= 1 ? make(build, sub, arg(inner, 1), arg(inner)) : undefined;
    },
  },
  {
    name: 'add-negative',
    doc: 'x + −y → x − y; −x + y → y − x; also through a factor, x + (−y) · z → x − y · z',
    at: [add],
    apply: (node, { build }) => {
      const right = positive(build, arg(node, 1));
      if (right !== undefined) return make(build, sub, arg(node), right);
      const left = positive(build, arg(node));
      return left === undefined ? undefined : make(build, sub, arg(node, 1), left);
    },
  },
  {
    name: 'subtract-negative',
    doc: 'x − −y → x + y; also through a factor',
    at: [sub],
    apply: (node, { build }) => {
      const right = positive(build, arg(node, 1));
      return right === undefined ? undefined : make(build, add, arg(node), right);
    },
  },
];

/** y for −y; y · z for (−y) · z and y · (−z); y / z likewise. */
function positive(build: GraphBuilder, node: TensorNode): TensorNode | undefined {
  if (isOp(node, neg)) return arg(node);
  if (!isOp(node, mul, div)) return undefined;
  const op = isOp(node, mul) ? mul : div;
  const [a, b] = [arg(node), arg(node, 1)];
  if (!floats(node) && op === div) return undefined;
  if (isOp(a, neg)) return make(build, op, arg(a), b);
  return isOp(b, neg) ? make(build, op, a, arg(b)) : undefined;
}

export const productRules: readonly Rule[] = [
  { name: 'multiply-by-one', doc: 'x · 1 → x', at: [mul], apply: (node) => beside(node, 1) },
  { name: 'divide-by-one', doc: 'x / 1 → x', at: [div], apply: (node) => (isSplat(arg(node, 1), 1) ? arg(node) : undefined) },
  {
    name: 'multiply-by-zero',
    doc: 'x · 0 → 0 where x cannot be infinite or NaN',
    at: [mul],
    apply: (node, { build }) => {
      const other = beside(node, 0);
      return other !== undefined && isFinite(other) && isTensorNode(node) ? fill(build, node.type, 0) : undefined;
    },
  },
  {
    name: 'multiply-by-minus-one',
    doc: 'x · −1 → −x; x / −1 → −x',
    at: [mul, div],
    apply: (node, { build }) => {
      if (!floats(node)) return undefined;
      const other = isOp(node, mul) ? beside(node, -1) : isSplat(arg(node, 1), -1) ? arg(node) : undefined;
      return other === undefined ? undefined : make(build, neg, other);
    },
  },
  {
    name: 'two-negative-factors',
    doc: '(−x) · (−y) → x · y; (−x) / (−y) → x / y',
    at: [mul, div],
    apply: (node, { build }) => {
      const [a, b] = [arg(node), arg(node, 1)];
      return floats(node) && isOp(a, neg) && isOp(b, neg) ? make(build, isOp(node, mul) ? mul : div, arg(a), arg(b)) : undefined;
    },
  },
  {
    name: 'negative-times-constant',
    doc: '(−x) · c → x · −c; (−x) / c → x / −c',
    at: [mul, div],
    apply: (node, { build }) => {
      const [a, b] = [arg(node), arg(node, 1)];
      if (isOp(a, neg)) {
        const other = negated(build, b);
        return other === undefined ? undefined : make(build, isOp(node, mul) ? mul : div, arg(a), other);
      }
      const other = isOp(b, neg) ? negated(build, a) : undefined;
      return other === undefined ? undefined : make(build, isOp(node, mul) ? mul : div, other, arg(b));
    },
  },
  {
    name: 'negated-constant-factor',
    doc: '−(x · c) → x · −c; −(x / c) → x / −c; −(c / x) → −c / x, if nothing else takes the product',
    at: [neg],
    apply: (node, { build, uses }) => {
      const inner = arg(node);
      if (!isOp(inner, mul, div) || !floats(node) || uses(inner) > 1) return undefined;
      const op = isOp(inner, mul) ? mul : div;
      const right = negated(build, arg(inner, 1));
      if (right !== undefined) return make(build, op, arg(inner), right);
      const left = negated(build, arg(inner));
      return left === undefined ? undefined : make(build, op, left, arg(inner, 1));
    },
  },
  {
    name: 'divide-by-power-of-two',
    doc: 'x / 2ⁿ → x · 2⁻ⁿ, which is exact',
    at: [div],
    apply: (node, { build }) => {
      const by = splat(arg(node, 1));
      if (!isTensorNode(node) || typeof by !== 'number' || !isFloat(node.type.dtype)) return undefined;
      const factor = 1 / by;
      if (!isPowerOfTwo(by) || !isPowerOfTwo(factor) || roundTo(node.type.dtype, by) !== by || !isNormal(node.type.dtype, factor))
        return undefined;
      return make(build, mul, arg(node), fill(build, node.type, factor));
    },
  },
];

export const functionRules: readonly Rule[] = [
  {
    name: 'small-power',
    doc: 'x⁰ → 1; x¹ → x; x² → square(x); x³ → square(x) · x; x⁻¹ → 1 / x',
    at: [pow],
    apply: (node, { build }) => {
      if (!floats(node) || !isTensorNode(node)) return undefined;
      const x = arg(node);
      switch (splat(arg(node, 1))) {
        case 0:
          return fill(build, node.type, 1);
        case 1:
          return x;
        case 2:
          return make(build, square, x);
        case 3:
          return make(build, mul, make(build, square, x), x);
        case -1:
          return make(build, reciprocal, x);
        default:
          return undefined;
      }
    },
  },
  {
    name: 'even-function-of-negative',
    doc: 'f(−x) → f(x) for abs, square, cos and cosh; abs(abs(x)) → abs(x); square(abs(x)) → square(x)',
    at: [abs, square, cos, cosh],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (isOp(inner, neg) || isOp(inner, abs)) return make(build, opOf(node), arg(inner));
      return undefined;
    },
  },
  {
    name: 'absolute-value-of-nonnegative',
    doc: 'abs(x) → x for squares, exponentials and square roots',
    at: [abs],
    apply: (node) => (floats(node) && isOp(arg(node), square, exp, sqrt, sigmoid) ? arg(node) : undefined),
  },
  {
    name: 'softplus-rest',
    doc: 'log1p(exp(−abs(x))) → softplusRest(x)',
    at: [log1p],
    apply: (node, { build }) => {
      const power = arg(node);
      const size = isOp(power, exp) && isOp(arg(power), neg) ? arg(arg(power)) : undefined;
      return size !== undefined && isOp(size, abs) ? make(build, softplusRest, arg(size)) : undefined;
    },
  },
  {
    name: 'larger-of-equals',
    doc: 'max(x, x) → x; min(x, x) → x',
    at: [max, min],
    apply: (node) => (arg(node) === arg(node, 1) ? arg(node) : undefined),
  },
  {
    name: 'rounded-whole-number',
    doc: 'floor, ceil, round, trunc of what is rounded already → that',
    at: [floor, ceil, round, trunc],
    apply: (node) => (isOp(arg(node), floor, ceil, round, trunc, sign) ? arg(node) : undefined),
  },
];
