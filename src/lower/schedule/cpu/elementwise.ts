// Elementwise kernels: vector lanes along the last axis, which is cut into blocks where it is long (see the note at the end). In: the parts
// of an elementwise group. Out: statements in a scope.
// Holds: every point stands for itself; blocks depend on sizes alone, and threads may share them.

import type { Dim } from '../../../base/index.js';
import { build, type Expr } from '../../../kernel/index.js';
import { mapBlockElements } from '../../../target/index.js';
import type { KernelEmitter } from '../common/emitter.js';
import { partOf, type Scope } from '../../form/scope.js';

export function emitElementwise(points: KernelEmitter, scope: Scope): void {
  const { outer } = points.group;
  if (outer.length === 0) return points.store(scope, points.maps, []);
  points.loops(scope, outer.slice(0, -1), (before, body) => {
    const last = outer.at(-1) as Dim;
    if (before.length > 0 || (last.constant ?? Infinity) <= mapBlockElements || !points.context.parallel) {
      body.loop('i', build.size(last), 'vector', (i, vector) => points.store(vector, points.maps, [...before, i]));
      return;
    }
    const extent = build.size(last);
    const length = build.int(mapBlockElements);
    const count = build.ceilDiv(extent, length);
    const fill = (p: Expr, block: Scope): void => {
      const start = build.times(p, length);
      block.loop(
        'i',
        build.smaller(length, build.minus(extent, start)),
        'vector',
        (i, vector) => points.store(vector, points.maps, [...before, build.plus(start, i)]),
        partOf(p),
      );
    };
    body.loop('p', count, 'parallel', fill, { blocks: last });
  });
}

/* Note: blocks of points.
   The group of max(x * y, 0) over 20,000 elements, and its kernel (`tfc compile --emit fused` and `scheduled`, shortened):

     group 0 elementwise [20000] reads %0, %1
       elementwise %5: f32[20000] to out_result

     parallel for p0 in 0..5 blocks 20000 {
       vector for i1 in 0..min(4096, 20000 - p0 * 4096) part p0 {
         let mul4 = in_x[p0 * 4096 + i1] * in_y[p0 * 4096 + i1]
         out_result[p0 * 4096 + i1] = maximum(mul4, f32(0))
       }
     }

   Each operand is loaded once and each result stored once, in the order of memory; what lies between stays in registers. A block is long
   enough that starting it costs nothing beside it, and short enough that threads get even shares. Shown by test/lower/golden/relus.txt
   (test/lower/golden.test.ts) and by "elementwise results of the same data share a loop" in test/lower/facts.test.ts. */
