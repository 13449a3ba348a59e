// Rows of a table by number, and its transpose. In: table[N, …R] and ids[…I]; ids[…I] and updates[…I, …R]. Out: […I, …R]; [rows, …R], where
// rows with one id are summed.
// Holds: a negative id counts from the end as in NumPy; what is then still out of range is clamped to the nearest row, the same in both
// directions.

import { Dim, type DType, elementCount, InternalError, shapeEquals, shapeToString } from '../base/index.js';
import { type Node, tensor, type TensorType, type Type } from '../graph/index.js';
import { build as loop, type Buffer, type Expr, type Stmt } from '../kernel/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { defineOp, type NestContext, type Op, type TypeProblem } from './define.js';
import type { NoAttrs } from './identity.js';
import { clampIndex, loopsOver, zeroOf } from './lowering.js';
import { dimAt, isProblem, problem, tensors } from './problem.js';
import { called, subscripted } from './tdsl.js';
import { countOf, emptyValue, get, put, tensorAt } from './value.js';
import { writtenRows } from './written-index.js';
import { written } from './writing.js';

export type ScatterAddAttrs = { readonly rows: Dim };

const isId = (dtype: DType): boolean => dtype === 'i32' || dtype === 'i64';

/** The row of an id. Out of range it is the nearest one: an entry with such an id ends before anyone sees it (checks.ts). */
const rowOf = (id: number | bigint, rows: number): number => Math.min(Math.max(Number(id), 0), rows - 1);

const rowExpr = (id: Expr, rows: Dim): Expr => clampIndex(loop.dtypeOf(id) === 'i64' ? id : loop.apply('convert', 'i64', id), rows);

export const gather: Op<NoAttrs> = defineOp<NoAttrs>({
  name: 'gather',
  doc: 'Rows of a table by number, from 0 on; numbers out of range give the nearest row.',
  type(types) {
    const args = tensors('gather', types, 2);
    if (isProblem(args)) return args;
    const [table, ids] = args as readonly [TensorType, TensorType];
    if (!isId(ids.dtype)) return problem('dtype-mismatch', `rows are numbered by i32 or i64, not by ${ids.dtype}`, [1]);
    if (table.shape.length === 0) return problem('shape-mismatch', 'a scalar has no rows to gather', [0]);
    if (dimAt(table.shape, 0).constant === 0 && !ids.shape.some((size) => size.constant === 0))
      return problem('invalid-value', `gather from ${shapeToString(table.shape)}, which has no rows`, [0]);
    return tensor(table.dtype, [...ids.shape, ...table.shape.slice(1)]);
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp(node, [cotangent], build) {
      const [table, ids] = node.args.map(tensorOf);
      if (cotangent === undefined || table === undefined || ids === undefined) return [undefined, undefined];
      return [applyTensor(build, scatterAdd, [ids, cotangent], { rows: dimAt(table.type.shape, 0) }), undefined];
    },
    jvp(node, [tangent], build) {
      const ids = node.args[1];
      return [tangent === undefined || ids === undefined ? undefined : applyTensor(build, gather, [tangent, ids], {})];
    },
  },
  evaluate(args, { type, shape }) {
    const [table, ids] = [tensorAt(args, 0), tensorAt(args, 1)];
    const result = emptyValue(table.dtype, shape(type as TensorType));
    const [rows = 0, ...rest] = table.shape;
    const width = countOf(rest);
    for (let id = 0; id < ids.data.length; id++) {
      const row = rowOf(get(ids, id), rows);
      for (let at = 0; at < width; at++) put(result, id * width + at, get(table, row * width + at));
    }
    return result;
  },
  lowering: {
    kind: 'element',
    at(node, index, arg) {
      const [table, ids] = node.args.map((one) => one.type as TensorType);
      if (table === undefined || ids === undefined) throw new InternalError('lower', 'gather without arguments');
      const rank = ids.shape.length;
      return arg(0, [rowExpr(arg(1, index.slice(0, rank)), dimAt(table.shape, 0)), ...index.slice(rank)]);
    },
    cost: 0,
  },
  bounds: (_, of) => of(0),
  needs: ({ args, type }) => ({ size: dimAt((args[0]?.type as TensorType).shape, 0), count: elementCount((type as TensorType).shape) }),
  write({ args, type }, writer) {
    const [table, ids] = args as [Node, Node];
    const rows = dimAt((table.type as TensorType).shape, 0);
    return written(subscripted(writer.named(table), [writtenRows(ids, rows, writer)]), (type as TensorType).shape);
  },
  samples: () => [
    {
      args: [
        { dtype: 'f64', shape: [4, 3] },
        { dtype: 'i32', shape: [5], values: [0, 3, -1, 3, 99] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'f64', shape: [3] },
        { dtype: 'i32', shape: [], values: [-2] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'f64', shape: [3, 1, 2] },
        { dtype: 'i64', shape: [2, 2], values: [2, 0, -99, 1] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'f64', shape: [3, 2] },
        { dtype: 'i32', shape: [0] },
      ],
      attrs: {},
    },
    // Nothing is taken of nothing.
    {
      args: [
        { dtype: 'f64', shape: [0, 2] },
        { dtype: 'i32', shape: [0] },
      ],
      attrs: {},
    },
  ],
});

function scatterType(types: readonly Type[], { rows }: ScatterAddAttrs): Type | TypeProblem {
  const args = tensors('scatterAdd', types, 2);
  if (isProblem(args)) return args;
  const [ids, updates] = args as readonly [TensorType, TensorType];
  if (!isId(ids.dtype)) return problem('dtype-mismatch', `rows are numbered by i32 or i64, not by ${ids.dtype}`, [0]);
  if (updates.dtype === 'bool') return problem('dtype-mismatch', 'scatterAdd adds numbers, not bool', [1]);
  const rank = ids.shape.length;
  if (!shapeEquals(ids.shape, updates.shape.slice(0, rank)))
    return problem(
      'shape-mismatch',
      `scatterAdd of ${shapeToString(updates.shape)} to rows ${shapeToString(ids.shape)}: the first axes differ`,
      [0, 1],
    );
  return tensor(updates.dtype, [rows, ...updates.shape.slice(rank)]);
}

/** Zeros everywhere, then one id after the other, so that equal ids never meet; the row itself in vector lanes. */
function scatterNest(ids: Buffer, updates: Buffer, result: Buffer, rows: Dim, context: NestContext): Stmt[] {
  const rank = ids.shape.length;
  const rest = updates.shape.slice(rank);
  const add = (at: readonly Expr[]): readonly Stmt[] => {
    const row = context.fresh('row');
    return [
      { kind: 'let', name: row, value: rowExpr(loop.load(ids, at), rows) },
      ...loopsOver(rest, 'r', context, (along) => {
        const index = [loop.name(row, 'i64'), ...along];
        return [
          {
            kind: 'store',
            buffer: result,
            index,
            value: loop.apply('add', result.dtype, loop.load(result, index), loop.load(updates, [...at, ...along])),
          },
        ];
      }),
    ];
  };
  return [
    ...loopsOver(result.shape, 'z', context, (at) => [{ kind: 'store', buffer: result, index: at, value: zeroOf(result.dtype) }]),
    ...loopsOver(ids.shape, 'i', context, add, false),
  ];
}

export const scatterAdd: Op<ScatterAddAttrs> = defineOp<ScatterAddAttrs>({
  name: 'scatterAdd',
  doc: 'Adds each update to its row of zeros: the transpose of gather.',
  type: scatterType,
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp(node, [cotangent], build) {
      const ids = node.args[0];
      return [undefined, cotangent === undefined || ids === undefined ? undefined : applyTensor(build, gather, [cotangent, ids], {})];
    },
    jvp(node, [, tangent], build) {
      const ids = node.args[0];
      return [tangent === undefined || ids === undefined ? undefined : applyTensor(build, scatterAdd, [ids, tangent], node.attrs)];
    },
  },
  evaluate(args, { type, shape }) {
    const [ids, updates] = [tensorAt(args, 0), tensorAt(args, 1)];
    const result = emptyValue(updates.dtype, shape(type as TensorType));
    const [rows = 0, ...rest] = result.shape;
    const width = countOf(rest);
    for (let id = 0; id < ids.data.length; id++) {
      const row = rowOf(get(ids, id), rows);
      for (let at = 0; at < width; at++) {
        const [before, more] = [get(result, row * width + at), get(updates, id * width + at)];
        put(result, row * width + at, typeof before === 'bigint' ? BigInt.asIntN(64, before + BigInt(more)) : before + Number(more));
      }
    }
    return result;
  },
  lowering: {
    kind: 'nest',
    build(node, context) {
      const [ids, updates] = context.args;
      const [result] = context.results;
      if (ids === undefined || updates === undefined || result === undefined)
        throw new InternalError('lower', 'scatterAdd without storage');
      return scatterNest(ids, updates, result, node.attrs.rows, context);
    },
  },
  needs: ({ args, attrs }) => ({ size: attrs.rows, count: elementCount((args[1]?.type as TensorType).shape) }),
  write({ args, attrs: { rows }, type }, writer) {
    const [ids, updates] = args as [Node, Node];
    const added = called('scatterAdd', [writtenRows(ids, rows, writer), writer.exact(updates)], { rows: writer.size(rows) });
    return written(added, (type as TensorType).shape);
  },
  samples: () => [
    {
      args: [
        { dtype: 'i32', shape: [5], values: [0, 3, -1, 3, 99] },
        { dtype: 'f64', shape: [5, 2] },
      ],
      attrs: { rows: Dim.of(4) },
    },
    {
      args: [
        { dtype: 'i32', shape: [], values: [1] },
        { dtype: 'f64', shape: [] },
      ],
      attrs: { rows: Dim.of(3) },
    },
    {
      args: [
        { dtype: 'i64', shape: [2, 2], values: [1, 1, 0, -1] },
        { dtype: 'f64', shape: [2, 2, 3] },
      ],
      attrs: { rows: Dim.of(3) },
    },
    {
      args: [
        { dtype: 'i32', shape: [0] },
        { dtype: 'f64', shape: [0, 2] },
      ],
      attrs: { rows: Dim.of(2) },
    },
    {
      args: [
        { dtype: 'i32', shape: [3], values: [1, 1, 0] },
        { dtype: 'i64', shape: [3] },
      ],
      attrs: { rows: Dim.of(2) },
    },
  ],
});
