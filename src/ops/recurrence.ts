// Linear recurrences along the last axis: y₀ = b₀, yᵢ = aᵢ · yᵢ₋₁ + bᵢ, or the same from the end to the start. In: a and b, of one shape;
// or b alone, where a is 1. Out: y, of that shape.
// Holds: n steps for n elements; derivatives are recurrences again, in the other direction, so they compose. Running sums (b alone) and
// running products (b = 0 but for the first) are recurrences.

import type { Expression } from '../../grammar/index.js';
import { Dim, isFloat, isNarrowFloat, shapeEquals, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { type Accumulator, type Buffer, build as loop, type Expr, type Stmt } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { defineOp, type NestContext, type Op } from './define.js';
import { elementwise } from './elementwise.js';
import { zeroOf } from './lowering.js';
import { isProblem, problem, tensors } from './problem.js';
import { pad } from './pad.js';
import { slice } from './slice.js';
import { called, truth } from './tdsl.js';
import { emptyValue, get, put, tensorAt } from './value.js';
import { written } from './writing.js';

export type RecurrenceAttrs = { readonly reverse: boolean };

/** Every element moved to the place of the next, a zero in the first: to that of the one before with `back`. */
export function shifted(build: GraphBuilder, x: TensorNode, back: boolean): TensorNode {
  const { shape } = x.type;
  const last = shape.length - 1;
  const zero = shape.map(() => Dim.zero);
  const one = shape.map((_, axis) => (axis === last ? Dim.one : Dim.zero));
  const padded = applyTensor(build, pad, [x], { before: back ? zero : one, after: back ? one : zero, inner: shape.map(() => 0) });
  const starts = back ? one : zero;
  return applyTensor(build, slice, [padded], {
    starts,
    stops: shape.map((size, axis) => size.add(starts[axis] as Dim)),
    steps: shape.map(() => 1),
  });
}

const times = (build: GraphBuilder, x: TensorNode, y: TensorNode): TensorNode => applyTensor(build, elementwise.mul, [x, y], {});

function nest(node: TensorNode<RecurrenceAttrs>, { args, results, fresh }: NestContext): readonly Stmt[] {
  const { shape, dtype } = node.type;
  const b = args.at(-1) as Buffer;
  const a = args.length === 2 ? args[0] : undefined;
  const [result] = results as [Buffer];
  if (shape.some((dim) => dim.constant === 0)) return [];
  const state: Accumulator = { name: fresh('state'), dtype: isNarrowFloat(dtype) ? 'f32' : dtype, shape: [] };
  const wide = (value: Expr): Expr => (loop.dtypeOf(value) === state.dtype ? value : loop.apply('convert', state.dtype, value));
  const along = (at: readonly Expr[]): readonly Stmt[] => {
    const size = loop.size(shape.at(-1) as Dim);
    const index = fresh('i');
    const place = node.attrs.reverse ? loop.minus(loop.minus(size, loop.int(1)), loop.index(index)) : loop.index(index);
    const here = [...at, place];
    const added = wide(loop.load(b, here));
    const next =
      a === undefined
        ? loop.apply('add', state.dtype, loop.read(state), added)
        : loop.apply('muladd', state.dtype, wide(loop.load(a, here)), loop.read(state), added);
    const value = loop.read(state);
    return [
      { kind: 'declare', accumulator: state, initial: zeroOf(state.dtype) },
      {
        kind: 'for',
        index,
        extent: size,
        axis: 'serial',
        body: [
          { kind: 'assign', accumulator: state, index: [], value: next },
          {
            kind: 'store',
            buffer: result,
            index: here,
            value: state.dtype === dtype ? value : loop.apply('convert', dtype, value),
          },
        ],
      },
    ];
  };
  const rows = (axis: number, at: readonly Expr[]): readonly Stmt[] => {
    if (axis === shape.length - 1) return along(at);
    const index = fresh('r');
    return [
      { kind: 'for', index, extent: loop.size(shape[axis] as Dim), axis: 'serial', body: rows(axis + 1, [...at, loop.index(index)]) },
    ];
  };
  return rows(0, []);
}

export const recurrence: Op<RecurrenceAttrs> = defineOp<RecurrenceAttrs>({
  name: 'recurrence',
  doc: 'Along the last axis, each element is a times the one before, plus b; of b alone, the running sum.',
  type(args) {
    const given = tensors('recurrence', args, args.length === 1 ? 1 : 2);
    if (isProblem(given)) return given;
    const [a, b = a] = given as [TensorType, TensorType?];
    if (!isFloat(a.dtype)) return problem('dtype-mismatch', `recurrence takes floats (f32, f64, f16, bf16), not ${a.dtype}`, [0]);
    if (a.dtype !== b.dtype) return problem('dtype-mismatch', `recurrence of ${a.dtype} and ${b.dtype}: element types never mix`, [0, 1]);
    if (a.shape.length === 0 || !shapeEquals(a.shape, b.shape))
      return problem('shape-mismatch', `recurrence of the shapes ${shapeToString(a.shape)} and ${shapeToString(b.shape)}`, [0, 1]);
    return tensor(a.dtype, a.shape);
  },
  derivative: {
    kind: 'rules',
    // λᵢ = cᵢ + aᵢ₊₁ · λᵢ₊₁ is what the result at i adds to everything; aᵢ had yᵢ₋₁ beside it, and bᵢ nothing.
    vjp(node, [cotangent], build) {
      if (cotangent === undefined) return node.args.map(() => undefined);
      const { reverse } = node.attrs;
      if (node.args.length === 1) return [applyTensor(build, recurrence, [cotangent], { reverse: !reverse })];
      const factors = shifted(build, tensorOf(node.args[0] as Node), !reverse);
      const flow = applyTensor(build, recurrence, [factors, cotangent], { reverse: !reverse });
      return [times(build, flow, shifted(build, tensorOf<RecurrenceAttrs>(node), reverse)), flow];
    },
    jvp(node, [da, db], build) {
      const { reverse } = node.attrs;
      if (node.args.length === 1) return [da === undefined ? undefined : applyTensor(build, recurrence, [da], { reverse })];
      if (da === undefined && db === undefined) return [undefined];
      const moved = da === undefined ? undefined : times(build, da, shifted(build, tensorOf<RecurrenceAttrs>(node), reverse));
      const added = moved === undefined ? db : db === undefined ? moved : applyTensor(build, elementwise.add, [moved, db], {});
      return [applyTensor(build, recurrence, [node.args[0] as Node, added as TensorNode], { reverse })];
    },
  },
  evaluate(args, { attrs }) {
    const b = tensorAt(args, args.length - 1);
    const a = args.length === 2 ? tensorAt(args, 0) : undefined;
    const result = emptyValue(b.dtype, b.shape);
    const size = b.shape.at(-1) as number;
    let state = 0;
    for (let count = 0; count < result.data.length; count++) {
      const step = count % size;
      const at = attrs.reverse ? count - step + (size - 1 - step) : count;
      state = (step === 0 ? 0 : (a === undefined ? 1 : Number(get(a, at))) * state) + Number(get(b, at));
      put(result, at, state);
    }
    return result;
  },
  batched: (attrs) => attrs,
  lowering: { kind: 'nest', build: (node, context) => nest(tensorOf(node), context) },
  write({ args, attrs, type }, writer) {
    const [b, a] = args.toReversed().map((arg) => writer.exact(arg)) as [Expression, Expression | undefined];
    const reverse = attrs.reverse ? { reverse: truth(true) } : {};
    return written(called('recurrence', [b], a === undefined ? reverse : { factor: a, ...reverse }), (type as TensorType).shape);
  },
  samples: () =>
    [false, true].flatMap((reverse) =>
      [[5], [2, 3], [1], [2, 0], [0, 2]].flatMap((shape) =>
        [1, 2].map((count) => ({
          args: Array.from({ length: count }, () => ({ dtype: 'f64' as const, shape })),
          attrs: { reverse },
        })),
      ),
    ),
});
