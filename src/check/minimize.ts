// `minimize loss with optimizer over params`. In: the statement. Out: one `grad` node for all params, a slot per param and state, and the
// updates in order.
// Holds: gradients are taken of the values before any update; each param is updated by the body that the optimizer's author wrote.

import type { MinimizeStatement, StateDeclaration } from '../../grammar/index.js';
import { isFloat } from '../base/index.js';
import { typeToString, type TensorNode, type TensorType } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyOp, applyTensor } from './apply-op.js';
import { enterScope, joinPath, type Context } from './context.js';
import { latestVersion, reachable } from './dependence.js';
import { evaluate } from './expressions/evaluate.js';
import { pushFrame } from './functions.js';
import { initialize } from './initializers.js';
import { excerpt, fail } from './report.js';
import { Scope } from './scope.js';
import { evaluateBlock, mayAssign } from './statements.js';
import { toTensor } from './tensors.js';
import { tensorTypeOf } from './types.js';
import { describe, tensorValue, type OptimizerRule, type Value } from './values.js';
import type { VariableRecord } from './variables.js';

interface Target {
  readonly variable: VariableRecord;
  readonly version: TensorNode;
}

export function minimize(context: Context, statement: MinimizeStatement, scope: Scope): void {
  const loss = evaluate(context, statement.loss, scope);
  const rule = evaluate(context, statement.optimizer, scope);
  const over = statement.over === null ? undefined : { value: evaluate(context, statement.over, scope), span: statement.over.span };
  if (!mayAssign(context, statement.span, 'a loss is minimised')) return;
  const node = toTensor(context, loss, statement.loss.span);
  if (rule.kind !== 'optimizer-rule') {
    if (rule.kind !== 'error')
      fail(
        context,
        'type-mismatch',
        statement.optimizer.span,
        rule.kind === 'optimizer'
          ? `${describe(rule)} is named without its arguments`
          : `\`with\` takes an optimizer, and this is ${describe(rule)}`,
        { hint: rule.kind === 'optimizer' ? `pass its arguments: \`${rule.declaration.name.text}(…)\`` : 'e.g. `sgd(lr: 0.1)`' },
      );
    return;
  }
  if (node === undefined) return;
  if (!isFloat(node.type.dtype)) {
    fail(context, 'dtype-mismatch', statement.loss.span, `a loss is a float, and this is ${typeToString(node.type)}`, {
      hint: 'convert it: `f32(…)`',
    });
    return;
  }
  const targets = over === undefined ? everyParam(context, node, statement) : listedParams(context, node, over.value, statement, over.span);
  if (targets === undefined) return;
  const { text: name } = rule.optimizer.declaration.name;
  const inside = enterScope(context, name, { kind: 'optimizer', name, span: statement.span });
  const gradients = applyOp(inside, ops.grad, [node, ...targets.map((target) => target.version)], { outputs: 1 }, statement.span);
  if (gradients === undefined) return;
  for (const [index, target] of targets.entries()) {
    const { path } = target.variable;
    const inner = enterScope(inside, path, { kind: 'update', name: path, of: path, span: statement.span });
    const gradient = applyTensor(inner, ops.element, [gradients], { index }, statement.span);
    if (gradient !== undefined)
      context.checker.growth.within('update', context, statement.span, `the update of \`${path}\``, () =>
        update(inner, statement, rule, target, gradient),
      );
  }
}

/** Every param that the loss depends on, in the order of declaration. */
function everyParam(context: Context, loss: TensorNode, statement: MinimizeStatement): readonly Target[] | undefined {
  const found = reachable([loss]);
  context.checker.growth.spend(found.size >> 3);
  const targets: Target[] = [];
  for (const variable of context.checker.variables.all) {
    if (variable.kind !== 'param' || !isFloat(variable.type.dtype)) continue;
    const version = latestVersion(context, variable, found);
    if (version !== undefined) targets.push({ variable, version });
  }
  if (targets.length > 0 || context.entry.dry) return targets.length > 0 ? targets : undefined;
  const stopOf = ops.stopsBefore([loss], context.checker.build);
  for (const variable of context.checker.variables.all)
    if (variable.kind === 'param' && isStopped(context, stopOf, variable, statement)) return undefined;
  fail(
    context,
    'nothing-to-minimize',
    statement.loss.span,
    `\`${excerpt(context, statement.loss.span, 'the loss')}\` depends on no param`,
    { hint: 'only `param` is trained, not `state`; nothing flows through `stopGradient`, comparisons and integers' },
  );
  return undefined;
}

function listedParams(
  context: Context,
  loss: TensorNode,
  over: Value,
  statement: MinimizeStatement,
  span: MinimizeStatement['span'],
): readonly Target[] | undefined {
  const variables = collectParams(context, over, span);
  if (variables === undefined) return undefined;
  const found = reachable([loss]);
  context.checker.growth.spend(found.size >> 3);
  const targets: Target[] = [];
  const stopOf = ops.stopsBefore([loss], context.checker.build);
  for (const variable of variables) {
    const version = latestVersion(context, variable, found);
    if (version !== undefined) targets.push({ variable, version });
    else if (!isStopped(context, stopOf, variable, statement))
      fail(
        context,
        'nothing-to-minimize',
        span,
        `\`${excerpt(context, statement.loss.span, 'the loss')}\` does not depend on \`${variable.path}\``,
        { labels: variable.span === undefined ? [] : [{ span: variable.span, text: 'declared here' }] },
      );
  }
  return targets.length === 0 ? undefined : targets;
}

/** True after a diagnostic when the loss depends on a param, and no derivative comes through to it. */
function isStopped(
  context: Context,
  stopOf: ReturnType<typeof ops.stopsBefore>,
  variable: VariableRecord,
  statement: MinimizeStatement,
): boolean {
  const { build } = context.checker;
  const versions = [variable.node, ...(context.entry.versions.get(variable) ?? [])].reverse();
  const stop = versions.map(stopOf).find((one) => one !== undefined);
  if (stop === undefined) return false;
  const span = build.originsOf(stop).find((origin) => origin.span !== undefined)?.span ?? statement.loss.span;
  fail(context, 'not-differentiable', span, `\`${stop.op.name}\` has no derivative: ${ops.stopReason}`, {
    labels: [{ span: statement.loss.span, text: `this is to be minimised over \`${variable.path}\`` }],
    hint: ops.stopHint,
  });
  return true;
}

/** Params behind a value: a param, an instance with all that it owns, or a list of these. Undefined after a diagnostic. */
function collectParams(context: Context, value: Value, span: MinimizeStatement['span']): readonly VariableRecord[] | undefined {
  const found = new Set<VariableRecord>();
  // What stands in several places is looked into once.
  const seen = new Set<Value>();
  const waiting: Value[] = [value];
  // Last pushed, first visited.
  const push = (values: readonly Value[]): void => {
    for (const one of values.toReversed()) waiting.push(one);
  };
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    switch (next.kind) {
      case 'error':
        return undefined;
      case 'list':
      case 'tuple':
        push(next.items);
        break;
      case 'instance': {
        const { scope, members } = next;
        push(
          members
            .map((name) => scope.own(name)?.value())
            .filter(
              (member): member is Value =>
                member !== undefined &&
                (member.kind === 'instance' || member.kind === 'list' || (member.kind === 'variable' && member.variable.kind === 'param')),
            ),
        );
        break;
      }
      case 'variable':
        if (next.variable.kind !== 'param' || !isFloat(next.variable.type.dtype)) {
          fail(
            context,
            'type-mismatch',
            span,
            `\`${next.variable.path}\` is a ${next.variable.kind} of ${typeToString(next.variable.type)}, and cannot be trained`,
            {
              labels: next.variable.span === undefined ? [] : [{ span: next.variable.span, text: 'declared here' }],
              hint: 'declare it as a float `param`',
            },
          );
          return undefined;
        }
        found.add(next.variable);
        break;
      default:
        fail(context, 'type-mismatch', span, `\`over\` takes params, and this is ${describe(next)}`, { hint: 'e.g. `over [w, b]`' });
        return undefined;
    }
  }
  return [...found];
}

/** One param's update: its slots, and the author's body. */
function update(context: Context, statement: MinimizeStatement, rule: OptimizerRule, target: Target, gradient: TensorNode): void {
  const { declaration, module } = rule.optimizer;
  const frame = pushFrame(context, declaration, undefined, declaration.name.text, statement.optimizer.span, context.frame);
  if (frame === undefined) return;
  const scope = new Scope(rule.scope);
  const inside: Context = {
    ...context,
    module,
    frame,
    self: undefined,
    site: module.std ? statement.span : undefined,
    assigns: true,
  };
  for (const state of declaration.states) {
    const type = slotType(inside, state, target.variable, scope);
    const slot =
      type === undefined
        ? undefined
        : context.checker.variables.create(
            inside,
            joinPath(joinPath(context.entry.name, context.path), state.name.text),
            type,
            'slot',
            state.name.span,
            state.doc ?? undefined,
          );
    if (slot === undefined) return;
    if (state.initial !== null) initialize(inside, slot, state.initial, scope);
    scope.addValue(state.name.text, 'member', { kind: 'variable', variable: slot, binding: undefined }, state.name.span);
  }
  const { parameter, gradient: g } = declaration.update;
  scope.addValue(parameter.text, 'parameter', { kind: 'variable', variable: target.variable, binding: undefined }, parameter.span);
  scope.addValue(g.text, 'parameter', tensorValue(gradient), g.span);
  const outcome = evaluateBlock(inside, declaration.update.body, scope, undefined);
  if (outcome.returned !== undefined) fail(inside, 'syntax-error', declaration.update.body.span, '`update` returns nothing: it assigns');
}

function slotType(context: Context, state: StateDeclaration, variable: VariableRecord, scope: Scope): TensorType | undefined {
  return state.type === null ? variable.type : tensorTypeOf(context, state.type, scope, `\`${state.name.text}\``);
}
