// Functions and lambdas are inlined. In: a call and what is called. Out: the value of the body, checked against the declared result.
// Holds: a function is pure, a step is called by steps alone; each opens a scope path of its own; a call inside itself is a mistake, along
// the line of calls in which things were written.

import type { FnDeclaration, Parameter, Span, StepDeclaration } from '../../grammar/index.js';
import { type DType, isFloat } from '../base/index.js';
import { assignArguments } from './arguments.js';
import { filledHint, shapeHint } from './builtins/filled.js';
import type { Call } from './calls.js';
import { enterScope, joinPath, type Context, type Frame } from './context.js';
import { applyCustomRule } from './custom-rule.js';
import { evaluateBody, evaluate } from './expressions/evaluate.js';
import { demandFacts } from './facts.js';
import { bindGenerics, declareGenerics, demandGenerics, inferDType, inferFromExpected, otherRank } from './generics.js';
import { Matcher } from './match.js';
import { type Called, inAnyCall } from './open-calls.js';
import { derives, nameParts } from './patterns.js';
import { fail } from './report.js';
import { Scope } from './scope.js';
import { evaluateBlock, mayAssign } from './statements.js';
import { dtypeBeside, ownDType, readAll } from './tensors.js';
import {
  alone,
  besides,
  dtypeNamed,
  dtypeWanted,
  expectedOf,
  expectTensor,
  failUnknownType,
  isNoType,
  namesNegative,
  type Expected,
} from './types.js';
import { ERROR, record, type FunctionValue, type InstanceValue, type LambdaValue, type Value } from './values.js';

/** The frame of a call; undefined after a diagnostic when it would never end. */
export function pushFrame(
  context: Context,
  callee: object,
  self: InstanceValue | undefined,
  name: string,
  site: Span,
  parent: Frame | undefined,
): Frame | undefined {
  for (let frame = parent; frame !== undefined; frame = frame.parent) {
    if (frame.callee !== callee || frame.self !== self) continue;
    fail(context, 'recursive-call', site, `\`${name}\` calls itself, and would never end`, { hint: 'repeat with `fold` or `scan`' });
    return undefined;
  }
  context.checker.growth.spend(20);
  return { callee, self, name, site, caller: context.frame, parent };
}

export function callFunction(call: Call, fn: FunctionValue): Value {
  const { kind, generics } = fn.declaration;
  return kind === 'step' || generics.length === 0 ? inlined(call, fn).value : inAnyCall(call, (given, usual) => inlined(given, fn, usual));
}

const NOTHING: Called = { value: ERROR, other: undefined };

/** The call, with the body of what is called. `usual`: the dtype that generics are which nothing determines. */
function inlined(call: Call, fn: FunctionValue, usual?: DType): Called {
  const { context } = call;
  const { declaration } = fn;
  const own = declaration.name.text;
  const name = shownName(fn);
  if (
    declaration.kind === 'step' &&
    !mayAssign(
      context,
      call.site,
      `the step \`${name}\` is called`,
      'a function is pure: call it in the step itself, and pass on what it gives',
    )
  ) {
    for (const argument of call.passed) argument.value();
    return NOTHING;
  }
  context.checker.visited.add(declaration);
  const assigned = assignArguments(
    context,
    call.passed,
    declaration.parameters.map((parameter) => ({ name: parameter.name.text, optional: parameter.initial !== null })),
    name,
    call.site,
    declaration.name.span,
    () =>
      shapeHint(context, call.passed, fn) ??
      (declaration.parameters.length === 0 && declaration.result?.kind === 'named-type' && declaration.result.dims !== null
        ? `its shape is that of the type it stands for: \`let x: f32[2, 3] = ${own}()\``
        : undefined),
  );
  if (assigned === undefined) return NOTHING;
  const frame = pushFrame(context, declaration, fn.self, name, call.site, context.frame);
  if (frame === undefined) return NOTHING;
  const scope = new Scope(fn.scope);
  const bindings = declareGenerics(context, declaration.generics, scope);
  if (call.generics !== null && !bindGenerics(context, bindings, call.generics, call.scope, name, call.site, declaration.name.span))
    return NOTHING;

  const matcher = new Matcher(context, scope, usual);
  const values = new Map<string, { value: Value; span: Span }>();
  let failed = false;
  for (const parameter of declaration.parameters) {
    const passed = assigned.get(parameter.name.text);
    if (passed === undefined) continue;
    const value = passed.value(expectedBeside(expectedOf(context, parameter.type, scope), parameter, declaration, values));
    if (value.kind === 'error') failed = true;
    values.set(parameter.name.text, { value, span: passed.span });
  }
  if (failed) return NOTHING;
  // Tensors say what literals beside them become, then the dtype that is expected of the result.
  const matched = new Map<string, Value>();
  const matchAll = (literals: boolean): void => {
    for (const parameter of declaration.parameters) {
      const given = values.get(parameter.name.text);
      if (given === undefined || (ownDType(given.value) === undefined) !== literals) continue;
      const value = matcher.match(given.value, parameter.type, {
        text: `argument \`${parameter.name.text}\` of \`${name}\``,
        span: given.span,
      });
      if (value.kind === 'error') failed = true;
      matched.set(parameter.name.text, readAll(context, value, given.span));
    }
  };
  matchAll(false);
  inferDType(declaration.result, call.expected, scope, call.site);
  inferOpen(call, declaration, values, scope);
  const undecided = bindings.filter((binding) => binding.known === undefined && binding.initial === undefined);
  for (const {
    name: { text },
    type,
  } of declaration.parameters) {
    const given = values.get(text);
    if (given !== undefined && ownDType(given.value) === undefined) matcher.foresee(given.value, type);
  }
  matchAll(true);
  if (failed || !matcher.finish()) return NOTHING;

  const self = fn.self;
  const segment = self === undefined ? own : methodName(context, self, own);
  // What a method calls of its own instance is a part of it.
  const what =
    self === undefined || self === context.self
      ? ({ kind: 'function', name: own, span: call.site } as const)
      : ({ kind: 'instance', name: self.model.declaration.name.text, of: self.path, span: call.site } as const);
  const inside: Context = {
    ...(segment === '' ? context : enterScope(context, segment, what)),
    module: fn.module,
    frame,
    self,
    site: fn.module.std ? (context.module.std ? context.site : call.site) : undefined,
    assigns: declaration.kind === 'step',
    pure: undefined,
    returns: true,
    instancePath: undefined,
  };
  const differentiates = derives(declaration);
  for (const parameter of declaration.parameters) {
    let value = matched.get(parameter.name.text);
    if (value === undefined && parameter.initial !== null) {
      const initial = evaluate(inside, parameter.initial, scope, expectedOf(inside, parameter.type, scope));
      value = new Matcher(inside, scope).match(initial, parameter.type, {
        text: `the default of \`${parameter.name.text}\``,
        span: parameter.initial.span,
      });
    }
    if (value === undefined) continue;
    if (differentiates) value = nameParts(inside, parameter.name.text, value, parameter.name.span);
    scope.addValue(parameter.name.text, 'parameter', value, parameter.name.span, parameter.type, scope);
  }
  inferFromExpected(context, declaration.result, call.expected, scope, call.site);
  const isFilled = bindings.some(({ known, sort }) => known === undefined && sort === 'pack');
  const why = otherRank(declaration.result, call.expected, name) ?? (isFilled ? filledHint(call, fn) : undefined);
  if (!demandGenerics(context, bindings, scope, name, call.site, why, usual)) return NOTHING;
  if (!demandFacts(context, declaration.facts, scope, name, call.site)) return NOTHING;
  const value = context.checker.growth.within('body', context, call.site, `the call of \`${name}\``, () =>
    functionResult(inside, declaration, scope, ofResult(call, declaration, values)),
  );
  const guess = undecided.find(({ known }) => known?.kind === 'dtype');
  return { value, other: guess === undefined ? undefined : guess.family === 'integer' ? 'i64' : 'f64' };
}

/** Where nothing that is passed has a dtype, and no result is declared, a float that is expected is that of what is passed. */
function inferOpen(
  { expected, site }: Call,
  { result, parameters }: FnDeclaration | StepDeclaration,
  given: ReadonlyMap<string, { readonly value: Value }>,
  scope: Scope,
): void {
  // What stands beside is looked at last: it may ask what this call gives.
  if (result !== null || given.size === 0 || [...given.values()].some(({ value }) => ownDType(value) !== undefined)) return;
  const dtype = dtypeWanted(expected);
  if (dtype === undefined || !isFloat(dtype)) return;
  for (const { name, type } of parameters) if (given.has(name.text)) inferDType(type, expectTensor(dtype, undefined), scope, site);
}

/** The call as its body sees it. Where nothing that is passed has a dtype, the body's literals take that of what stands beside the call. */
function ofResult(call: Call, { result }: FnDeclaration | StepDeclaration, given: ReadonlyMap<string, { readonly value: Value }>): Call {
  const expected = alone(call.expected);
  const isOpen = result === null && (expected === undefined || (expected.kind === 'tensor' && expected.dtype === undefined));
  if (!isOpen || [...given.values()].some(({ value }) => ownDType(value) !== undefined)) return { ...call, expected };
  const dtype = dtypeWanted(call.expected);
  return {
    ...call,
    expected: dtype === undefined ? expected : expectTensor(dtype, expected?.kind === 'tensor' ? expected.shape : undefined),
  };
}

/** What is expected of an argument whose dtype is a generic: that of the arguments before it which have the same one. */
function expectedBeside(
  expected: Expected | undefined,
  { type }: Parameter,
  { parameters }: FnDeclaration | StepDeclaration,
  given: ReadonlyMap<string, { readonly value: Value }>,
): Expected | undefined {
  if (expected?.kind !== 'tensor' || expected.dtype !== undefined || type.kind !== 'named-type') return expected;
  return besides(expected, () => {
    for (const other of parameters) {
      const value = other.type.kind === 'named-type' && other.type.name.text === type.name.text ? given.get(other.name.text) : undefined;
      const dtype = value === undefined ? undefined : dtypeBeside(value.value);
      if (dtype !== undefined) return dtype;
    }
    return undefined;
  });
}

/** The body's value in the declared type. */
export function functionResult(inside: Context, declaration: FnDeclaration | StepDeclaration, scope: Scope, call?: Call): Value {
  const name = `\`${declaration.name.text}\``;
  if (namesNegative(inside, declaration.result, scope)) return ERROR;
  const expected = declaration.result === null ? call?.expected : expectedOf(inside, declaration.result, scope);
  // What the body declares lies over the parameters: a `let` may reuse none of their names, a nested block may.
  const evaluateIn = (context: Context, within: Scope): Value => {
    const { body } = declaration;
    if (
      declaration.result?.kind === 'named-type' &&
      isNoType(declaration.result.name.text) &&
      dtypeNamed(declaration.result.name.text, within) === undefined
    ) {
      failUnknownType(context, declaration.result, within);
      return ERROR;
    }
    if (declaration.kind === 'step' && declaration.result === null && body.kind === 'block')
      return evaluateBlock(context, body, within, expected).returned ?? record([]);
    const value = evaluateBody(context, body, within, expected, name, declaration.name.span);
    return declaration.result === null
      ? value
      : new Matcher(context, within).match(value, declaration.result, {
          text: `the result of ${name}`,
          span: resultSpan(declaration),
          isOwnType: true,
        });
  };
  if (declaration.kind === 'fn' && declaration.vjp !== null)
    return applyCustomRule(inside, declaration, declaration.vjp, scope, evaluateIn);
  return readAll(inside, evaluateIn(inside, scope), declaration.name.span);
}

/** Where the value of a function stands. */
export function resultSpan(declaration: Pick<FnDeclaration, 'body' | 'name'>): Span {
  if (declaration.body.kind !== 'block') return declaration.body.span;
  const statement = declaration.body.statements.find((one) => one.kind === 'return');
  return statement?.kind === 'return' ? statement.value.span : declaration.name.span;
}

export function callLambda(call: Call, lambda: LambdaValue): Value {
  const { context } = call;
  const { expression } = lambda;
  const assigned = assignArguments(
    context,
    call.passed,
    expression.parameters.map((parameter) => ({ name: parameter.text, optional: false })),
    'the lambda',
    call.site,
    expression.span,
  );
  if (assigned === undefined) return ERROR;
  if (call.generics !== null)
    return fail(context, 'too-many-arguments', call.site, 'a lambda has no generics', { hint: 'declare a `fn`, which may have some' });
  const frame = pushFrame(context, expression, lambda.self, 'the lambda', call.site, lambda.frame);
  if (frame === undefined) return ERROR;
  const scope = new Scope(lambda.scope);
  const differentiates = derives(expression);
  for (const parameter of expression.parameters) {
    const passed = assigned.get(parameter.text);
    if (passed === undefined) continue;
    const known = scope.own(parameter.text);
    if (known !== undefined) {
      fail(context, 'duplicate-name', parameter.span, `the lambda has two parameters \`${parameter.text}\``, {
        hint: `choose another name, e.g. \`${parameter.text}2\``,
      });
      return ERROR;
    }
    const value = readAll(context, passed.value(), passed.span);
    const bound = differentiates ? nameParts(context, parameter.text, value, parameter.span) : value;
    scope.addValue(parameter.text, 'parameter', bound, parameter.span);
  }
  const inside: Context = {
    ...context,
    module: lambda.module,
    frame,
    self: lambda.self,
    site: lambda.module.std ? (context.module.std ? context.site : call.site) : undefined,
    assigns: false,
    returns: true,
    instancePath: undefined,
  };
  return context.checker.growth.within('body', context, call.site, 'the call of the lambda', () =>
    evaluateBody(inside, expression.body, scope, call.expected, 'the lambda', expression.span),
  );
}

/** How messages call a function: a method by its instance, `call` by the instance alone. */
function shownName({ declaration, self }: FunctionValue): string {
  const own = declaration.name.text;
  return self === undefined ? own : own === 'call' ? self.path : `${self.path}.${own}`;
}

/** The scope that a method opens: the instance's path below the instance around it; `call` has no name of its own. */
function methodName(context: Context, self: InstanceValue, name: string): string {
  const outer = context.self?.path;
  const path =
    outer === undefined
      ? self.path
      : self === context.self
        ? ''
        : self.path.startsWith(`${outer}/`)
          ? self.path.slice(outer.length + 1)
          : self.path;
  return name === 'call' ? path : joinPath(path, name);
}
