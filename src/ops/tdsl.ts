// Pieces of TDSL as syntax trees. In: texts and other pieces. Out: expressions, patterns, blocks. Holds: nothing of it stands anywhere yet,
// so all spans are empty; numbers below zero are signs before numbers.

import type {
  Argument,
  BinaryOperator,
  Block,
  Expression,
  Identifier,
  Index,
  IndexVariable,
  Pattern,
  RangeIterable,
  ReductionName,
  SliceIndex,
  Span,
  Statement,
  UnaryOperator,
} from '../../grammar/index.js';

/** Of what stands nowhere. */
export const nowhere: Span = { source: '', start: 0, end: 0 };

/** Functions of the language by which ops are written, beside those of the scalar table and the dtypes. */
export const writingFunctions = [
  'all',
  'any',
  'bitcast',
  'broadcastTo',
  'checkIndex',
  'concat',
  'expandDims',
  'inverse',
  'iota',
  'lu',
  'max',
  'min',
  'pad',
  'product',
  'randomBits',
  'recurrence',
  'reshape',
  'scatterAdd',
  'sortOrder',
  'squeeze',
  'substitute',
  'sum',
  'transpose',
  'where',
] as const;

type WritingFunction = (typeof writingFunctions)[number];

export const identifier = (text: string): Identifier => ({ kind: 'identifier', text, span: nowhere });

export const named = (text: string): Expression => ({ kind: 'name', name: text, span: nowhere });

export const truth = (value: boolean): Expression => ({ kind: 'boolean', value, span: nowhere });

/** A number as it is written; with a minus, a sign before one. */
export function digits(text: string): Expression {
  if (text.startsWith('-')) return sign('-', digits(text.slice(1)));
  return { kind: 'number', text, value: Number(text), integer: /^\d+$/.test(text), span: nowhere };
}

export const sign = (operator: UnaryOperator, operand: Expression): Expression => ({ kind: 'unary', operator, operand, span: nowhere });

export const binary = (left: Expression, operator: BinaryOperator, right: Expression): Expression => ({
  kind: 'binary',
  operator,
  left,
  right,
  operatorSpan: nowhere,
  span: nowhere,
});

const argument = (name: string | undefined, value: Expression): Argument => ({
  kind: 'argument',
  name: name === undefined ? null : identifier(name),
  value,
  span: nowhere,
});

/** `f(a, b, axis: 0)`. */
export const applied = (
  callee: Expression,
  args: readonly Expression[],
  byName: Readonly<Record<string, Expression>> = {},
): Expression => ({
  kind: 'call',
  callee,
  generics: null,
  arguments: [...args.map((value) => argument(undefined, value)), ...Object.entries(byName).map(([name, value]) => argument(name, value))],
  span: nowhere,
});

/** The same of a function of the language. */
export const called = (
  callee: WritingFunction,
  args: readonly Expression[],
  byName: Readonly<Record<string, Expression>> = {},
): Expression => applied(named(callee), args, byName);

export const listOf = (elements: readonly Expression[]): Expression => ({ kind: 'list', elements, span: nowhere });

export const axesOf = (axes: readonly number[]): Expression => listOf(axes.map((axis) => digits(`${axis}`)));

/** A tuple; one element is that element. */
export const tupleOf = (elements: readonly Expression[]): Expression => {
  const [only, ...others] = elements;
  return only !== undefined && others.length === 0 ? only : { kind: 'tuple', elements, span: nowhere };
};

export const patternOf = (names: readonly (string | Pattern)[]): Pattern => {
  const elements = names.map((one): Pattern => (typeof one === 'string' ? { kind: 'name-pattern', name: one, span: nowhere } : one));
  const [only, ...others] = elements;
  return only !== undefined && others.length === 0 ? only : { kind: 'tuple-pattern', elements, span: nowhere };
};

export const subscripted = (object: Expression, indices: readonly Index[]): Expression => ({
  kind: 'index',
  object,
  indices,
  span: nowhere,
});

export const sliced = (start: Expression | null, stop: Expression | null, step: Expression | null = null): SliceIndex => ({
  kind: 'slice',
  start,
  stop,
  step,
  span: nowhere,
});

export const range = (start: Expression, stop: Expression): RangeIterable => ({ kind: 'range', start, stop, span: nowhere });

export const indexVariable = (name: string, stop?: Expression): IndexVariable => ({
  kind: 'index-variable',
  name: identifier(name),
  range: stop === undefined ? null : range(digits('0'), stop),
  span: nowhere,
});

/** `[i, j in 0..N] => e`; without indices the body itself. */
export const notation = (indices: readonly IndexVariable[], body: Expression): Expression =>
  indices.length === 0 ? body : { kind: 'index-notation', indices, body, span: nowhere };

/** `sum[i, j](e)`; without indices the element itself. */
export const combined = (reduction: ReductionName, indices: readonly IndexVariable[], element: Expression): Expression =>
  indices.length === 0 ? element : { kind: 'reduction', reduction, nameSpan: nowhere, indices, element, span: nowhere };

/** `x[i] ?? v`. */
export const bordered = (inside: Expression, outside: Expression): Expression => ({ kind: 'outside', inside, outside, span: nowhere });

export const choice = (condition: Expression, whenTrue: Expression, whenFalse: Expression): Expression => ({
  kind: 'if',
  condition,
  whenTrue,
  whenFalse,
  span: nowhere,
});

export const blockOf = (statements: readonly Statement[]): Block => ({ kind: 'block', statements, span: nowhere });

export const letOf = (pattern: Pattern, value: Expression): Statement => ({ kind: 'let', pattern, type: null, value, span: nowhere });

export const bare = (expression: Expression): Statement => ({ kind: 'expression-statement', expression, span: nowhere });

export const yielded = (value: Expression): Statement => ({ kind: 'yield', value, span: nowhere });

export const returned = (value: Expression): Statement => ({ kind: 'return', value, span: nowhere });
