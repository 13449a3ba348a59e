// Calls. In: a callee and what is passed. Out: its result, by what the callee is: function, lambda, model, instance, optimizer, dtype,
// built-in.

import type { CallExpression, Expression, GenericArgument, Identifier, Span } from '../../grammar/index.js';
import { type DType, isFloat } from '../base/index.js';
import { callBuiltin } from './builtins/builtin.js';
import { filledIn, shapedCall } from './builtins/filled.js';
import type { Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { warnOfConversion } from './constant-range.js';
import { callFunction, callLambda } from './functions.js';
import { instantiate } from './models.js';
import { isNothing } from './known-names.js';
import { optimizerRule } from './optimizers.js';
import { excerpt, fail } from './report.js';
import type { Scope } from './scope.js';
import { bindingLabel, castTo, shapeOf, toTensor } from './tensors.js';
import { alone, besides, expectTensor, type Expected } from './types.js';
import { describe, ERROR, exactNumber, number, tensorValue, type DTypeValue, type Value } from './values.js';
import { callHint, methodHint } from './ways-out.js';

/** One argument as it is passed; evaluated when the callee knows what it expects. */
export interface Passed {
  readonly name: Identifier | null;
  readonly span: Span;
  value(expected?: Expected, instancePath?: string): Value;
}

export interface Call {
  readonly context: Context;
  /** Names at the call, for its generics. */
  readonly scope: Scope;
  readonly passed: readonly Passed[];
  readonly generics: readonly GenericArgument[] | null;
  readonly site: Span;
  readonly expected: Expected | undefined;
}

export function evaluateCall(context: Context, expression: CallExpression, scope: Scope, expected: Expected | undefined): Value {
  const callee = evaluate(context, expression.callee, scope);
  // `argmax[i](x[i])`: what was meant as an index is unknown in the arguments, too.
  if (callee.kind === 'error' && isIndexedFunction(expression.callee, scope)) return ERROR;
  const passed = expression.arguments.map((argument): Passed => {
    return {
      name: argument.name,
      span: argument.value.span,
      value: (wanted, instancePath) =>
        isNothing(argument.value, scope)
          ? failNothing(context, argument.name, argument.value.span)
          : evaluate({ ...context, instancePath }, argument.value, scope, wanted),
    };
  });
  return callValue(
    { context, scope, passed, generics: expression.generics, site: expression.span, expected },
    callee,
    expression.callee.span,
  );
}

function isIndexedFunction(callee: Expression, scope: Scope): boolean {
  const object = callee.kind === 'index' && callee.object.kind === 'name' ? scope.lookup(callee.object.name)?.value() : undefined;
  return object?.kind === 'builtin' || object?.kind === 'function';
}
/** `axis: None`: an argument that is not given is left out. */
const failNothing = (context: Context, name: Identifier | null, span: Span): Value =>
  fail(context, 'unknown-name', span, `nothing is called \`${excerpt(context, span, 'this')}\` here`, {
    hint: name === null ? 'leave the argument out' : `leave \`${name.text}\` out`,
  });

/** What may take dtype and shape from what stands beside the call. */
const besideOthers: ReadonlySet<Value['kind']> = new Set(['builtin', 'dtype', 'function']);

/** Calls a value. `span` is where the callee stands. */
function callValue(given: Call, callee: Value, span: Span): Value {
  const call = besideOthers.has(callee.kind) ? given : { ...given, expected: alone(given.expected) };
  switch (callee.kind) {
    case 'error':
      for (const argument of call.passed) argument.value();
      return ERROR;
    case 'function': {
      const shaped = shapedCall(call, callee);
      return shaped === undefined ? callFunction(filledIn(call, callee), callee) : callBuiltin(shaped.call, shaped.form);
    }
    case 'lambda':
      return callLambda(call, callee);
    case 'builtin':
      return callBuiltin(call, callee.builtin);
    case 'model':
      return instantiate(call, callee);
    case 'optimizer':
      return optimizerRule(call, callee);
    case 'dtype':
      return convertTo(call, callee);
    case 'instance': {
      const method = callee.members.includes('call') ? callee.scope.own('call')?.value() : undefined;
      if (method?.kind === 'function') return callFunction(call, method);
      const name = callee.model.declaration.name;
      return fail(call.context, 'not-callable', span, `the model ${name.text} has no \`fn call\`, so its instance cannot be called`, {
        labels: [{ span: name.span, text: 'declared here' }],
        hint: methodHint(callee, excerpt(call.context, span, 'net')),
      });
    }
    default: {
      for (const argument of call.passed) argument.value();
      const text = excerpt(call.context, span, 'this');
      return fail(call.context, 'not-callable', span, `\`${text}\` is ${describe(callee)}, and cannot be called`, {
        labels: bindingLabel(callee),
        hint: notCalled(callee, call, text) ?? callHint(callee, excerpt(call.context, span, '…')),
      });
    }
  }
}

/** What was meant by parentheses behind something that is no function. */
function notCalled(callee: Value, { passed }: Call, text: string): string | undefined {
  if (passed.length === 0) return 'a value is read without parentheses';
  if (callee.kind === 'number' || callee.kind === 'size') return `a product is written \`${text} * (…)\``;
  return callee.kind === 'tuple' || (shapeOf(callee) ?? []).length > 0 ? `an element is taken by brackets: \`${text}[…]\`` : undefined;
}

/** What every dtype is as a function, for documents. */
export const conversion = {
  doc: 'The elements of `x` in this type, rounded once, to the nearest, ties to even. Towards an integer the fraction is dropped, what is beyond the range becomes its end, and NaN 0; between integers the low bits are kept. To `bool`: whether it is not 0.',
  signature: (dtype: DType): string => `${dtype}<T: any, ...S>(x: T[...S]): ${dtype}[...S]`,
};

/** `f32(x)`: the value in another dtype. */
function convertTo(call: Call, callee: DTypeValue): Value {
  const [argument, more] = call.passed;
  const { dtype } = callee;
  if (argument === undefined)
    return fail(call.context, 'missing-argument', call.site, `\`${dtype}(x)\` converts one value, and none is passed`);
  if (more !== undefined) return fail(call.context, 'too-many-arguments', more.span, `\`${dtype}(x)\` converts one value`);
  if (argument.name !== null)
    return fail(call.context, 'unknown-argument', argument.name.span, `\`${dtype}(x)\` has no argument \`${argument.name.text}\``);
  const floating = isFloat(dtype);
  const shaped = call.expected?.kind === 'tensor' ? expectTensor(undefined, call.expected.shape) : undefined;
  const value = argument.value(floating ? besides(shaped, () => dtype) : shaped);
  if (value.kind === 'error') return ERROR;
  if (value.kind === 'number' && value.dtype === undefined && dtype !== 'bool')
    return floating || value.integer
      ? number(value.value, value.integer, dtype, value.exact)
      : value.exact === undefined
        ? number(Math.trunc(value.value), true, dtype)
        : exactNumber(value.exact.truncated(), true, dtype);
  const node =
    value.kind === 'size' || (value.kind === 'tensor' && value.again !== undefined && floating)
      ? toTensor(call.context, value, argument.span, dtype === 'bool' ? 'i32' : dtype)
      : toTensor(call.context, value, argument.span);
  if (node !== undefined) warnOfConversion(call.context, node, dtype, call.site);
  const cast = node === undefined ? undefined : castTo(call.context, node, dtype, call.site);
  return cast === undefined ? ERROR : tensorValue(cast);
}
