// Optimizers with their arguments. In: the call behind `with`; a param and its gradient. Out: the rule; the param's slots and its update,
// by the body that the optimizer's author wrote.
// Holds: floats among the arguments, literals and those of the running program, take the dtype of what they meet, so that one optimizer
// trains f32 and f64 params alike; a state has the param's type, unless its own is written or its initial value has another shape; where
// known conditions choose a text, there is no state.

import {
  walk,
  type Expression,
  type Identifier,
  type MinimizeStatement,
  type Span,
  type StateDeclaration,
  type TypeExpression,
  type UpdateStatement,
} from '../../grammar/index.js';
import { isFloat } from '../base/index.js';
import { tensor, type TensorNode, type TensorType } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { assignArguments } from './arguments.js';
import type { Call } from './calls.js';
import { EntryState, joinPath, type Context } from './context.js';
import { pushFrame } from './functions.js';
import { evaluate } from './expressions/evaluate.js';
import { initialize } from './initializers.js';
import type { LikeUpdates } from './like-updates.js';
import { Matcher } from './match.js';
import { fail } from './report.js';
import { Scope } from './scope.js';
import { evaluateBlock } from './statements.js';
import { castTo, ownDType, readAll, shapeOf } from './tensors.js';
import { dtypeNamed, expectedOf, expectTensor, tensorTypeOf } from './types.js';
import { ERROR, tensorValue, type OptimizerRule, type OptimizerValue, type Value } from './values.js';
import type { VariableRecord } from './variables.js';

export function optimizerRule(call: Call, optimizer: OptimizerValue): Value {
  const { context } = call;
  const { declaration, module } = optimizer;
  const name = declaration.name.text;
  context.checker.visited.add(declaration);
  if (call.generics !== null)
    return fail(context, 'too-many-arguments', call.site, `\`${name}\` has no generics`, {
      hint: `it goes by the params: \`${name}(…)\``,
    });
  const assigned = assignArguments(
    context,
    call.passed,
    declaration.parameters.map((parameter) => ({ name: parameter.name.text, optional: parameter.initial !== null })),
    name,
    call.site,
    declaration.name.span,
  );
  const frame = pushFrame(context, declaration, undefined, name, call.site, context.frame);
  if (assigned === undefined || frame === undefined) return ERROR;
  const scope = new Scope(optimizer.scope);
  const inside = {
    ...context,
    module,
    frame,
    self: undefined,
    site: module.std ? (context.site ?? call.site) : undefined,
    assigns: false,
    instancePath: undefined,
  };
  let failed = false;
  for (const parameter of declaration.parameters) {
    const passed = assigned.get(parameter.name.text);
    const expected = expectedOf(inside, parameter.type, scope);
    const given =
      passed !== undefined
        ? { context, value: passed.value(expected), span: passed.span, text: `argument \`${parameter.name.text}\` of \`${name}\`` }
        : parameter.initial !== null
          ? {
              context: inside,
              value: evaluate(inside, parameter.initial, scope, expected),
              span: parameter.initial.span,
              text: `the default of \`${parameter.name.text}\``,
            }
          : undefined;
    if (given === undefined) continue;
    const value =
      floatScalar(given.context, given.value, parameter.type, given.span, scope) ??
      readAll(
        given.context,
        new Matcher(given.context, scope).match(given.value, parameter.type, { text: given.text, span: given.span, keepsLiterals: true }),
        given.span,
      );
    if (value.kind === 'error') failed = true;
    if (scope.own(parameter.name.text) === undefined)
      scope.addValue(parameter.name.text, 'parameter', value, parameter.name.span, parameter.type, scope);
  }
  return failed ? ERROR : { kind: 'optimizer-rule', optimizer, scope, span: call.site };
}

/** A float of the running program where one float is declared: like a literal it takes the dtype of what it meets in an update. */
function floatScalar(context: Context, value: Value, type: TypeExpression, span: Span, scope: Scope): Value | undefined {
  const declared = type.kind === 'named-type' && type.dims === null ? dtypeNamed(type.name.text, scope) : undefined;
  const own = ownDType(value);
  if (typeof declared !== 'string' || !isFloat(declared) || own === undefined || !isFloat(own) || value.kind === 'number') return undefined;
  const read = shapeOf(value)?.length === 0 ? readAll(context, value, span) : undefined;
  return read?.kind === 'tensor' ? { ...read, again: (dtype) => castTo(context, read.node, dtype, span) } : undefined;
}

/** One param's update: its slots, and the author's body. `others`: of the same statement. */
export function updateParam(
  context: Context,
  { optimizer, span }: MinimizeStatement | UpdateStatement,
  rule: OptimizerRule,
  variable: VariableRecord,
  gradient: TensorNode,
  others: LikeUpdates,
): void {
  context.checker.growth.within('update', context, span, `the update of \`${variable.path}\``, () => {
    const { declaration, module } = rule.optimizer;
    const frame = pushFrame(context, declaration, undefined, declaration.name.text, optimizer.span, context.frame);
    if (frame === undefined) return;
    const scope = new Scope(rule.scope);
    const inside: Context = {
      ...context,
      module,
      frame,
      self: undefined,
      site: module.std ? (context.site ?? span) : undefined,
      assigns: true,
      instancePath: undefined,
    };
    const slots: VariableRecord[] = [];
    for (const state of declaration.states) {
      const slot = addSlot(inside, rule.optimizer, state, variable.type, scope);
      if (slot === false) return;
      if (slot !== undefined) slots.push(slot);
    }
    const { parameter, gradient: g, body } = declaration.update;
    scope.addValue(parameter.text, 'parameter', { kind: 'variable', variable, binding: undefined }, parameter.span);
    scope.addValue(g.text, 'parameter', tensorValue(gradient), g.span);
    others.run(inside, { variables: [variable, ...slots], gradient }, () => {
      const outcome = evaluateBlock(inside, body, scope, undefined);
      if (outcome.returned !== undefined)
        fail(inside, 'syntax-error', body.statements.find((one) => one.kind === 'return')?.span ?? body.span, '`update` returns nothing', {
          hint: `it assigns: \`${parameter.text} <- …\``,
        });
    });
  });
}

/** A state of the optimizer for a param of that type; undefined where a text stands for none, false after a diagnostic. */
export function addSlot(
  context: Context,
  optimizer: OptimizerValue,
  written: StateDeclaration,
  param: TensorType,
  scope: Scope,
): VariableRecord | undefined | false {
  const { text, span } = written.name;
  const shaped = withParam(context, optimizer.declaration.update.parameter, param, scope);
  const state = { ...written, initial: chosenInitial(context, written.initial, shaped) };
  if (state.initial?.kind === 'string') {
    scope.addValue(text, 'member', { kind: 'string', value: state.initial.value }, span);
    return undefined;
  }
  const type = slotType(context, optimizer, state, param, shaped);
  const path = joinPath(joinPath(context.entry.name, context.path), text);
  const slot = type === undefined ? undefined : context.checker.variables.create(context, path, type, 'slot', span, state.doc ?? undefined);
  if (slot === undefined) return false;
  if (state.initial !== null) initialize(context, slot, state.initial, shaped);
  scope.addValue(text, 'member', { kind: 'variable', variable: slot, binding: undefined }, span);
  return slot;
}

/** The initial value that known conditions choose: `if amsgrad then zeros() else "none"`. A text says that there is no such state. */
function chosenInitial(context: Context, initial: Expression | null, scope: Scope): Expression | null {
  let chosen = initial;
  while (chosen?.kind === 'if') {
    const inside: Context = { ...context, entry: new EntryState('init', '', true), path: '', assigns: false };
    const condition = evaluate(inside, chosen.condition, scope);
    if (condition.kind !== 'boolean') return context.entry.dry ? chosen.whenTrue : chosen;
    chosen = condition.value ? chosen.whenTrue : chosen.whenFalse;
  }
  return chosen;
}

/** Names of initial values: the param stands there for its shape and dtype. */
function withParam(context: Context, { text, span }: Identifier, { dtype, shape }: TensorType, scope: Scope): Scope {
  const inside = new Scope(scope);
  const node = applyTensor(context, ops.feed, [], { name: text, dtype, shape }, span);
  if (node !== undefined) inside.addValue(text, 'parameter', tensorValue(node), span);
  return inside;
}

/** The type that is written, or the param's; a value that is made of the param, such as `zerosLike(p[0])`, has its own. */
function slotType(
  context: Context,
  optimizer: OptimizerValue,
  state: StateDeclaration,
  param: TensorType,
  scope: Scope,
): TensorType | undefined {
  if (state.type !== null) return tensorTypeOf(context, state.type, scope, `\`${state.name.text}\``);
  if (state.initial === null || !mentions(state.initial, optimizer.declaration.update.parameter.text)) return param;
  const inside: Context = { ...context, entry: new EntryState('init', state.name.text, true), path: '', assigns: false };
  const value = evaluate(inside, state.initial, scope, expectTensor(param.dtype, param.shape));
  const shape = shapeOf(value);
  if (value.kind === 'error') return undefined;
  return shape === undefined || shape.length === 0 ? param : tensor(ownDType(value) ?? param.dtype, shape);
}

const naming = new WeakMap<Expression, boolean>();

function mentions(expression: Expression, name: string): boolean {
  const known = naming.get(expression);
  if (known !== undefined) return known;
  let found = false;
  walk(expression, (node) => {
    if (node.kind === 'name' && node.name === name) found = true;
    return !found;
  });
  naming.set(expression, found);
  return found;
}
