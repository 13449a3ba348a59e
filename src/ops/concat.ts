// Tensors one after another along an axis. In: at least one tensor, alike but for that axis. Out: one tensor. Holds: its transpose takes
// the parts.

import { Dim, InternalError, shapeToString } from '../base/index.js';
import { tensor, type TensorType } from '../graph/index.js';
import { build as loop, type Expr } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type Op } from './define.js';
import { clampIndex, loopsOver } from './lowering.js';
import { zeros } from './make.js';
import { dimAt, isProblem, problem, tensors } from './problem.js';
import { slice } from './slice.js';
import { called, digits, listOf } from './tdsl.js';
import { get, positionOf, tabulate, tensorAt } from './value.js';
import { written } from './writing.js';

export type ConcatAttrs = { readonly axis: number };

/** A part whose size is only known at run time and may be 0. */
const isOpen = (size: Dim): boolean => size.constant === undefined && !size.isPositive;

export const concat: Op<ConcatAttrs> = defineOp<ConcatAttrs>({
  name: 'concat',
  doc: 'Tensors one after another along an axis.',
  type(types, { axis }) {
    const args = tensors('concat', types);
    if (isProblem(args)) return args;
    const first = args[0] as TensorType;
    if (!Number.isInteger(axis) || axis < 0 || axis >= first.shape.length)
      return problem('invalid-value', `concat: there is no axis ${axis} in a tensor of rank ${first.shape.length}`, [0]);
    for (const [at, arg] of args.entries()) {
      if (arg.dtype !== first.dtype)
        return problem('dtype-mismatch', `concat of ${first.dtype} and ${arg.dtype}: element types never mix`, [0, at]);
      if (
        arg.shape.length !== first.shape.length ||
        arg.shape.some((size, along) => along !== axis && !size.equals(dimAt(first.shape, along)))
      ) {
        return problem(
          'shape-mismatch',
          `concat along axis ${axis} of ${shapeToString(first.shape)} and ${shapeToString(arg.shape)}: the other axes differ`,
          [0, at],
        );
      }
    }
    return tensor(
      first.dtype,
      first.shape.map((size, along) => (along === axis ? Dim.sum(args.map((arg) => dimAt(arg.shape, axis))) : size)),
    );
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp(node, [cotangent], build) {
      let start = Dim.zero;
      return node.args.map((arg) => {
        const { shape } = arg.type as TensorType;
        const from = start;
        start = start.add(dimAt(shape, node.attrs.axis));
        if (cotangent === undefined) return undefined;
        const starts = shape.map((_, along) => (along === node.attrs.axis ? from : Dim.zero));
        const stops = shape.map((size, along) => (along === node.attrs.axis ? from.add(size) : size));
        return applyTensor(build, slice, [cotangent], { starts, stops, steps: shape.map(() => 1) });
      });
    },
    jvp: (node, tangents, build) => [
      applyTensor(
        build,
        concat,
        tangents.map((tangent, at) => tangent ?? zeros(build, node.args[at]?.type as TensorType)),
        node.attrs,
      ),
    ],
  },
  evaluate(args, { attrs, type, shape }) {
    const parts = args.map((_, at) => tensorAt(args, at));
    return tabulate((type as TensorType).dtype, shape(type as TensorType), (index) => {
      let at = index[attrs.axis] as number;
      const part = parts.find((one) => {
        const inside = at < (one.shape[attrs.axis] as number);
        if (!inside) at -= one.shape[attrs.axis] as number;
        return inside;
      });
      return part === undefined
        ? 0
        : get(
            part,
            positionOf(
              part.shape,
              index.map((one, along) => (along === attrs.axis ? at : one)),
            ),
          );
    });
  },
  batched: ({ axis }, prefix) => ({ axis: axis + prefix.length }),
  lowering: {
    kind: 'element',
    // A tree of choices, as deep as the logarithm of the number of parts; indices are clamped because every part is read. Parts that may
    // turn out to be empty are copied by a nest instead.
    at(node, index, arg) {
      const { axis } = node.attrs;
      const at = index[axis] as Expr;
      const parts = node.args.map((one) => dimAt((one.type as TensorType).shape, axis));
      const starts: Dim[] = [];
      parts.reduce((start, size) => {
        starts.push(start);
        return start.add(size);
      }, Dim.zero);
      const filled = [...parts.keys()].filter((which) => dimAt(parts, which).constant !== 0);
      const element = (which: number): Expr => {
        const moved = parts.length === 1 ? at : clampIndex(loop.minus(at, loop.size(dimAt(starts, which))), dimAt(parts, which));
        return arg(
          which,
          index.map((one, along) => (along === axis ? moved : one)),
        );
      };
      const choose = (from: number, to: number): Expr => {
        if (to - from <= 1) return element(filled[from] ?? 0);
        const middle = (from + to) >> 1;
        const after = choose(middle, to);
        return loop.apply(
          'select',
          node.type.dtype,
          loop.apply('lt', 'bool', at, loop.size(dimAt(starts, filled[middle] as number))),
          choose(from, middle),
          after,
        );
      };
      return choose(0, filled.length);
    },
    cost: 0,
    ownNest: {
      when: ({ args, attrs }) => args.length > 1 && args.some((one) => isOpen(dimAt((one.type as TensorType).shape, attrs.axis))),
      build({ attrs }, nest) {
        const [result] = nest.results;
        if (result === undefined) throw new InternalError('lower', 'concat without storage');
        let start = Dim.zero;
        return nest.args.flatMap((arg) => {
          const from = loop.size(start);
          start = start.add(dimAt(arg.shape, attrs.axis));
          return loopsOver(arg.shape, 'i', nest, (index) => [
            {
              kind: 'store',
              buffer: result,
              index: index.map((at, axis) => (axis === attrs.axis ? loop.plus(from, at) : at)),
              value: loop.load(arg, index),
            },
          ]);
        });
      },
    },
  },
  write({ args, attrs: { axis }, type }, writer) {
    const [only, ...others] = args.map((arg) => writer.exact(arg));
    const { shape } = type as TensorType;
    if (only !== undefined && others.length === 0) return written(only, shape);
    return written(called('concat', [listOf(only === undefined ? others : [only, ...others])], { axis: digits(`${axis}`) }), shape);
  },
  samples: () => [
    {
      args: [
        { dtype: 'f64', shape: [2] },
        { dtype: 'f64', shape: [3] },
      ],
      attrs: { axis: 0 },
    },
    {
      args: [
        { dtype: 'f64', shape: [2, 1] },
        { dtype: 'f64', shape: [2, 3] },
        { dtype: 'f64', shape: [2, 2] },
      ],
      attrs: { axis: 1 },
    },
    { args: [{ dtype: 'f64', shape: [2] }], attrs: { axis: 0 } },
    {
      args: [
        { dtype: 'f64', shape: [0] },
        { dtype: 'f64', shape: [2] },
        { dtype: 'f64', shape: [0] },
      ],
      attrs: { axis: 0 },
    },
    {
      args: [
        { dtype: 'i64', shape: [1] },
        { dtype: 'i64', shape: [2] },
      ],
      attrs: { axis: 0 },
    },
  ],
});
