// Kernels that reduce leading axes: lanes along the last axis of the points. In: the parts of an outer group. Out: statements in a scope.
// Holds: every point is reduced in order; a tile of points stays in registers from the first term to the last.

import type { Dim } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import { type Accumulator, build, type Expr } from '../loop/index.js';
import { columnVectors } from '../target/index.js';
import { space, spread, widthAs } from './forms.js';
import { lanesOf, type PointEmitter } from './points.js';
import { partOf, type Scope, valueKey } from './scope.js';
import { alike, type Reduction } from './stages.js';

export function emitOuter(points: PointEmitter, scope: Scope): void {
  const { group, context } = points;
  const last = group.outer.at(-1) as Dim;
  const widest = Math.max(...points.reduced().map((node) => lanesOf(context.target, bytes(node))));
  const width = Math.min(columnVectors * widest, last.constant ?? Infinity);
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
      const lanes = (where: Scope, fill: (lane: Scope, point: readonly Expr[], lane_: Expr) => void): void =>
        where.loop(
          'j',
          extent,
          'vector',
          (j, lane) => {
            const point = [...before, build.plus(start, j)];
            for (const [node, accumulator] of accumulators)
              if (done.has(node))
                lane.remember(valueKey(node, spread(node.type.shape, point)), widthAs(node.type.dtype, build.read(accumulator, [j])));
            fill(lane, point, j);
          },
          { limit: width, ...partOf(tile) },
        );
      for (const stage of points.stages) {
        for (const together of alike(stage)) {
          for (const { node, form } of together) accumulators.set(node, points.declare(body, form, [width], node));
          const { form: first } = together[0] as Reduction;
          points.serial(
            body,
            space(first.reduced),
            (inner, at) =>
              lanes(inner, (lane, point, j) => {
                for (const { node, form } of together)
                  points.accumulate(
                    lane,
                    form,
                    accumulators.get(node) as Accumulator,
                    [j],
                    spread(node.type.shape, point),
                    spread(form.reduced, at),
                  );
              }),
            first.filled,
          );
        }
        for (const { node } of stage) done.add(node);
      }
      lanes(body, (lane, point) => points.store(lane, [...points.reduced(), ...points.maps], point));
    };
    block.loop('t', tiles, axis, fill, { blocks: last });
  });
}

const bytes = (node: TensorNode): number => (node.type.dtype === 'f64' || node.type.dtype === 'i64' ? 8 : 4);
