// Inverses of square matrices by Gauss–Jordan elimination with partial pivoting. In: floats of [batch…, N, N]. Out: the same shape.
// Holds: a singular matrix gives the infinities and NaN that dividing by a zero pivot gives.

import { InternalError, isFloat, type Shape, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { build as loop, type Accumulator, type Buffer, type Expr, type For, type Stmt } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { defineOp, type NestContext, type Op } from './define.js';
import { elementwise } from './elementwise.js';
import type { NoAttrs } from './identity.js';
import { matmul } from './matmul.js';
import { dimAt, isProblem, oneTensor, problem } from './problem.js';
import { swapLast } from './transpose.js';
import { called } from './tdsl.js';
import { emptyValue, tensorAt } from './value.js';
import { written } from './writing.js';

/** −L · M · R. */
function negatedProduct(build: GraphBuilder, left: TensorNode, middle: TensorNode, right: TensorNode): TensorNode {
  const product = applyTensor(build, matmul, [applyTensor(build, matmul, [left, middle], {}), right], {});
  return applyTensor(build, elementwise.neg, [product], {});
}

function eliminate(work: Float64Array, result: Float64Array, n: number): void {
  for (let at = 0; at < n; at++) result[at * n + at] = 1;
  const cell = (from: Float64Array, row: number, column: number): number => from[row * n + column] as number;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    let best = -1;
    for (let row = k; row < n; row++) {
      if (Math.abs(cell(work, row, k)) > best) [best, pivot] = [Math.abs(cell(work, row, k)), row];
    }
    const value = cell(work, pivot, k);
    for (const matrix of [work, result]) {
      for (let column = 0; column < n; column++) {
        const [upper, lower] = [cell(matrix, k, column), cell(matrix, pivot, column)];
        matrix[pivot * n + column] = upper;
        matrix[k * n + column] = lower / value;
      }
    }
    for (let row = 0; row < n; row++) {
      if (row === k) continue;
      const factor = cell(work, row, k);
      for (const matrix of [work, result]) {
        for (let column = 0; column < n; column++) matrix[row * n + column] = cell(matrix, row, column) - factor * cell(matrix, k, column);
      }
    }
  }
}

function inverseNest(context: NestContext, shape: Shape): readonly Stmt[] {
  const [arg] = context.args;
  const [result] = context.results;
  if (arg === undefined || result === undefined) throw new InternalError('lower', 'inverse without storage');
  if (shape.some((dim) => dim.constant === 0)) return [];
  const size = dimAt(shape, shape.length - 1);
  const work = context.temporary(result.dtype, [size, size]);
  const batch = shape.slice(0, -2);
  const each = (axis: number, at: readonly Expr[]): readonly Stmt[] => {
    const dim = batch[axis];
    if (dim === undefined) return eliminateNest(context, { arg, result, work, at }, loop.size(size));
    const index = context.fresh('b');
    return [{ kind: 'for', index, extent: loop.size(dim), axis: 'serial', body: each(axis + 1, [...at, loop.index(index)]) }];
  };
  return each(0, []);
}

interface Matrices {
  readonly arg: Buffer;
  readonly result: Buffer;
  /** What is left of the matrix at hand. */
  readonly work: Buffer;
  /** Which matrix of the batch it is. */
  readonly at: readonly Expr[];
}

function eliminateNest(context: NestContext, { arg, result, work, at }: Matrices, n: Expr): readonly Stmt[] {
  const { dtype } = result;
  const cell = (matrix: Buffer, row: Expr, column: Expr): readonly Expr[] => (matrix === work ? [row, column] : [...at, row, column]);
  const over = (axis: For['axis'], stem: string, extent: Expr, body: (at: Expr) => readonly Stmt[]): Stmt => {
    const index = context.fresh(stem);
    return { kind: 'for', index, extent, axis, body: body(loop.index(index)) };
  };
  const call = (fn: string, ...args: Expr[]): Expr => loop.apply(fn, dtype, ...args);
  const zero = loop.constant(dtype, 0);
  const one = loop.constant(dtype, 1);

  const start = over('serial', 'r', n, (row) => [
    over('vector', 'c', n, (column) => [
      { kind: 'store', buffer: work, index: [row, column], value: loop.load(arg, cell(arg, row, column)) },
      {
        kind: 'store',
        buffer: result,
        index: cell(result, row, column),
        value: loop.apply('select', dtype, loop.apply('eq', 'bool', row, column), one, zero),
      },
    ]),
  ]);

  const step = over('serial', 'k', n, (k) => {
    const best: Accumulator = { name: context.fresh('best'), dtype, shape: [] };
    const pivot: Accumulator = { name: context.fresh('pivot'), dtype: 'i64', shape: [] };
    const [found, value] = [context.fresh('found'), context.fresh('value')];
    const search = over('serial', 'below', loop.minus(n, k), (below) => {
      const size = context.fresh('size');
      const row = loop.plus(k, below);
      return [
        { kind: 'let', name: size, value: call('abs', loop.load(work, [row, k])) },
        {
          kind: 'if',
          condition: loop.apply('gt', 'bool', loop.name(size, dtype), loop.read(best)),
          then: [
            { kind: 'assign', accumulator: best, index: [], value: loop.name(size, dtype) },
            { kind: 'assign', accumulator: pivot, index: [], value: row },
          ],
        },
      ];
    });
    const pivotRow = loop.name(found, 'i64');
    // Rows k and pivot change places, and the new row k is divided by the pivot on the way.
    const exchange = over('vector', 'c', n, (column) =>
      [work, result].flatMap((matrix): Stmt[] => {
        const [upper, lower] = [context.fresh('upper'), context.fresh('lower')];
        return [
          { kind: 'let', name: upper, value: loop.load(matrix, cell(matrix, k, column)) },
          { kind: 'let', name: lower, value: loop.load(matrix, cell(matrix, pivotRow, column)) },
          { kind: 'store', buffer: matrix, index: cell(matrix, pivotRow, column), value: loop.name(upper, dtype) },
          {
            kind: 'store',
            buffer: matrix,
            index: cell(matrix, k, column),
            value: call('div', loop.name(lower, dtype), loop.name(value, dtype)),
          },
        ];
      }),
    );
    const clear = over('serial', 'r', n, (row) => {
      const factor = context.fresh('factor');
      return [
        {
          kind: 'if',
          condition: loop.apply('ne', 'bool', row, k),
          then: [
            { kind: 'let', name: factor, value: loop.load(work, [row, k]) },
            over('vector', 'c', n, (column) =>
              [work, result].map((matrix): Stmt => {
                const product = call('mul', loop.name(factor, dtype), loop.load(matrix, cell(matrix, k, column)));
                return {
                  kind: 'store',
                  buffer: matrix,
                  index: cell(matrix, row, column),
                  value: call('sub', loop.load(matrix, cell(matrix, row, column)), product),
                };
              }),
            ),
          ],
        },
      ];
    });
    return [
      { kind: 'declare', accumulator: best, initial: loop.constant(dtype, -1) },
      { kind: 'declare', accumulator: pivot, initial: k },
      search,
      { kind: 'let', name: found, value: loop.read(pivot) },
      { kind: 'let', name: value, value: loop.load(work, [pivotRow, k]) },
      exchange,
      clear,
    ];
  });
  return [start, step];
}

export const inverse: Op<NoAttrs> = defineOp<NoAttrs>({
  name: 'inverse',
  doc: 'Inverses of square matrices, the last two axes.',
  type(args) {
    const arg = oneTensor('inverse', args);
    if (isProblem(arg)) return arg;
    if (!isFloat(arg.dtype)) return problem('dtype-mismatch', `inverse takes floats (f32, f64, f16, bf16), not ${arg.dtype}`, [0]);
    const rank = arg.shape.length;
    if (rank < 2 || !dimAt(arg.shape, rank - 2).equals(dimAt(arg.shape, rank - 1)))
      return problem('shape-mismatch', `inverse of ${shapeToString(arg.shape)}, whose last two axes are no square matrix`, [0]);
    return tensor(arg.dtype, arg.shape);
  },
  derivative: {
    kind: 'rules',
    // d(A⁻¹) = −A⁻¹ dA A⁻¹.
    vjp(node, [cotangent], build) {
      if (cotangent === undefined) return [undefined];
      const transposed = swapLast(build, tensorOf<NoAttrs>(node));
      return [negatedProduct(build, transposed, cotangent, transposed)];
    },
    jvp: (node, [tangent], build) => [
      tangent === undefined ? undefined : negatedProduct(build, tensorOf<NoAttrs>(node), tangent, tensorOf<NoAttrs>(node)),
    ],
  },
  evaluate(args) {
    const arg = tensorAt(args, 0);
    const result = emptyValue(arg.dtype, arg.shape);
    if (!(result.data instanceof Float64Array)) throw new InternalError('evaluate', `inverse of ${arg.dtype}`);
    const n = arg.shape.at(-1) as number;
    const data = Float64Array.from(arg.data, Number);
    for (let at = 0; at < data.length; at += n * n) eliminate(data.subarray(at, at + n * n), result.data.subarray(at, at + n * n), n);
    return result;
  },
  batched: (attrs) => attrs,
  lowering: { kind: 'nest', build: (node, context) => inverseNest(context, tensorOf<NoAttrs>(node as Node<NoAttrs>).type.shape) },
  write: ({ args, type }, writer) => written(called('inverse', [writer.exact(args[0] as Node)]), (type as TensorType).shape),
  samples: () => [
    { args: [{ dtype: 'f64', shape: [3, 3], values: [2, 1, -1, 0.5, 3, 0.25, -1, 0.75, 4] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [2, 2], values: [0, 2, 1, 0.5] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [1, 1], values: [4] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [0, 0] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [2, 2, 2], values: [0, 2, 1, 0.5, 3, 1, -1, 2] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [0, 2, 2] }], attrs: {} },
  ],
});
