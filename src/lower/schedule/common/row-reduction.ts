// Kernels that reduce rows: one point after the other, vector lanes along what is reduced (see the note at the end). In: the parts of a
// group of row reductions. Out: statements in a scope.
// Holds: at each point reductions come first, in the order in which they need each other, then what is elementwise along the row, then what
// has one value per row.

import { type Accumulator, build, type Expr } from '../../../kernel/index.js';
import { space, spread, widthAs } from '../../form/forms.js';
import type { KernelEmitter } from './emitter.js';
import { type Scope, valueKey } from '../../form/scope.js';
import { alike, groupBy } from '../../fuse/stages.js';

/** Runs `fill` at every point. */
type Around = (fill: (point: readonly Expr[], body: Scope) => void) => void;

export function emitRowReduction(
  points: KernelEmitter,
  scope: Scope,
  around: Around = (fill) => points.loops(scope, points.group.outer, fill),
): void {
  around((point, body) => {
    for (const stage of points.stages) {
      for (const together of alike(stage)) {
        const accumulators = together.map(({ node, form }) => points.declare(body, form, [], node));
        points.reduceLoops(body, together, accumulators, (inner, at, into) => {
          for (const [which, { node, form }] of together.entries())
            points.accumulate(inner, form, into[which] as Accumulator, [], spread(node.type.shape, point), spread(form.reduced, at));
        });
        for (const [which, { node }] of together.entries())
          body.remember(
            valueKey(node, spread(node.type.shape, point)),
            body.let('r', widthAs(node.type.dtype, build.read(accumulators[which] as Accumulator))),
          );
      }
    }
    const rest = points.maps.filter((node) => space(node.type.shape).length > point.length);
    for (const nodes of groupBy(rest, (node) => space(node.type.shape).join())) {
      const trailing = space((nodes[0] as (typeof nodes)[number]).type.shape).slice(point.length);
      points.nested(body, trailing, (vector, at) => points.store(vector, nodes, [...point, ...at]));
    }
    points.store(body, [...points.reduced(), ...points.maps.filter((node) => !rest.includes(node))], point);
  });
}

/* Note: one row after the other.
   x / sum(x, axis: 1) of x: f32[B, 100], as a group and as a kernel (shortened):

     group 0 row-reduction [B] reads %0
       reduce %1: f32[B]
       elementwise %3: f32[B, 100] to out_result

     parallel for o0 in 0..B {
       acc acc1: f32 = f32(0)
       vector for i2 in 0..100 { acc1 += in_x[o0, i2] }
       let r4 = acc1
       vector for i5 in 0..100 { out_result[o0, i5] = in_x[o0, i5] / r4 }
     }

   A row lies together, so lanes load whole vectors of it; its sum goes to those who read it in a register, and the second pass finds the
   row in the nearest cache. Shown by "softmax of rows is one kernel that keeps each row to itself" in test/lower/facts.test.ts. */
