// `if c { … } else { … }` as a statement. In: a condition and two blocks of a step. Out: new values of the variables that one of them
// assigns.
// Holds: a condition that is known takes its block alone. Of any other both blocks start from the same values, and each variable gets the
// value that the taken one gave it, or keeps its own, bit for bit; what a block binds is its own.

import type { Block, IfStatement, Span } from '../../grammar/index.js';
import type { TensorNode } from '../graph/index.js';
import { joinPath, pathWithin, type Context } from './context.js';
import { conditionNode, chooseValues } from './expressions/conditional.js';
import { oneBool } from './rounds.js';
import { evaluate } from './expressions/evaluate.js';
import { nameNode } from './patterns.js';
import { fail } from './report.js';
import type { Scope } from './scope.js';
import { evaluateBlock } from './statements.js';
import { tensorValue, tuple, type Value } from './values.js';
import { readVariable, type VariableRecord } from './variables.js';

type Assigned = ReadonlyMap<VariableRecord, TensorNode>;
const nothing: Assigned = new Map();

export function evaluateIfStatement(context: Context, statement: IfStatement, scope: Scope): void {
  const condition = evaluate(context, statement.condition, scope);
  if (context.region || !context.assigns) {
    fail(context, 'syntax-error', statement.span, '`if` with blocks assigns variables, and stands in a step', {
      hint: 'choose a value: `if c then a else b`',
    });
    return;
  }
  const { whenTrue, whenFalse } = statement;
  if (condition.kind === 'boolean') {
    evaluateBranch(context, condition.value ? whenTrue : whenFalse, scope);
    return;
  }
  context.checker.growth.spend(1);
  const inside: Context = { ...context, conditional: true };
  const { entry } = context;
  const mark = context.checker.build.size;
  const taken = entry.apart(() => evaluateBranch(inside, whenTrue, scope));
  const other = whenFalse === null ? nothing : entry.apart(() => evaluateBranch(inside, whenFalse, scope));
  const node = condition.kind === 'error' ? undefined : conditionNode(context, condition, statement.condition.span, oneBool);
  if (node === undefined || node === 'refused') return;
  merge(context, node, [taken, other], statement.condition.span, mark);
}

function evaluateBranch(context: Context, branch: Block | IfStatement | null, scope: Scope): void {
  if (branch === null) return;
  const { growth } = context.checker;
  const mark = growth.enter('scope');
  if (branch.kind === 'if-statement') evaluateIfStatement(context, branch, scope);
  else if (evaluateBlock(context, branch, scope, undefined).returned !== undefined) {
    const span = branch.statements.find((one) => one.kind === 'return')?.span ?? branch.span;
    fail(context, 'syntax-error', span, 'a step returns at its end, and not in a branch', {
      hint: 'choose what it returns: `return if c then a else b`',
    });
  }
  growth.returnTo(mark);
}

/** Assigns what the taken block assigned, all at once. */
function merge(context: Context, condition: TensorNode, [taken, other]: readonly [Assigned, Assigned], span: Span, mark: number): void {
  const variables = [...new Set([...taken.keys(), ...other.keys()])];
  const valueIn = (assigned: Assigned, variable: VariableRecord): Value => {
    const node = assigned.get(variable) ?? readVariable(context, variable, span);
    return node === undefined ? { kind: 'error' } : tensorValue(node);
  };
  const side = (assigned: Assigned): { value: Value; span: Span } => ({
    value: tuple(variables.map((variable) => valueIn(assigned, variable))),
    span,
  });
  const chosen = chooseValues(context, condition, side(taken), side(other), span, undefined, mark);
  if (chosen.kind !== 'tuple') return;
  for (const [at, variable] of variables.entries()) {
    const value = chosen.items[at];
    const version =
      value?.kind === 'tensor'
        ? nameNode(context, joinPath(pathWithin(context, variable.path), 'next'), value.node, span, false)
        : undefined;
    if (version !== undefined) context.entry.assign(variable, version);
  }
}
