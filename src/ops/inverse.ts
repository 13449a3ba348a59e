// Inverse of a square matrix by Gauss–Jordan elimination with partial pivoting. In: [N, N] floats. Out: [N, N].
// Holds: a singular matrix gives the infinities and NaN that dividing by a zero pivot gives.

import { type Dim, InternalError, isFloat, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode } from '../graph/index.js';
import { build as loop, type Accumulator, type Expr, type For, type Stmt } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { defineOp, type NestContext, type Op } from './define.js';
import { elementwise } from './elementwise.js';
import type { NoAttrs } from './identity.js';
import { matmul } from './matmul.js';
import { dimAt, isProblem, oneTensor, problem } from './problem.js';
import { swapLast } from './transpose.js';
import { emptyValue, tensorAt } from './value.js';

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

function inverseNest(context: NestContext, size: Dim): readonly Stmt[] {
  const [arg] = context.args;
  const [result] = context.results;
  if (arg === undefined || result === undefined) throw new InternalError('lower', 'inverse without storage');
  const { dtype } = result;
  const work = context.temporary(dtype, [size, size]);
  const n = loop.size(size);
  const over = (axis: For['axis'], stem: string, extent: Expr, body: (at: Expr) => readonly Stmt[]): Stmt => {
    const index = context.fresh(stem);
    return { kind: 'for', index, extent, axis, body: body(loop.index(index)) };
  };
  const call = (fn: string, ...args: Expr[]): Expr => loop.apply(fn, dtype, ...args);
  const zero = loop.constant(dtype, 0);
  const one = loop.constant(dtype, 1);

  const start = over('serial', 'r', n, (row) => [
    over('vector', 'c', n, (column) => [
      { kind: 'store', buffer: work, index: [row, column], value: loop.load(arg, [row, column]) },
      {
        kind: 'store',
        buffer: result,
        index: [row, column],
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
          { kind: 'let', name: upper, value: loop.load(matrix, [k, column]) },
          { kind: 'let', name: lower, value: loop.load(matrix, [pivotRow, column]) },
          { kind: 'store', buffer: matrix, index: [pivotRow, column], value: loop.name(upper, dtype) },
          { kind: 'store', buffer: matrix, index: [k, column], value: call('div', loop.name(lower, dtype), loop.name(value, dtype)) },
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
                const product = call('mul', loop.name(factor, dtype), loop.load(matrix, [k, column]));
                return {
                  kind: 'store',
                  buffer: matrix,
                  index: [row, column],
                  value: call('sub', loop.load(matrix, [row, column]), product),
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
  doc: 'Inverse of a square matrix.',
  type(args) {
    const arg = oneTensor('inverse', args);
    if (isProblem(arg)) return arg;
    if (!isFloat(arg.dtype)) return problem('dtype-mismatch', `inverse takes floats (f32, f64, f16, bf16), not ${arg.dtype}`, [0]);
    if (arg.shape.length !== 2 || !dimAt(arg.shape, 0).equals(dimAt(arg.shape, 1)))
      return problem('shape-mismatch', `inverse of ${shapeToString(arg.shape)}, which is no square matrix`, [0]);
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
    eliminate(Float64Array.from(arg.data, Number), result.data, arg.shape[0] as number);
    return result;
  },
  lowering: { kind: 'nest', build: (node, context) => inverseNest(context, dimAt(tensorOf<NoAttrs>(node as Node<NoAttrs>).type.shape, 0)) },
  samples: () => [
    { args: [{ dtype: 'f64', shape: [3, 3], values: [2, 1, -1, 0.5, 3, 0.25, -1, 0.75, 4] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [2, 2], values: [0, 2, 1, 0.5] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [1, 1], values: [4] }], attrs: {} },
    { args: [{ dtype: 'f64', shape: [0, 0] }], attrs: {} },
  ],
});
