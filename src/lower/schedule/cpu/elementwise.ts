// Elementwise kernels: lanes along the last axis. In: the parts of a map group. Out: statements in a scope.
// Holds: every point stands for itself; a long last axis is cut into blocks that threads may share.

import type { Dim } from '../../../base/index.js';
import { build, type Expr } from '../../../kernel/index.js';
import { mapBlockElements } from '../../../target/index.js';
import type { KernelEmitter } from './emitter.js';
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
