// Kernels that reduce leading axes: vector lanes along the last axis of the points, a tile of which passes all terms (see the note at the
// end). In: the parts of a group of column reductions. Out: statements in a scope.
// Holds: every point is reduced in order; a tile of points stays in registers from the first term to the last.

import { bytesOf, type Dim } from '../../../base/index.js';
import type { TensorNode } from '../../../graph/index.js';
import { type Accumulator, build, type Expr } from '../../../kernel/index.js';
import { columnVectors } from '../../../target/index.js';
import { space, spread, widthAs } from '../../form/forms.js';
import { lanesOf, type KernelEmitter } from './emitter.js';
import { partOf, type Scope, valueKey } from '../../form/scope.js';
import { alike, type Reduction } from '../../fuse/stages.js';
import { cutOf, isRounded, partsLike, RunningSums } from './running-sum.js';

export function emitColumnReduction(points: KernelEmitter, scope: Scope): void {
  const { group, context } = points;
  const last = group.outer.at(-1) as Dim;
  const widest = Math.max(...points.reduced().map((node) => lanesOf(context.target, bytes(node))));
  const width = Math.min(columnVectors[context.target.kind] * widest, last.constant ?? Infinity);
  const tiles = build.ceilDiv(build.size(last), build.int(width));
  const lead = group.outer.slice(0, -1);
  points.loops(scope, lead, (before, block) => {
    const axis = lead.length === 0 && context.parallel ? 'parallel' : 'serial';
    const fill = (tile: Expr, body: Scope): void => {
      const start = build.times(tile, build.int(width));
      const extent =
        last.constant !== undefined && last.constant % width === 0
          ? build.int(width)
          : build.smaller(build.int(width), build.minus(build.size(last), start));
      const accumulators = new Map<TensorNode, Accumulator>();
      /** Reductions whose result is complete: later loops may read it. */
      const done = new Set<TensorNode>();
      const vectors = (where: Scope, fill: (vector: Scope, point: readonly Expr[], index: Expr) => void): void =>
        where.loop(
          'j',
          extent,
          'vector',
          (j, vector) => {
            const point = [...before, build.plus(start, j)];
            for (const [node, accumulator] of accumulators)
              if (done.has(node))
                vector.remember(valueKey(node, spread(node.type.shape, point)), widthAs(node.type.dtype, build.read(accumulator, [j])));
            fill(vector, point, j);
          },
          { limit: width, ...partOf(tile) },
        );
      for (const stage of points.stages) {
        for (const together of alike(stage)) {
          for (const { node, form } of together) accumulators.set(node, points.declare(body, form, [width], node));
          const { form: first } = together[0] as Reduction;
          const totals = together.map(({ node }) => accumulators.get(node) as Accumulator);
          /** The terms at one index of what is reduced, into these registers. */
          const terms = (inner: Scope, at: readonly Expr[], into: readonly Accumulator[]): void =>
            vectors(inner, (vector, point, j) => {
              for (const [which, { node, form }] of together.entries())
                points.accumulate(vector, form, into[which] as Accumulator, [j], spread(node.type.shape, point), spread(form.reduced, at));
            });
          const loops = space(first.reduced);
          const cut =
            together.some(isRounded) && first.filled === undefined
              ? cutOf(
                  loops.map((dim) => dim.constant),
                  false,
                )
              : undefined;
          if (cut === undefined) {
            points.serial(body, loops, (inner, at) => terms(inner, at, totals), first.filled);
            continue;
          }
          const running = new RunningSums(body, together, totals);
          const length = loops[cut.loop] as Dim;
          const each = build.int(cut.each);
          points.serial(body, loops.slice(0, cut.loop), (outside, outer) => {
            const add = (n: Expr, inner: Scope): void => {
              const from = inner.let('start', build.times(n, each));
              const sums = partsLike(inner, together, totals);
              const left = build.smaller(each, build.minus(build.size(length), from));
              const term = (r: Expr, deep: Scope): void =>
                points.serial(deep, loops.slice(cut.loop + 1), (deepest, at) =>
                  terms(deepest, [...outer, build.plus(from, r), ...at], sums),
                );
              inner.loop('r', left, 'serial', term, partOf(n));
              vectors(inner, (vector, _, j) => running.add(vector, sums, [j]));
            };
            outside.loop('n', build.ceilDiv(build.size(length), each), 'serial', add, { blocks: length });
          });
          vectors(body, (vector, _, j) => running.finish(vector, [j]));
        }
        for (const { node } of stage) done.add(node);
      }
      vectors(body, (vector, point) => points.store(vector, [...points.reduced(), ...points.maps], point));
    };
    block.loop('t', tiles, axis, fill, { blocks: last });
  });
}

const bytes = (node: TensorNode): number => Math.max(4, bytesOf(node.type.dtype));

/* Note: tiles of columns.
   sum(x, axis: 0) of x: f32[B, 100] with sixteen lanes, as a group and as a kernel (shortened):

     group 0 column-reduction [100] reads %0
       reduce %1: f32[100] to out_result

     parallel for t0 in 0..2 blocks 100 {
       acc acc1: f32[64] = f32(0)
       for r2 in 0..B {
         vector for j3 in 0..min(64, 100 - t0 * 64) limit 64 part t0 { acc1[j3] += in_x[r2, t0 * 64 + j3] }
       }
       vector for j5 in 0..min(64, 100 - t0 * 64) limit 64 part t0 { out_result[t0 * 64 + j5] = acc1[j5] }
     }

   The terms of one column are a row apart. Lanes that each sum a column of their own load what lies together, and nothing is combined
   across them; several vectors are several sums that do not wait for one another. Shown by "sums of columns run along the columns, one
   pass over the rows" in test/lower/facts.test.ts. */
