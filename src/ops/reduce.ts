// Reductions. In: a tensor and the axes to combine over. Out: the tensor without them. Holds: no elements give the combiner's identity (0,
// 1, ∓∞ or the dtype's bounds, false, true); max and min are NaN when any element is. Integer sums and products wrap.

import { Dim, type DType, isFloat } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { type Combiner, combiners, ofNothing } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { broadcast } from './broadcast.js';
import { cast } from './cast.js';
import { type Derivative, defineOp, type Op, type Reach, type Sample } from './define.js';
import { elementwise } from './elementwise.js';
import { fill, zeros } from './make.js';
import { axesProblem, dimAt, isProblem, oneTensor, problem, without } from './problem.js';
import { othersProduct } from './product.js';
import { axesOf, called, combined, digits, indexVariable, named, notation, subscripted, truth } from './tdsl.js';
import { emptyValue, get, indices, positionOf, put, tensorAt, wrap } from './value.js';
import { type Writer, type Written, written } from './writing.js';

export type ReduceAttrs = { readonly axes: readonly number[] };

/** Puts the reduced axes back, repeating the value along them. */
function spreadBack(build: GraphBuilder, value: TensorNode, over: TensorType, axes: readonly number[]): TensorNode {
  return applyTensor(build, broadcast, [value], {
    shape: over.shape,
    axes: over.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)),
  });
}

/** combine(a, b) in a dtype, as interpreters do it. */
export function combineValues(combine: Combiner, dtype: DType, a: number | bigint, b: number | bigint): number | bigint {
  return isFloat(dtype) || dtype === 'bool'
    ? combiners[combine].numbers(Number(a), Number(b))
    : wrap(dtype, combiners[combine].integers(BigInt(a), BigInt(b)));
}

/** All elements of a row get something, or none. */
const alongAxes: Reach<ReduceAttrs> = {
  kind: 'rule',
  exact: false,
  vjp: (node, _, mask, build) =>
    mask === undefined ? undefined : spreadBack(build, mask, tensorOf(node.args[0] as Node).type, node.attrs.axes),
  jvp: (node, _, mask, build) => (mask === undefined ? undefined : applyTensor(build, reduceAny, [mask], node.attrs)),
};

const sumDerivative: Derivative<ReduceAttrs> = {
  kind: 'rules',
  reach: { kind: 'moves' },
  vjp: (node, [cotangent], build) => [
    cotangent === undefined ? undefined : spreadBack(build, cotangent, tensorOf(node.args[0] as Node).type, node.attrs.axes),
  ],
  jvp: (node, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, reduceSum, [tangent], node.attrs)],
};

/** Where the elements equal the result, and how many of them there are. */
function winners(build: GraphBuilder, node: Node<ReduceAttrs>): { readonly mask: TensorNode; readonly count: TensorNode } {
  const arg = tensorOf(node.args[0] as Node);
  const mask = applyTensor(build, elementwise.eq, [arg, spreadBack(build, tensorOf(node), arg.type, node.attrs.axes)], {});
  return { mask, count: applyTensor(build, reduceSum, [applyTensor(build, cast, [mask], { dtype: arg.type.dtype })], node.attrs) };
}

/** Ties get equal parts, which is the derivative along the direction that moves them together. */
const extremumDerivative: Derivative<ReduceAttrs> = {
  kind: 'rules',
  reach: alongAxes,
  vjp(node, [cotangent], build) {
    if (cotangent === undefined) return [undefined];
    const arg = tensorOf(node.args[0] as Node);
    const { mask, count } = winners(build, node);
    const part = applyTensor(build, elementwise.div, [cotangent, count], {});
    return [applyTensor(build, elementwise.select, [mask, spreadBack(build, part, arg.type, node.attrs.axes), zeros(build, arg.type)], {})];
  },
  jvp(node, [tangent], build) {
    if (tangent === undefined) return [undefined];
    const { mask, count } = winners(build, node);
    const kept = applyTensor(build, elementwise.select, [mask, tangent, zeros(build, tangent.type)], {});
    // Of no elements (or none but NaN) there is no winner, and nothing moves.
    const some = applyTensor(build, elementwise.max, [count, fill(build, count.type, 1)], {});
    return [applyTensor(build, elementwise.div, [applyTensor(build, reduceSum, [kept], node.attrs), some], {})];
  },
};

/** ∂ Π x / ∂ xᵢ is the product of the others: right with zeros among them, and differentiable again. */
const productDerivative: Derivative<ReduceAttrs> = {
  kind: 'rules',
  reach: alongAxes,
  vjp(node, [cotangent], build) {
    if (cotangent === undefined) return [undefined];
    const arg = tensorOf(node.args[0] as Node);
    return [
      applyTensor(
        build,
        elementwise.mul,
        [spreadBack(build, cotangent, arg.type, node.attrs.axes), othersProduct(build, arg, node.attrs.axes)],
        {},
      ),
    ];
  },
  jvp(node, [tangent], build) {
    if (tangent === undefined) return [undefined];
    const others = othersProduct(build, tensorOf(node.args[0] as Node), node.attrs.axes);
    return [applyTensor(build, reduceSum, [applyTensor(build, elementwise.mul, [tangent, others], {})], node.attrs)];
  },
};

const shapes: readonly { readonly shape: readonly number[]; readonly axes: readonly number[] }[] = [
  { shape: [5], axes: [0] },
  { shape: [2, 3], axes: [1] },
  { shape: [2, 3, 2], axes: [0, 2] },
  { shape: [2, 1], axes: [1] },
  { shape: [0, 2], axes: [0] },
  { shape: [0, 2], axes: [1] },
];

const samplesFor = (bool: boolean): readonly Sample<ReduceAttrs>[] =>
  bool
    ? shapes.map(({ shape, axes }) => ({ args: [{ dtype: 'bool', shape, range: [0, 1] }], attrs: { axes } }))
    : [
        ...shapes.map(({ shape, axes }) => ({ args: [{ dtype: 'f64', shape } as const], attrs: { axes } })),
        { args: [{ dtype: 'i32', shape: [4], range: [-9, 9] }], attrs: { axes: [0] } },
        { args: [{ dtype: 'i64', shape: [2, 2], range: [-9, 9] }], attrs: { axes: [0] } },
      ];

/** A reduction that may be of no elements. */
function byIndices(combine: Combiner, arg: Node, axes: readonly number[], shape: TensorType['shape'], writer: Writer): Written {
  const from = tensorOf(arg).type.shape;
  const names = writer.indices(from);
  const variables = (which: (axis: number) => boolean): ReturnType<typeof indexVariable>[] =>
    names.flatMap((name, axis) => (which(axis) ? [indexVariable(name)] : []));
  const element = subscripted(writer.named(arg), names.map(named));
  const inner = combined(
    combine,
    variables((axis) => axes.includes(axis)),
    element,
  );
  return written(
    notation(
      variables((axis) => !axes.includes(axis)),
      inner,
    ),
    shape,
    { isWhole: true },
  );
}

interface Reduction {
  readonly name: string;
  readonly doc: string;
  readonly combine: Combiner;
  readonly derivative: Derivative<ReduceAttrs>;
  readonly bool?: true;
}

function reduction({ name, doc, combine, derivative, bool }: Reduction): Op<ReduceAttrs> {
  return defineOp<ReduceAttrs>({
    name,
    doc,
    type(args, { axes }) {
      const arg = oneTensor(name, args);
      if (isProblem(arg)) return arg;
      if ((arg.dtype === 'bool') !== (bool === true)) {
        return problem(
          'dtype-mismatch',
          `${name} takes ${bool === true ? 'bool' : 'numbers'}, not ${arg.dtype}`,
          [0],
          bool === true ? 'compare first, as in x != 0' : 'cast first, as in f32(mask)',
        );
      }
      return axesProblem(name, axes, arg.shape.length) ?? tensor(arg.dtype, without(arg.shape, axes));
    },
    derivative,
    evaluate(args, { attrs, type, shape }) {
      const arg = tensorAt(args, 0);
      const result = emptyValue(arg.dtype, shape(type as TensorType));
      for (let at = 0; at < result.data.length; at++) put(result, at, ofNothing(combine, arg.dtype));
      const kept = arg.shape.map((_, axis) => axis).filter((axis) => !attrs.axes.includes(axis));
      let from = 0;
      for (const index of indices(arg.shape)) {
        const to = positionOf(
          result.shape,
          kept.map((axis) => index[axis] as number),
        );
        put(result, to, combineValues(combine, arg.dtype, get(result, to), get(arg, from++)));
      }
      return result;
    },
    batched: ({ axes }, prefix) => ({ axes: axes.map((axis) => axis + prefix.length) }),
    lowering: { kind: 'reduce', axes: (node) => node.attrs.axes, combine: () => combine },
    // Of no elements an entry takes none: the checker asks for one at least.
    bounds: (_, of) => (combine === 'max' || combine === 'min' ? of(0) : undefined),
    write({ args, attrs: { axes }, type }, writer) {
      const arg = args[0] as Node;
      const from = tensorOf(arg).type.shape;
      const { shape } = type as TensorType;
      if (axes.length === 0) return written(writer.exact(arg), shape);
      const isExtreme = combine === 'max' || combine === 'min';
      if (isExtreme && !axes.every((axis) => writer.isNatural(dimAt(from, axis).sub(1))))
        return byIndices(combine, arg, axes, shape, writer);
      const value = writer.exact(arg);
      const axis = axes.length === 1 ? digits(`${axes[0]}`) : axesOf(axes);
      const along = axes.length === from.length ? {} : { axis };
      return {
        ...written(called(combine, [value], along), shape),
        other: {
          expression: called(combine, [value], { ...along, keepDims: truth(true) }),
          shape: from.map((size, at) => (axes.includes(at) ? Dim.one : size)),
        },
      };
    },
    samples: () => samplesFor(bool === true),
  });
}

export const reduceSum: Op<ReduceAttrs> = reduction({
  name: 'reduceSum',
  doc: 'Sum over axes.',
  combine: 'sum',
  derivative: sumDerivative,
});
export const reduceProduct: Op<ReduceAttrs> = reduction({
  name: 'reduceProduct',
  doc: 'Product over axes.',
  combine: 'product',
  derivative: productDerivative,
});
export const reduceMax: Op<ReduceAttrs> = reduction({
  name: 'reduceMax',
  doc: 'Largest element over axes; ties share the derivative.',
  combine: 'max',
  derivative: extremumDerivative,
});
export const reduceMin: Op<ReduceAttrs> = reduction({
  name: 'reduceMin',
  doc: 'Smallest element over axes; ties share the derivative.',
  combine: 'min',
  derivative: extremumDerivative,
});
export const reduceAny: Op<ReduceAttrs> = reduction({
  name: 'reduceAny',
  doc: 'Whether any element is true.',
  combine: 'any',
  derivative: { kind: 'zero' },
  bool: true,
});
export const reduceAll: Op<ReduceAttrs> = reduction({
  name: 'reduceAll',
  doc: 'Whether all elements are true.',
  combine: 'all',
  derivative: { kind: 'zero' },
  bool: true,
});
