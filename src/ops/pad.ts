// Zeros around and between elements. In: a tensor. Out: a larger tensor: per axis `before` zeros, the elements with `inner` zeros between
// neighbours, `after` zeros.
// Holds: the size of an axis is before + n + inner · (n − 1) + after; its transpose is `slice`.

import type { Expression } from '../../grammar/index.js';
import { Dim, InternalError, shapeToString } from '../base/index.js';
import { type Node, tensor, type TensorType } from '../graph/index.js';
import { build as loop, type Expr } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type NestContext, type Op } from './define.js';
import { dimAt, isProblem, oneTensor, problem } from './problem.js';
import { allOf, clampIndex, loopsOver, zeroOf } from './lowering.js';
import { slice } from './slice.js';
import { applied, binary, bordered, called, choice, digits, indexVariable, named, notation, subscripted } from './tdsl.js';
import { get, positionOf, tabulate, tensorAt } from './value.js';
import { literalOf, written } from './writing.js';

export type PadAttrs = { readonly before: readonly Dim[]; readonly after: readonly Dim[]; readonly inner: readonly number[] };

const innerAt = (attrs: PadAttrs, axis: number): number => attrs.inner[axis] as number;

const isPadded = ({ before, after, inner }: PadAttrs, axis: number): boolean =>
  dimAt(before, axis).constant !== 0 || dimAt(after, axis).constant !== 0 || inner[axis] !== 0;

/** From the first to the last element, with the zeros between. */
const spanOf = (size: Dim, inner: number): Dim => size.add(size.sub(1).mul(inner));

export const pad: Op<PadAttrs> = defineOp<PadAttrs>({
  name: 'pad',
  doc: 'Puts zeros around the elements and between them.',
  type(args, attrs) {
    const arg = oneTensor('pad', args);
    if (isProblem(arg)) return arg;
    const rank = arg.shape.length;
    if (attrs.before.length !== rank || attrs.after.length !== rank || attrs.inner.length !== rank)
      return problem('shape-mismatch', `pad of ${shapeToString(arg.shape)} needs ${rank} numbers of zeros before, after and between`, [0]);
    const shape: Dim[] = [];
    for (const [axis, size] of arg.shape.entries()) {
      const [before, after, inner] = [dimAt(attrs.before, axis), dimAt(attrs.after, axis), innerAt(attrs, axis)];
      const negative = [before, after, Dim.of(inner)].find((dim) => (dim.constant ?? 0) < 0);
      if (negative !== undefined || !Number.isInteger(inner))
        return problem('invalid-value', `pad of axis ${axis} with ${negative ?? inner} zeros`, [0]);
      shape.push(before.add(spanOf(size, inner)).add(after));
    }
    return tensor(arg.dtype, shape);
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp(node, [cotangent], build) {
      if (cotangent === undefined) return [undefined];
      const { shape } = node.args[0]?.type as TensorType;
      const stops = shape.map((size, axis) => dimAt(node.attrs.before, axis).add(spanOf(size, innerAt(node.attrs, axis))));
      return [
        applyTensor(build, slice, [cotangent], { starts: node.attrs.before, stops, steps: node.attrs.inner.map((inner) => inner + 1) }),
      ];
    },
    jvp: (node, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, pad, [tangent], node.attrs)],
  },
  evaluate(args, { attrs, type, shape, size }) {
    const arg = tensorAt(args, 0);
    const before = attrs.before.map(size);
    return tabulate(arg.dtype, shape(type as TensorType), (index) => {
      const from = index.map((at, axis) => (at - (before[axis] as number)) / (innerAt(attrs, axis) + 1));
      return from.every((at, axis) => Number.isInteger(at) && at >= 0 && at < (arg.shape[axis] as number))
        ? get(arg, positionOf(arg.shape, from))
        : 0;
    });
  },
  batched: ({ before, after, inner }, prefix) => {
    const none = prefix.map(() => Dim.zero);
    return { before: [...none, ...before], after: [...none, ...after], inner: [...prefix.map(() => 0), ...inner] };
  },
  lowering: {
    kind: 'element',
    // Both sides of a choice are computed, so the index is clamped into the argument; an argument that may turn out to be empty is copied
    // by a nest instead.
    at(node, index, arg) {
      const { shape } = node.args[0]?.type as TensorType;
      if (shape.some((size) => size.constant === 0)) return zeroOf(node.type.dtype);
      const inside: Expr[] = [];
      const from = index.map((at, axis) => {
        const [size, before, step] = [dimAt(shape, axis), dimAt(node.attrs.before, axis), innerAt(node.attrs, axis) + 1];
        const moved = loop.minus(at, loop.size(before));
        if (step > 1) inside.push(loop.apply('eq', 'bool', loop.apply('rem', 'i64', moved, loop.int(step)), loop.int(0)));
        if (before.constant !== 0) inside.push(loop.apply('ge', 'bool', moved, loop.int(0)));
        const padded = dimAt(node.attrs.after, axis).constant !== 0;
        if (padded) inside.push(loop.apply('lt', 'bool', moved, loop.size(spanOf(size, step - 1))));
        if (before.constant === 0 && !padded && step === 1) return at;
        return clampIndex(step > 1 ? loop.apply('div', 'i64', moved, loop.int(step)) : moved, size);
      });
      const value = arg(0, from);
      return inside.length === 0 ? value : loop.apply('select', node.type.dtype, allOf(inside), value, zeroOf(node.type.dtype));
    },
    cost: 0,
    ownNest: {
      when: ({ args, attrs }) =>
        (args[0]?.type as TensorType).shape.some((size, axis) => isPadded(attrs, axis) && size.constant !== 0 && !size.isPositive),
      build({ attrs }, nest: NestContext) {
        const [arg, result] = [nest.args[0], nest.results[0]];
        if (arg === undefined || result === undefined) throw new InternalError('lower', 'pad without storage');
        const target = (index: readonly Expr[]): Expr[] =>
          index.map((at, axis) => loop.plus(loop.size(dimAt(attrs.before, axis)), loop.times(at, loop.int(innerAt(attrs, axis) + 1))));
        return [
          ...loopsOver(result.shape, 'z', nest, (index) => [{ kind: 'store', buffer: result, index, value: zeroOf(result.dtype) }]),
          ...loopsOver(arg.shape, 'i', nest, (index) => [
            { kind: 'store', buffer: result, index: target(index), value: loop.load(arg, index) },
          ]),
        ];
      },
    },
  },
  keepsFinite: () => true,
  write(node, writer) {
    const { before, after, inner } = node.attrs;
    const arg = node.args[0] as Node;
    const { shape, dtype } = node.type as TensorType;
    if (shape.length === 0) return written(writer.exact(arg), shape);
    if (inner.every((one) => one === 0))
      return written(called('pad', [writer.exact(arg)], { before: writer.sizes(before), after: writer.sizes(after) }), shape);
    // Between the elements: an index is one of them where it is a multiple.
    const indices = writer.indices(shape);
    const zero = literalOf(dtype, 0);
    const places = indices.map((index, axis) => {
      const start = dimAt(before, axis);
      return start.constant === 0 ? named(index) : binary(named(index), '-', writer.size(start));
    });
    const step = (axis: number): Expression => digits(`${innerAt(node.attrs, axis) + 1}`);
    const isElement = places.flatMap((place, axis) =>
      innerAt(node.attrs, axis) === 0 ? [] : [binary(binary(place, '%', step(axis)), '==', digits('0'))],
    );
    const subscripts = places.map((place, axis) =>
      innerAt(node.attrs, axis) === 0 ? place : applied(named('floorDiv'), [place, step(axis)]),
    );
    const body = choice(
      isElement.reduce((all, one) => binary(all, '&&', one)),
      bordered(subscripted(writer.named(arg), subscripts), zero),
      zero,
    );
    return written(
      notation(
        indices.map((index, axis) => indexVariable(index, isPadded(node.attrs, axis) ? writer.size(dimAt(shape, axis)) : undefined)),
        body,
      ),
      shape,
      { isWhole: true },
    );
  },
  samples: () => [
    { args: [{ dtype: 'f64', shape: [3] }], attrs: { before: [Dim.of(2)], after: [Dim.of(1)], inner: [0] } },
    { args: [{ dtype: 'f64', shape: [2, 3] }], attrs: { before: [Dim.of(0), Dim.of(1)], after: [Dim.of(0), Dim.of(2)], inner: [2, 1] } },
    { args: [{ dtype: 'f64', shape: [0] }], attrs: { before: [Dim.of(1)], after: [Dim.of(2)], inner: [0] } },
    { args: [{ dtype: 'f64', shape: [] }], attrs: { before: [], after: [], inner: [] } },
    { args: [{ dtype: 'i64', shape: [2] }], attrs: { before: [Dim.of(1)], after: [Dim.of(0)], inner: [0] } },
  ],
});
