// Rounding, comparing and choosing: rows of the scalar table. In: nothing. Out: floor … trunc, comparisons, bool logic, select, isnan.
// Holds: comparisons with NaN are false but for `ne`; nothing but `select` has a derivative.

import { boundsOf } from './bounds.js';
import { scalarFunctions } from './function.js';
import { roundEven } from './meaning.js';

const wide = [-2, 2] as const;
const bits = [0, 1] as const;
const rounding = { arity: 1, takes: 'float', result: 'same', domain: [[0.1, 0.4]], ulp: 0.5, cost: 1, slopes: 'zero' } as const;
const comparing = { arity: 2, result: 'bool', domain: [wide, wide], ulp: 0.5, cost: 1, slopes: 'zero' } as const;
const logical = { takes: 'bool', result: 'bool', ulp: 0.5, cost: 1, slopes: 'zero' } as const;

export const logic = scalarFunctions({
  floor: {
    ...rounding,
    doc: 'Largest integer that is not larger.',
    kernel: 'floor',
    builtin: 'floor',
    evaluate: (a) => Math.floor(a),
    exact: (a) => a.floor(),
  },
  ceil: {
    ...rounding,
    doc: 'Smallest integer that is not smaller.',
    kernel: 'ceil',
    builtin: 'ceil',
    evaluate: (a) => Math.ceil(a),
    exact: (a) => a.negated().floor().negated(),
  },
  round: {
    ...rounding,
    doc: 'Nearest integer, ties to even as in NumPy.',
    kernel: 'round',
    builtin: 'round',
    evaluate: roundEven,
    exact: (a) => a.rounded(),
  },
  trunc: {
    ...rounding,
    doc: 'Integer part, towards zero.',
    kernel: 'trunc',
    builtin: 'trunc',
    evaluate: (a) => Math.trunc(a),
    exact: (a) => a.truncated(),
  },
  lt: { ...comparing, takes: 'number', doc: 'a < b.', kernel: 'lt', evaluate: (a, b) => Number(a < b), integer: (a, b) => BigInt(a < b) },
  le: { ...comparing, takes: 'number', doc: 'a ≤ b.', kernel: 'le', evaluate: (a, b) => Number(a <= b), integer: (a, b) => BigInt(a <= b) },
  gt: { ...comparing, takes: 'number', doc: 'a > b.', kernel: 'gt', evaluate: (a, b) => Number(a > b), integer: (a, b) => BigInt(a > b) },
  ge: { ...comparing, takes: 'number', doc: 'a ≥ b.', kernel: 'ge', evaluate: (a, b) => Number(a >= b), integer: (a, b) => BigInt(a >= b) },
  eq: { ...comparing, takes: 'any', doc: 'a = b.', kernel: 'eq', evaluate: (a, b) => Number(a === b), integer: (a, b) => BigInt(a === b) },
  ne: {
    ...comparing,
    takes: 'any',
    doc: 'a ≠ b; true when either is NaN.',
    kernel: 'ne',
    evaluate: (a, b) => Number(a !== b),
    integer: (a, b) => BigInt(a !== b),
  },
  and: { ...logical, doc: 'Both.', arity: 2, kernel: 'and', domain: [bits, bits], evaluate: (a, b) => a & b },
  or: { ...logical, doc: 'Either or both.', arity: 2, kernel: 'or', domain: [bits, bits], evaluate: (a, b) => a | b },
  not: { ...logical, doc: 'Not.', arity: 1, kernel: 'not', domain: [bits], evaluate: (a) => 1 - a },
  isnan: {
    arity: 1,
    takes: 'float',
    result: 'bool',
    domain: [wide],
    ulp: 0.5,
    cost: 1,
    slopes: 'zero',
    doc: 'Whether it is NaN.',
    kernel: 'isnan',
    builtin: 'isNaN',
    evaluate: (a) => Number(Number.isNaN(a)),
  },
  select: {
    doc: 'c ? a : b. The branch that is not taken adds nothing to a derivative, whatever computed it.',
    arity: 3,
    takes: 'any',
    result: 'same',
    conditional: true,
    kernel: 'select',
    bounds: boundsOf.select,
    domain: [bits, wide, wide],
    ulp: 0.5,
    cost: 1,
    evaluate: (c, a, b) => (c !== 0 ? a : b),
    integer: (c, a, b) => (c !== 0n ? a : b),
    slopes: [undefined, (m, d, _, c) => m.select(c, d, m.constant(0)), (m, d, _, c) => m.select(c, m.constant(0), d)],
  },
});
