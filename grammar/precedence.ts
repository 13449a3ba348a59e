// How tightly operators bind. In: nothing. Out: one table for the parser and the printer.
// Holds: a higher level binds tighter; levels 1 to 6 group from the left, `**` from the right. A unary operator binds
// tighter than level 6 and looser than `**` to its right: `-x ** 2` is `-(x ** 2)`, and `x ** -2` is allowed.

import type { BinaryOperator, ComparisonOperator, SizeOperator } from './ast.js';

export const unaryLevel = 7;
export const powerLevel = 8;
/** Calls, indexing and member access. */
export const postfixLevel = 9;
/** Names, literals and what stands in brackets. */
export const atomLevel = 10;

const levels: Readonly<Record<BinaryOperator, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
  '@': 6,
  '**': powerLevel,
};

/** The level of a binary operator. */
export function levelOf(operator: BinaryOperator): number {
  return levels[operator];
}

export function isBinaryOperator(text: string): text is BinaryOperator {
  return Object.hasOwn(levels, text);
}

export function isComparison(operator: string): operator is ComparisonOperator {
  return isBinaryOperator(operator) && (levels[operator] === 3 || levels[operator] === 4);
}

export function isSizeOperator(operator: string): operator is SizeOperator {
  return operator === '+' || operator === '-' || operator === '*' || operator === '/' || operator === '%' || operator === '**';
}
