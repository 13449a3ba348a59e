// `fold`, `scan` and `while`. In: a range, the rows of tensors, a list or a condition; a carry; a body. Out: one `loop` node where a size
// counts the rounds, one `while` node where only run time does; a list is unrolled.
// Holds: the body is a closed region; the carry keeps its type from round to round. A literal that starts a carry takes the type that the
// body gives it.

import type {
  Block,
  Expression,
  FoldExpression,
  Iterable,
  Pattern,
  ScanExpression,
  Span,
  Statement,
  WhileExpression,
} from '../../grammar/index.js';
import { Dim, shapeEquals } from '../base/index.js';
import { type Node, type Region, tensor, typeToString, type TensorNode, type TensorType } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyOp, applyTensor } from './apply-op.js';
import { broadcastTo } from './broadcast.js';
import { placeOf } from './checked-index.js';
import { carryHint, carryTypes, leafHint, typesAlone } from './carries.js';
import { enterScope, purely, type Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { assuming } from './index-notation/body.js';
import { wholeTensors } from './index-notation/space.js';
import { shallow } from './growth.js';
import { bindPattern, derives, nameParts } from './patterns.js';
import { excerpt, fail } from './report.js';
import { rangeRounds, rowRounds, type Rounds, roundsOf, rowsOf, whileRounds } from './rounds.js';
import { Scope } from './scope.js';
import { evaluateBlock } from './statements.js';
import { ownDType, readAll, shapeOf, toTensor } from './tensors.js';
import type { Expected } from './types.js';
import { leavesOf, sameTree, withLeaves } from './trees.js';
import { describe, ERROR, list, tensorValue, tuple, type Value } from './values.js';

export interface Loop {
  readonly word: 'fold' | 'scan' | 'while';
  /** A `while` has none. */
  readonly variable: Pattern | undefined;
  readonly carry: Pattern;
  readonly initial: Expression;
  readonly body: Block;
  /** Of a `while`. */
  readonly condition?: Expression;
  readonly span: Span;
}

export interface Round {
  readonly carry: Value;
  readonly output: Value | undefined;
}

export function evaluateFold(context: Context, expression: FoldExpression, scope: Scope, expected: Expected | undefined): Value {
  return evaluateLoop(context, { ...expression, word: 'fold' }, expression.iterable, scope, expected);
}

export function evaluateScan(context: Context, expression: ScanExpression, scope: Scope, expected: Expected | undefined): Value {
  return evaluateLoop(
    context,
    { ...expression, word: 'scan' },
    expression.iterable,
    scope,
    expected?.kind === 'tuple' ? expected.items[0] : undefined,
  );
}

/** `while c with z = a limit 50 { … }` */
export function evaluateWhile(context: Context, expression: WhileExpression, scope: Scope, expected: Expected | undefined): Value {
  const initial = readAll(context, evaluate(context, expression.initial, scope, expected), expression.initial.span);
  const limit = expression.limit === null ? undefined : roundsOf(context, expression.limit, scope);
  if (initial.kind === 'error' || (expression.limit !== null && limit === undefined)) return ERROR;
  const starts = leavesOf(context, initial, expression.initial.span, 'the carry');
  if (starts === undefined) return ERROR;
  const loop: Loop = { ...expression, word: 'while', variable: undefined };
  const inside: Context = {
    ...enterScope(context, 'while', { kind: 'loop', name: 'while', span: loop.span }),
    region: true,
    assigns: false,
    returns: false,
  };
  const rounds = whileRounds(inside, expression, limit);
  return context.checker.growth.within('loop', context, loop.span, 'the `while`', () =>
    loopNode(inside, loop, rounds, initial, starts, scope, expected),
  );
}

function evaluateLoop(context: Context, loop: Loop, iterable: Iterable, scope: Scope, expected: Expected | undefined): Value {
  const initial = readAll(context, evaluate(context, loop.initial, scope, expected), loop.initial.span);
  const over = iterable.kind === 'range' ? undefined : evaluate(wholeTensors(context), iterable, scope);
  if (over?.kind === 'error' || initial.kind === 'error') return ERROR;
  const inside: Context = { ...enterScope(context, loop.word, { kind: 'loop', name: loop.word, span: loop.span }), returns: false };
  const { growth } = context.checker;
  const rows =
    over === undefined || iterable.kind === 'range' || loop.variable === undefined ? undefined : rowsOf(loop.variable, over, iterable);
  const names = loop.variable?.kind === 'tuple-pattern' ? loop.variable.elements.length : 0;
  if (over?.kind === 'tuple' && rows === undefined && names > 0 && over.items.every(({ kind }) => kind === 'tensor' || kind === 'variable'))
    return fail(
      context,
      'type-mismatch',
      loop.variable?.span ?? loop.span,
      `${names} names stand for a row of each of ${over.items.length} tensors`,
      { labels: [{ span: iterable.span, text: `${over.items.length} tensors` }] },
    );
  if ((over?.kind === 'list' || over?.kind === 'tuple') && rows === undefined)
    return growth.within('loop', context, loop.span, `the \`${loop.word}\` over a list`, () =>
      unroll(purely(inside, 'a loop'), loop, over.items, initial, scope, expected),
    );
  const rounds =
    iterable.kind === 'range'
      ? rangeRounds(context, loop.word, iterable.start, iterable.stop, scope)
      : rows === undefined
        ? undefined
        : rowRounds(context, rows);
  const starts = rounds === undefined ? undefined : leavesOf(context, initial, loop.initial.span, 'the carry');
  if (rounds === undefined || starts === undefined) return ERROR;
  return growth.within('loop', context, loop.span, `the \`${loop.word}\``, () =>
    loopNode({ ...inside, region: true, assigns: false }, loop, rounds, initial, starts, scope, expected),
  );
}

/** One evaluation of the body; undefined after a diagnostic. */
export function evaluateRound(
  context: Context,
  loop: Loop,
  item: Value,
  carry: Value,
  scope: Scope,
  expected: Expected | undefined,
): Round | undefined {
  const inner = new Scope(scope);
  const bind = (pattern: Pattern, value: Value, otherwise: string): boolean => {
    const bound = derives(loop.body) ? nameParts(context, loop.word, value, pattern.span) : value;
    return bindPattern(context, pattern, bound, inner, { role: 'parameter', named: false, otherwise });
  };
  const isItem = loop.variable === undefined || bind(loop.variable, item, 'bind what a round is given to one name');
  const start = excerpt(context, loop.initial.span, '…');
  if (!bind(loop.carry, carry, `start with as many values: \`(${start}, …)\``) || !isItem) return undefined;
  const outcome = evaluateBlock(context, loop.body, inner, loop.word === 'scan' ? undefined : expected);
  if (loop.word !== 'scan') {
    if (outcome.yielded !== undefined) {
      fail(context, 'syntax-error', yieldIn(loop.body)?.span ?? loop.body.span, '`yield` belongs into a `scan`', {
        hint: `the last expression of a \`${loop.word}\` is the next carry; write it without \`yield\``,
      });
      return undefined;
    }
    if (outcome.last === undefined) {
      if (!outcome.failed)
        fail(context, 'missing-return', loop.body.span, `the body of this \`${loop.word}\` has no value`, {
          hint: 'end it with an expression: the next carry',
        });
      return undefined;
    }
    return outcome.last.kind === 'error' ? undefined : { carry: outcome.last, output: undefined };
  }
  if (outcome.yielded === undefined) {
    if (!outcome.failed)
      fail(context, 'missing-return', loop.body.span, 'the body of this `scan` yields nothing', {
        hint:
          outcome.last?.kind === 'tuple' && outcome.last.items.length === 2
            ? 'write `yield` before the last expression'
            : 'end it with `yield (next, output)`',
      });
    return undefined;
  }
  if (outcome.yielded.kind === 'error') return undefined;
  const [next, output, more] = outcome.yielded.kind === 'tuple' ? outcome.yielded.items : [];
  if (next === undefined || output === undefined || more !== undefined) {
    fail(
      context,
      'type-mismatch',
      bodyValueSpan(loop),
      `a \`scan\` yields the next carry and an output, and this yields ${describe(outcome.yielded)}`,
      { hint: more === undefined ? '`yield (next, output)`' : 'several outputs are a tuple: `yield (next, (a, b))`' },
    );
    return undefined;
  }
  return next.kind === 'error' || output.kind === 'error' ? undefined : { carry: next, output };
}

/** A loop over a list: every element may have a type of its own. */
function unroll(
  context: Context,
  loop: Loop,
  items: readonly Value[],
  initial: Value,
  scope: Scope,
  expected: Expected | undefined,
): Value {
  let carry = initial;
  const outputs: Value[] = [];
  for (const item of items) {
    const round = evaluateRound(context, loop, item, carry, scope, expected);
    if (round === undefined) return ERROR;
    carry = round.carry;
    if (round.output !== undefined) outputs.push(round.output);
  }
  return loop.word === 'scan' ? shallow(context, tuple([carry, list(outputs)]), loop.span) : carry;
}

function loopNode(
  context: Context,
  loop: Loop,
  rounds: Rounds,
  initial: Value,
  starts: readonly Value[],
  scope: Scope,
  expected: Expected | undefined,
): Value {
  const { build } = context.checker;
  const { types, attempt } = carryTypes(context, loop, rounds, initial, starts, scope, expected);
  if (context.entry.isTentative && attempt !== undefined) return typesAlone(context, loop, rounds, initial, types, attempt.round);
  const i = ops.placeholder(build, tensor('i32'));
  if (attempt?.saysMore === true) {
    evaluateRound(context, loop, rounds.item(i), initial, scope, expected);
    return ERROR;
  }
  const carries = types.map((type) => ops.placeholder(build, type));
  const asked = askedIn(context, loop, rounds, i, carries, scope, initial);
  if (asked === 'refused') return ERROR;
  const round = evaluateRound(
    asked === undefined ? context : assuming(context, tensorValue(asked), true, loop.condition?.span ?? loop.span),
    loop,
    rounds.item(i),
    carriedOf(initial, carries),
    scope,
    expected,
  );
  if (round === undefined) return ERROR;
  if (!sameTree(round.carry, initial))
    return fail(
      context,
      'type-mismatch',
      bodyValueSpan(loop),
      `the carry starts as ${describe(initial)}, and the body makes it ${describe(round.carry)}`,
      { labels: [{ span: loop.initial.span, text: 'the carry starts here' }], hint: carryHint(context, loop, initial, round.carry) },
    );
  const next = leavesOf(context, round.carry, bodyValueSpan(loop), 'the carry');
  const outputs = round.output === undefined ? [] : leavesOf(context, round.output, bodyValueSpan(loop), 'the output');
  if (next === undefined || outputs === undefined) return ERROR;

  const results: TensorNode[] = [];
  for (const [at, leaf] of next.entries()) {
    const type = types[at] as TensorType;
    const own = ownDType(leaf);
    const shape = shapeOf(leaf) ?? [];
    const literal = leaf.kind === 'number' || leaf.kind === 'size' || leaf.kind === 'boolean';
    if ((own !== undefined && own !== type.dtype) || (!shapeEquals(shape, type.shape) && !literal)) {
      return fail(
        context,
        own !== undefined && own !== type.dtype ? 'dtype-mismatch' : 'shape-mismatch',
        bodyValueSpan(loop),
        `the carry starts as ${typeToString(type)}, and the body makes it ${describe(leaf)}`,
        {
          labels: [{ span: loop.initial.span, text: 'the carry starts here' }],
          hint: leafHint(context, loop, type, leaf, starts.length),
        },
      );
    }
    const node = toTensor(context, leaf, bodyValueSpan(loop), type.dtype);
    const whole = node === undefined ? undefined : broadcastTo(context, node, type.shape, bodyValueSpan(loop));
    if (whole === undefined) return ERROR;
    results.push(whole);
  }
  for (const leaf of outputs) {
    const node = toTensor(context, leaf, bodyValueSpan(loop));
    if (node === undefined) return ERROR;
    results.push(node);
  }
  const inits: TensorNode[] = [];
  for (const [at, start] of starts.entries()) {
    const type = types[at] as TensorType;
    const node = toTensor(context, start, loop.initial.span, type.dtype);
    const whole = node === undefined ? undefined : broadcastTo(context, node, type.shape, loop.initial.span);
    if (whole === undefined) return ERROR;
    inits.push(whole);
  }
  const node = closedLoop(context, loop, rounds, [i, ...carries], inits, results, scope, initial, asked);
  if (node === undefined) return ERROR;
  const leaves = results.map((_, index): Value => {
    const item = applyTensor(context, ops.element, [node], { index }, loop.span);
    const ended =
      item === undefined || rounds.kind === 'counted' || loop.word !== 'while' ? item : whenEnded(context, loop, node, item, rounds.limit);
    return ended === undefined ? ERROR : tensorValue(ended);
  });
  const carry = withLeaves(initial, leaves.slice(0, types.length));
  return round.output === undefined
    ? carry
    : shallow(context, tuple([carry, withLeaves(round.output, leaves.slice(types.length))]), loop.span);
}

/** What the loop carries, of a run that ends when the limit stops it before its condition does. */
function whenEnded(context: Context, loop: Loop, node: Node, value: TensorNode, limit: number): TensorNode | undefined {
  const { carries } = node.attrs as ops.WhileAttrs;
  const rounds = applyTensor(context, ops.element, [node], { index: carries }, loop.span);
  const goesOn = applyTensor(context, ops.element, [node], { index: carries + 1 }, loop.span);
  const holds = goesOn === undefined ? undefined : applyTensor(context, ops.elementwise.not, [goesOn], {}, loop.span);
  if (rounds === undefined || holds === undefined) return undefined;
  const { source, start, end } = placeOf(context, loop.condition?.span ?? loop.span);
  return applyTensor(
    context,
    ops.ensure,
    [value, holds, rounds],
    { source, start, end, code: 'loop-limit', size: Dim.of(limit) },
    loop.span,
  );
}

/** The node; its first results are the carries behind the last round. */
function closedLoop(
  context: Context,
  loop: Loop,
  rounds: Rounds,
  params: readonly TensorNode[],
  inits: readonly TensorNode[],
  results: readonly TensorNode[],
  scope: Scope,
  initial: Value,
  known: TensorNode | undefined,
): Node | undefined {
  const { build } = context.checker;
  // In a body of index notation, what a round reads is decided when the body becomes whole tensors.
  const kept = (node: Node | undefined, condition?: TensorNode): Node | undefined => {
    if (node !== undefined) context.body?.space.loops.set(node, { params, results, condition });
    return node;
  };
  if (rounds.kind === 'counted') {
    const { region, captures } = ops.closeRegion(build, params, results);
    const attrs = { trip: rounds.trip, carries: inits.length, body: region };
    return kept(applyOp(context, ops.loop, [...inits, ...captures], attrs, loop.span));
  }
  const [i, ...carries] = params as [TensorNode, ...TensorNode[]];
  const asked = known ?? askedOf(context, loop, rounds, i, carriedOf(initial, carries), scope);
  if (asked === undefined) return undefined;
  const { regions, captures } = ops.closeTogether(build, params, [[asked], results]);
  const [condition, body] = regions as [Region, Region];
  const { limit, limited } = rounds;
  const attrs = { carries: inits.length, condition, body, limit, limited };
  return kept(applyOp(context, ops.whileLoop, [...inits, ...captures], attrs, loop.span), asked);
}

const carriedOf = (initial: Value, carries: readonly TensorNode[]): Value =>
  withLeaves(
    initial,
    carries.map((node) => tensorValue(node)),
  );

/** Whether a round runs, as one bool; undefined after a diagnostic. */
export function askedOf(
  context: Context,
  loop: Loop,
  rounds: Rounds & { readonly kind: 'asked' },
  i: TensorNode,
  carried: Value,
  scope: Scope,
): TensorNode | undefined {
  const inner = new Scope(scope);
  bindPattern(context, loop.carry, carried, inner, { role: 'parameter', named: false });
  return rounds.asks(i, inner);
}

/** The same before the round itself is looked at, for what a body of index notation reads in it; undefined where nobody needs it. */
function askedIn(
  context: Context,
  loop: Loop,
  rounds: Rounds,
  i: TensorNode,
  carries: readonly TensorNode[],
  scope: Scope,
  initial: Value,
): TensorNode | 'refused' | undefined {
  if (rounds.kind === 'counted' || context.body === undefined) return undefined;
  return askedOf(context, loop, rounds, i, carriedOf(initial, carries), scope) ?? 'refused';
}

const yieldIn = (body: Block): Statement | undefined => body.statements.find((one) => one.kind === 'yield');

/** Where the value of the body stands. */
export function bodyValueSpan(loop: Loop): Span {
  const yielded = yieldIn(loop.body);
  if (yielded?.kind === 'yield') return yielded.value.span;
  const last = loop.body.statements.at(-1);
  return last?.kind === 'expression-statement' ? last.expression.span : loop.body.span;
}
