// `if c then a else b`. In: a condition and two branches. Out: the branch, when the condition is known; else one of two values, of which
// only the one that is taken is computed where that is worth it (`branches.ts`).
// Holds: a branch that is not taken at compile time is not evaluated at all, so its sizes need not fit.

import type { IfExpression, Span } from '../../../grammar/index.js';
import type { DType } from '../../base/index.js';
import { typeToString, type TensorNode } from '../../graph/index.js';
import { broadcastTo, commonShape } from '../broadcast.js';
import { purely, type Context } from '../context.js';
import { countable } from '../growth.js';
import { assuming } from '../index-notation/body.js';
import { fail } from '../report.js';
import type { Scope } from '../scope.js';
import { agree, bindingLabel, ownDType, shapeOf, toTensor } from '../tensors.js';
import { lambdaHint } from '../ways-out.js';
import { withLeaves } from '../trees.js';
import { expectedDType, expectTensor, type Expected } from '../types.js';
import { describe, ERROR, list, record, tensorValue, tuple, type Value } from '../values.js';
import { chosen, type Pair, select } from './branches.js';
import { inAnyDType } from './binary.js';
import { evaluate } from './evaluate.js';

export function evaluateIf(context: Context, expression: IfExpression, scope: Scope, expected: Expected | undefined): Value {
  const condition = evaluate(context, expression.condition, scope);
  if (condition.kind === 'error') {
    evaluate(context, expression.whenTrue, scope, expected);
    evaluate(context, expression.whenFalse, scope, expected);
    return ERROR;
  }
  if (condition.kind === 'boolean') return evaluate(context, condition.value ? expression.whenTrue : expression.whenFalse, scope, expected);
  const node = conditionNode(context, condition, expression.condition.span);
  if (node === 'refused') return ERROR;
  const inside = purely(context, 'a branch of an `if` expression');
  const { span } = expression.condition;
  const mark = context.checker.build.size;
  const whenTrue = evaluate(assuming(inside, condition, true, span), expression.whenTrue, scope, expected);
  const whenFalse = evaluate(assuming(inside, condition, false, span), expression.whenFalse, scope, expected);
  if (node === undefined || !countable(context, whenTrue, expression.whenTrue.span, 'this branch')) return ERROR;
  const [a, b] = [
    { value: whenTrue, span: expression.whenTrue.span },
    { value: whenFalse, span: expression.whenFalse.span },
  ];
  if ([whenTrue, whenFalse].every((value) => isOpen(value) && ownDType(value) === undefined))
    return selectTensors(context, { node, value: condition, span }, a, b, expression.span, expected, 'the branches of `if`');
  return chooseValues(context, node, a, b, expression.span, expected, mark);
}

/** A condition as one bool; undefined after a diagnostic, `refused` after one that says that it is no scalar. */
export function conditionNode(
  context: Context,
  condition: Value,
  span: Span,
  hint = 'choose per element: `where(mask, a, b)`',
): TensorNode | undefined | 'refused' {
  if (condition.kind !== 'error' && shapeOf(condition) === undefined) {
    fail(context, 'type-mismatch', span, `the condition of \`if\` is one bool, and this is ${describe(condition)}`, {
      hint: condition.kind === 'lambda' ? lambdaHint : 'compare it: `… == …`',
    });
    return 'refused';
  }
  const node = toTensor(context, condition, span, 'bool');
  if (node === undefined || node.type.shape.length === 0) return node;
  fail(context, 'shape-mismatch', span, `the condition of \`if\` is one bool, and this is ${typeToString(node.type)}`, {
    labels: bindingLabel(condition),
    hint,
  });
  return 'refused';
}

export interface Branch {
  readonly value: Value;
  readonly span: Span;
}

/** The chosen value, leaf by leaf for tuples and records. `mark`: what is younger was made for one of the branches (`branches.ts`). */
export function chooseValues(
  context: Context,
  condition: TensorNode,
  a: Branch,
  b: Branch,
  span: Span,
  expected: Expected | undefined,
  mark: number,
): Value {
  const pairs: LeafPair[] = [];
  const tree = pairsOf(context, condition, a, b, span, expected, pairs);
  if (tree === undefined) return ERROR;
  const nodes = chosen(context, condition, pairs, mark, span);
  return nodes === undefined
    ? ERROR
    : withLeaves(
        tree,
        nodes.map((node, at) => ({ ...tensorValue(node), again: (pairs[at] as LeafPair).again })),
      );
}

/** Of literals alone a leaf has no dtype before it meets one. */
interface LeafPair extends Pair {
  readonly again: ((dtype: DType) => TensorNode | undefined) | undefined;
}

/** The tree of both values, whose leaves are appended to `pairs`; undefined after a diagnostic. */
function pairsOf(
  context: Context,
  condition: TensorNode,
  a: Branch,
  b: Branch,
  span: Span,
  expected: Expected | undefined,
  pairs: LeafPair[],
): Value | undefined {
  if (a.value.kind === 'error' || b.value.kind === 'error') return undefined;
  const differ = (): undefined => {
    fail(context, 'type-mismatch', span, `the branches of \`if\` are ${describe(a.value)} and ${describe(b.value)}`, {
      labels: [a, b].map((branch) => ({ span: branch.span, text: `this is ${describe(branch.value)}` })),
      hint: 'both give values of one form: the same fields, as many parts',
    });
    return undefined;
  };
  const all = (items: readonly (readonly [Value, Value])[]): Value[] | undefined => {
    const found: Value[] = [];
    for (const [one, other] of items) {
      const tree = pairsOf(context, condition, { value: one, span: a.span }, { value: other, span: b.span }, span, undefined, pairs);
      if (tree === undefined) return undefined;
      found.push(tree);
    }
    return found;
  };
  if ((a.value.kind === 'tuple' && b.value.kind === 'tuple') || (a.value.kind === 'list' && b.value.kind === 'list')) {
    const others = b.value.items;
    if (others.length !== a.value.items.length) return differ();
    const items = all(a.value.items.map((item, at) => [item, others[at] ?? ERROR]));
    return items === undefined ? undefined : a.value.kind === 'tuple' ? tuple(items) : list(items);
  }
  if (a.value.kind === 'record' && b.value.kind === 'record') {
    const others = b.value.fields;
    const names = [...a.value.fields.keys()];
    if (others.size !== names.length || names.some((name) => !others.has(name))) return differ();
    const items = all([...a.value.fields].map(([name, field]) => [field, others.get(name) ?? ERROR]));
    return items === undefined ? undefined : record(names.map((name, at) => [name, items[at] ?? ERROR] as const));
  }
  const isParts = (value: Value): boolean => value.kind === 'tuple' || value.kind === 'record';
  if (isParts(a.value) || isParts(b.value)) return differ();
  const asked = { node: condition, value: tensorValue(condition), span };
  const alikeAs = (wanted: Expected | undefined): Pair | undefined => alike(context, asked, a, b, span, wanted, 'the branches of `if`');
  const pair = alikeAs(expected);
  if (pair === undefined) return undefined;
  const again = (dtype: DType): TensorNode | undefined => {
    const other = alikeAs(expectTensor(dtype, undefined));
    return other === undefined ? undefined : select(context, condition, other, span);
  };
  const isUndecided = expectedDType(expected) === undefined && [a, b].every(({ value }) => ownDType(value) === undefined && isOpen(value));
  pairs.push({ ...pair, again: isUndecided ? again : undefined });
  return tensorValue(pair.whenTrue);
}

/** `select` with NumPy's broadcasting of all three. */
export function selectTensors(
  context: Context,
  condition: { node: TensorNode; value: Value; span: Span },
  a: Branch,
  b: Branch,
  span: Span,
  expected: Expected | undefined,
  what: string,
): Value {
  // Of literals alone it has no dtype before it meets one: `where(mask, 1, 0) * x`.
  const inDType = (dtype: DType | undefined): Value => {
    const wanted = dtype === undefined ? expected : expectTensor(dtype, undefined);
    const pair = alike(context, condition, a, b, span, wanted, what);
    const node = pair === undefined ? undefined : select(context, condition.node, pair, span);
    return node === undefined ? ERROR : tensorValue(node);
  };
  return inAnyDType(inDType, expected, a.value, b.value);
}

/** A number, or what is computed of numbers and sizes alone. */
const isOpen = (value: Value): boolean =>
  value.kind === 'number' || value.kind === 'size' || (value.kind === 'tensor' && value.again !== undefined);

/** Both as tensors of one dtype and shape, to which the condition can be broadcast as well. */
function alike(
  context: Context,
  condition: { node: TensorNode; value: Value; span: Span },
  a: Branch,
  b: Branch,
  span: Span,
  expected: Expected | undefined,
  what: string,
): Pair | undefined {
  const nodes = agree(context, [a, b], expectedDType(expected), span, what);
  const [x, y] = nodes ?? [];
  if (x === undefined || y === undefined) return undefined;
  const shape = commonShape(context, [condition, { node: x, ...a }, { node: y, ...b }], span, what);
  const whenTrue = shape === undefined ? undefined : broadcastTo(context, x, shape, span);
  const whenFalse = shape === undefined ? undefined : broadcastTo(context, y, shape, span);
  return whenTrue === undefined || whenFalse === undefined ? undefined : { whenTrue, whenFalse };
}
