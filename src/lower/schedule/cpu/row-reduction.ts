// Kernels that reduce rows: one point after the other, lanes along what is reduced. In: the parts of an inner group. Out: statements in a
// scope.
// Holds: at each point reductions come first, in the order in which they need each other, then what is elementwise along the row, then what
// has one value per row.

import { build, type Accumulator } from '../../../kernel/index.js';
import { space, spread, widthAs } from '../../form/forms.js';
import type { KernelEmitter } from './emitter.js';
import { type Scope, valueKey } from '../../form/scope.js';
import { alike, groupBy } from '../../fuse/stages.js';

export function emitRowReduction(points: KernelEmitter, scope: Scope): void {
  points.loops(scope, points.group.outer, (point, body) => {
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
