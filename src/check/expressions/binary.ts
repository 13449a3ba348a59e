// Operators. In: one or two operands. Out: a number when both are known, else an elementwise node with its broadcasts.
// Holds: numbers without a dtype are fractions, and rounded once, where they meet a tensor; those that came of what leaves the rationals,
// and fractions of too many digits, are doubles. Numbers with a float dtype are nodes like any tensor, so that the rounding of the target
// decides.

import {
  walk,
  type BinaryExpression,
  type BinaryOperator,
  type Expression,
  type Span,
  type UnaryExpression,
} from '../../../grammar/index.js';
import { type DType, isFloat, isInteger, type Shape } from '../../base/index.js';
import type { TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { broadcastTogether } from '../broadcast.js';
import type { Context } from '../context.js';
import { assuming } from '../index-notation/body.js';
import { matrixProduct, productInstead } from '../matmul.js';
import { excerpt, fail } from '../report.js';
import type { Scope } from '../scope.js';
import { agree, bindingLabel, dtypeBeside, isFraction, ownDType, shapeOf, toTensor } from '../tensors.js';
import { type Beside, besides, expectedDType, expectsFloat, expectTensor, quotientDType, someFloat, type Expected } from '../types.js';
import { boolean, describe, dimOf, ERROR, number, sizeValue, tensorValue, type Value } from '../values.js';
import { evaluate } from './evaluate.js';
import { failIntegerQuotient } from './integer-quotient.js';
import { isNumberBySize, known, opNames } from './known-arithmetic.js';

export function evaluateUnary(context: Context, expression: UnaryExpression, scope: Scope, expected: Expected | undefined): Value {
  const operand = evaluate(context, expression.operand, scope, expression.operator === '-' ? expected : undefined);
  if (operand.kind === 'error') return ERROR;
  if (expression.operator === '!') {
    if (operand.kind === 'boolean') return boolean(!operand.value);
    const node = toTensor(context, operand, expression.operand.span, 'bool');
    const result = node === undefined ? undefined : applyTensor(context, ops.elementwise.not, [node], {}, expression.span);
    return result === undefined ? ERROR : tensorValue(result);
  }
  if (operand.kind === 'number') {
    const negated = number(-operand.value, operand.integer, operand.dtype, operand.exact?.negated());
    const node = operand.node === undefined ? undefined : applyTensor(context, ops.elementwise.neg, [operand.node], {}, expression.span);
    return node === undefined ? negated : { ...negated, node };
  }
  if (operand.kind === 'size') return sizeValue(operand.dim.mul(-1));
  if (ownDType(operand) === 'bool')
    return fail(context, 'dtype-mismatch', expression.operand.span, `\`-\` takes numbers, and this is ${describe(operand)}`, {
      labels: bindingLabel(operand),
      hint: 'the opposite of a bool is written `!x`; as a number: `f32(…)`',
    });
  const negatedIn = (dtype: DType | undefined): Value => {
    const node = toTensor(context, operand, expression.operand.span, dtype);
    const result = node === undefined ? undefined : applyTensor(context, ops.elementwise.neg, [node], {}, expression.span);
    return result === undefined ? ERROR : tensorValue(result);
  };
  return inAnyDType(negatedIn, undefined, operand);
}

export function evaluateBinary(context: Context, expression: BinaryExpression, scope: Scope, expected: Expected | undefined): Value {
  const { operator } = expression;
  const inner = ((): Expected | undefined => {
    switch (operator) {
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
      case '**':
        return expected;
      case '@':
        return expected?.kind === 'tensor' ? expectTensor(expected.dtype, undefined) : undefined;
      default:
        return undefined;
    }
  })();
  // The other side says what a value is of which nothing else does: `1 / N * sum(x)` is a number, `eye() + x` has the shape of x.
  const joins = arithmetic.has(operator) || comparisons.has(operator);
  let early: Value | undefined;
  const besideValue = (given: Expected | undefined, value: () => Value | undefined): Expected | undefined => {
    if (!joins && operator !== '@') return given;
    const dtype = (): Beside => dtypeOf(value());
    return joins ? besides(given, dtype, () => shapeBeside(value())) : besides(given, dtype);
  };
  const leftExpected = besideValue(inner, () =>
    context.assigns && mayAct(expression.right, scope) ? early : (early ??= evaluate(context, expression.right, scope, inner)),
  );
  const left = evaluate(context, expression.left, scope, leftExpected);
  if (left.kind === 'boolean' && operator === '&&' && !left.value) return left;
  if (left.kind === 'boolean' && operator === '||' && left.value) return left;
  // What stands behind `&&` matters only where the left side is true.
  const isLogical = operator === '&&' || operator === '||';
  const after = isLogical ? assuming(context, left, operator === '&&', expression.left.span) : context;
  // What stands beside a float and has no dtype of its own takes its: `x * (6.28 / N)`.
  const beside = arithmetic.has(operator) ? ownDType(left) : undefined;
  const rightExpected =
    inner ?? (beside !== undefined && isFloat(beside) ? expectTensor(beside, undefined) : isFraction(left) ? someFloat : undefined);
  const right =
    early ??
    evaluate(
      after,
      expression.right,
      scope,
      besideValue(rightExpected, () => left),
    );
  if (left.kind === 'error' || right.kind === 'error') return ERROR;
  const atRunTime = (dtype: DType | undefined): Value =>
    binaryNode(
      context,
      operator,
      { value: left, span: expression.left.span },
      { value: right, span: expression.right.span },
      expression.span,
      dtype,
    );
  const quotient =
    isNoSize(operator, left, right) && !expectsFloat(expected)
      ? (quotientDType(expected) ?? (operator === '/' && isNumberBySize(dimOf(left), dimOf(right)) ? 'any' : undefined))
      : undefined;
  const meant = quotient === undefined ? expected : quotient === 'any' ? someFloat : expectTensor(quotient, undefined);
  const value = known(context, operator, left, right, expression.span, expectsFloat(meant));
  if (value === undefined) {
    return arithmetic.has(operator) ? inAnyDType(atRunTime, meant, left, right) : atRunTime(expectedDType(meant));
  }
  if (!isNamed(left, right)) return value;
  // What is compared may be fed instead; a number serves every dtype, and is a node where it meets f32.
  if (value.kind !== 'number') return atRunTime(undefined);
  const computed = atRunTime('f32');
  return computed.kind === 'tensor' ? { ...value, integer: false, node: computed.node } : computed;
}

const dtypeOf = (value: Value | undefined): Beside => (value === undefined ? undefined : dtypeBeside(value));

/** The shape of a tensor that has axes. */
function shapeBeside(value: Value | undefined): Shape | undefined {
  const shape = value === undefined ? undefined : shapeOf(value);
  return shape === undefined || shape.length === 0 ? undefined : shape;
}

/** Whether a step may be called in it, which assigns when its turn comes. */
function mayAct(expression: Expression, scope: Scope): boolean {
  let found = false;
  walk(expression, (node) => {
    if (node.kind === 'call' && !found) {
      const callee = node.callee.kind === 'name' ? scope.lookup(node.callee.name)?.value() : undefined;
      found = callee === undefined || (callee.kind === 'function' && callee.declaration.kind === 'step');
    }
    return !found;
  });
  return found;
}

/** A quotient of sizes, or its rest, that is no size whatever the sizes are. */
function isNoSize(operator: BinaryOperator, left: Value, right: Value): boolean {
  if ((operator !== '/' && operator !== '%') || (left.kind !== 'size' && right.kind !== 'size')) return false;
  const [a, b] = [dimOf(left), dimOf(right)];
  return a !== undefined && b !== undefined && a.divideExact(b) === undefined;
}

/**
 * What is computed at run time of operands; of sizes and literals alone it has no dtype until it meets one: `x * (6.28 / N)` is of x's, on
 * whichever side it stands.
 */
export function inAnyDType(
  compute: (dtype: DType | undefined) => Value,
  expected: Expected | undefined,
  ...operands: readonly Value[]
): Value {
  const wanted = expectedDType(expected);
  const value = compute(wanted ?? (expectsFloat(expected) ? 'f32' : undefined));
  if (
    value.kind !== 'tensor' ||
    wanted !== undefined ||
    value.node.type.dtype === 'bool' ||
    operands.some((one) => ownDType(one) !== undefined)
  )
    return value;
  const again = (dtype: DType): TensorNode | undefined => {
    const other = compute(dtype);
    return other.kind === 'tensor' ? other.node : undefined;
  };
  return { ...value, again };
}

const isNamed = (...values: readonly Value[]): boolean => values.some((value) => value.kind === 'number' && value.node !== undefined);

const arithmetic: ReadonlySet<BinaryOperator> = new Set(['+', '-', '*', '/', '%', '**']);
const comparisons: ReadonlySet<BinaryOperator> = new Set(['==', '!=', '<', '<=', '>', '>=']);

interface Side {
  readonly value: Value;
  readonly span: Span;
}

/** False after a diagnostic for a number beside `&&`, and for a bool where only numbers may stand. */
function fitsOperator(context: Context, operator: BinaryOperator, side: Side, other: Side, what: string): boolean {
  const own = ownDType(side.value);
  const logical = operator === '&&' || operator === '||';
  const text = excerpt(context, side.span, '…');
  const isLost = other.value.kind === 'number' || (arithmetic.has(operator) && ownDType(other.value) === 'bool');
  if (logical ? own === undefined || own === 'bool' : own !== 'bool' || !isLost) return true;
  fail(
    context,
    'dtype-mismatch',
    side.span,
    `${what}: \`${operator}\` takes ${logical ? 'bools' : 'numbers'}, and \`${text}\` is ${describe(side.value)}`,
    { labels: bindingLabel(side.value), hint: logical ? `compare it: \`${text} != 0\`` : 'convert it: `f32(…)`' },
  );
  return false;
}

/** The node of a binary operator between values, with broadcasting; an error after a diagnostic. */
function binaryNode(context: Context, operator: BinaryOperator, left: Side, right: Side, span: Span, expected?: DType): Value {
  const what = `\`${excerpt(context, span, operator)}\``;
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (side.value.kind === 'list' && (shapeOf(other.value) === undefined || other.value.kind === 'list'))
      return fail(context, 'type-mismatch', side.span, `${what}: a list is no operand`, {
        hint:
          left.value.kind === 'list' && right.value.kind === 'list'
            ? 'a longer list is written out: `[a, b, c]`; a value of each round is collected by `scan`'
            : 'make a tensor of it: `tensor([…])`, or add its elements: `addN([…])`',
      });
  }
  const logical = operator === '&&' || operator === '||';
  if (!fitsOperator(context, operator, left, right, what) || !fitsOperator(context, operator, right, left, what)) return ERROR;
  // Of numbers without a dtype along axes the quotients are fractions; a quotient of sizes is a size.
  const sides = [left.value, right.value];
  const isOpen =
    operator === '/' && sides.every((side) => ownDType(side) === undefined) && sides.some((side) => (shapeOf(side)?.length ?? 0) > 0);
  const nodes = agree(context, [left, right], logical ? 'bool' : (expected ?? (isOpen ? 'f32' : undefined)), span, what);
  if (nodes === undefined) return ERROR;
  const [a, b] = nodes as [NonNullable<(typeof nodes)[0]>, NonNullable<(typeof nodes)[0]>];
  const operands = [
    { node: a, ...left },
    { node: b, ...right },
  ] as const;
  if (operator === '@') {
    const product = matrixProduct(context, operands[0], operands[1], span);
    return product === undefined ? ERROR : tensorValue(product);
  }
  if (operator === '/' && isInteger(a.type.dtype))
    return failIntegerQuotient(context, what, span, [left.value, right.value], a.type.dtype, expected);
  const both = broadcastTogether(context, operands, span, what, operator === '*' ? productInstead(context, operands) : undefined);
  if (both === undefined) return ERROR;
  const node = applyTensor(context, ops.elementwise[opNames[operator]], both, {}, span);
  return node === undefined ? ERROR : tensorValue(node);
}
