// Assertions about numbers that only the running program knows. In: a value, and what must hold for it. Out: the value.
// Holds: both are the identity of their first argument to everything but the pass `checks`, which makes outputs of an entry of them; an
// entry whose check fails leaves variables as they were. A note at the end says which of several failures is told.

import { Dim, shapeEquals, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType, type Type } from '../graph/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { cast, type CastAttrs } from './cast.js';
import { type CheckFailure, type CheckParts, defineOp, type EvaluateContext, type Op, type TypeProblem } from './define.js';
import { sizeAs, spread } from './make.js';
import { isProblem, oneTensor, problem, tensors } from './problem.js';
import { scalars } from './scalars.js';
import { applied, called, named } from './tdsl.js';
import { get, tensorAt } from './value.js';
import { written } from './writing.js';

/** Where the program says what is checked. */
export type CheckPlace = { readonly source: string; readonly start: number; readonly end: number };

/** Every number n is 0 ≤ n ≤ size - length: `length` elements from n on lie inside of `size` ones. */
export type InRangeAttrs = CheckPlace & { readonly size: Dim; readonly length: Dim };

/** `code`: the failure's name. `size`: a size that the message names. */
export type EnsureAttrs = CheckPlace & { readonly code: string; readonly size: Dim };

export const inRange: Op<InRangeAttrs> = defineOp<InRangeAttrs>({
  name: 'inRange',
  doc: 'Numbers of elements, each of which must lie inside of its axis.',
  type(types) {
    const ids = oneTensor('inRange', types);
    if (isProblem(ids)) return ids;
    return ids.dtype === 'i32' || ids.dtype === 'i64' ? ids : problem('dtype-mismatch', `an index is i32 or i64, not ${ids.dtype}`, [0]);
  },
  derivative: { kind: 'zero' },
  evaluate(args, context) {
    const ids = tensorAt(args, 0);
    const most = context.size(context.attrs.size) - context.size(context.attrs.length);
    const bad = ids.data.findIndex((id: number | bigint) => Number(id) < 0 || Number(id) > most);
    if (bad >= 0) report(context, 'index-out-of-range', context.attrs.length, get(ids, bad));
    return ids;
  },
  batched: (attrs) => attrs,
  lowering: { kind: 'removed', by: 'checks' },
  bounds: (_, of) => of(0),
  check(node, build): CheckParts {
    const ids = tensorOf(node.args[0] as TensorNode);
    const { size, length } = node.attrs;
    // Compared in 64 bits: an axis may have more elements than 32 bits count.
    const wide = ids.type.dtype === 'i64' ? ids : applyTensor<CastAttrs>(build, cast, [ids], { dtype: 'i64' });
    const [zero, most] = [Dim.zero, size.sub(length)].map((dim) => spread(build, sizeAs(build, dim, 'i64'), ids.type.shape)) as [
      TensorNode,
      TensorNode,
    ];
    const failing = scalars.or(build, scalars.lt(build, wide, zero), scalars.gt(build, wide, most));
    return { code: 'index-out-of-range', failing, said: ids, size, length };
  },
  write({ args, attrs: { size, length }, type }, writer) {
    // So many elements fit behind an index of an axis that is shorter by all but one of them.
    const checked = called('checkIndex', [writer.exact(args[0] as Node), writer.size(size.sub(length).add(1))]);
    const { dtype, shape } = type as TensorType;
    return written(dtype === 'i32' ? checked : applied(named(dtype), [checked]), shape);
  },
  samples: () => [
    {
      args: [{ dtype: 'i32', shape: [4], values: [0, 2, 1, 2] }],
      attrs: { source: 'm.tdsl', start: 0, end: 1, size: Dim.of(3), length: Dim.one },
    },
    {
      args: [{ dtype: 'i64', shape: [], values: [5] }],
      attrs: { source: 'm.tdsl', start: 0, end: 1, size: Dim.of(8), length: Dim.of(3) },
    },
  ],
});

export const ensure: Op<EnsureAttrs> = defineOp<EnsureAttrs>({
  name: 'ensure',
  doc: 'The first argument, if the second (bool) holds everywhere; the third is what the message says at the place where it does not.',
  type: ensureType,
  derivative: {
    kind: 'rules',
    // A derivative of what must not be is none either.
    vjp: (node, [cotangent], build) => [ensured(build, node, cotangent), undefined, undefined],
    jvp: (node, [tangent], build) => [ensured(build, node, tangent)],
  },
  evaluate(args, context) {
    const [value, holds, said] = [tensorAt(args, 0), tensorAt(args, 1), tensorAt(args, 2)];
    const bad = holds.data.findIndex((one: number | bigint) => one === 0);
    if (bad >= 0) report(context, context.attrs.code, Dim.one, get(said, bad));
    return value;
  },
  lowering: { kind: 'removed', by: 'checks' },
  bounds: (_, of) => of(0),
  check(node, build: GraphBuilder): CheckParts {
    const [, holds, said] = node.args.map(tensorOf) as [TensorNode, TensorNode, TensorNode];
    const { code, size } = node.attrs;
    return { code, failing: scalars.not(build, holds), said, size, length: Dim.one };
  },
  // The loop whose limit it is about checks it wherever it is written.
  write: ({ args }, writer) => ({ ...writer.written(args[0] as Node), isPlain: true }),
  samples: () => [
    {
      args: [
        { dtype: 'f64', shape: [2] },
        { dtype: 'bool', shape: [3], values: [1, 1, 1] },
        { dtype: 'i32', shape: [3], values: [0, 1, 2] },
      ],
      attrs: { source: 'm.tdsl', start: 0, end: 1, code: 'index-out-of-range', size: Dim.of(3) },
    },
  ],
});

const ensured = (build: GraphBuilder, node: Node<EnsureAttrs>, value: TensorNode | undefined): TensorNode | undefined =>
  value === undefined ? undefined : applyTensor(build, ensure, [value, ...node.args.slice(1)], node.attrs);

function ensureType(types: readonly Type[]): Type | TypeProblem {
  const args = tensors('ensure', types, 3);
  if (isProblem(args)) return args;
  const [value, holds, said] = args as readonly [TensorType, TensorType, TensorType];
  if (holds.dtype !== 'bool') return problem('dtype-mismatch', `what must hold is bool, not ${holds.dtype}`, [1]);
  if (said.dtype !== 'i32' && said.dtype !== 'i64') return problem('dtype-mismatch', `what is said is i32 or i64, not ${said.dtype}`, [2]);
  if (!shapeEquals(holds.shape, said.shape))
    return problem('shape-mismatch', `${shapeToString(holds.shape)} conditions and ${shapeToString(said.shape)} numbers to say`, [1, 2]);
  return tensor(value.dtype, value.shape);
}

function report(
  { attrs, size, fails }: EvaluateContext<CheckPlace & { readonly size: Dim }>,
  code: string,
  length: Dim,
  said: number | bigint,
): void {
  const { source, start, end } = attrs;
  fails({ code, source, start, end, size: size(attrs.size), length: size(length), said: Number(said) } satisfies CheckFailure);
}

/* Note: which failure is told.
   Of all checks that fail the one that stands first in the text, and of its numbers the first one in memory's order; in a loop the one of
   the first round. So the message follows from values alone, whatever is fused and however many threads run. */
