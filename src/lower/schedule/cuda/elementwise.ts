// Elementwise kernels of a GPU: all points are one row, in the order of memory, of which each block has a piece and each thread every
// so many. In: the parts of an elementwise group. Out: statements in a scope. Holds: every point stands for itself; neighbouring threads
// have neighbouring points.

import { elementCount } from '../../../base/index.js';
import { build, type Expr } from '../../../kernel/index.js';
import { pointsOfBlock } from '../../../target/index.js';
import { splitIndex } from '../../form/index-expressions.js';
import { partOf, type Scope } from '../../form/scope.js';
import type { KernelEmitter } from '../cpu/emitter.js';

export function emitElementwise(points: KernelEmitter, scope: Scope): void {
  const { group, context } = points;
  const { outer } = group;
  if (outer.length === 0) return points.store(scope, points.maps, []);
  const all = elementCount(outer);
  const extent = build.size(all);
  const at = (vector: Scope, number: Expr): void => points.store(vector, points.maps, splitIndex(outer, number, vector));
  if (!context.parallel) return scope.loop('i', extent, 'vector', (i, vector) => at(vector, i));
  const length = build.int(pointsOfBlock);
  const fill = (p: Expr, block: Scope): void => {
    const start = block.let('start', build.times(p, length));
    const own = build.smaller(length, build.minus(extent, start));
    block.loop('i', own, 'vector', (i, vector) => at(vector, build.plus(start, i)), partOf(p));
  };
  scope.loop('p', build.ceilDiv(extent, length), 'parallel', fill, { blocks: all });
}
