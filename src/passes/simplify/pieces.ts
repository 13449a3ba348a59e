// Rules of pieces. In: slice, pad, concat, gather, scatterAdd. Out: less copying. Holds: sizes are compared as polynomials, so a rule fires
// for every size or for none.

import { Dim, shapeEquals } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import { isTensorNode } from '../../graph/index.js';
import { apply, concat, slice } from '../../ops/index.js';
import { arg, broadcasted, dimsOf, isOp, numbersOf } from './match.js';
import type { Rule } from './rule.js';

export const pieceRules: readonly Rule[] = [
  {
    name: 'slice-of-everything',
    doc: 'x[:] → x',
    at: ['slice'],
    apply: (node) => (isWhole(node) ? arg(node) : undefined),
  },
  {
    name: 'slice-twice',
    doc: 'x[a:b][c:d] → x[a + c : a + d]',
    at: ['slice'],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, 'slice') || numbersOf(inner, 'steps').some((step) => step !== 1)) return undefined;
      const from = dimsOf(inner, 'starts');
      const move = (dims: readonly Dim[]): Dim[] => dims.map((dim, axis) => dim.add(from[axis] as Dim));
      return apply(build, slice, [arg(inner)], {
        starts: move(dimsOf(node, 'starts')),
        stops: move(dimsOf(node, 'stops')),
        steps: numbersOf(node, 'steps'),
      });
    },
  },
  {
    name: 'slice-of-broadcast',
    doc: 'a slice along axes that a broadcast made → a smaller broadcast',
    at: ['slice'],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, 'broadcast') || !isTensorNode(node)) return undefined;
      const axes = numbersOf(inner, 'axes');
      return axes.every((axis) => isWholeAxis(node, axis)) ? broadcasted(build, arg(inner), node.type.shape, axes) : undefined;
    },
  },
  {
    name: 'slice-of-pad',
    doc: 'the slice that takes away what pad put around x → x',
    at: ['slice'],
    apply: (node) => {
      const inner = arg(node);
      if (!isOp(inner, 'pad') || !isTensorNode(node) || !shapeEquals(arg(inner).type.shape, node.type.shape)) return undefined;
      const [before, between] = [dimsOf(inner, 'before'), numbersOf(inner, 'inner')];
      const starts = dimsOf(node, 'starts');
      const same =
        starts.every((start, axis) => start.equals(before[axis] as Dim)) &&
        numbersOf(node, 'steps').every((step, axis) => step === (between[axis] as number) + 1);
      return same ? arg(inner) : undefined;
    },
  },
  {
    name: 'slice-of-concat',
    doc: 'a slice that lies in one part of a concat → a slice of that part',
    at: ['slice'],
    apply: (node, { build }) => sliceOfConcat(node, build),
  },
  {
    name: 'pad-with-nothing',
    doc: 'pad by zero elements → x',
    at: ['pad'],
    apply: (node) => {
      const none =
        [...dimsOf(node, 'before'), ...dimsOf(node, 'after')].every((dim) => dim.equals(Dim.zero)) &&
        numbersOf(node, 'inner').every((count) => count === 0);
      return none ? arg(node) : undefined;
    },
  },
  {
    name: 'concat-of-one',
    doc: 'concat(x) → x; parts of size 0 are left out',
    at: ['concat'],
    apply: (node, { build }) => {
      const axis = node.attrs['axis'] as number;
      const filled = node.args.filter((_, at) => (arg(node, at).type.shape[axis] as Dim).constant !== 0);
      const parts = filled.length === 0 ? node.args.slice(0, 1) : filled;
      if (parts.length === 1) return parts[0];
      return parts.length < node.args.length ? apply(build, concat, parts, { axis }) : undefined;
    },
  },
  {
    name: 'concat-of-concats',
    doc: 'concat(concat(x, y), z) → concat(x, y, z)',
    at: ['concat'],
    apply: (node, { build, uses }) => {
      const { axis } = node.attrs;
      const inside = (one: Node): boolean => isOp(one, 'concat') && one.attrs['axis'] === axis && uses(one) <= 1;
      if (!node.args.some(inside)) return undefined;
      return apply(
        build,
        concat,
        node.args.flatMap((one) => (inside(one) ? [...one.args] : [one])),
        { axis: axis as number },
      );
    },
  },
  {
    name: 'gather-in-order',
    doc: 'table[iota] → table, if it counts all rows',
    at: ['gather'],
    apply: (node) => (countsRows(arg(node, 1), arg(node)) ? arg(node) : undefined),
  },
  {
    name: 'scatter-in-order',
    doc: 'scatterAdd of updates to rows 0, 1, … in order → the updates',
    at: ['scatterAdd'],
    apply: (node) => {
      const [ids, updates] = [arg(node), arg(node, 1)];
      return isTensorNode(node) && shapeEquals(node.type.shape, updates.type.shape) && countsRows(ids, updates) ? updates : undefined;
    },
  },
];

/** `ids` are 0, 1, … up to the number of rows of `table`. */
function countsRows(ids: TensorNode, table: TensorNode): boolean {
  const [rows, count] = [table.type.shape[0], ids.type.shape[0]];
  return isOp(ids, 'iota') && ids.type.shape.length === 1 && rows !== undefined && count?.equals(rows) === true;
}

function isWholeAxis(node: Node, axis: number): boolean {
  const from = arg(node).type.shape[axis] as Dim;
  return (
    (dimsOf(node, 'starts')[axis] as Dim).equals(Dim.zero) &&
    (dimsOf(node, 'stops')[axis] as Dim).equals(from) &&
    numbersOf(node, 'steps')[axis] === 1
  );
}

const isWhole = (node: Node): boolean => arg(node).type.shape.every((_, axis) => isWholeAxis(node, axis));

function sliceOfConcat(node: Node, build: GraphBuilder): Node | undefined {
  const inner = arg(node);
  if (!isOp(inner, 'concat')) return undefined;
  const axis = inner.attrs['axis'] as number;
  // Backwards, the bounds mean something else.
  if ((numbersOf(node, 'steps')[axis] as number) < 0) return undefined;
  const [starts, stops] = [dimsOf(node, 'starts'), dimsOf(node, 'stops')];
  let offset = Dim.zero;
  for (const part of inner.args) {
    const end = offset.add(arg({ ...node, args: [part] }).type.shape[axis] as Dim);
    // Decidable only where the distances are numbers.
    const [before, after] = [(starts[axis] as Dim).sub(offset).constant, end.sub(stops[axis] as Dim).constant];
    if (before !== undefined && after !== undefined && before >= 0 && after >= 0) {
      const move = (dims: readonly Dim[]): Dim[] => dims.map((dim, at) => (at === axis ? dim.sub(offset) : dim));
      return apply(build, slice, [part], { starts: move(starts), stops: move(stops), steps: numbersOf(node, 'steps') });
    }
    offset = end;
  }
  return undefined;
}
