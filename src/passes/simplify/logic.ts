// Rules of conditions and casts. In: comparisons, and, or, not, select, cast. Out: fewer of them. Holds: a NaN decides a comparison as
// before.

import { type DType, bytesOf, isFloat, isInteger, isSigned } from '../../base/index.js';
import { isTensorNode } from '../../graph/index.js';
import { apply, cast, elementwise, fill } from '../../ops/index.js';
import { arg, isOp, isSplat, make, splat } from './match.js';
import type { Rule } from './rule.js';

const { add, and, eq, ge, gt, le, lt, ne, not, or, select } = elementwise;

export const logicRules: readonly Rule[] = [
  { name: 'double-not', doc: '!!x → x', at: [not], apply: (node) => (isOp(arg(node), not) ? arg(arg(node)) : undefined) },
  {
    name: 'not-equal',
    doc: '!(a == b) → a != b; !(a != b) → a == b (the order of a NaN has no such opposite)',
    at: [not],
    apply: (node, { build }) => {
      const inner = arg(node);
      return isOp(inner, eq, ne) ? make(build, isOp(inner, eq) ? ne : eq, arg(inner), arg(inner, 1)) : undefined;
    },
  },
  {
    name: 'known-condition',
    doc: 'x && true → x; x && false → false; x || true → true; x || false → x; x && x → x; x || x → x',
    at: [and, or],
    apply: (node) => {
      const [a, b] = [arg(node), arg(node, 1)];
      if (a === b) return a;
      // `neutral` leaves the other one, its opposite decides.
      const neutral = isOp(node, and) ? 1 : 0;
      if (isSplat(a, neutral) || isSplat(b, 1 - neutral)) return b;
      return isSplat(b, neutral) || isSplat(a, 1 - neutral) ? a : undefined;
    },
  },
  {
    name: 'integer-compared-with-itself',
    doc: 'x == x → true, x < x → false and so on, for integers and bool',
    at: [eq, ne, lt, le, gt, ge],
    apply: (node, { build }) => {
      if (arg(node) !== arg(node, 1) || isFloat(arg(node).type.dtype) || !isTensorNode(node)) return undefined;
      return fill(build, node.type, isOp(node, eq, le, ge) ? 1 : 0);
    },
  },
  {
    name: 'known-choice',
    doc: 'select(true, a, b) → a; select(false, a, b) → b; select(c, a, a) → a',
    at: [select],
    apply: (node) => {
      const condition = splat(arg(node));
      if (condition !== undefined) return Number(condition) === 0 ? arg(node, 2) : arg(node, 1);
      return arg(node, 1) === arg(node, 2) ? arg(node, 1) : undefined;
    },
  },
  {
    name: 'choice-by-negation',
    doc: 'select(!c, a, b) → select(c, b, a)',
    at: [select],
    apply: (node, { build }) => (isOp(arg(node), not) ? make(build, select, arg(arg(node)), arg(node, 2), arg(node, 1)) : undefined),
  },
  {
    name: 'choice-twice',
    doc: 'select(c, select(c, a, b), d) → select(c, a, d); likewise in the other branch',
    at: [select],
    apply: (node, { build }) => {
      const [c, a, b] = [arg(node), arg(node, 1), arg(node, 2)];
      if (isOp(a, select) && arg(a) === c) return make(build, select, c, arg(a, 1), b);
      return isOp(b, select) && arg(b) === c ? make(build, select, c, a, arg(b, 2)) : undefined;
    },
  },
  {
    name: 'choice-of-truth',
    doc: 'select(c, true, false) → c; select(c, false, true) → !c',
    at: [select],
    apply: (node, { build }) => {
      if (arg(node, 1).type.dtype !== 'bool') return undefined;
      if (isSplat(arg(node, 1), 1) && isSplat(arg(node, 2), 0)) return arg(node);
      return isSplat(arg(node, 1), 0) && isSplat(arg(node, 2), 1) ? make(build, not, arg(node)) : undefined;
    },
  },
  {
    name: 'sum-of-two-choices',
    doc: 'select(c, a, 0) + select(c, 0, b) → select(c, a, b)',
    at: [add],
    apply: (node, { build }) => {
      const [x, y] = [arg(node), arg(node, 1)];
      if (!isOp(x, select) || !isOp(y, select) || arg(x) !== arg(y)) return undefined;
      if (isSplat(arg(x, 2), 0) && isSplat(arg(y, 1), 0)) return make(build, select, arg(x), arg(x, 1), arg(y, 2));
      return isSplat(arg(x, 1), 0) && isSplat(arg(y, 2), 0) ? make(build, select, arg(x), arg(y, 1), arg(x, 2)) : undefined;
    },
  },
];

export const castRules: readonly Rule[] = [
  {
    name: 'cast-to-itself',
    doc: 'f32(x) → x for an f32',
    at: [cast],
    apply: (node) => (isTensorNode(node) && arg(node).type.dtype === node.type.dtype ? arg(node) : undefined),
  },
  {
    name: 'cast-by-way-of-wider',
    doc: 'T(U(x)) → T(x) where U holds every value of x',
    at: [cast],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, cast) || !isTensorNode(node)) return undefined;
      const [from, via, to] = [arg(inner).type.dtype, inner.type.dtype, node.type.dtype];
      // Towards an integer, a value out of range may be treated differently from each side.
      if (!holds(via, from) || (isFloat(via) && !isFloat(from) && isInteger(to) && !holds(to, from))) return undefined;
      return apply(build, cast, [arg(inner)], { dtype: to });
    },
  },
];

/** Binary digits that a dtype holds exactly, sign apart. */
const digits: Readonly<Record<DType, number>> = {
  f64: 53,
  f32: 24,
  f16: 11,
  bf16: 8,
  f8e4m3: 4,
  f8e5m2: 3,
  i64: 63,
  i32: 31,
  i16: 15,
  i8: 7,
  u64: 64,
  u32: 32,
  u16: 16,
  u8: 8,
  bool: 1,
};

/** Every value of `narrow` is one of `wide`. */
function holds(wide: DType, narrow: DType): boolean {
  if (wide === narrow) return true;
  if (wide === 'bool') return false;
  // The infinity of f8e5m2, which data may have, becomes a number when it is computed with.
  if (isFloat(narrow)) return isFloat(wide) && bytesOf(wide) > bytesOf(narrow);
  if (isSigned(narrow) && isInteger(wide) && !isSigned(wide)) return false;
  return digits[wide] >= digits[narrow];
}
