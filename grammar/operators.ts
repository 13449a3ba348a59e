// A flat chain of operands and operators to a tree. In: `a op b op c …` as it was read. Out: one node, grouped by precedence.
// Holds: nothing here recurses, so the length of a chain does not matter. The method is the shunting yard (Dijkstra, 1961).

import type { IToken } from 'chevrotain';
import { isBinaryOperator, levelOf } from './precedence.js';

/** `operands` has one element more than `operators`; operators of one level group from the left. */
export function joinOperators<T>(
  operands: readonly T[],
  operators: readonly IToken[],
  join: (left: T, operator: IToken, right: T) => T,
): T {
  const values: T[] = [];
  const waiting: IToken[] = [];
  const reduce = (): void => {
    const operator = waiting.pop();
    const right = values.pop();
    const left = values.pop();
    if (operator === undefined || left === undefined || right === undefined) throw new RangeError('an operator without operands');
    values.push(join(left, operator, right));
  };
  operands.forEach((operand, i) => {
    values.push(operand);
    const operator = operators[i];
    const until = operator === undefined ? 0 : level(operator);
    for (let last = waiting.at(-1); last !== undefined && level(last) >= until; last = waiting.at(-1)) reduce();
    if (operator !== undefined) waiting.push(operator);
  });
  const [tree] = values;
  if (tree === undefined) throw new RangeError('a chain without operands');
  return tree;
}

function level(token: IToken): number {
  return isBinaryOperator(token.image) ? levelOf(token.image) : 0;
}
