// How often a loop runs. In: a range, the rows of a tensor, or a condition. Out: a size, or a question that each round asks first; what the
// loop's variable is in a round.
// Holds: bounds of sizes count with a size, and so with stacks of outputs; a bound that only run time knows, or that may be below the
// start, is asked before each round, so that a range from 3 to 1 has none.

import type { Expression, Pattern, Span, WhileExpression } from '../../grammar/index.js';
import { decide, Dim, isInteger, isNatural, limits } from '../base/index.js';
import { type TensorNode, typeToString } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { presumeNatural } from './preconditions.js';
import { excerpt, fail } from './report.js';
import type { Scope } from './scope.js';
import { bindingLabel, toTensor } from './tensors.js';
import { describe, dimOf, ERROR, sizeValue, tensorValue, tuple, type Value } from './values.js';

/** For a condition of several bools. */
export const oneBool = 'ask for all of them: `all(…)`, or for one: `any(…)`';

export const rangeGoesUp = 'a range goes up, from the smaller bound to the larger one';

interface Items {
  /** What the loop's variable is in round `i`. */
  readonly item: (i: TensorNode) => Value;
}

export type Rounds =
  | (Items & { readonly kind: 'counted'; readonly trip: Dim })
  | (Items & {
      readonly kind: 'asked';
      /** Whether round `i` runs (bool), where `scope` has the carry; undefined after a diagnostic. */
      readonly asks: (i: TensorNode, scope: Scope) => TensorNode | undefined;
      readonly limit: number;
      /** Whether the rounds have a bound that reverse mode may count on. */
      readonly limited: boolean;
    });

export function rangeRounds(
  context: Context,
  word: 'fold' | 'scan' | 'while',
  start: Expression,
  stop: Expression,
  scope: Scope,
): Rounds | undefined {
  const [from, to] = [start, stop].map((bound) => evaluate(context, bound, scope)) as [Value, Value];
  const [first, last] = [dimOf(from), dimOf(to)];
  if (first !== undefined && last !== undefined) {
    const trip = last.sub(first);
    if ((trip.constant ?? 0) > limits.rounds) {
      fail(context, 'too-large', stop.span, `a loop of ${trip} rounds is too long: at most ${limits.rounds}`, {
        hint: 'its counter is an i32; put a loop into a loop',
      });
      return undefined;
    }
    if (trip.constant !== undefined || isNatural(trip, context.entry.facts))
      return {
        kind: 'counted',
        trip: trip.constant !== undefined && trip.constant < 0 ? Dim.zero : trip,
        item: itemsFrom(context, from, start.span),
      };
    // A stack has a size: that it is none below 0 is a precondition.
    if (word === 'scan') {
      if (presumeNatural(context, trip, stop.span)) return { kind: 'counted', trip, item: itemsFrom(context, from, start.span) };
      fail(context, 'invalid-value', stop.span, `${last} is never at least ${first}`, {
        hint: rangeGoesUp,
      });
      return undefined;
    }
  }
  const bounds = [from, to].map((bound, at) => boundOf(context, word, bound, (at === 0 ? start : stop).span));
  const end = bounds[1];
  if (bounds[0] === undefined || end === undefined) return undefined;
  const item = itemsFrom(context, from, start.span);
  return {
    kind: 'asked',
    asks: (i) => {
      const now = item(i);
      return now.kind === 'tensor' ? applyTensor(context, ops.elementwise.lt, [now.node, end], {}, stop.span) : undefined;
    },
    item,
    limit: limits.rounds,
    limited: true,
  };
}

/** A bound as a number at run time. */
function boundOf(context: Context, word: 'fold' | 'scan' | 'while', bound: Value, span: Span): TensorNode | undefined {
  if (bound.kind === 'error') return undefined;
  if (dimOf(bound) !== undefined) return toTensor(context, bound.kind === 'number' ? { ...bound, dtype: undefined } : bound, span, 'i32');
  const text = excerpt(context, span, 'this');
  if (word === 'scan' || (bound.kind !== 'tensor' && bound.kind !== 'variable')) {
    const what =
      word === 'scan' ? 'the bounds of a `scan`, whose outputs are stacked, are sizes' : 'the bounds of a loop are sizes or i32 scalars';
    const isFraction = bound.kind === 'number';
    fail(context, isFraction ? 'dtype-mismatch' : 'not-constant', span, `${what}, and \`${text}\` is ${describe(bound)}`, {
      labels: bindingLabel(bound),
      hint: isFraction
        ? 'write an integer; `floorDiv(a, b)` is the integer below a quotient'
        : 'use a literal, a `dim`, a generic size, or `x.shape[0]`',
    });
    return undefined;
  }
  const node = toTensor(context, bound, span);
  if (node === undefined) return undefined;
  if (node.type.shape.length > 0 || node.type.dtype !== 'i32') {
    fail(
      context,
      node.type.shape.length > 0 ? 'shape-mismatch' : 'dtype-mismatch',
      span,
      `a bound of a loop is one i32, and \`${text}\` is ${typeToString(node.type)}`,
      {
        labels: bindingLabel(bound),
        hint:
          node.type.shape.length === 0
            ? `convert it: \`i32(${text})\``
            : `over its rows: \`${word} … in ${text}\`; as many as it has: \`${text}.shape[0]\``,
      },
    );
    return undefined;
  }
  return node;
}

/** start, start + 1, … */
const itemsFrom =
  (context: Context, start: Value, span: Span) =>
  (i: TensorNode): Value => {
    const from = dimOf(start);
    if (from?.constant === 0) return tensorValue(i);
    const offset = toTensor(context, from === undefined ? start : sizeValue(from), span, 'i32');
    const sum = offset === undefined ? undefined : applyTensor(context, ops.elementwise.add, [i, offset], {}, span);
    return sum === undefined ? ERROR : tensorValue(sum);
  };

/** Rounds as long as the condition holds; `limit` is the most of them, if the program says so. */
export function whileRounds(context: Context, { condition }: WhileExpression, limit: number | undefined): Rounds {
  return {
    kind: 'asked',
    asks: (_, scope) => {
      const asked = evaluate(context, condition, scope);
      const node = toTensor(context, asked, condition.span, 'bool');
      if (node === undefined || node.type.shape.length === 0) return node;
      fail(context, 'shape-mismatch', condition.span, `the condition of \`while\` is one bool, and this is ${typeToString(node.type)}`, {
        hint: oneBool,
      });
      return undefined;
    },
    item: () => ERROR,
    limit: limit ?? limits.rounds,
    limited: limit !== undefined,
  };
}

/** A number of rounds that is known when compiling; undefined after a diagnostic. */
export function roundsOf(context: Context, limit: Expression, scope: Scope): number | undefined {
  const value = evaluate(context, limit, scope);
  if (value.kind === 'error') return undefined;
  const count = dimOf(value)?.constant;
  const text = excerpt(context, limit.span, 'this');
  if (count === undefined) {
    const isNumber = value.kind === 'number';
    fail(
      context,
      isNumber ? 'dtype-mismatch' : 'not-constant',
      limit.span,
      `a limit is an integer that is known when compiling, and \`${text}\` is ${describe(value)}`,
      {
        labels: bindingLabel(value),
        hint: isNumber && Number.isSafeInteger(value.value) ? `write \`${value.value}\`` : 'use an integer, a `const` or a `dim`',
      },
    );
    return undefined;
  }
  if (count >= 0 && count <= limits.rounds) return count;
  fail(context, 'invalid-value', limit.span, `a limit of ${count} rounds: it is from 0 to ${limits.rounds}`, { hint: 'e.g. `limit 50`' });
  return undefined;
}

/** What a loop takes rows of: a tensor, its numbered rows, or several of them side by side. */
export type Rows =
  | { readonly kind: 'tensor'; readonly value: Value; readonly span: Span }
  | { readonly kind: 'numbered'; readonly of: Rows }
  | { readonly kind: 'together'; readonly parts: readonly Rows[] };

/**
 * What stands behind `in` as rows: a tensor, or a tuple of tensors for which `variable` has a name each. Undefined for what a loop goes
 * through element by element.
 */
export function rowsOf(variable: Pattern, over: Value, expression: Expression): Rows | undefined {
  const { span } = expression;
  if (over.kind === 'rows') return { kind: 'numbered', of: { kind: 'tensor', value: over.of, span } };
  if (over.kind === 'list') return undefined;
  if (over.kind !== 'tuple') return { kind: 'tensor', value: over, span };
  const names = variable.kind === 'tuple-pattern' ? variable.elements : [];
  const written = expression.kind === 'tuple' ? expression.elements : [];
  if (names.length !== over.items.length) return undefined;
  const parts = over.items.flatMap((item, at) =>
    item.kind === 'list' ? [] : (rowsOf(names[at] as Pattern, item, written[at] ?? expression) ?? []),
  );
  return parts.length === names.length && parts.every(hasRows) ? { kind: 'together', parts } : undefined;
}

const hasRows = (rows: Rows): boolean => (rows.kind === 'tensor' ? rows.value.kind === 'tensor' || rows.value.kind === 'variable' : true);

/** One row of each tensor per round. */
export function rowRounds(context: Context, rows: Rows): Rounds | undefined {
  const tables: Table[] = [];
  const item = itemOf(context, rows, tables);
  const [first] = tables;
  if (item === undefined || first === undefined) return undefined;
  for (const other of tables) {
    if (other.size.equals(first.size) || decide({ left: other.size, relation: '==', right: first.size }, context.entry.facts) === true)
      continue;
    const shown = ({ span, node }: Table): string => `\`${excerpt(context, span, 'this')}\` is ${typeToString(node.type)}`;
    fail(
      context,
      'shape-mismatch',
      other.span,
      `a loop runs over the rows of several tensors at once: ${shown(first)} and ${shown(other)}, of ${first.size} and ${other.size} rows`,
      {
        labels: [{ span: first.span, text: `${first.size} rows` }],
        hint:
          first.size.constant === undefined || other.size.constant === undefined
            ? `declare that they are as many: \`where ${first.size} == ${other.size}\``
            : undefined,
      },
    );
    return undefined;
  }
  return { kind: 'counted', trip: first.size, item };
}

interface Table {
  readonly node: TensorNode;
  readonly size: Dim;
  readonly span: Span;
}

/** What the loop's variable is in a round; what it takes rows of is added to `tables`. Undefined after a diagnostic. */
function itemOf(context: Context, rows: Rows, tables: Table[]): ((i: TensorNode) => Value) | undefined {
  if (rows.kind === 'numbered') {
    const row = itemOf(context, rows.of, tables);
    return row === undefined ? undefined : (i) => tuple([tensorValue(i), row(i)]);
  }
  if (rows.kind === 'together') {
    const items = rows.parts.map((part) => itemOf(context, part, tables));
    return items.includes(undefined) ? undefined : (i) => tuple(items.map((item) => item?.(i) ?? ERROR));
  }
  const { value: over, span } = rows;
  if (over.kind !== 'tensor' && over.kind !== 'variable') {
    const text = excerpt(context, span, '…');
    fail(context, 'type-mismatch', span, `a loop runs over a range, a list or the rows of a tensor, and this is ${describe(over)}`, {
      hint:
        over.kind === 'number' || over.kind === 'size'
          ? `so many rounds are \`0..${text}\``
          : over.kind === 'instance'
            ? `a list of layers is written out: \`[net.first, net.second]\`; its params are \`params(${text})\``
            : 'e.g. `0..10`',
    });
    return undefined;
  }
  const node = toTensor(context, over, span);
  const size = node?.type.shape[0];
  if (node === undefined) return undefined;
  if (size === undefined) {
    fail(context, 'shape-mismatch', span, `a scalar ${node.type.dtype} has no rows`, {
      labels: bindingLabel(over),
      hint: isInteger(node.type.dtype) ? `so many rounds are \`0..${excerpt(context, span, '…')}\`` : undefined,
    });
    return undefined;
  }
  tables.push({ node, size, span });
  return (i) => {
    const row = applyTensor(context, ops.gather, [node, i], {}, span);
    return row === undefined ? ERROR : tensorValue(row);
  };
}
