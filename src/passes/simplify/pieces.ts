// Rules of pieces. In: slice, pad, concat, gather, scatterAdd. Out: less copying. Holds: sizes are compared as polynomials, so a rule fires
// for every size or for none.

import { Dim, shapeEquals } from '../../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../../graph/index.js';
import { isTensorNode } from '../../graph/index.js';
import { apply, broadcast, concat, gather, iota, pad, scatterAdd, slice, type SliceAttrs } from '../../ops/index.js';
import { arg, broadcasted, isOp } from './match.js';
import { type Rule, ruleOf } from './rule.js';

export const pieceRules: readonly Rule[] = [
  ruleOf({
    name: 'slice-of-everything',
    doc: 'x[:] → x',
    at: [slice],
    apply: (node) => (isWhole(node) ? arg(node) : undefined),
  }),
  ruleOf({
    name: 'slice-twice',
    doc: 'x[a:b][c:d] → x[a + c : a + d]',
    at: [slice],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, slice) || inner.attrs.steps.some((step) => step !== 1)) return undefined;
      const from = inner.attrs.starts;
      const move = (dims: readonly Dim[]): Dim[] => dims.map((dim, axis) => dim.add(from[axis] as Dim));
      return apply(build, slice, [arg(inner)], {
        starts: move(node.attrs.starts),
        stops: move(node.attrs.stops),
        steps: node.attrs.steps,
      });
    },
  }),
  ruleOf({
    name: 'slice-of-broadcast',
    doc: 'a slice along axes that a broadcast made → a smaller broadcast',
    at: [slice],
    apply: (node, { build }) => {
      const inner = arg(node);
      if (!isOp(inner, broadcast) || !isTensorNode(node)) return undefined;
      const axes = inner.attrs.axes;
      return axes.every((axis) => isWholeAxis(node, axis)) ? broadcasted(build, arg(inner), node.type.shape, axes) : undefined;
    },
  }),
  ruleOf({
    name: 'slice-of-pad',
    doc: 'the slice that takes away what pad put around x → x',
    at: [slice],
    apply: (node) => {
      const inner = arg(node);
      if (!isOp(inner, pad) || !isTensorNode(node) || !shapeEquals(arg(inner).type.shape, node.type.shape)) return undefined;
      const [before, between] = [inner.attrs.before, inner.attrs.inner];
      const starts = node.attrs.starts;
      const same =
        starts.every((start, axis) => start.equals(before[axis] as Dim)) &&
        node.attrs.steps.every((step, axis) => step === (between[axis] as number) + 1);
      return same ? arg(inner) : undefined;
    },
  }),
  ruleOf({
    name: 'slice-of-concat',
    doc: 'a slice that lies in one part of a concat → a slice of that part',
    at: [slice],
    apply: (node, { build }) => sliceOfConcat(node, build),
  }),
  ruleOf({
    name: 'pad-with-nothing',
    doc: 'pad by zero elements → x',
    at: [pad],
    apply: (node) => {
      const none =
        [...node.attrs.before, ...node.attrs.after].every((dim) => dim.equals(Dim.zero)) && node.attrs.inner.every((count) => count === 0);
      return none ? arg(node) : undefined;
    },
  }),
  ruleOf({
    name: 'concat-of-one',
    doc: 'concat(x) → x; parts of size 0 are left out',
    at: [concat],
    apply: (node, { build }) => {
      const axis = node.attrs.axis;
      const filled = node.args.filter((_, at) => (arg(node, at).type.shape[axis] as Dim).constant !== 0);
      const parts = filled.length === 0 ? node.args.slice(0, 1) : filled;
      if (parts.length === 1) return parts[0];
      return parts.length < node.args.length ? apply(build, concat, parts, { axis }) : undefined;
    },
  }),
  ruleOf({
    name: 'concat-of-concats',
    doc: 'concat(concat(x, y), z) → concat(x, y, z)',
    at: [concat],
    apply: (node, { build, uses }) => {
      const { axis } = node.attrs;
      const most = Math.max(mostPieces, node.args.length);
      const inside = (one: Node): boolean => isOp(one, concat) && one.attrs.axis === axis && uses(one) <= 1 && one.args.length <= most;
      if (!node.args.some(inside)) return undefined;
      return apply(
        build,
        concat,
        node.args.flatMap((one) => (inside(one) ? [...one.args] : [one])),
        { axis },
      );
    },
  }),
  {
    name: 'gather-in-order',
    doc: 'table[iota] → table, if it counts all rows',
    at: [gather],
    apply: (node) => (countsRows(arg(node, 1), arg(node)) ? arg(node) : undefined),
  },
  {
    name: 'scatter-in-order',
    doc: 'scatterAdd of updates to rows 0, 1, … in order → the updates',
    at: [scatterAdd],
    apply: (node) => {
      const [ids, updates] = [arg(node), arg(node, 1)];
      return isTensorNode(node) && shapeEquals(node.type.shape, updates.type.shape) && countsRows(ids, updates) ? updates : undefined;
    },
  },
];

/** Concats in a row, each of the one before and a piece more, have lists of all pieces up to here, each one its own. */
const mostPieces = 256;

/** `ids` are 0, 1, … up to the number of rows of `table`. */
function countsRows(ids: TensorNode, table: TensorNode): boolean {
  const [rows, count] = [table.type.shape[0], ids.type.shape[0]];
  return isOp(ids, iota) && ids.type.shape.length === 1 && rows !== undefined && count?.equals(rows) === true;
}

function isWholeAxis(node: Node<SliceAttrs>, axis: number): boolean {
  const from = arg(node).type.shape[axis] as Dim;
  return (node.attrs.starts[axis] as Dim).equals(Dim.zero) && (node.attrs.stops[axis] as Dim).equals(from) && node.attrs.steps[axis] === 1;
}

const isWhole = (node: Node<SliceAttrs>): boolean => arg(node).type.shape.every((_, axis) => isWholeAxis(node, axis));

function sliceOfConcat(node: Node<SliceAttrs>, build: GraphBuilder): Node | undefined {
  const inner = arg(node);
  if (!isOp(inner, concat)) return undefined;
  const axis = inner.attrs.axis;
  // Backwards, the bounds mean something else.
  if ((node.attrs.steps[axis] as number) < 0) return undefined;
  const [starts, stops] = [node.attrs.starts, node.attrs.stops];
  let offset = Dim.zero;
  for (const part of inner.args) {
    const end = offset.add(arg({ ...node, args: [part] }).type.shape[axis] as Dim);
    // Decidable only where the distances are numbers.
    const [before, after] = [(starts[axis] as Dim).sub(offset).constant, end.sub(stops[axis] as Dim).constant];
    if (before !== undefined && after !== undefined && before >= 0 && after >= 0) {
      const move = (dims: readonly Dim[]): Dim[] => dims.map((dim, at) => (at === axis ? dim.sub(offset) : dim));
      return apply(build, slice, [part], { starts: move(starts), stops: move(stops), steps: node.attrs.steps });
    }
    offset = end;
  }
  return undefined;
}
