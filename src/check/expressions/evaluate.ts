// Expressions. In: a syntax tree, the names in force, what is expected. Out: a value; mistakes are reported and give `error`.

import type { Body, Expression, Span } from '../../../grammar/index.js';
import { TooLarge, unreachable } from '../../base/index.js';
import { evaluateCall } from '../calls.js';
import type { Context } from '../context.js';
import { evaluateOutside } from '../index-notation/elements.js';
import { evaluateIndexNotation, evaluateReduction } from '../index-notation/evaluate.js';
import { evaluateIndex } from '../indexing.js';
import { evaluateFold, evaluateScan, evaluateWhile } from '../loops.js';
import { fail } from '../report.js';
import type { Scope } from '../scope.js';
import { evaluateBlock } from '../statements.js';
import { alone, type Expected } from '../types.js';
import { boolean, ERROR, type Value } from '../values.js';
import { evaluateBinary, evaluateUnary } from './binary.js';
import { evaluateComprehension, evaluateList, evaluateRecord, evaluateTuple } from './collections.js';
import { evaluateIf } from './conditional.js';
import { evaluateMember, evaluateName, evaluateNumber } from './names.js';

/** The value of an expression. */
export function evaluate(context: Context, expression: Expression, scope: Scope, expected?: Expected): Value {
  const { growth } = context.checker;
  const mark = growth.enter(expression.kind === 'call' ? 'call' : 'expression');
  try {
    const value = valueOf(context, expression, scope, expected);
    growth.returnTo(mark);
    return value;
  } catch (error) {
    if (!(error instanceof TooLarge) || error.of !== 'size') throw error;
    growth.returnTo(mark);
    return fail(context, 'too-large', expression.span, error.message);
  }
}

function valueOf(context: Context, expression: Expression, scope: Scope, wanted: Expected | undefined): Value {
  const { kind } = expression;
  const expected = kind === 'unary' || kind === 'binary' || kind === 'call' ? wanted : alone(wanted);
  switch (expression.kind) {
    case 'number':
      return evaluateNumber(context, expression);
    case 'string':
      return { kind: 'string', value: expression.value };
    case 'boolean':
      return boolean(expression.value);
    case 'name':
      return evaluateName(context, expression, scope);
    case 'member':
      return evaluateMember(context, expression, scope);
    case 'call':
      return evaluateCall(context, expression, scope, expected);
    case 'index':
      return evaluateIndex(context, expression, scope, expected);
    case 'list':
      return evaluateList(context, expression, scope, expected);
    case 'comprehension':
      return evaluateComprehension(context, expression, scope, expected);
    case 'record':
      return evaluateRecord(context, expression, scope, expected);
    case 'tuple':
      return evaluateTuple(context, expression, scope, expected);
    case 'lambda':
      return { kind: 'lambda', expression, module: context.module, scope, frame: context.frame, self: context.self };
    case 'index-notation':
      return evaluateIndexNotation(context, expression, scope, expected);
    case 'reduction':
      return evaluateReduction(context, expression, scope, expected);
    case 'outside':
      return evaluateOutside(context, expression, scope, expected);
    case 'if':
      return evaluateIf(context, expression, scope, expected);
    case 'fold':
      return evaluateFold(context, expression, scope, expected);
    case 'scan':
      return evaluateScan(context, expression, scope, expected);
    case 'while':
      return evaluateWhile(context, expression, scope, expected);
    case 'unary':
      return evaluateUnary(context, expression, scope, expected);
    case 'binary':
      return evaluateBinary(context, expression, scope, expected);
    case 'missing':
      return ERROR;
    default:
      return unreachable('check', expression);
  }
}

/** The value of a body: an expression, or what a block returns. `name` and `span` tell of whom, when nothing is returned. */
export function evaluateBody(context: Context, body: Body, scope: Scope, expected: Expected | undefined, name: string, span: Span): Value {
  if (body.kind !== 'block') return evaluate(context, body, scope, expected);
  // Also in a loop, which does not return: this block does.
  const outcome = evaluateBlock({ ...context, returns: true }, body, scope, expected);
  if (outcome.returned !== undefined) return outcome.returned;
  if (outcome.failed) return ERROR;
  const yielded = body.statements.find((one) => one.kind === 'yield');
  if (yielded !== undefined)
    return fail(context, 'syntax-error', yielded.span, '`yield` belongs into a `scan`', { hint: 'a function gives its value by `return`' });
  const last = body.statements.at(-1);
  return fail(context, 'missing-return', span, `${name} returns nothing`, {
    hint: last?.kind === 'expression-statement' ? 'write `return` before the last expression' : 'end the block with `return …`',
  });
}
