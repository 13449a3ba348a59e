// Lists, tuples, records, comprehensions: values that exist only while compiling. In: their elements. Out: the collection; an element with
// a mistake becomes `error`.

import type { ComprehensionExpression, ForClause, ListExpression, RecordExpression, TupleExpression } from '../../../grammar/index.js';
import { limits } from '../../base/index.js';
import { joinPath, purely, type Context } from '../context.js';
import { shallow } from '../growth.js';
import { bindPattern } from '../patterns.js';
import { paramsOf } from '../params.js';
import { excerpt, fail } from '../report.js';
import { Scope } from '../scope.js';
import { bindingLabel } from '../tensors.js';
import type { Expected } from '../types.js';
import { describe, ERROR, list, number, record, tuple, type Value } from '../values.js';
import { evaluate } from './evaluate.js';

/** An instance that is made as element `at` gets its own path. */
const element = (context: Context, at: number | string): Context =>
  context.instancePath === undefined ? context : { ...context, instancePath: joinPath(context.instancePath, String(at)) };

const elementExpected = (expected: Expected | undefined): Expected | undefined =>
  expected?.kind === 'tensor' ? { kind: 'tensor', dtype: expected.dtype, shape: expected.shape?.slice(1) } : undefined;

export function evaluateList(context: Context, expression: ListExpression, scope: Scope, expected: Expected | undefined): Value {
  return shallow(
    context,
    list(expression.elements.map((one, at) => evaluate(element(context, at), one, scope, elementExpected(expected)))),
    expression.span,
  );
}

export function evaluateTuple(context: Context, expression: TupleExpression, scope: Scope, expected: Expected | undefined): Value {
  return shallow(
    context,
    tuple(
      expression.elements.map((one, at) =>
        evaluate(element(context, at), one, scope, expected?.kind === 'tuple' ? expected.items[at] : undefined),
      ),
    ),
    expression.span,
  );
}

export function evaluateRecord(context: Context, expression: RecordExpression, scope: Scope, expected: Expected | undefined): Value {
  const fields = new Map<string, Value>();
  for (const field of expression.fields) {
    const name = field.name.text;
    if (fields.has(name)) {
      fail(context, 'duplicate-name', field.name.span, `the record has a field \`${name}\` already`, { hint: 'choose another name' });
      continue;
    }
    fields.set(
      name,
      evaluate(element(context, name), field.value, scope, expected?.kind === 'record' ? expected.fields.get(name) : undefined),
    );
  }
  return shallow(context, record(fields), expression.span);
}

export function evaluateComprehension(
  context: Context,
  expression: ComprehensionExpression,
  scope: Scope,
  expected: Expected | undefined,
): Value {
  const elements: Value[] = [];
  const inside = purely(context, 'a list comprehension');
  /** The elements for one choice of what the clauses before `at` bind; false after a diagnostic. */
  const run = (at: number, within: Scope): boolean => {
    const clause = expression.clauses[at];
    if (clause === undefined) {
      if (elements.length === limits.list) {
        fail(context, 'too-large', expression.span, `a list of more than ${limits.list} elements is too long`, {
          hint: 'use `scan`, which makes a tensor',
        });
        return false;
      }
      elements.push(evaluate(element(inside, elements.length), expression.element, within, elementExpected(expected)));
      return true;
    }
    const items = elementsOf(inside, clause, within);
    return (
      (items ?? []).every((item) => {
        context.checker.growth.spend(1);
        const inner = new Scope(within);
        bindPattern(context, clause.pattern, item, inner, { role: 'let', named: false, ...pairsHint(context, clause, item) });
        return run(at + 1, inner);
      }) && items !== undefined
    );
  };
  const whole = context.checker.growth.within('list', context, expression.span, 'the list', () => run(0, scope));
  return whole ? shallow(context, list(elements), expression.span) : ERROR;
}

/** For elements that are no pairs where an index beside each was meant. */
const pairsHint = (context: Context, { pattern, iterable }: ForClause, item: Value): { readonly otherwise?: string } =>
  pattern.kind === 'tuple-pattern' && pattern.elements.length === 2 && item.kind !== 'tuple'
    ? { otherwise: `elements with their positions: \`in enumerate(${excerpt(context, iterable.span, '…')})\`` }
    : {};

/** What a comprehension runs over; undefined after a diagnostic. */
function elementsOf(context: Context, { iterable }: ForClause, scope: Scope): readonly Value[] | undefined {
  if (iterable.kind === 'range') {
    const bounds = [iterable.start, iterable.stop].map((bound) => {
      const value = evaluate(context, bound, scope);
      if (value.kind === 'error') return undefined;
      if (value.kind === 'number' && value.integer) return value.value;
      fail(
        context,
        value.kind === 'number' ? 'invalid-value' : 'not-constant',
        bound.span,
        `the bounds of a list must be integers known when compiling, and \`${excerpt(context, bound.span, 'this')}\` is ${describe(value)}`,
        {
          labels: bindingLabel(value),
          hint: boundHint(value),
        },
      );
      return undefined;
    });
    const [start, stop] = bounds;
    if (start === undefined || stop === undefined) return undefined;
    if (stop - start > limits.list) {
      fail(context, 'too-large', iterable.span, `a list of ${stop - start} elements is too long: at most ${limits.list}`, {
        hint: 'use `scan`, which makes a tensor',
      });
      return undefined;
    }
    return Array.from({ length: Math.max(0, stop - start) }, (_, at) => number(start + at, true));
  }
  const value = evaluate(context, iterable, scope);
  if (value.kind === 'error') return undefined;
  if (value.kind === 'list' || value.kind === 'tuple') return value.items;
  if (value.kind === 'instance') return paramsOf(value).items;
  fail(context, 'type-mismatch', iterable.span, `a list comprehension runs over a list, and this is ${describe(value)}`, {
    labels: bindingLabel(value),
    hint:
      value.kind === 'tensor' || value.kind === 'variable' || value.kind === 'rows'
        ? 'a function of each element is index notation: `[i] => f(x[i])`; over rows runs `scan row in x with …`'
        : value.kind === 'number' || value.kind === 'size'
          ? `so many elements are \`0..${excerpt(context, iterable.span, 'n')}\``
          : undefined,
  });
  return undefined;
}

/** For a bound that is no integer, or none that is known. */
function boundHint(value: Value): string {
  if (value.kind === 'number') return 'write an integer; `floorDiv(a, b)` is the integer below a quotient';
  return value.kind === 'size'
    ? 'a tensor of so many elements is index notation: `[i in 0..N] => …`'
    : 'a loop may have rounds that only run time counts: `fold i in 0..n with z = … { … }`';
}
