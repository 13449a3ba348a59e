// Every steps[i]-th element from starts[i] until stops[i]. In: a tensor. Out: a smaller tensor, with as many axes.
// Holds: bounds lie inside the axis (a stop of −1 with a negative step means "to the first element"); its transpose is `pad`.

import { Dim, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { build as loop, type Expr } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type Op } from './define.js';
import { pad } from './pad.js';
import { dimAt, isProblem, oneTensor, problem } from './problem.js';
import { digits, sliced, subscripted } from './tdsl.js';
import { get, positionOf, tabulate, tensorAt } from './value.js';
import { written } from './writing.js';

export type SliceAttrs = { readonly starts: readonly Dim[]; readonly stops: readonly Dim[]; readonly steps: readonly number[] };

/** ⌈(stop − start) / step⌉ as a polynomial, when it is one. */
export function sliceSize(start: Dim, stop: Dim, step: number): Dim | undefined {
  const width = Math.abs(step);
  const span = step > 0 ? stop.sub(start) : start.sub(stop);
  if (span.constant !== undefined) return Dim.of(Math.max(0, Math.ceil(span.constant / width)));
  // What is added to round up must make the constant a multiple of the width.
  const rest = (span.terms.find((term) => term.names.length === 0)?.coefficient ?? 0) % width;
  return span.add(rest === 0 ? 0 : rest > 0 ? width - rest : -rest).divideExact(width);
}

/** Scatters `cotangent` back into zeros of the argument's shape. */
function unslice(build: GraphBuilder, cotangent: TensorNode, arg: TensorType, { starts, steps }: SliceAttrs): TensorNode {
  const sizes = cotangent.type.shape;
  const flipped = steps.some((step) => step < 0)
    ? applyTensor(build, slice, [cotangent], {
        starts: sizes.map((size, axis) => (stepAt(steps, axis) < 0 ? size.sub(1) : Dim.zero)),
        stops: sizes.map((size, axis) => (stepAt(steps, axis) < 0 ? Dim.of(-1) : size)),
        steps: steps.map((step) => Math.sign(step)),
      })
    : cotangent;
  const before = sizes.map((size, axis) =>
    stepAt(steps, axis) > 0 ? dimAt(starts, axis) : dimAt(starts, axis).add(size.sub(1).mul(stepAt(steps, axis))),
  );
  const inner = steps.map((step) => Math.abs(step) - 1);
  const after = sizes.map((size, axis) =>
    dimAt(arg.shape, axis)
      .sub(dimAt(before, axis))
      .sub(size)
      .sub(size.sub(1).mul(stepAt(inner, axis))),
  );
  return applyTensor(build, pad, [flipped], { before, after, inner });
}

const stepAt = (steps: readonly number[], axis: number): number => steps[axis] as number;

export const slice: Op<SliceAttrs> = defineOp<SliceAttrs>({
  name: 'slice',
  doc: 'A regular part of a tensor.',
  type(args, { starts, stops, steps }) {
    const arg = oneTensor('slice', args);
    if (isProblem(arg)) return arg;
    const rank = arg.shape.length;
    if (starts.length !== rank || stops.length !== rank || steps.length !== rank)
      return problem('shape-mismatch', `slice of ${shapeToString(arg.shape)} needs ${rank} starts, stops and steps`, [0]);
    const shape: Dim[] = [];
    for (const [axis, size] of arg.shape.entries()) {
      const [start, stop, step] = [dimAt(starts, axis), dimAt(stops, axis), stepAt(steps, axis)];
      if (!Number.isInteger(step) || step === 0)
        return problem('invalid-value', `the step of a slice is a whole number other than 0, not ${step}`, [0]);
      const length = sliceSize(start, stop, step);
      if (length === undefined)
        return problem(
          'ambiguous-size',
          `every ${Math.abs(step)}th element from ${start} to ${stop} of axis ${axis}: whether their number is whole depends on the sizes`,
          [0],
        );
      const [low, high] = step > 0 ? [start, stop] : [stop.add(1), start.add(1)];
      if ((low.constant ?? 0) < 0 || (size.sub(high).constant ?? 0) < 0)
        return problem('invalid-value', `the part from ${start} to ${stop} is not inside axis ${axis}, whose size is ${size}`, [0]);
      if ((length.constant ?? 0) < 0)
        return problem('invalid-value', `the part from ${start} to ${stop} of axis ${axis} has the size ${length}`, [0]);
      shape.push(length);
    }
    return tensor(arg.dtype, shape);
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp: (node, [cotangent], build) => [
      cotangent === undefined ? undefined : unslice(build, cotangent, node.args[0]?.type as TensorType, node.attrs),
    ],
    jvp: (node, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, slice, [tangent], node.attrs)],
  },
  evaluate(args, { attrs, type, shape, size }) {
    const arg = tensorAt(args, 0);
    const starts = attrs.starts.map(size);
    return tabulate(arg.dtype, shape(type as TensorType), (index) =>
      get(
        arg,
        positionOf(
          arg.shape,
          index.map((at, axis) => (starts[axis] as number) + at * stepAt(attrs.steps, axis)),
        ),
      ),
    );
  },
  batched: ({ starts, stops, steps }, prefix) => ({
    starts: [...prefix.map(() => Dim.zero), ...starts],
    stops: [...prefix, ...stops],
    steps: [...prefix.map(() => 1), ...steps],
  }),
  lowering: {
    kind: 'element',
    at({ attrs }, index, arg) {
      const moved = index.map((at: Expr, axis) => {
        const [start, step] = [loop.size(dimAt(attrs.starts, axis)), stepAt(attrs.steps, axis)];
        return step > 0 ? loop.plus(start, loop.times(at, loop.int(step))) : loop.minus(start, loop.times(at, loop.int(-step)));
      });
      return arg(0, moved);
    },
    cost: 0,
  },
  keepsFinite: () => true,
  bounds: (_, of) => of(0),
  write({ args, attrs, type }, writer) {
    const arg = args[0] as Node;
    const { shape: from } = arg.type as TensorType;
    const { shape } = type as TensorType;
    if (from.length === 0) return written(writer.exact(arg), shape);
    const cuts = from.map((size, axis) => {
      const [start, stop, step] = [dimAt(attrs.starts, axis), dimAt(attrs.stops, axis), stepAt(attrs.steps, axis)];
      const [first, last] = step > 0 ? [Dim.zero, size] : [size.sub(1), Dim.of(-1)];
      return sliced(
        start.equals(first) ? null : writer.size(start),
        stop.equals(last) ? null : writer.size(stop),
        step === 1 ? null : digits(`${step}`),
      );
    });
    return written(subscripted(writer.named(arg), cuts), shape);
  },
  samples: () => [
    { args: [{ dtype: 'f64', shape: [5] }], attrs: { starts: [Dim.of(1)], stops: [Dim.of(4)], steps: [1] } },
    { args: [{ dtype: 'f64', shape: [6, 3] }], attrs: { starts: [Dim.of(1), Dim.of(2)], stops: [Dim.of(6), Dim.of(3)], steps: [2, 1] } },
    { args: [{ dtype: 'f64', shape: [5, 4] }], attrs: { starts: [Dim.of(4), Dim.of(3)], stops: [Dim.of(-1), Dim.of(0)], steps: [-2, -1] } },
    { args: [{ dtype: 'f64', shape: [3] }], attrs: { starts: [Dim.of(2)], stops: [Dim.of(2)], steps: [1] } },
    { args: [{ dtype: 'f64', shape: [] }], attrs: { starts: [], stops: [], steps: [] } },
    { args: [{ dtype: 'i32', shape: [4] }], attrs: { starts: [Dim.of(0)], stops: [Dim.of(4)], steps: [3] } },
  ],
});
