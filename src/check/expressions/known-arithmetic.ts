// Arithmetic of what is known when compiling: dtypes, bools, texts, numbers, sizes. In: an operator and two values. Out: a value, or
// nothing where something is left to compute at run time.
// Holds: integers are exact, and so are fractions as long as they are; a float of a fixed dtype is rounded where it is computed.

import type { BinaryOperator, Span } from '../../../grammar/index.js';
import { decide, type Dim, limits } from '../../base/index.js';
import * as ops from '../../ops/index.js';
import type { Context } from '../context.js';
import { fail } from '../report.js';
import { divide, power, product, remainder, restOf } from '../sizes.js';
import { boolean, dimOf, ERROR, exactNumber, exactOf, number, sizeValue, type NumberValue, type Value } from '../values.js';

/** The result when both sides are known; undefined when there is something left to compute at run time. */
export function known(
  context: Context,
  operator: BinaryOperator,
  left: Value,
  right: Value,
  span: Span,
  floating: boolean,
): Value | undefined {
  if (left.kind === 'dtype' && right.kind === 'dtype') {
    if (operator === '==') return boolean(left.dtype === right.dtype);
    if (operator === '!=') return boolean(left.dtype !== right.dtype);
  }
  if (left.kind === 'boolean' && right.kind === 'boolean') {
    if (operator === '&&' || operator === '||') return right;
    if (operator === '==') return boolean(left.value === right.value);
    if (operator === '!=') return boolean(left.value !== right.value);
    return undefined;
  }
  if (left.kind === 'string' && right.kind === 'string') {
    if (operator === '==') return boolean(left.value === right.value);
    if (operator === '!=') return boolean(left.value !== right.value);
    return undefined;
  }
  if (left.kind === 'string' || right.kind === 'string') {
    if (operator === '==') return boolean(false);
    if (operator === '!=') return boolean(true);
    return undefined;
  }
  const a = dimOf(left);
  const b = dimOf(right);
  const isSized = left.kind === 'size' || right.kind === 'size';
  // Where a float is expected, sizes are numbers, which may be large and need not divide one another. Nor need a number: `1 / N`.
  if (isSized && (operator === '/' || operator === '%' || operator === '**') && floating) return undefined;
  if (isSized && operator === '/' && isNumberBySize(a, b)) return undefined;
  if (a !== undefined && b !== undefined && isSized) return sizeArithmetic(context, operator, a, b, span);
  if (left.kind === 'number' && right.kind === 'number') return numberArithmetic(context, operator, left, right, span);
  return undefined;
}

const sizeOr = (dim: Dim | undefined): Value => (dim === undefined ? ERROR : sizeValue(dim));

function sizeArithmetic(context: Context, operator: BinaryOperator, a: Dim, b: Dim, span: Span): Value | undefined {
  switch (operator) {
    case '+':
      return sizeValue(a.add(b));
    case '-':
      return sizeValue(a.sub(b));
    case '*':
      return sizeValue(product(context, a, b));
    case '/':
      return sizeOr(divide(context, a, b, span, 'expression'));
    case '**':
      return b.constant === undefined || b.constant < 0 ? undefined : sizeOr(power(context, a, b, span));
    case '%': {
      if (b.constant === 0) return remainder(context, a, b, span) === undefined ? ERROR : undefined;
      const rest = restOf(a, b);
      return rest === undefined ? undefined : sizeValue(rest);
    }
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const verdict = decide({ left: a, relation: operator, right: b }, context.entry.facts);
      if (verdict !== undefined) return boolean(verdict);
      const opposite = decide({ left: a, relation: negated[operator], right: b }, context.entry.facts);
      return opposite === undefined ? undefined : boolean(!opposite);
    }
    default:
      return undefined;
  }
}

/** `1 / N` is a size for few N: a number is meant. */
export const isNumberBySize = (a: Dim | undefined, b: Dim | undefined): boolean =>
  a?.constant !== undefined && b !== undefined && b.constant === undefined && a.divideExact(b) === undefined;

const negated = { '==': '!=', '!=': '==', '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const;

function numberArithmetic(
  context: Context,
  operator: BinaryOperator,
  left: NumberValue,
  right: NumberValue,
  span: Span,
): Value | undefined {
  const dtype = left.dtype ?? right.dtype;
  if (dtype !== undefined && (right.dtype ?? dtype) !== dtype) return undefined;
  // A float of a fixed dtype is rounded where it is computed; integers are exact.
  if (dtype !== undefined && dtype !== 'i32' && dtype !== 'i64') return undefined;
  if (dtype !== undefined && (operator === '/' || operator === '%' || operator === '**' || !left.integer || !right.integer))
    return undefined;
  const integer = left.integer && right.integer;
  if (operator === '@' || operator === '&&' || operator === '||') return undefined;
  const [x, y] = [exactOf(left), exactOf(right)];
  if (isComparison(operator)) {
    const order = x === undefined || y === undefined ? orderOf(left.value, right.value) : x.compare(y);
    return boolean(compares[operator](order));
  }
  if (integer && right.value === 0 && (operator === '/' || operator === '%'))
    return fail(context, 'invalid-value', span, 'an integer is divided by 0', { hint: 'infinity is `1.0 / 0.0`' });
  const row: ops.ScalarFunction = ops.scalarTable[opNames[operator]];
  const double = row.evaluate(left.value, right.value);
  const small = integer && operator !== '**' && [left.value, right.value, double].every(Number.isSafeInteger);
  if (small && (operator !== '/' || left.value % right.value === 0)) return number(double + 0, true, dtype);
  if (x !== undefined && y !== undefined) context.checker.growth.spend(((x.bits + y.bits) ** 2) >> 13);
  const exact = x === undefined || y === undefined ? undefined : row.exact?.(x, y);
  if (!integer || (exact !== undefined && !exact.isInteger))
    return exact === undefined ? number(double, false, dtype) : exactNumber(exact, false, dtype, double);
  if (exact !== undefined && Number.isFinite(exact.toNumber())) return exactNumber(exact, true, dtype);
  if (operator === '**' && right.value < 0) return number(double, false, dtype);
  return fail(context, 'too-large', span, `an integer of more than ${limits.integerBits} bits`, {
    hint: 'no dtype holds it; a float is written with a point: `1e30`',
  });
}

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
const isComparison = (operator: BinaryOperator): operator is Comparison => operator in compares;

/** What an order means: below 0, 0, above 0, or NaN where there is none. */
const compares: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

const orderOf = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN);

/** Of ops. */
export const opNames = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'rem',
  '**': 'pow',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '&&': 'and',
  '||': 'or',
} as const;
