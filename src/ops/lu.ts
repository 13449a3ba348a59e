// Factors of square matrices: P A = L U with partial pivoting, or A = L U. In: f32 or f64 of [batch…, N, N]. Out: L and U in one matrix, L
// below the diagonal (its own diagonal is ones) and U on and above it; i32 of [batch…, N]: which row of A stands where in P A.
// Holds: an exactly singular matrix has a zero on U's diagonal, as in LAPACK's getrf, and everything stays finite; without pivots, a zero
// that is divided by gives infinities and NaN.

import { Dim, elementCount, InternalError, limits, type Shape } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode } from '../graph/index.js';
import { type Accumulator, type Buffer, build as loop, type Expr, type For, type Stmt } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { defineOp, type NestContext, type Op } from './define.js';
import { gather, scatterAdd } from './gather.js';
import { loopsOver } from './lowering.js';
import { item, sizeAs, spread } from './make.js';
import { matmul } from './matmul.js';
import { dimAt, isProblem, oneTensor } from './problem.js';
import { reshape } from './reshape.js';
import { scalars } from './scalars.js';
import { iota } from './sources.js';
import { squareProblem, substituted, substitutedBack } from './substitute.js';
import { swapLast } from './transpose.js';
import { called, patternOf, truth } from './tdsl.js';
import { partOf, unitLower } from './triangle.js';
import { emptyValue, put, tensorAt } from './value.js';
import { namesFor } from './writing.js';

export type LuAttrs = { readonly pivots: boolean };

const lower = { upper: false, unit: true };
const upper = { upper: true, unit: false };

/** The factors and the order of rows of a node. */
const resultsOf = (build: GraphBuilder, node: Node): readonly [TensorNode, TensorNode] => [item(build, node, 0), item(build, node, 1)];

/** Rows of all matrices as rows of one table, and the number in it of each row of P A. */
function rowsOf(build: GraphBuilder, x: TensorNode, order: TensorNode): { readonly table: TensorNode; readonly ids: TensorNode } {
  const [n, columns] = x.type.shape.slice(-2) as [Dim, Dim];
  const batch = elementCount(x.type.shape.slice(0, -2));
  const shape = [batch, n];
  const matrix = applyTensor(build, iota, [], { shape, axis: 0, dtype: 'i32' });
  const first = scalars.mul(build, matrix, spread(build, sizeAs(build, n, 'i32'), shape));
  const ids = scalars.add(build, first, applyTensor(build, reshape, [order], { shape }));
  return {
    table: applyTensor(build, reshape, [x], { shape: [batch.mul(n), columns] }),
    ids: applyTensor(build, reshape, [ids], { shape: [batch.mul(n)] }),
  };
}

/** P X. */
function reordered(build: GraphBuilder, x: TensorNode, order: TensorNode, pivots: boolean): TensorNode {
  if (!pivots || isEmpty(x)) return x;
  const { table, ids } = rowsOf(build, x, order);
  return applyTensor(build, reshape, [applyTensor(build, gather, [table, ids], {})], { shape: x.type.shape });
}

/** Pᵀ X. */
function orderedBack(build: GraphBuilder, x: TensorNode, order: TensorNode, pivots: boolean): TensorNode {
  if (!pivots || isEmpty(x)) return x;
  const { table, ids } = rowsOf(build, x, order);
  const rows = dimAt(table.type.shape, 0);
  return applyTensor(build, reshape, [applyTensor(build, scatterAdd, [ids, table], { rows })], { shape: x.type.shape });
}

const isEmpty = (x: TensorNode): boolean => x.type.shape.some((dim) => dim.constant === 0);

const product = (build: GraphBuilder, a: TensorNode, b: TensorNode): TensorNode => applyTensor(build, matmul, [a, b], {});

interface Matrices {
  readonly arg: Buffer;
  readonly factors: Buffer;
  readonly order: Buffer;
  /** Which of the batch. */
  readonly at: readonly Expr[];
}

/** One matrix: a copy of it is eliminated column after column, row by row, in lanes along rows. */
function factorNest({ arg, factors, order, at }: Matrices, size: Dim, pivots: boolean, nest: NestContext): readonly Stmt[] {
  const { dtype } = factors;
  const n = loop.size(size);
  const cell = (row: Expr, column: Expr): Expr => loop.load(factors, [...at, row, column]);
  const put = (row: Expr, column: Expr, value: Expr): Stmt => ({ kind: 'store', buffer: factors, index: [...at, row, column], value });
  const over = (axis: For['axis'], stem: string, extent: Expr, body: (index: Expr) => readonly Stmt[]): Stmt => {
    const index = nest.fresh(stem);
    return { kind: 'for', index, extent, axis, body: body(loop.index(index)) };
  };
  const named = (stem: string, value: Expr): { readonly let: Stmt; readonly name: Expr } => {
    const name = nest.fresh(stem);
    return { let: { kind: 'let', name, value }, name: loop.name(name, loop.dtypeOf(value)) };
  };

  const exchange = (k: Expr): readonly Stmt[] => {
    const best: Accumulator = { name: nest.fresh('best'), dtype, shape: [] };
    const pivot: Accumulator = { name: nest.fresh('pivot'), dtype: 'i64', shape: [] };
    const search = over('serial', 'below', loop.minus(n, k), (below) => {
      const row = loop.plus(k, below);
      const length = named('length', loop.apply('abs', dtype, cell(row, k)));
      return [
        length.let,
        {
          kind: 'if',
          condition: loop.apply('gt', 'bool', length.name, loop.read(best)),
          then: [
            { kind: 'assign', accumulator: best, index: [], value: length.name },
            { kind: 'assign', accumulator: pivot, index: [], value: row },
          ],
        },
      ];
    });
    const found = named('found', loop.read(pivot));
    const [mine, other] = [k, found.name].map((row) => named('place', loop.load(order, [...at, row])));
    return [
      { kind: 'declare', accumulator: best, initial: loop.constant(dtype, -1) },
      { kind: 'declare', accumulator: pivot, initial: k },
      search,
      found.let,
      (mine as typeof found).let,
      (other as typeof found).let,
      { kind: 'store', buffer: order, index: [...at, found.name], value: (mine as typeof found).name },
      { kind: 'store', buffer: order, index: [...at, k], value: (other as typeof found).name },
      over('vector', 'c', n, (column) => {
        const [above, below] = [named('above', cell(k, column)), named('under', cell(found.name, column))];
        return [above.let, below.let, put(found.name, column, above.name), put(k, column, below.name)];
      }),
    ];
  };

  const eliminate = (k: Expr): readonly Stmt[] => {
    const pivot = named('value', cell(k, k));
    const next = loop.plus(k, loop.int(1));
    const left = loop.minus(loop.minus(n, loop.int(1)), k);
    return [
      pivot.let,
      over('serial', 'r', left, (below) => {
        const row = loop.plus(next, below);
        const old = named('old', cell(row, k));
        const zero = loop.constant(dtype, 0);
        // Where the whole column is zero, nothing is divided by it.
        const quotient = loop.apply('div', dtype, old.name, pivot.name);
        const factor = named('factor', loop.apply('select', dtype, loop.apply('eq', 'bool', old.name, zero), old.name, quotient));
        return [
          old.let,
          factor.let,
          put(row, k, factor.name),
          over('vector', 'c', left, (beside) => {
            const column = loop.plus(next, beside);
            const less = loop.apply('neg', dtype, factor.name);
            return [put(row, column, loop.apply('muladd', dtype, less, cell(k, column), cell(row, column)))];
          }),
        ];
      }),
    ];
  };

  return [
    over('serial', 'r', n, (row) => [
      { kind: 'store', buffer: order, index: [...at, row], value: loop.apply('convert', 'i32', row) },
      over('vector', 'c', n, (column) => [put(row, column, loop.load(arg, [...at, row, column]))]),
    ]),
    over('serial', 'k', n, (k) => [...(pivots ? exchange(k) : []), ...eliminate(k)]),
  ];
}

function nestOf(shape: Shape, { pivots }: LuAttrs, nest: NestContext): readonly Stmt[] {
  const [arg] = nest.args;
  const [factors, order] = nest.results;
  if (arg === undefined || factors === undefined || order === undefined) throw new InternalError('lower', 'lu without storage');
  if (shape.some((dim) => dim.constant === 0)) return [];
  const size = dimAt(shape, shape.length - 1);
  return loopsOver(shape.slice(0, -2), 'b', nest, (at) => factorNest({ arg, factors, order, at }, size, pivots, nest), false);
}

/** In place; the order of rows is returned. */
function factorOne(work: Float64Array, n: number, pivots: boolean): readonly number[] {
  const order = Array.from({ length: n }, (_, row) => row);
  const cell = (row: number, column: number): number => work[row * n + column] as number;
  for (let k = 0; k < n; k++) {
    let [pivot, best] = [k, -1];
    for (let row = k; pivots && row < n; row++) if (Math.abs(cell(row, k)) > best) [best, pivot] = [Math.abs(cell(row, k)), row];
    [order[k], order[pivot]] = [order[pivot] as number, order[k] as number];
    for (let column = 0; column < n; column++) {
      const [above, below] = [cell(k, column), cell(pivot, column)];
      work[pivot * n + column] = above;
      work[k * n + column] = below;
    }
    for (let row = k + 1; row < n; row++) {
      const old = cell(row, k);
      const factor = old === 0 ? old : old / cell(k, k);
      work[row * n + k] = factor;
      for (let column = k + 1; column < n; column++) work[row * n + column] = cell(row, column) - factor * cell(k, column);
    }
  }
  return order;
}

export const lu: Op<LuAttrs> = defineOp<LuAttrs>({
  name: 'lu',
  doc: 'Triangular factors of square matrices, and the order of their rows.',
  type(args) {
    const arg = oneTensor('lu', args);
    if (isProblem(arg)) return arg;
    return squareProblem('lu', arg) ?? { kind: 'tuple', items: [tensor(arg.dtype, arg.shape), tensor('i32', arg.shape.slice(0, -1))] };
  },
  derivative: {
    kind: 'rules',
    // With G = L⁻¹ P dA U⁻¹: dL = L · (G below the diagonal), dU = (G on and above it) · U. Giles, An extended collection of matrix
    // derivative results for forward and reverse mode automatic differentiation, 2008, and de Hoog, Anderssen and Lukas, Differentiation of
    // matrix functionals using triangular factorization, 2011.
    vjp(node, [cotangent], build) {
      if (cotangent === undefined) return [undefined];
      const [factors, order] = resultsOf(build, node);
      const fromLower = product(build, swapLast(build, unitLower(build, factors)), partOf(build, cotangent, 'below'));
      const fromUpper = product(build, partOf(build, cotangent, 'notBelow'), swapLast(build, partOf(build, factors, 'notBelow')));
      const inner = partOf(build, fromLower, 'below', fromUpper);
      const half = substitutedBack(build, factors, inner, lower);
      const whole = swapLast(build, substituted(build, factors, swapLast(build, half), upper));
      return [orderedBack(build, whole, order, node.attrs.pivots)];
    },
    jvp(node, [tangent], build) {
      if (tangent === undefined) return [undefined, undefined];
      const [factors, order] = resultsOf(build, node);
      const half = substituted(build, factors, reordered(build, tangent, order, node.attrs.pivots), lower);
      const inner = swapLast(build, substitutedBack(build, factors, swapLast(build, half), upper));
      const intoLower = product(build, unitLower(build, factors), partOf(build, inner, 'below'));
      const intoUpper = product(build, partOf(build, inner, 'notBelow'), partOf(build, factors, 'notBelow'));
      return [partOf(build, intoLower, 'below', intoUpper), undefined];
    },
  },
  evaluate(args, { attrs }) {
    const arg = tensorAt(args, 0);
    const n = arg.shape.at(-1) as number;
    const work = Float64Array.from(arg.data, Number);
    const factors = emptyValue(arg.dtype, arg.shape);
    const order = emptyValue('i32', arg.shape.slice(0, -1));
    for (let at = 0; at * n * n < work.length; at++)
      for (const [row, from] of factorOne(work.subarray(at * n * n, (at + 1) * n * n), n, attrs.pivots).entries())
        put(order, at * n + row, from);
    (factors.data as Float64Array).set(work);
    return [factors, order];
  },
  batched: (attrs) => attrs,
  lowering: { kind: 'nest', build: (node, nest) => nestOf(shapeOf(node), node.attrs, nest) },
  write(node, writer) {
    const names = writer.results(node, (index) => (index === 0 ? 'factors' : 'order'));
    const factors = called('lu', [writer.exact(node.args[0] as Node)], node.attrs.pivots ? {} : { pivots: truth(false) });
    writer.bind(patternOf(names), factors);
    return namesFor(names, [shapeOf(node), shapeOf(node).slice(0, -1)]);
  },
  counts: (node) => ({ size: sizeOf(node), most: limits.rounds }),
  itemBounds: (node, index) => (index === 1 ? { low: Dim.zero, high: sizeOf(node).sub(1) } : undefined),
  samples: () =>
    [true, false].flatMap((pivots) =>
      (
        [
          [
            [3, 3],
            [2, 1, -1, 0.5, 3, 0.25, -3, 0.75, 4],
          ],
          [
            [2, 2],
            [0.25, 2, 1, 0.5],
          ],
          [[1, 1], [4]],
          [[0, 0], []],
          [
            [2, 2, 2],
            [0.5, 2, 1, 0.25, 3, 1, -1, 2],
          ],
          [[0, 2, 2], []],
        ] as const
      ).map(([shape, values]) => ({ args: [{ dtype: 'f64' as const, shape, values }], attrs: { pivots } })),
    ),
});

const shapeOf = (node: Node): Shape => tensorOf(node.args[0] as Node).type.shape;
const sizeOf = (node: Node): Dim => shapeOf(node).at(-1) as Dim;
