// Rules of contractions. In: contract. Out: one whose left side is read without asking whether an index is inside.
// Holds: a border is copied once, where each of its elements would be asked for in every step of a register tile.

import { Dim } from '../../base/index.js';
import { isTensorNode } from '../../graph/index.js';
import { apply, contract, pad, type PadAttrs, applyTensor, viewReach } from '../../ops/index.js';
import { arg } from './match.js';
import { type Rule, ruleOf } from './rule.js';

export const contractionRules: readonly Rule[] = [
  ruleOf({
    name: 'border-before-contraction',
    doc: 'contract(x with zeros outside, w) → contract(pad(x), w)',
    at: [contract],
    apply(node, { build }) {
      const { attrs } = node;
      if (attrs.outside === false || Number(attrs.outside) !== 0 || !isTensorNode(node)) return undefined;
      const left = arg(node);
      const border = borderOf(left.type.shape, viewReach(attrs), attrs.divisors);
      if (border === undefined) return undefined;
      const isNeeded = [...border.before, ...border.after, ...border.inner.map(Dim.of)].some((one) => one.constant !== 0);
      const padded = isNeeded ? applyTensor(build, pad, [left], border) : left;
      return apply(build, contract, [padded, arg(node, 1)], {
        ...attrs,
        offsets: attrs.offsets.map((offset, axis) => offset.add(border.before[axis] as Dim)),
        divisors: attrs.divisors.map(() => 1),
        outside: false,
      });
    },
  }),
];

/** The zeros that make every index one of the padded tensor; undefined where sizes decide whether there are any. */
function borderOf(shape: readonly Dim[], reach: ReturnType<typeof viewReach>, divisors: readonly number[]): PadAttrs | undefined {
  const axes = shape.map((size, axis) => {
    const [range, divisor] = [reach[axis], divisors[axis] as number];
    if (range === undefined || (divisor > 1 && !size.isPositive)) return undefined;
    const [before, after] = [range.low.mul(-1), range.high.sub(size.sub(1).mul(divisor))].map(atLeastZero);
    return before === undefined || after === undefined ? undefined : { before, after, inner: divisor - 1 };
  });
  if (!axes.every((axis) => axis !== undefined)) return undefined;
  return { before: axes.map((axis) => axis.before), after: axes.map((axis) => axis.after), inner: axes.map((axis) => axis.inner) };
}

/** The larger of a size and 0; undefined where that is not certain. */
const atLeastZero = (dim: Dim): Dim | undefined => (dim.isNatural ? dim : dim.mul(-1).isNatural ? Dim.zero : undefined);
