// `minimize loss with optimizer over params`, `update params with optimizer by gradients`. In: the statement. Out: a slot per param and
// state, and the updates in order.
// Holds: gradients are those of the values before any update; `minimize` is `update` by one `grad` node for all params. By the gradient
// of a mean over no rows nothing changes.

import type { Expression, MinimizeStatement, Span, UpdateStatement } from '../../grammar/index.js';
import { isFloat, shapeEquals } from '../base/index.js';
import { typeToString, type TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyOp, applyTensor } from './apply-op.js';
import { enterScope, type Context } from './context.js';
import { latestVersion, reachable } from './dependence.js';
import { evaluate } from './expressions/evaluate.js';
import { countable } from './growth.js';
import { knownElsewhere } from './known-names.js';
import { LikeUpdates } from './like-updates.js';
import { updateParam } from './optimizers.js';
import { paramsOf, trainedParams } from './params.js';
import { meansHaveRows, withRows } from './rows-of-a-mean.js';
import { excerpt, fail } from './report.js';
import type { Scope } from './scope.js';
import { mayAssign } from './statements.js';
import { bindingLabel, toTensor } from './tensors.js';
import { describe, type OptimizerRule, type Value } from './values.js';
import { readVariable, type VariableRecord } from './variables.js';

type Statement = MinimizeStatement | UpdateStatement;

interface Target {
  readonly variable: VariableRecord;
  readonly version: TensorNode;
}

export function minimize(context: Context, statement: MinimizeStatement, scope: Scope): void {
  const { span } = statement.loss;
  const loss = evaluate(context, statement.loss, scope);
  const rule = evaluate(context, statement.optimizer, scope);
  const over = statement.over === null ? undefined : evaluate(context, statement.over, scope);
  if (!mayAssign(context, statement.span, 'a loss is minimised', inStepHint)) return;
  const node = toTensor(context, loss, span);
  if (!isRule(context, rule, statement.optimizer) || node === undefined) return;
  if (!isFloat(node.type.dtype)) {
    fail(context, 'dtype-mismatch', span, `a loss is a float, and this is ${typeToString(node.type)}`, {
      labels: bindingLabel(loss),
      hint: 'compute it in floats from the params on: nothing flows through integers and comparisons',
    });
    return;
  }
  if (node.type.shape.length > 0) {
    const text = excerpt(context, span, '…');
    fail(context, 'shape-mismatch', span, `a loss is a scalar, and this is ${typeToString(node.type)}: mean or sum?`, {
      hint: `\`minimize mean(${text}) …\` or \`minimize sum(${text}) …\``,
    });
    return;
  }
  const targets =
    over === undefined || statement.over === null
      ? everyParam(context, node, statement)
      : listedParams(context, node, over, statement, statement.over);
  if (targets === undefined) return;
  const inside = insideOf(context, rule, statement);
  const gradients = applyOp(inside, ops.grad, [node, ...targets.map((target) => target.version)], { outputs: 1 }, statement.span);
  if (gradients === undefined) return;
  const updates = new LikeUpdates();
  const rows = meansHaveRows(inside, [node], statement.span);
  for (const [index, { variable }] of targets.entries()) {
    const inner = insideUpdate(inside, variable, statement);
    const gradient = applyTensor(inner, ops.element, [gradients], { index }, statement.span);
    if (gradient === undefined) continue;
    withRows(inner, rows, statement.span, () => updateParam(inner, statement, rule, variable, gradient, updates));
  }
}

const insideUpdate = (context: Context, { path }: VariableRecord, { span }: Statement): Context =>
  enterScope(context, path, { kind: 'update', name: path, of: path, span });

export function updateBy(context: Context, statement: UpdateStatement, scope: Scope): void {
  const target = evaluate(context, statement.target, scope);
  const rule = evaluate(context, statement.optimizer, scope);
  const by = evaluate(context, statement.gradients, scope);
  if (!mayAssign(context, statement.span, 'params are updated', inStepHint)) return;
  const variables = trainedParams(context, target, statement.target.span, '`update`');
  if (!isRule(context, rule, statement.optimizer) || variables === undefined || by.kind === 'error') return;
  const gradients = gradientsOf(context, by, variables, statement);
  if (gradients === undefined) return;
  const inside = insideOf(context, rule, statement);
  const updates = new LikeUpdates();
  const rows = meansHaveRows(inside, gradients, statement.span);
  for (const [at, variable] of variables.entries()) {
    const gradient = gradients[at];
    if (gradient === undefined) continue;
    const inner = insideUpdate(inside, variable, statement);
    withRows(inner, rows, statement.span, () => updateParam(inner, statement, rule, variable, gradient, updates));
  }
}

const inStepHint = 'a function is pure: do it in the step, which takes the loss or the gradients of the function';

function insideOf(context: Context, rule: OptimizerRule, { span }: Statement): Context {
  const { text: name } = rule.optimizer.declaration.name;
  return enterScope(context, name, { kind: 'optimizer', name, span });
}

function isRule(context: Context, rule: Value, { span }: Expression): rule is OptimizerRule {
  if (rule.kind === 'optimizer-rule') return true;
  if (rule.kind !== 'error')
    fail(
      context,
      'type-mismatch',
      span,
      rule.kind === 'optimizer'
        ? `${describe(rule)} is named without its arguments`
        : `\`with\` takes an optimizer, and this is ${describe(rule)}`,
      { hint: () => ruleHint(rule, excerpt(context, span, '…')) },
    );
  return false;
}

function ruleHint(rule: Value, text: string): string {
  if (rule.kind === 'optimizer') return `pass its arguments: \`${rule.declaration.name.text}(…)\``;
  const named = rule.kind === 'string' ? knownElsewhere(rule.value) : undefined;
  if (rule.kind === 'string' && named !== undefined) return `call it, \`${rule.value}(…)\`, and ${named}`;
  return `e.g. \`sgd(lr: ${rule.kind === 'number' ? text : '0.1'})\``;
}

/** Every param that the loss depends on, in the order of declaration. */
function everyParam(context: Context, loss: TensorNode, statement: MinimizeStatement): readonly Target[] | undefined {
  const found = reachable([loss]);
  context.checker.growth.spend(found.size >> 3);
  const params = [...context.checker.variables.all].filter(({ kind, type }) => kind === 'param' && isFloat(type.dtype));
  const targets = params.flatMap((variable): Target[] => {
    const version = latestVersion(context, variable, found);
    return version === undefined ? [] : [{ variable, version }];
  });
  if (targets.length > 0 || context.entry.dry) return targets.length > 0 ? targets : undefined;
  failUnreached(context, loss, statement, params, 'any', statement.loss.span);
  return undefined;
}

/** What stands behind `over`: of each element that is listed there something must be reached. What is not has a derivative of zero. */
function listedParams(
  context: Context,
  loss: TensorNode,
  over: Value,
  statement: MinimizeStatement,
  { kind, span }: Expression,
): readonly Target[] | undefined {
  const variables = trainedParams(context, over, span, '`over`');
  if (variables === undefined) return undefined;
  const found = reachable([loss]);
  context.checker.growth.spend(found.size >> 3);
  const elements = kind === 'list' && over.kind === 'list' ? over.items : [over];
  let fine = true;
  for (const element of elements) {
    const group = trainedParams(context, element, span, '`over`') ?? [];
    if (group.length === 0 || group.some((variable) => latestVersion(context, variable, found) !== undefined)) continue;
    failUnreached(context, loss, statement, group, element.kind === 'instance' ? `any param of \`${element.path}\`` : 'these', span);
    fine = false;
  }
  if (!fine) return undefined;
  const targets: Target[] = [];
  for (const variable of variables) {
    const version = latestVersion(context, variable, found) ?? readVariable(context, variable, span);
    if (version !== undefined) targets.push({ variable, version });
  }
  return targets.length === 0 ? undefined : targets;
}

/** `any`: the loss depends on no param at all; else what it does not depend on: `these`, or by the name of an instance. */
function failUnreached(
  context: Context,
  loss: TensorNode,
  statement: MinimizeStatement,
  params: readonly VariableRecord[],
  which: 'any' | 'these' | `any param of ${string}`,
  span: Span,
): void {
  const text = excerpt(context, statement.loss.span, 'the loss');
  const [first, ...others] = params;
  const named =
    which !== 'any' && which !== 'these' ? which : first === undefined || others.length > 0 ? 'any of them' : `\`${first.path}\``;
  if (isStopped(context, loss, statement, params)) return;
  fail(
    context,
    'nothing-to-minimize',
    span,
    which === 'any' ? `\`${text}\` depends on no param` : `\`${text}\` does not depend on ${named}`,
    {
      labels: which === 'these' && first?.span !== undefined ? [{ span: first.span, text: 'declared here' }] : [],
      ...(which === 'any'
        ? { hint: 'only `param` is trained, not `state`; nothing flows through `stopGradient`, comparisons and integers' }
        : { hint: 'leave it out behind `over`, or let the loss depend on it' }),
    },
  );
}

/** True after a diagnostic when the loss depends on one of the params, and no derivative comes through to it. */
function isStopped(context: Context, loss: TensorNode, statement: MinimizeStatement, params: readonly VariableRecord[]): boolean {
  const { build } = context.checker;
  const stopOf = ops.stopsBefore([loss], build);
  for (const variable of params) {
    const versions = [variable.node, ...(context.entry.versions.get(variable) ?? [])].reverse();
    const stop = versions.map(stopOf).find((one) => one !== undefined);
    if (stop === undefined) continue;
    const span = build.originsOf(stop).find((origin) => origin.span !== undefined)?.span ?? statement.loss.span;
    fail(context, 'not-differentiable', span, `\`${ops.calledName(build, stop)}\` has no derivative: ${ops.stopReason}`, {
      labels: [{ span: statement.loss.span, text: `this is to be minimised over \`${variable.path}\`` }],
      hint: ops.stopHint,
    });
    return true;
  }
  return false;
}

/** A gradient per param, matched by position; undefined after a diagnostic. */
function gradientsOf(
  context: Context,
  by: Value,
  variables: readonly VariableRecord[],
  { gradients: { span }, target }: UpdateStatement,
): readonly TensorNode[] | undefined {
  if (!countable(context, by, span, 'this list of gradients')) return undefined;
  const given = partsOf(by);
  if (given.length !== variables.length) {
    const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
    fail(context, 'type-mismatch', span, `${count(variables.length, 'param')} and ${count(given.length, 'gradient')}`, {
      labels: [{ span: target.span, text: `${count(variables.length, 'param')}: ${shownPaths(variables)}` }],
      hint: `gradients are matched by position: \`by grad(loss, ${excerpt(context, target.span, '…')})\``,
    });
    return undefined;
  }
  const nodes: TensorNode[] = [];
  for (const [at, { path, type, span: declared }] of variables.entries()) {
    const node = toTensor(context, given[at] as Value, span, type.dtype);
    if (node === undefined) return undefined;
    if (!shapeEquals(node.type.shape, type.shape)) {
      fail(
        context,
        'shape-mismatch',
        span,
        `the gradient of \`${path}\` is ${typeToString(node.type)}, and the param is ${typeToString(type)}`,
        {
          labels: declared === undefined ? [] : [{ span: declared, text: `\`${path}\` is declared here` }],
          hint:
            given.length === 1 && node.type.shape.length === 0
              ? `give its derivative: \`by grad(${excerpt(context, span, '…')}, ${excerpt(context, target.span, '…')})\``
              : `gradients are matched by position: ${shownPaths(variables)}`,
        },
      );
      return undefined;
    }
    nodes.push(node);
  }
  return nodes;
}

const shownPaths = (variables: readonly VariableRecord[]): string => {
  const shown = variables.slice(0, 4).map(({ path }) => `\`${path}\``);
  return `${shown.join(', ')}${variables.length > shown.length ? ', …' : ''}`;
};

/** The leaves of lists and tuples; an instance stands for its params. */
const partsOf = (value: Value): readonly Value[] =>
  value.kind === 'list' || value.kind === 'tuple'
    ? value.items.flatMap(partsOf)
    : value.kind === 'instance'
      ? paramsOf(value).items
      : [value];
