// Systems with triangular matrices, by substitution. In: T of [batch…, N, N], of which one triangle is read, and B of [batch…, N, M], both
// f32 or f64. Out: X of [batch…, N, M] with T X = B.
// Holds: a zero on the diagonal gives the infinities and NaN of dividing by it; with `unit` the diagonal is not read and counts as ones.

import { type Dim, type DType, InternalError, type Shape, shapeEquals, shapeToString } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType, type Type } from '../graph/index.js';
import { type Accumulator, type Buffer, build as loop, type Expr, type For, type Stmt } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { defineOp, type NestContext, type Op, type TypeProblem } from './define.js';
import { loopsOver, zeroOf } from './lowering.js';
import { matmul } from './matmul.js';
import { dimAt, isProblem, problem, tensors } from './problem.js';
import { scalars } from './scalars.js';
import { swapLast } from './transpose.js';
import { called, truth } from './tdsl.js';
import { partOf } from './triangle.js';
import { countOf, emptyValue, tensorAt } from './value.js';
import { written } from './writing.js';

export type SubstituteAttrs = { readonly upper: boolean; readonly unit: boolean };

const mayFactor = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f64';

/** Refuses what has no square matrices of f32 or f64 in its last two axes. */
export function squareProblem(name: string, { dtype, shape }: TensorType): TypeProblem | undefined {
  if (!mayFactor(dtype)) return problem('dtype-mismatch', `${name} takes matrices of f32 or f64, not of ${dtype}`, [0]);
  const rank = shape.length;
  return rank < 2 || !dimAt(shape, rank - 2).equals(dimAt(shape, rank - 1))
    ? problem('shape-mismatch', `${name} of ${shapeToString(shape)}, whose last two axes are no square matrix`, [0])
    : undefined;
}

function typeOf(args: readonly Type[]): Type | TypeProblem {
  const two = tensors('substitute', args, 2);
  if (isProblem(two)) return two;
  const [matrix, right] = two as [TensorType, TensorType];
  const wrong = squareProblem('substitute', matrix);
  if (wrong !== undefined) return wrong;
  if (matrix.dtype !== right.dtype)
    return problem('dtype-mismatch', `substitute of ${matrix.dtype} and ${right.dtype}: element types never mix`, [0, 1]);
  if (matrix.shape.length !== right.shape.length || !shapeEquals(matrix.shape.slice(0, -1), right.shape.slice(0, -1)))
    return problem(
      'shape-mismatch',
      `substitute of ${shapeToString(matrix.shape)} and ${shapeToString(right.shape)}: all axes but the last are those of the matrix`,
      [0, 1],
    );
  return tensor(right.dtype, right.shape);
}

/** T⁻¹ B of nodes; the other triangle of the transpose is read when T is transposed. */
export const substituted = (build: GraphBuilder, matrix: TensorNode, right: TensorNode, attrs: SubstituteAttrs): TensorNode =>
  applyTensor(build, substitute, [matrix, right], attrs);

/** T⁻ᵀ B. */
export const substitutedBack = (build: GraphBuilder, matrix: TensorNode, right: TensorNode, { upper, unit }: SubstituteAttrs): TensorNode =>
  substituted(build, swapLast(build, matrix), right, { upper: !upper, unit });

const partRead = ({ upper, unit }: SubstituteAttrs) => (upper ? (unit ? 'above' : 'notBelow') : unit ? 'below' : 'notAbove');

interface Places {
  readonly matrix: Buffer;
  readonly right: Buffer;
  readonly result: Buffer;
  /** Which of the batch. */
  readonly at: readonly Expr[];
}

/** One system: row after row, each less what the rows before it contribute. */
function solveRows({ matrix, right, result, at }: Places, attrs: SubstituteAttrs, rows: Dim, columns: Dim, nest: NestContext): Stmt {
  const { dtype } = result;
  const over = (axis: For['axis'], stem: string, extent: Expr, body: (index: Expr) => readonly Stmt[]): Stmt => {
    const index = nest.fresh(stem);
    return { kind: 'for', index, extent, axis, body: body(loop.index(index)) };
  };
  const size = loop.size(rows);
  return over('serial', 'k', size, (k) => {
    const row = attrs.upper ? loop.minus(loop.minus(size, loop.int(1)), k) : k;
    const before = (j: Expr): Expr => (attrs.upper ? loop.plus(loop.plus(row, loop.int(1)), j) : j);
    const pivot = loop.load(matrix, [...at, row, row]);
    const divided = (value: Expr): Expr => (attrs.unit ? value : loop.apply('div', dtype, value, pivot));
    if (columns.constant === 1) {
      const sum: Accumulator = { name: nest.fresh('sum'), dtype, shape: [] };
      const place = [...at, row, loop.int(0)];
      const value = divided(loop.apply('sub', dtype, loop.load(result, place), loop.read(sum)));
      return [
        { kind: 'store', buffer: result, index: place, value: loop.load(right, place) },
        { kind: 'declare', accumulator: sum, initial: zeroOf(dtype) },
        over('vector', 'j', k, (j) => {
          const known = loop.load(result, [...at, before(j), loop.int(0)]);
          const product = loop.apply('mul', dtype, loop.load(matrix, [...at, row, before(j)]), known);
          return [{ kind: 'accumulate', accumulator: sum, index: [], combine: 'sum', value: product }];
        }),
        { kind: 'store', buffer: result, index: place, value },
      ];
    }
    const alongRow = (stem: string, value: (place: readonly Expr[], column: Expr) => Expr): Stmt =>
      over('vector', stem, loop.size(columns), (column) => {
        const place = [...at, row, column];
        return [{ kind: 'store', buffer: result, index: place, value: value(place, column) }];
      });
    return [
      alongRow('c', (place) => loop.load(right, place)),
      over('serial', 'j', k, (j) => {
        const factor = nest.fresh('factor');
        const less = loop.name(factor, dtype);
        return [
          { kind: 'let', name: factor, value: loop.apply('neg', dtype, loop.load(matrix, [...at, row, before(j)])) },
          alongRow('c', (place, column) =>
            loop.apply('muladd', dtype, less, loop.load(result, [...at, before(j), column]), loop.load(result, place)),
          ),
        ];
      }),
      ...(attrs.unit ? [] : [alongRow('c', (place) => divided(loop.load(result, place)))]),
    ];
  });
}

function nestOf(shape: Shape, attrs: SubstituteAttrs, nest: NestContext): readonly Stmt[] {
  const [matrix, right] = nest.args;
  const [result] = nest.results;
  if (matrix === undefined || right === undefined || result === undefined) throw new InternalError('lower', 'substitute without storage');
  if (shape.some((dim) => dim.constant === 0)) return [];
  const [rows, columns] = shape.slice(-2) as [Dim, Dim];
  return loopsOver(shape.slice(0, -2), 'b', nest, (at) => [solveRows({ matrix, right, result, at }, attrs, rows, columns, nest)], false);
}

function evaluateOne(matrix: Float64Array, x: Float64Array, n: number, columns: number, { upper, unit }: SubstituteAttrs): void {
  for (let k = 0; k < n; k++) {
    const row = upper ? n - 1 - k : k;
    for (let column = 0; column < columns; column++) {
      let value = x[row * columns + column] as number;
      for (let j = 0; j < k; j++) {
        const other = upper ? row + 1 + j : j;
        value -= (matrix[row * n + other] as number) * (x[other * columns + column] as number);
      }
      x[row * columns + column] = unit ? value : value / (matrix[row * n + row] as number);
    }
  }
}

export const substitute: Op<SubstituteAttrs> = defineOp<SubstituteAttrs>({
  name: 'substitute',
  doc: 'Solves systems with triangular matrices; the other triangle is not read.',
  type: typeOf,
  derivative: {
    kind: 'rules',
    // X = T⁻¹ B: dX = T⁻¹ (dB − dT X), where dT has the triangle that is read.
    vjp(node, [cotangent], build) {
      if (cotangent === undefined) return [undefined, undefined];
      const flow = substitutedBack(build, tensorOf(node.args[0] as Node), cotangent, node.attrs);
      const product = applyTensor(build, matmul, [flow, swapLast(build, tensorOf<SubstituteAttrs>(node))], {});
      return [scalars.neg(build, partOf(build, product, partRead(node.attrs))), flow];
    },
    jvp(node, [matrix, right], build) {
      if (matrix === undefined && right === undefined) return [undefined];
      const moved =
        matrix === undefined
          ? undefined
          : applyTensor(build, matmul, [partOf(build, matrix, partRead(node.attrs)), tensorOf<SubstituteAttrs>(node)], {});
      const change =
        moved === undefined ? (right as TensorNode) : right === undefined ? scalars.neg(build, moved) : scalars.sub(build, right, moved);
      return [substituted(build, tensorOf(node.args[0] as Node), change, node.attrs)];
    },
  },
  evaluate(args, { attrs }) {
    const [matrix, right] = [tensorAt(args, 0), tensorAt(args, 1)];
    const result = emptyValue(right.dtype, right.shape);
    const [n, columns] = right.shape.slice(-2) as [number, number];
    const [from, to] = [Float64Array.from(matrix.data, Number), Float64Array.from(right.data, Number)];
    for (let one = 0; one < countOf(right.shape.slice(0, -2)); one++) {
      const system = to.subarray(one * n * columns, (one + 1) * n * columns);
      evaluateOne(from.subarray(one * n * n, (one + 1) * n * n), system, n, columns, attrs);
    }
    (result.data as Float64Array).set(to);
    return result;
  },
  batched: (attrs) => attrs,
  lowering: { kind: 'nest', build: (node, nest) => nestOf(tensorOf<SubstituteAttrs>(node).type.shape, node.attrs, nest) },
  write({ args, attrs, type }, writer) {
    const flags = Object.fromEntries(Object.entries(attrs).flatMap(([name, is]) => (is ? [[name, truth(true)]] : [])));
    return written(
      called(
        'substitute',
        args.map((arg) => writer.exact(arg)),
        flags,
      ),
      (type as TensorType).shape,
    );
  },
  samples: () =>
    (
      [
        [[3, 3], 2, false, false],
        [[3, 3], 2, false, true],
        [[3, 3], 2, true, false],
        [[3, 3], 2, true, true],
        [[3, 3], 1, false, false],
        [[3, 3], 1, true, true],
        [[1, 1], 3, false, false],
        [[2, 2, 2], 2, true, false],
        [[0, 0], 2, false, false],
        [[2, 2], 0, true, false],
        [[0, 3, 3], 1, false, true],
      ] as const
    ).map(([shape, columns, upper, unit]) => ({
      args: [
        { dtype: 'f64', shape, values: diagonal(shape) },
        { dtype: 'f64', shape: [...shape.slice(0, -1), columns] },
      ],
      attrs: { upper, unit },
    })),
});

/** Matrices that are far from singular, with both triangles. */
const diagonal = (shape: readonly number[]): number[] => {
  const n = shape.at(-1) as number;
  return Array.from({ length: countOf(shape) }, (_, at) => {
    const [row, column] = [Math.floor(at / n) % n, at % n];
    return row === column ? 1.5 + 0.5 * row : 0.75 * (row - column) + 0.25;
  });
};
