// Elements at affine indices: slices, strides, dilations, diagonals, windows, borders. In: a tensor. Out: a tensor whose element at r is
// the one at (C · r + o) / d, and a constant where that is no index of the argument.
// Holds: with `outside` false every index is inside, and every divisor 1. Its transpose is a view and a sum (see `view-transpose.ts`).

import { Dim, elementCount, InternalError, isFloat, isWide, type Shape, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { build as loop, type Expr, type Stmt } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type NestContext, type Op, type ReadArgument, type Sample } from './define.js';
import { allOf, clampIndex, loopsOver } from './lowering.js';
import { dimAt, isProblem, oneTensor, problem } from './problem.js';
import type { PadAttrs } from './pad.js';
import { reduceSum } from './reduce.js';
import { reshape } from './reshape.js';
import { get, positionOf, tabulate, tensorAt } from './value.js';
import { combined, notation } from './tdsl.js';
import { solveRows, type ViewRow } from './view-transpose.js';
import { elementOf, rangedBy, variablesOf } from './view-written.js';
import { written } from './writing.js';

export type ViewAttrs = {
  readonly shape: readonly Dim[];
  /** One row per axis of the argument, with a coefficient per axis of the result. */
  readonly coefficients: readonly (readonly Dim[])[];
  readonly offsets: readonly Dim[];
  /** What the sum is divided by; where it is no multiple, the index is outside. */
  readonly divisors: readonly number[];
  /** What stands outside of the argument. */
  readonly outside: number | bigint | false;
};

const rowsOf = ({ coefficients, offsets, divisors }: ViewAttrs): ViewRow[] =>
  coefficients.map((row, axis) => ({ coefficients: row, offset: dimAt(offsets, axis), divisor: divisors[axis] as number }));

/** Can the map be a view? Each of its rows must have an axis of the result by which it can be solved. */
export const isView = (coefficients: readonly (readonly Dim[])[], offsets: readonly Dim[], shape: Shape): boolean =>
  solveRows(
    coefficients.map((row, axis) => ({ coefficients: row, offset: dimAt(offsets, axis), divisor: 1 })),
    shape,
  ) !== undefined;

/** Each element of `cotangent` added to the element that it was read from. */
export function addBack(build: GraphBuilder, cotangent: TensorNode, arg: TensorType, attrs: ViewAttrs): TensorNode {
  const solved = solveRows(rowsOf(attrs), attrs.shape);
  if (solved === undefined) throw new InternalError('view', 'a map that cannot be solved');
  const { free, rows, constraints } = solved;
  const all = [...rows, ...constraints];
  const lifted =
    constraints.length === 0
      ? cotangent
      : applyTensor(build, reshape, [cotangent], { shape: [...cotangent.type.shape, ...constraints.map(() => Dim.one)] });
  const shape = [...arg.shape, ...free.map((axis) => dimAt(attrs.shape, axis))];
  const read = applyTensor(build, view, [lifted], {
    shape,
    coefficients: all.map((row) => row.coefficients),
    offsets: all.map((row) => row.offset),
    divisors: all.map((row) => row.divisor),
    outside: isWide(arg.dtype) ? 0n : 0,
  });
  return free.length === 0 ? read : applyTensor(build, reduceSum, [read], { axes: free.map((_, at) => arg.shape.length + at) });
}

/** The smallest and the largest sum of a row; undefined where the sign of a coefficient is not known. */
function rangeOf({ coefficients, offset }: ViewRow, shape: Shape): { readonly low: Dim; readonly high: Dim } | undefined {
  let [low, high] = [offset, offset];
  for (const [axis, coefficient] of coefficients.entries()) {
    const most = coefficient.mul(dimAt(shape, axis).sub(1));
    if (coefficient.isNatural) high = high.add(most);
    else if (coefficient.mul(-1).isNatural) low = low.add(most);
    else return undefined;
  }
  return { low, high };
}

/** Before the division, the smallest and the largest index along each axis of the argument; undefined where that is not certain. */
export const viewReach = (attrs: ViewAttrs): readonly ({ readonly low: Dim; readonly high: Dim } | undefined)[] =>
  rowsOf(attrs).map((row) => rangeOf(row, attrs.shape));

/** A row as an index of its axis, and the conditions under which it is one. */
function indexOf(row: ViewRow, size: Dim, shape: Shape, index: readonly Expr[]): { readonly at: Expr; readonly inside: readonly Expr[] } {
  let sum: Expr = loop.size(row.offset);
  // What is taken away comes last, so that sums read as they were written.
  const terms = row.coefficients.flatMap((coefficient, axis) =>
    coefficient.constant === 0 ? [] : [{ coefficient, at: index[axis] as Expr }],
  );
  const isTaken = ({ coefficient }: (typeof terms)[number]): boolean => (coefficient.constant ?? 0) < 0;
  for (const { coefficient, at } of terms.filter((term) => !isTaken(term))) sum = loop.plus(sum, loop.times(at, loop.size(coefficient)));
  for (const { coefficient, at } of terms.filter(isTaken)) sum = loop.minus(sum, loop.times(at, loop.size(coefficient.mul(-1))));
  const range = rangeOf(row, shape);
  const inside: Expr[] = [];
  const low = range?.low.isNatural === true;
  const high = range !== undefined && size.mul(row.divisor).sub(range.high).sub(1).isNatural;
  if (!low) inside.push(loop.apply('ge', 'bool', sum, loop.int(0)));
  if (!high) inside.push(loop.apply('lt', 'bool', sum, loop.size(size.mul(row.divisor))));
  if (row.divisor > 1) inside.push(loop.apply('eq', 'bool', loop.apply('rem', 'i64', sum, loop.int(row.divisor)), loop.int(0)));
  const quotient = row.divisor > 1 ? loop.apply('div', 'i64', sum, loop.int(row.divisor)) : sum;
  return { at: low && high ? quotient : clampIndex(quotient, size), inside };
}

function elementAt(node: TensorNode<ViewAttrs>, index: readonly Expr[], arg: ReadArgument): Expr {
  const { shape } = node.args[0]?.type as TensorType;
  const { outside } = node.attrs;
  const rows = rowsOf(node.attrs);
  if (outside === false) {
    return arg(
      0,
      rows.map((row) => plainIndex(row, index)),
    );
  }
  const border = loop.constant(node.type.dtype, outside);
  if (shape.some((size) => size.constant === 0)) return border;
  const found = rows.map((row, axis) => indexOf(row, dimAt(shape, axis), node.attrs.shape, index));
  const conditions = found.flatMap(({ inside }) => inside);
  const value = arg(
    0,
    found.map(({ at }) => at),
  );
  return conditions.length === 0 ? value : loop.apply('select', node.type.dtype, allOf(conditions), value, border);
}

/** A row whose indices are all inside. */
const plainIndex = (row: ViewRow, index: readonly Expr[]): Expr => {
  const added = row.coefficients.reduce<Expr>(
    (sum, coefficient, axis) =>
      (coefficient.constant ?? 0) < 0 ? sum : loop.plus(sum, loop.times(index[axis] as Expr, loop.size(coefficient))),
    loop.size(row.offset),
  );
  return row.coefficients.reduce<Expr>(
    (sum, coefficient, axis) =>
      (coefficient.constant ?? 0) < 0 ? loop.minus(sum, loop.times(index[axis] as Expr, loop.size(coefficient.mul(-1)))) : sum,
    added,
  );
};

/** Border everywhere, then the elements whose index is inside. */
function nestOf({ attrs }: TensorNode<ViewAttrs>, nest: NestContext): readonly Stmt[] {
  const [arg, result] = [nest.args[0], nest.results[0]];
  if (arg === undefined || result === undefined || attrs.outside === false) throw new InternalError('lower', 'view without storage');
  const border = loop.constant(result.dtype, attrs.outside);
  const rows = rowsOf(attrs);
  return [
    ...loopsOver(result.shape, 'z', nest, (index) => [{ kind: 'store', buffer: result, index, value: border }]),
    ...loopsOver(
      result.shape,
      'i',
      nest,
      (index) => {
        const found = rows.map((row, axis) => indexOf(row, dimAt(arg.shape, axis), attrs.shape, index));
        const some = arg.shape.map((size) => loop.apply('gt', 'bool', loop.size(size), loop.int(0)));
        const at = found.map((one) => one.at);
        return [
          {
            kind: 'if',
            condition: allOf([...some, ...found.flatMap(({ inside }) => inside)]),
            then: [{ kind: 'store', buffer: result, index, value: loop.load(arg, at) }],
          },
        ];
      },
      false,
    ),
  ];
}

/** Whether an axis of what is read may turn out to be empty although the result is not: then no index may be read. */
export const mayReadNothing = (from: Shape, { outside, shape }: Pick<ViewAttrs, 'outside' | 'shape'>): boolean =>
  outside !== false && from.some((size) => size.constant !== 0 && !size.isPositive && elementCount(shape).divideExact(size) === undefined);

/**
 * The zeros around a tensor and between its elements that make every index of a view one of them; undefined where sizes decide whether
 * there are any.
 */
export function borderOf(from: Shape, attrs: ViewAttrs): PadAttrs | undefined {
  const reach = viewReach(attrs);
  const axes = from.map((size, axis) => {
    const [range, divisor] = [reach[axis], attrs.divisors[axis] as number];
    if (range === undefined || (divisor > 1 && !size.isPositive)) return undefined;
    const [before, after] = [range.low.mul(-1), range.high.sub(size.sub(1).mul(divisor))].map(atLeastZero);
    return before === undefined || after === undefined ? undefined : { before, after, inner: divisor - 1 };
  });
  if (!axes.every((axis) => axis !== undefined)) return undefined;
  return { before: axes.map((axis) => axis.before), after: axes.map((axis) => axis.after), inner: axes.map((axis) => axis.inner) };
}

/** The larger of a size and 0; undefined where that is not certain. */
const atLeastZero = (dim: Dim): Dim | undefined => (dim.isNatural ? dim : dim.mul(-1).isNatural ? Dim.zero : undefined);

export const view: Op<ViewAttrs> = defineOp<ViewAttrs>({
  name: 'view',
  doc: 'Elements at affine indices, and a constant where an index is outside.',
  type(args, attrs) {
    const arg = oneTensor('view', args);
    if (isProblem(arg)) return arg;
    const rank = arg.shape.length;
    const { shape, coefficients, offsets, divisors, outside } = attrs;
    if (coefficients.length !== rank || offsets.length !== rank || divisors.length !== rank)
      return problem('shape-mismatch', `view of ${shapeToString(arg.shape)} needs ${rank} rows of coefficients, offsets and divisors`, [0]);
    if (coefficients.some((row) => row.length !== shape.length))
      return problem('shape-mismatch', `view as ${shapeToString(shape)} needs ${shape.length} coefficients in each row`, [0]);
    if (divisors.some((divisor) => !Number.isSafeInteger(divisor) || divisor < 1 || (divisor > 1 && outside === false)))
      return problem('invalid-value', `view: the divisors ${divisors.join(', ')}`, [0]);
    if (outside !== false && ((typeof outside === 'bigint') !== isWide(arg.dtype) || (!isFloat(arg.dtype) && Number(outside) % 1 !== 0)))
      return problem('dtype-mismatch', `view: ${outside} is not written as ${arg.dtype}`, [0]);
    for (const [axis, row] of rowsOf(attrs).entries()) {
      const range = outside === false && shape.every((size) => size.constant !== 0) ? rangeOf(row, shape) : undefined;
      const size = dimAt(arg.shape, axis);
      if (range !== undefined && ((range.low.constant ?? 0) < 0 || (size.sub(range.high).sub(1).constant ?? 0) < 0))
        return problem(
          'index-out-of-range',
          `view: indices from ${range.low} to ${range.high} of axis ${axis}, whose size is ${size}`,
          [0],
        );
    }
    if (solveRows(rowsOf(attrs), shape) === undefined)
      return problem('unsupported-feature', `view of ${shapeToString(arg.shape)}: a row has no coefficient that is a number`, [0]);
    return tensor(arg.dtype, shape);
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp: (node, [cotangent], build) => [
      cotangent === undefined ? undefined : addBack(build, cotangent, node.args[0]?.type as TensorType, node.attrs),
    ],
    jvp: (node, [tangent], build) => [
      tangent === undefined
        ? undefined
        : applyTensor(build, view, [tangent], { ...node.attrs, outside: node.attrs.outside === false ? false : 0 }),
    ],
  },
  evaluate(args, { attrs, type, shape, size }) {
    const arg = tensorAt(args, 0);
    const rows = rowsOf(attrs).map(({ coefficients, offset, divisor }) => ({
      coefficients: coefficients.map(size),
      offset: size(offset),
      divisor,
    }));
    return tabulate(arg.dtype, shape(type as TensorType), (index) => {
      const at = rows.map(
        ({ coefficients, offset, divisor }) =>
          coefficients.reduce((sum, coefficient, axis) => sum + coefficient * (index[axis] as number), offset) / divisor,
      );
      const inside = at.every((one, axis) => Number.isInteger(one) && one >= 0 && one < (arg.shape[axis] as number));
      if (inside) return get(arg, positionOf(arg.shape, at));
      if (attrs.outside === false)
        throw new InternalError('evaluate', `view reads outside of [${arg.shape.join(', ')}] at [${at.join(', ')}]`);
      return attrs.outside;
    });
  },
  batched({ shape, coefficients, offsets, divisors, outside }, prefix) {
    const none = prefix.map(() => Dim.zero);
    return {
      shape: [...prefix, ...shape],
      coefficients: [
        ...prefix.map((_, at) => [...prefix.map((_, to) => (to === at ? Dim.one : Dim.zero)), ...shape.map(() => Dim.zero)]),
        ...coefficients.map((row) => [...none, ...row]),
      ],
      offsets: [...none, ...offsets],
      divisors: [...prefix.map(() => 1), ...divisors],
      outside,
    };
  },
  lowering: {
    kind: 'element',
    at: elementAt,
    cost: 0,
    ownNest: { when: ({ args, attrs }) => mayReadNothing((args[0]?.type as TensorType).shape, attrs), build: nestOf },
  },
  repeats: true,
  write({ args, attrs, type }, writer) {
    const arg = args[0] as Node;
    const { shape: from, dtype } = arg.type as TensorType;
    const { shape } = type as TensorType;
    // One element: index notation has an index at least.
    const isScalar = shape.length === 0;
    const map = isScalar ? { ...attrs, shape: [Dim.one], coefficients: attrs.coefficients.map(() => [Dim.zero]) } : attrs;
    const names = writer.indices(map.shape);
    const ranged = rangedBy(map, from);
    const variables = variablesOf(names, map.shape, (axis) => ranged.has(axis), writer);
    const element = elementOf(writer.named(arg), from, dtype, map, names, writer);
    const whole = isScalar ? combined(dtype === 'bool' ? 'any' : 'sum', variables, element) : notation(variables, element);
    return written(whole, shape, { isWhole: true });
  },
  keepsFinite: ({ attrs }) => attrs.outside === false || Number.isFinite(Number(attrs.outside)),
  samples: () => viewSamples,
});

const sample = (
  from: readonly number[],
  shape: readonly number[],
  coefficients: readonly (readonly number[])[],
  offsets: readonly number[],
  outside: ViewAttrs['outside'],
  divisors: readonly number[] = offsets.map(() => 1),
  dtype: TensorType['dtype'] = 'f64',
): Sample<ViewAttrs> => ({
  args: [{ dtype, shape: from }],
  attrs: {
    shape: shape.map(Dim.of),
    coefficients: coefficients.map((row) => row.map(Dim.of)),
    offsets: offsets.map(Dim.of),
    divisors,
    outside,
  },
});

const viewSamples: readonly Sample<ViewAttrs>[] = [
  // Every second element, backwards.
  sample([5], [3], [[-2]], [4], false),
  // Windows, with a border and a dilation.
  sample([6], [6, 3], [[1, 2]], [-2], 0),
  sample(
    [7, 2],
    [2, 3, 2],
    [
      [2, 1, 0],
      [0, 0, 1],
    ],
    [0, 0],
    false,
  ),
  // A diagonal, and a band beside it.
  sample([4, 4], [4], [[1], [1]], [0, 0], false),
  sample(
    [4, 4],
    [4, 3],
    [
      [1, 0],
      [1, 1],
    ],
    [0, -1],
    0,
  ),
  // One element for every third, and what is not asked for.
  sample([3], [7], [[1]], [-1], 0, [3]),
  sample([3, 4], [2], [[0], [2]], [1, 0], false),
  sample([3], [2, 2], [[2, 2]], [0], 1.5),
  // Axes that mix, so that an element is read where two equations hold.
  sample(
    [5, 5],
    [3, 3],
    [
      [1, 1],
      [1, -1],
    ],
    [0, 2],
    false,
  ),
  sample([2], [], [[]], [1], false),
  sample([0], [2], [[1]], [0], 2),
  sample([3], [0, 2], [[1, 1]], [0], 0),
  sample([4], [3], [[1]], [2], 7n, [1], 'i64'),
  sample([4], [4], [[1]], [-1], 1, [1], 'bool'),
];
