// Rules of hyperbolic tangents. In: 1 + tanh x, 1 − tanh² x. Out: the sigmoid of 2x. Holds: they fire together or not at all, so that no
// graph computes both functions of one number.

import type { Node, TensorNode } from '../../graph/index.js';
import { elementwise, fill } from '../../ops/index.js';
import { arg, beside, isOp, isSplat, make } from './match.js';
import type { Rule, RuleContext } from './rule.js';

const { add, mul, sigmoid, square, sub, tanh } = elementwise;

/** A tangent of which only 1 + t and 1 − t² are taken, the first at least once. */
function isReplaceable(tangent: TensorNode, { uses, users }: RuleContext): boolean {
  if (!isOp(tangent, tanh)) return false;
  const takers = users(tangent);
  if (takers.length < uses(tangent)) return false;
  const isRest = (taker: Node): boolean =>
    isOp(taker, square) && users(taker).length === uses(taker) && users(taker).every((rest) => isOp(rest, sub) && isSplat(arg(rest), 1));
  const isSum = (node: Node): boolean => isOp(node, add) && beside(node, 1) === tangent;
  return takers.some(isSum) && takers.every((taker) => isSum(taker) || isRest(taker));
}

const sigmoidOfTwice = (tangent: TensorNode, { build }: RuleContext): TensorNode =>
  make(build, sigmoid, make(build, mul, arg(tangent), fill(build, tangent.type, 2)));

export const tangentRules: readonly Rule[] = [
  {
    name: 'one-more-than-tanh',
    doc: '1 + tanh(x) → 2 · sigmoid(2 · x), if nothing else takes the tangent but 1 − tanh(x)²: fewer operations, and nothing cancels below 0',
    at: [add],
    apply: (node, context) => {
      const tangent = beside(node, 1);
      if (tangent === undefined || !isReplaceable(tangent, context)) return undefined;
      return make(context.build, mul, sigmoidOfTwice(tangent, context), fill(context.build, tangent.type, 2));
    },
  },
  {
    name: 'slope-of-tanh',
    doc: '1 − tanh(x)² → 4 · s · (1 − s) with s = sigmoid(2 · x), where one-more-than-tanh fires',
    at: [sub],
    apply: (node, context) => {
      const { build } = context;
      const squared = arg(node, 1);
      if (!isSplat(arg(node), 1) || !isOp(squared, square) || !isReplaceable(arg(squared), context)) return undefined;
      const tangent = arg(squared);
      const s = sigmoidOfTwice(tangent, context);
      return make(build, mul, make(build, mul, s, make(build, sub, fill(build, tangent.type, 1), s)), fill(build, tangent.type, 4));
    },
  },
];
