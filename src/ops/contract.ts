// Sums of products of a tensor read through a view and a matrix: convolutions and their derivatives. In: a tensor, whose view has the axes
// [batch…, rows…, inner…]; a tensor [batch…, inner…, columns]. Out: [batch…, rows…, columns].
// Holds: with one axis of rows, one inner axis and a view that moves nothing it is `matmul`. Its derivatives are contractions again (see
// `contract-transpose.ts`).

import { Dim, isWide, shapeEquals, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import type { Expr } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { leftTranspose, rightTranspose } from './contract-transpose.js';
import { defineOp, type Op, type ReadArgument, type Sample } from './define.js';
import { scalars } from './scalars.js';
import { dimAt, isProblem, problem, tensors } from './problem.js';
import { emptyValue, get, indices, positionOf, put, tensorAt } from './value.js';
import { combineValues } from './reduce.js';
import { binary, combined, named, notation, subscripted } from './tdsl.js';
import { pad, type PadAttrs } from './pad.js';
import { borderOf, mayReadNothing, view, type ViewAttrs } from './view.js';
import { elementOf, rangedBy, variablesOf } from './view-written.js';
import { written } from './writing.js';

/** The attributes of the left side's view, and how many of its axes are which. */
export type ContractAttrs = ViewAttrs & { readonly batch: number; readonly rows: number };

const viewOf = ({ shape, coefficients, offsets, divisors, outside }: ContractAttrs): ViewAttrs => ({
  shape,
  coefficients,
  offsets,
  divisors,
  outside,
});

/**
 * A contraction whose left side may have no elements where its view has some: no index may be read then, so its border is copied, or all
 * of the view.
 */
export function contraction(build: GraphBuilder, left: TensorNode, right: TensorNode, attrs: ContractAttrs): TensorNode {
  if (!mayReadNothing(left.type.shape, attrs)) return applyTensor(build, contract, [left, right], attrs);
  const border = Number(attrs.outside) === 0 ? borderOf(left.type.shape, attrs) : undefined;
  if (border !== undefined) return withBorder(build, left, right, attrs, border);
  const { shape, batch, rows } = attrs;
  const identity = shape.map((_, row) => shape.map((__, axis) => Dim.of(row === axis ? 1 : 0)));
  const whole = {
    shape,
    coefficients: identity,
    offsets: shape.map(() => Dim.zero),
    divisors: shape.map(() => 1),
    outside: false,
  } as const;
  return applyTensor(build, contract, [applyTensor(build, view, [left], viewOf(attrs)), right], { ...whole, batch, rows });
}

/** The same contraction of a left side with a border around it, inside of which every index is. */
export function withBorder(
  build: GraphBuilder,
  left: TensorNode,
  right: TensorNode,
  attrs: ContractAttrs,
  border: PadAttrs,
): TensorNode<ContractAttrs> {
  const isNeeded = [...border.before, ...border.after, ...border.inner.map(Dim.of)].some((one) => one.constant !== 0);
  const padded = isNeeded ? applyTensor(build, pad, [left], border) : left;
  return applyTensor(build, contract, [padded, right], {
    ...attrs,
    offsets: attrs.offsets.map((offset, axis) => offset.add(border.before[axis] as Dim)),
    divisors: attrs.divisors.map(() => 1),
    outside: false,
  });
}

export const contract: Op<ContractAttrs> = defineOp<ContractAttrs>({
  name: 'contract',
  doc: 'Sums of products over shared axes, where the left side is read through a view.',
  type(types, attrs) {
    const args = tensors('contract', types, 2);
    if (isProblem(args)) return args;
    const [left, right] = args as readonly [TensorType, TensorType];
    if (left.dtype !== right.dtype)
      return problem('dtype-mismatch', `contract of ${left.dtype} and ${right.dtype}: element types never mix`, [0, 1]);
    if (left.dtype === 'bool') return problem('dtype-mismatch', 'contract takes numbers, not bool', [0, 1]);
    const read = view.type([left], viewOf(attrs));
    if (read.kind === 'problem') return read;
    const { shape, batch, rows } = attrs;
    if (mayReadNothing(left.shape, attrs))
      return problem(
        'invalid-value',
        `contract of ${shapeToString(left.shape)} read as ${shapeToString(shape)}: it may have no element where that has some`,
        [0],
        'copy its border, or the view of it, before',
      );
    const inner = shape.slice(batch + rows);
    if (batch < 0 || rows < 1 || inner.length < 1)
      return problem('shape-mismatch', `contract of ${shapeToString(shape)}: ${batch} axes of batches and ${rows} of rows`, [0]);
    if (!shapeEquals(right.shape.slice(0, -1), [...shape.slice(0, batch), ...inner]))
      return problem(
        'shape-mismatch',
        `contract of ${shapeToString(shape)} and ${shapeToString(right.shape)}: their axes of batches or sums differ`,
        [0, 1],
      );
    return tensor(left.dtype, [...shape.slice(0, batch + rows), dimAt(right.shape, right.shape.length - 1)]);
  },
  derivative: {
    kind: 'rules',
    vjp(node, [cotangent], build) {
      if (cotangent === undefined) return [undefined, undefined];
      return [leftTranspose(build, node, cotangent), rightTranspose(build, node, cotangent)];
    },
    jvp(node, [left, right], build) {
      const [a, b] = node.args.map(tensorOf) as [TensorNode, TensorNode];
      // What stands outside of the left side does not move.
      const outside = node.attrs.outside === false ? false : 0;
      const fromLeft = left === undefined ? undefined : contraction(build, left, b, { ...node.attrs, outside });
      const fromRight = right === undefined ? undefined : contraction(build, a, right, node.attrs);
      return [fromLeft === undefined || fromRight === undefined ? (fromLeft ?? fromRight) : scalars.add(build, fromLeft, fromRight)];
    },
  },
  evaluate(args, context) {
    const { attrs, type, shape, size } = context;
    const right = tensorAt(args, 1);
    const { dtype } = right;
    const read = tensorAt(
      [view.evaluate([tensorAt(args, 0)], { ...context, attrs: viewOf(attrs), type: { kind: 'tensor', dtype, shape: attrs.shape } })],
      0,
    );
    const result = emptyValue(dtype, shape(type as TensorType));
    const inner = attrs.shape.slice(attrs.batch + attrs.rows).map(size);
    let to = 0;
    for (const at of indices(result.shape)) {
      let sum: number | bigint = isWide(dtype) ? 0n : 0;
      for (const along of indices(inner)) {
        const x = get(read, positionOf(read.shape, [...at.slice(0, -1), ...along]));
        const y = get(right, positionOf(right.shape, [...at.slice(0, attrs.batch), ...along, at[at.length - 1] as number]));
        const term = combineValues('product', dtype, x, y);
        sum = combineValues('sum', dtype, sum, term);
      }
      put(result, to++, sum);
    }
    return result;
  },
  lowering: {
    kind: 'contract',
    groups: ({ attrs }) => ({ batch: attrs.batch, rows: attrs.rows, inner: attrs.shape.slice(attrs.batch + attrs.rows) }),
    left: (node, index, arg) => leftAt(node, index, arg),
  },
  write({ args, attrs, type }, writer) {
    const [left, right] = args as [Node, Node];
    const { shape: from, dtype } = left.type as TensorType;
    const { shape: matrix } = right.type as TensorType;
    const { shape, batch, rows } = attrs;
    const column = dimAt(matrix, matrix.length - 1);
    const names = writer.indices([...shape, column]);
    const onRight = [...shape.keys()].filter((axis) => axis < batch || axis >= batch + rows);
    const ranged = rangedBy(attrs, from);
    const variables = variablesOf(
      names,
      [...shape, column],
      (axis) => ranged.has(axis) || axis === shape.length || onRight.includes(axis),
      writer,
    );
    const element = binary(
      elementOf(writer.named(left), from, dtype, attrs, names, writer),
      '*',
      subscripted(
        writer.named(right),
        [...onRight, shape.length].map((axis) => named(names[axis] ?? '')),
      ),
    );
    const inner = variables.slice(batch + rows, shape.length);
    const outer = [...variables.slice(0, batch + rows), ...variables.slice(shape.length)];
    return written(notation(outer, combined('sum', inner, element)), (type as TensorType).shape, { isWhole: true });
  },
  samples: () => contractSamples,
});

function leftAt(node: TensorNode<ContractAttrs>, index: readonly Expr[], arg: ReadArgument): Expr {
  const { lowering } = view;
  if (lowering.kind !== 'element') return arg(0, index);
  const attrs = viewOf(node.attrs);
  const read: TensorNode<ViewAttrs> = { ...node, attrs, type: tensor(node.type.dtype, attrs.shape) };
  return lowering.at(read, index, arg);
}

const sample = (
  dtype: TensorType['dtype'],
  [left, right]: readonly [readonly number[], readonly number[]],
  [batch, rows]: readonly [number, number],
  shape: readonly number[],
  map: readonly (readonly [coefficients: readonly number[], offset: number, divisor?: number])[],
  outside: ViewAttrs['outside'] = false,
): Sample<ContractAttrs> => ({
  args: [left, right].map((one) => ({ dtype, shape: one, ...(dtype === 'f64' ? {} : { range: [-9, 9] as const }) })),
  attrs: {
    batch,
    rows,
    shape: shape.map(Dim.of),
    coefficients: map.map(([row]) => row.map(Dim.of)),
    offsets: map.map(([, offset]) => Dim.of(offset)),
    divisors: map.map(([, , divisor = 1]) => divisor),
    outside,
  },
});

const contractSamples: readonly Sample<ContractAttrs>[] = [
  // [y, x | i, j, c] of an image, and a kernel.
  sample(
    'f64',
    [
      [5, 6, 2],
      [3, 2, 2, 3],
    ],
    [0, 2],
    [3, 5, 3, 2, 2],
    [
      [[1, 0, 1, 0, 0], 0],
      [[0, 1, 0, 1, 0], 0],
      [[0, 0, 0, 0, 1], 0],
    ],
  ),
  // Every second place of a signal per batch, with a border and a dilation.
  sample(
    'f64',
    [
      [2, 7, 2],
      [2, 3, 2, 4],
    ],
    [1, 1],
    [2, 4, 3, 2],
    [
      [[1, 0, 0, 0], 0],
      [[0, 2, 2, 0], -2],
      [[0, 0, 0, 1], 0],
    ],
    0,
  ),
  // What a stride leaves, as a derivative reads it; a border that is not 0.
  sample('f64', [[4], [3, 2]], [0, 1], [9, 3], [[[1, -1], 1, 2]], 0),
  sample('f64', [[4], [3, 2]], [0, 1], [4, 3], [[[1, 1], -1]], 1.5),
  // A diagonal of the left side, which no contraction leads back from.
  sample(
    'f64',
    [
      [3, 3, 2],
      [2, 4],
    ],
    [0, 1],
    [3, 2],
    [
      [[1, 0], 0],
      [[1, 0], 0],
      [[0, 1], 0],
    ],
  ),
  sample(
    'f64',
    [
      [3, 4],
      [3, 4, 2],
    ],
    [0, 1],
    [5, 3, 4],
    [
      [[0, 1, 0], 0],
      [[0, 0, 1], 0],
    ],
  ),
  sample('f64', [[6], [0, 2]], [0, 1], [3, 0], [[[1, 1], 0]]),
  sample('f64', [[3], [2, 1]], [0, 1], [2, 2], [[[1, 1], 0]]),
  sample('i32', [[4], [2, 3]], [0, 1], [4, 2], [[[1, 1], -1]], 0),
];
