// The order that sorts rows. In: numbers of […, N]. Out: i32 of the same shape: which element of its row comes first, second, ….
// Holds: stable: equal elements stay in their order, also from the largest to the smallest. A NaN counts as larger than every number, as in
// NumPy; −0 equals 0. N · log N comparisons.

import { Dim, InternalError, isFloat, limits, type Shape } from '../base/index.js';
import { type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { type Accumulator, type Buffer, build as loop, type Expr, type For, type Stmt } from '../kernel/index.js';
import { tensorOf } from './apply.js';
import { defineOp, type NestContext, type Op, type SampleArgument } from './define.js';
import { loopsOver } from './lowering.js';
import { dimAt, isProblem, oneTensor, problem } from './problem.js';
import { called, truth } from './tdsl.js';
import { emptyValue, get, put, tensorAt } from './value.js';
import { written } from './writing.js';

export type SortOrderAttrs = { readonly descending: boolean };

/** Whether `a` comes before `b`, wherever they stand. */
function comesBefore(a: number | bigint, b: number | bigint, descending: boolean): boolean {
  const [first, second] = descending ? [b, a] : [a, b];
  return Number.isNaN(second) ? !Number.isNaN(first) : first < second;
}

function comparison(a: Expr, b: Expr, descending: boolean): Expr {
  const [first, second] = descending ? [b, a] : [a, b];
  const less = loop.apply('lt', 'bool', first, second);
  if (!isFloat(loop.dtypeOf(a))) return less;
  const [isNumber, isNone] = [loop.apply('eq', 'bool', first, first), loop.apply('ne', 'bool', second, second)];
  return loop.apply('or', 'bool', less, loop.apply('and', 'bool', isNumber, isNone));
}

/** The numbers of a row in some order, and where each stood: rows of buffers, or buffers of one row. */
interface Order {
  readonly ids: Buffer;
  readonly at: readonly Expr[];
  readonly keys: Buffer;
}

/** Pairs of sorted runs of `width` elements become runs of twice as many. */
function merge(n: Expr, from: Order, to: Order, width: Expr, descending: boolean, nest: NestContext): readonly Stmt[] {
  const [left, right] = ['left', 'right'].map((stem): Accumulator => ({ name: nest.fresh(stem), dtype: 'i64', shape: [] })) as [
    Accumulator,
    Accumulator,
  ];
  const named = (stem: string, value: Expr, into: Stmt[]): Expr => {
    const name = nest.fresh(stem);
    into.push({ kind: 'let', name, value });
    return loop.name(name, loop.dtypeOf(value));
  };
  const last = loop.minus(n, loop.int(1));
  const bool = (fn: string, a: Expr, b: Expr): Expr => loop.apply(fn, 'bool', a, b);

  const block = nest.fresh('pair');
  const body: Stmt[] = [];
  const twice = named('twice', loop.plus(width, width), body);
  const start = named('start', loop.times(loop.index(block), twice), body);
  const middle = named('middle', loop.smaller(loop.plus(start, width), n), body);
  const end = named('end', loop.smaller(loop.plus(start, twice), n), body);
  body.push(
    { kind: 'assign', accumulator: left, index: [], value: start },
    { kind: 'assign', accumulator: right, index: [], value: middle },
  );

  const output = nest.fresh('o');
  const step: Stmt[] = [];
  const [l, r] = [named('l', loop.read(left), step), named('r', loop.read(right), step)];
  const [mine, other] = [named('mine', loop.smaller(l, last), step), named('other', loop.smaller(r, last), step)];
  const [x, y] = [named('x', loop.load(from.keys, [mine]), step), named('y', loop.load(from.keys, [other]), step)];
  const isLess = bool('or', bool('ge', l, middle), comparison(y, x, descending));
  const takesRight = named('takes', bool('and', bool('lt', r, end), isLess), step);
  const moved = (accumulator: Accumulator, place: Expr, taken: readonly [Expr, Expr]): Stmt => ({
    kind: 'assign',
    accumulator,
    index: [],
    value: loop.apply('select', 'i64', takesRight, ...taken.map((by) => loop.plus(place, by))),
  });
  const [none, one] = [loop.int(0), loop.int(1)];
  const source = named('source', loop.apply('select', 'i64', takesRight, other, mine), step);
  const place = loop.plus(start, loop.index(output));
  step.push(
    { kind: 'store', buffer: to.ids, index: [...to.at, place], value: loop.load(from.ids, [...from.at, source]) },
    { kind: 'store', buffer: to.keys, index: [place], value: loop.apply('select', loop.dtypeOf(x), takesRight, y, x) },
    moved(left, l, [none, one]),
    moved(right, r, [one, none]),
  );
  const along: For = { kind: 'for', index: output, extent: loop.minus(end, start), axis: 'serial', body: step };
  const pairs = loop.ceilDiv(n, loop.plus(width, width));
  return [
    { kind: 'declare', accumulator: left, initial: none },
    { kind: 'declare', accumulator: right, initial: none },
    { kind: 'for', index: block, extent: pairs, axis: 'serial', body: [...body, along] },
  ];
}

/** Runs of one element, then of four times as many, until one is all: from the result to a temporary and back. */
function sortNest(
  row: (place: Expr) => Expr,
  n: Expr,
  result: Order,
  spare: Order,
  descending: boolean,
  nest: NestContext,
): readonly Stmt[] {
  const width: Accumulator = { name: nest.fresh('width'), dtype: 'i64', shape: [] };
  const isUnsorted: Accumulator = { name: nest.fresh('unsorted'), dtype: 'bool', shape: [] };
  const [index, pass] = [nest.fresh('i'), nest.fresh('pass')];
  const half = nest.fresh('w');
  const now = loop.name(half, 'i64');
  const isLeft = (reached: Expr): Expr => loop.apply('lt', 'bool', reached, n);
  return [
    {
      kind: 'for',
      index,
      extent: n,
      axis: 'vector',
      body: [
        {
          kind: 'store',
          buffer: result.ids,
          index: [...result.at, loop.index(index)],
          value: loop.apply('convert', 'i32', loop.index(index)),
        },
        { kind: 'store', buffer: result.keys, index: [loop.index(index)], value: row(loop.index(index)) },
      ],
    },
    { kind: 'declare', accumulator: width, initial: loop.int(1) },
    { kind: 'declare', accumulator: isUnsorted, initial: isLeft(loop.int(1)) },
    {
      kind: 'for',
      index: pass,
      extent: loop.int(passes),
      axis: 'serial',
      while: isUnsorted,
      body: [
        { kind: 'let', name: half, value: loop.read(width) },
        ...merge(n, result, spare, now, descending, nest),
        ...merge(n, spare, result, loop.plus(now, now), descending, nest),
        { kind: 'assign', accumulator: width, index: [], value: loop.times(now, loop.int(4)) },
        { kind: 'assign', accumulator: isUnsorted, index: [], value: isLeft(loop.times(now, loop.int(4))) },
      ],
    },
  ];
}

/** Runs of 4^passes elements are longer than any row. */
const passes = 16;

function nestOf(shape: Shape, descending: boolean, nest: NestContext): readonly Stmt[] {
  const [arg] = nest.args;
  const [result] = nest.results;
  if (arg === undefined || result === undefined) throw new InternalError('lower', 'sortOrder without storage');
  if (shape.some((dim) => dim.constant === 0)) return [];
  const size = dimAt(shape, shape.length - 1);
  const keys = nest.temporary(arg.dtype, [size]);
  const spare = { ids: nest.temporary('i32', [size]), at: [], keys: nest.temporary(arg.dtype, [size]) };
  return loopsOver(
    shape.slice(0, -1),
    'b',
    nest,
    (at) => {
      const row = (place: Expr): Expr => loop.load(arg, [...at, place]);
      return sortNest(row, loop.size(size), { ids: result, at, keys }, spare, descending, nest);
    },
    false,
  );
}

const sizeOf = (node: TensorNode<SortOrderAttrs>): Dim => dimAt(node.type.shape, node.type.shape.length - 1);

export const sortOrder: Op<SortOrderAttrs> = defineOp<SortOrderAttrs>({
  name: 'sortOrder',
  doc: 'The positions of the elements along the last axis, in the order of their values.',
  type(args) {
    const arg = oneTensor('sortOrder', args);
    if (isProblem(arg)) return arg;
    if (arg.dtype === 'bool') return problem('dtype-mismatch', 'sortOrder takes numbers, not bool', [0]);
    if (arg.shape.length === 0) return problem('shape-mismatch', `a scalar ${arg.dtype} has no order`, [0]);
    return tensor('i32', arg.shape);
  },
  derivative: { kind: 'zero' },
  evaluate(args, { attrs: { descending } }) {
    const arg = tensorAt(args, 0);
    const result = emptyValue('i32', arg.shape);
    const n = arg.shape.at(-1) as number;
    for (let start = 0; start < arg.data.length; start += n) {
      const value = (at: number): number | bigint => get(arg, start + at);
      const order = Array.from({ length: n }, (_, at) => at).sort((a, b) =>
        comesBefore(value(a), value(b), descending) ? -1 : comesBefore(value(b), value(a), descending) ? 1 : 0,
      );
      for (const [at, from] of order.entries()) put(result, start + at, from);
    }
    return result;
  },
  batched: (attrs) => attrs,
  lowering: { kind: 'nest', build: (node, nest) => nestOf(tensorOf<SortOrderAttrs>(node).type.shape, node.attrs.descending, nest) },
  write({ args, attrs: { descending }, type }, writer) {
    const flags = descending ? { descending: truth(true) } : {};
    return written(called('sortOrder', [writer.exact(args[0] as Node)], flags), (type as TensorType).shape);
  },
  bounds: (node) => ({ low: Dim.zero, high: sizeOf(node).sub(1) }),
  counts: (node) => ({ size: sizeOf(tensorOf<SortOrderAttrs>(node)), most: limits.rounds }),
  samples: () => [false, true].flatMap((descending) => rows.map((row) => ({ args: [row], attrs: { descending } }))),
});

const rows: readonly SampleArgument[] = [
  { dtype: 'f64', shape: [7], values: [2, -1, 2, 0.5, -1, 3, 0] },
  { dtype: 'f64', shape: [2, 3], values: [1, 0, -1, 2, 2, 2] },
  { dtype: 'f64', shape: [6], values: [Number.NaN, 1, -Infinity, Number.NaN, Infinity, -2] },
  { dtype: 'f64', shape: [1], values: [4] },
  { dtype: 'f64', shape: [2, 0] },
  { dtype: 'f64', shape: [0, 2] },
  { dtype: 'i64', shape: [5], values: [3, -7, 3, 0, 9] },
  { dtype: 'i32', shape: [20], range: [-3, 3] },
];
