// Kernels that move elements from along one axis to along another: squares of as many points as a vector has lanes, which are transposed in
// registers (see the note at the end). In: the parts of an elementwise group. Out: statements in a scope.
// Holds: a square is written out along the axis in which the memory that is read runs, inside of the loop over lanes, and says so
// (`transpose`).

import { bytesOf, type Dim, type Shape } from '../../../base/index.js';
import type { Node } from '../../../graph/index.js';
import { build, type Expr } from '../../../kernel/index.js';
import { type CpuTarget, transposePiece } from '../../../target/index.js';
import { columnGroups, perGroup } from './matmul/column-tiling.js';
import { flopsOfGroup } from '../../fuse/cost-model.js';
import { addressStride } from '../../form/index-expressions.js';
import { tensorOf } from '../../form/forms.js';
import type { Fusion, Group } from '../../fuse/groups.js';
import { type EmitContext, lanesOf, type KernelEmitter } from '../common/emitter.js';
import { memberReads } from '../../fuse/reads.js';
import type { Scope } from '../../form/scope.js';

export interface Across {
  /** Of the group's loops, the one along which what is read lies together. */
  readonly axis: number;
  readonly lanes: number;
}

/** Undefined where lanes read what lies together, where nothing does, and where there is more to do than to move. */
export function transposeOf(group: Group, fusion: Fusion, context: EmitContext): Across | undefined {
  const last = group.outer.length - 1;
  if (last < 1 || flopsOfGroup(group, context.forms).constant !== 0) return undefined;
  const bytes = [...group.reads, ...group.members.map(({ node }) => node)].map((node) => bytesOf(tensorOf(node).type.dtype));
  const lanes = lanesOf(context.target, Math.max(...bytes));
  const reads = group.members.flatMap((member) => [...memberReads(member, group, fusion.materialized, context.forms)]);
  const axes = reads.flatMap(([node, accesses]) => accesses.map((index) => axisOf(node, index, group, context)));
  const axis = axes.find((one) => one !== undefined);
  return axis === undefined || lanes === 1 || (group.outer[last]?.constant ?? Infinity) < lanes ? undefined : { axis, lanes };
}

/** The loop along which an access runs through memory, if that is not the one of the lanes and those jump. */
function axisOf(node: Node, index: readonly Expr[], group: Group, context: EmitContext): number | undefined {
  const stored = context.storage.stored(tensorOf(node));
  if (stored?.kind !== 'buffer') return undefined;
  const strides = group.outer.map((_, loop) => addressStride(stored.buffer, index, `o${loop}`)?.constant);
  const along = strides.at(-1);
  if (along === undefined || Math.abs(along) <= 1) return undefined;
  const axis = strides.indexOf(1);
  return axis < 0 ? undefined : axis;
}

interface Pieces {
  readonly count: Expr;
  from(piece: Expr): Expr;
  extent(piece: Expr): Expr;
}

/**
 * How a parallel loop cuts the lanes' axis: a long one into pieces, else into the groups of columns of a product that multiplies with what
 * is made: threads then multiply with what they made.
 */
function piecesOf(outer: Shape, axis: number, lanes: number, target: CpuTarget): Pieces | undefined {
  const [rows, columns] = [outer[axis] as Dim, outer.at(-1) as Dim];
  const all = build.size(columns);
  if ((columns.constant ?? Infinity) > transposePiece) {
    const length = build.int(transposePiece);
    const from = (piece: Expr): Expr => build.times(piece, length);
    return {
      count: build.ceilDiv(all, length),
      from,
      extent: (piece) => build.smaller(length, build.minus(all, from(piece))),
    };
  }
  if (outer.length > 2 || rows.constant === undefined || columns.constant === undefined) return undefined;
  const groups = columnGroups({ columns, isFed: false }, rows.constant, lanes, target);
  if (groups.length === 1) return undefined;
  const first = (groups[0] ?? 0) * lanes;
  return { count: build.int(groups.length), from: perGroup([0, first]), extent: perGroup([first, columns.constant - first]) };
}

export function emitTranspose(points: KernelEmitter, scope: Scope, { axis, lanes }: Across, target: CpuTarget): void {
  const { outer } = points.group;
  const last = outer.length - 1;
  const [along, width] = [build.size(outer[last] as Dim), build.int(lanes)];
  const isParallel = (at: number): boolean => at === 0 && points.context.parallel;
  /** The loops behind the point so far, the last one over lanes, from an index on. */
  const within = (
    body: Scope,
    before: readonly Expr[],
    from: Expr,
    extent: Expr,
    fill: (vector: Scope, point: readonly Expr[]) => void,
  ): void => {
    if (before.length === last) body.loop('i', extent, 'vector', (i, vector) => fill(vector, [...before, build.plus(from, i)]));
    else body.loop('o', build.size(outer[before.length] as Dim), 'serial', (o, inner) => within(inner, [...before, o], from, extent, fill));
  };
  const blocks = (body: Scope, before: readonly Expr[]): void => {
    const all = build.size(outer[axis] as Dim);
    const full = build.over(all, width);
    const rest = build.minus(all, build.times(full, width));
    const known = build.intValue(rest);
    const count = build.ceilDiv(all, width);
    const pieces = isParallel(axis) ? piecesOf(outer, axis, lanes, target) : undefined;
    body.loop('p', build.times(count, pieces?.count ?? build.int(1)), isParallel(axis) ? 'parallel' : 'serial', (p, block) => {
      const piece = pieces === undefined ? build.int(0) : block.let('piece', build.over(p, count));
      const at = pieces === undefined ? p : block.let('block', build.modulo(p, count));
      const start = block.let('start', build.times(at, width));
      const from = pieces === undefined ? build.int(0) : block.let('from', pieces.from(piece));
      const extent = pieces === undefined ? along : block.let('extent', pieces.extent(piece));
      /** So many points of the axis, side by side for each vector of lanes. */
      const together = (inside: Scope, copies: number): void =>
        within(inside, [...before, start], from, extent, (vector, point) =>
          vector.loop(
            'c',
            build.int(copies),
            'unroll',
            (c, copy) =>
              points.store(
                copy,
                points.maps,
                point.map((one, loop) => (loop === axis ? build.plus(start, c) : one)),
              ),
            { transpose: true },
          ),
        );
      if (known === 0) return together(block, lanes);
      if (build.intValue(full) === 0 && known !== undefined) return together(block, known);
      block.when(build.apply('lt', 'bool', at, full), (inside) => together(inside, lanes));
      block.when(build.apply('ge', 'bool', at, full), (inside) => {
        if (known !== undefined) together(inside, known);
        else
          inside.loop('o', rest, 'serial', (o, one) =>
            within(one, [...before, build.plus(start, o)], from, extent, (vector, point) => points.store(vector, points.maps, point)),
          );
      });
    });
  };
  const outside = (body: Scope, before: readonly Expr[]): void => {
    if (before.length === axis) return blocks(body, before);
    body.loop('o', build.size(outer[before.length] as Dim), isParallel(before.length) ? 'parallel' : 'serial', (o, inner) =>
      outside(inner, [...before, o]),
    );
  };
  outside(scope, []);
}

/* Note: squares.
   transpose(x) of x: f32[64, 24] with sixteen lanes, as a group and as the loops of its whole squares; eight columns are left for
   another pair:

     group 0 elementwise [24, 64] reads %0
       elementwise %1: f32[24, 64] to out_result

     vector for i2 in 0..64 {
       unroll transpose for c3 in 0..16 { out_result[start1 + c3, i2] = in_x[i2, start1 + c3] }
     }

   Lanes alone would read every element of a vector from a row of its own. A square is sixteen loads and sixteen stores of what lies
   together, and shuffles of whole vectors between them in a number of steps that is the logarithm of the width (J. O. Eklundh, "A Fast
   Computer Method for Matrix Transposing", IEEE Transactions on Computers C-21(7), 1972). Shown by "a transpose is copied in squares as
   wide as a vector, whose last ones may be narrower" in test/lower/facts.test.ts and by "transposes in registers the squares that a loop
   says" in test/codegen/obedience.test.ts. */
