// Rules of contractions. In: contract. Out: one whose left side is read without asking whether an index is inside.
// Holds: a border is copied once, where each of its elements would be asked for in every step of a register tile.

import { isTensorNode } from '../../graph/index.js';
import { borderOf, contract, withBorder } from '../../ops/index.js';
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
      const border = borderOf(left.type.shape, attrs);
      return border === undefined ? undefined : withBorder(build, left, arg(node, 1), attrs, border);
    },
  }),
];
