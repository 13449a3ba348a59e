// `fold` and `scan`. In: a range, the rows of a tensor or a list; a carry; a body. Out: one `loop` node whose trip count is a size; a list
// is unrolled.
// Holds: the body is a closed region; the carry keeps its type from round to round. A literal that starts a carry takes the type that the
// body gives it.

import type { Block, Expression, FoldExpression, Iterable, Pattern, ScanExpression, Span } from '../../grammar/index.js';
import { Dim, limits, shapeEquals } from '../base/index.js';
import { tensor, typeToString, type TensorNode, type TensorType } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyOp, applyTensor } from './apply-op.js';
import { broadcastTo } from './broadcast.js';
import { enterScope, type Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { isNatural } from './facts.js';
import { shallow } from './growth.js';
import { bindPattern, derives, nameParts } from './patterns.js';
import { excerpt, fail } from './report.js';
import { Scope } from './scope.js';
import { evaluateBlock } from './statements.js';
import { fallbackDType, ownDType, readAll, shapeOf, toTensor } from './tensors.js';
import type { Expected } from './types.js';
import { leavesOf, sameTree, withLeaves } from './trees.js';
import { describe, dimOf, ERROR, list, sizeValue, tensorValue, tuple, type Value } from './values.js';

interface Rounds {
  readonly trip: Dim;
  /** What the loop's variable is in round `i`; undefined after a diagnostic. */
  readonly item: (i: TensorNode) => Value;
}

interface Loop {
  readonly word: 'fold' | 'scan';
  readonly variable: Pattern;
  readonly carry: Pattern;
  readonly initial: Expression;
  readonly body: Block;
  readonly span: Span;
}

interface Round {
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

function evaluateLoop(context: Context, loop: Loop, iterable: Iterable, scope: Scope, expected: Expected | undefined): Value {
  const initial = readAll(context, evaluate(context, loop.initial, scope, expected), loop.initial.span);
  const over = iterable.kind === 'range' ? undefined : evaluate(context, iterable, scope);
  if (over?.kind === 'error' || initial.kind === 'error') return ERROR;
  const inside: Context = { ...enterScope(context, loop.word, { kind: 'loop', name: loop.word, span: loop.span }), returns: false };
  const { growth } = context.checker;
  if (over?.kind === 'list' || over?.kind === 'tuple')
    return growth.within('loop', context, loop.span, `the \`${loop.word}\` over a list`, () =>
      unroll(inside, loop, over.items, initial, scope, expected),
    );
  const rounds =
    iterable.kind === 'range'
      ? rangeRounds(context, iterable.start, iterable.stop, scope)
      : rowRounds(context, over ?? ERROR, iterable.span);
  const starts = rounds === undefined ? undefined : leavesOf(context, initial, loop.initial.span, 'the carry');
  if (rounds === undefined || starts === undefined) return ERROR;
  return growth.within('loop', context, loop.span, `the \`${loop.word}\``, () =>
    loopNode({ ...inside, region: true, assigns: false }, loop, rounds, initial, starts, scope, expected),
  );
}

function rangeRounds(context: Context, start: Expression, stop: Expression, scope: Scope): Rounds | undefined {
  const [from, to] = [start, stop].map((bound) => {
    const value = evaluate(context, bound, scope);
    const dim = dimOf(value);
    if (dim === undefined && value.kind !== 'error')
      fail(
        context,
        'not-constant',
        bound.span,
        `the bounds of a loop are sizes, and \`${excerpt(context, bound.span, 'this')}\` is ${describe(value)}`,
        { hint: 'use a literal, a `dim`, a generic size, or `x.shape[0]`' },
      );
    return dim;
  });
  if (from === undefined || to === undefined) return undefined;
  const trip = to.sub(from);
  if ((trip.constant ?? 0) > limits.rounds) {
    fail(context, 'too-large', stop.span, `a loop of ${trip} rounds is too long: at most ${limits.rounds}`, {
      hint: 'its counter is an i32; put a loop into a loop',
    });
    return undefined;
  }
  if (trip.constant === undefined && !isNatural(trip, context.entry.facts)) {
    fail(context, 'ambiguous-size', stop.span, `whether ${to} is at least ${from} is not known`, {
      hint: `declare it behind the result type: \`where ${to} >= ${from}\``,
    });
    return undefined;
  }
  return {
    trip: trip.constant !== undefined && trip.constant < 0 ? Dim.zero : trip,
    item(i) {
      if (from.constant === 0) return tensorValue(i);
      const offset = toTensor(context, sizeValue(from), start.span, 'i32');
      const sum = offset === undefined ? undefined : applyTensor(context, ops.elementwise.add, [i, offset], {}, start.span);
      return sum === undefined ? ERROR : tensorValue(sum);
    },
  };
}

/** One row of a tensor per round. */
function rowRounds(context: Context, over: Value, span: Span): Rounds | undefined {
  if (over.kind !== 'tensor' && over.kind !== 'variable') {
    fail(context, 'type-mismatch', span, `a loop runs over a range, a list or the rows of a tensor, and this is ${describe(over)}`, {
      hint: 'e.g. `0..10`',
    });
    return undefined;
  }
  const table = toTensor(context, over, span);
  const trip = table?.type.shape[0];
  if (table === undefined) return undefined;
  if (trip === undefined) {
    fail(context, 'shape-mismatch', span, `a scalar ${table.type.dtype} has no rows`);
    return undefined;
  }
  return {
    trip,
    item(i) {
      const row = applyTensor(context, ops.gather, [table, i], {}, span);
      return row === undefined ? ERROR : tensorValue(row);
    },
  };
}

/** One evaluation of the body; undefined after a diagnostic. */
function evaluateRound(
  context: Context,
  loop: Loop,
  item: Value,
  carry: Value,
  scope: Scope,
  expected: Expected | undefined,
): Round | undefined {
  const inner = new Scope(scope);
  const bind = (pattern: Pattern, value: Value): void => {
    const bound = derives(loop.body) ? nameParts(context, loop.word, value, pattern.span) : value;
    bindPattern(context, pattern, bound, inner, { role: 'parameter', named: false });
  };
  bind(loop.variable, item);
  bind(loop.carry, carry);
  const outcome = evaluateBlock(context, loop.body, inner, loop.word === 'fold' ? expected : undefined);
  if (loop.word === 'fold') {
    if (outcome.yielded !== undefined) {
      fail(context, 'syntax-error', loop.body.span, '`yield` belongs into a `scan`', {
        hint: 'the last expression of a `fold` is the next carry',
      });
      return undefined;
    }
    if (outcome.last === undefined) {
      if (!outcome.failed)
        fail(context, 'missing-return', loop.body.span, 'the body of this `fold` has no value', {
          hint: 'end it with an expression: the next carry',
        });
      return undefined;
    }
    return outcome.last.kind === 'error' ? undefined : { carry: outcome.last, output: undefined };
  }
  if (outcome.yielded === undefined) {
    if (!outcome.failed)
      fail(context, 'missing-return', loop.body.span, 'the body of this `scan` yields nothing', {
        hint: 'end it with `yield (next, output)`',
      });
    return undefined;
  }
  if (outcome.yielded.kind === 'error') return undefined;
  const [next, output, more] = outcome.yielded.kind === 'tuple' ? outcome.yielded.items : [];
  if (next === undefined || output === undefined || more !== undefined) {
    fail(
      context,
      'type-mismatch',
      loop.body.span,
      `a \`scan\` yields the next carry and an output, and this yields ${describe(outcome.yielded)}`,
      { hint: '`yield (next, output)`' },
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
  return loop.word === 'fold' ? carry : shallow(context, tuple([carry, list(outputs)]), loop.span);
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
  const carries = types.map((type) => ops.placeholder(build, type));
  const round = evaluateRound(
    context,
    loop,
    rounds.item(i),
    withLeaves(
      initial,
      carries.map((node) => tensorValue(node)),
    ),
    scope,
    expected,
  );
  if (round === undefined) return ERROR;
  if (!sameTree(round.carry, initial))
    return fail(
      context,
      'type-mismatch',
      loop.body.span,
      `the carry starts as ${describe(initial)}, and the body makes it ${describe(round.carry)}`,
      { labels: [{ span: loop.initial.span, text: 'the carry starts here' }] },
    );
  const next = leavesOf(context, round.carry, loop.body.span, 'the carry');
  const outputs = round.output === undefined ? [] : leavesOf(context, round.output, loop.body.span, 'the output');
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
          hint: 'the type of a carry stays the same from round to round',
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
  const { region, captures } = ops.closeRegion(build, [i, ...carries], results);
  const node = applyOp(context, ops.loop, [...inits, ...captures], { trip: rounds.trip, carries: types.length, body: region }, loop.span);
  if (node === undefined) return ERROR;
  const leaves = results.map((_, index): Value => {
    const item = applyTensor(context, ops.element, [node], { index }, loop.span);
    return item === undefined ? ERROR : tensorValue(item);
  });
  const carry = withLeaves(initial, leaves.slice(0, types.length));
  return round.output === undefined
    ? carry
    : shallow(context, tuple([carry, withLeaves(round.output, leaves.slice(types.length))]), loop.span);
}

/**
 * The results of a loop inside of an attempt, of which only the types are wanted: an attempt has seen the body already, and loops in loops
 * would double the work with each. Without a round the attempt has failed; what it failed at is said when the loop itself is checked.
 */
function typesAlone(
  context: Context,
  loop: Loop,
  rounds: Rounds,
  initial: Value,
  types: readonly TensorType[],
  found: Round | undefined,
): Value {
  if (found === undefined) return ERROR;
  const { build } = context.checker;
  const placed = (type: TensorType): Value => tensorValue(ops.placeholder(build, type));
  const carry = withLeaves(initial, types.map(placed));
  if (found.output === undefined) return carry;
  const stacked: Value[] = [];
  for (const leaf of leavesOf(context, found.output, loop.body.span, 'the output') ?? []) {
    const node = toTensor(context, leaf, bodyValueSpan(loop));
    if (node === undefined) return ERROR;
    stacked.push(placed(tensor(node.type.dtype, [rounds.trip, ...node.type.shape])));
  }
  return shallow(context, tuple([carry, withLeaves(found.output, stacked)]), loop.span);
}

/**
 * The type of each carry: its own, or for a literal the one that the body gives it. Trial rounds find it: what is known after one goes into
 * the next.
 */
function carryTypes(
  context: Context,
  loop: Loop,
  rounds: Rounds,
  initial: Value,
  starts: readonly Value[],
  scope: Scope,
  expected: Expected | undefined,
): { readonly types: TensorType[]; readonly attempt: { readonly round: Round | undefined } | undefined } {
  const { build, reporter } = context.checker;
  const leafExpected = starts.length === 1 && expected?.kind === 'tensor' ? expected : undefined;
  const known = starts.map((start) => {
    const own = ownDType(start);
    return own === undefined ? undefined : tensor(own, shapeOf(start) ?? []);
  });
  let found: { readonly round: Round; readonly leaves: readonly Value[] } | undefined;
  const attempted = known.includes(undefined);
  for (let progress = attempted; progress;) {
    context.checker.growth.spend(context.entry.named >> 3);
    const carry = withLeaves(
      initial,
      starts.map((start, at) => (known[at] === undefined ? start : tensorValue(ops.placeholder(build, known[at])))),
    );
    const { value } = reporter.silently(() =>
      context.entry.tentatively(() => {
        const round = evaluateRound(context, loop, rounds.item(ops.placeholder(build, tensor('i32'))), carry, scope, expected);
        if (round === undefined || !sameTree(round.carry, initial)) return undefined;
        const leaves = leavesOf(context, round.carry, loop.body.span, 'the carry');
        return leaves === undefined ? undefined : { round, leaves };
      }),
    );
    found = value;
    progress = false;
    for (const [at, leaf] of (found?.leaves ?? []).entries()) {
      const own = ownDType(leaf);
      if (known[at] !== undefined || own === undefined) continue;
      known[at] = tensor(leafExpected?.dtype ?? own, shapeOf(leaf) ?? []);
      progress = known.includes(undefined);
    }
  }
  const types = starts.map(
    (start, at) =>
      known[at] ?? tensor(leafExpected?.dtype ?? widerLiteral(start, found?.leaves[at]), shapeOf(found?.leaves[at] ?? start) ?? []),
  );
  return { types, attempt: attempted ? { round: found?.round } : undefined };
}

/** The dtype of a carry that only literals touch. */
function widerLiteral(start: Value, result: Value | undefined): TensorType['dtype'] {
  const fractional = result?.kind === 'number' && !result.integer;
  return fractional ? 'f32' : fallbackDType(start);
}

/** Where the value of the body stands. */
function bodyValueSpan(loop: Loop): Span {
  const last = loop.body.statements.at(-1);
  if (last?.kind === 'expression-statement') return last.expression.span;
  return last?.kind === 'yield' ? last.value.span : loop.body.span;
}
