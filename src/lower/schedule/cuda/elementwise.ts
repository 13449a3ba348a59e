// Elementwise kernels of a GPU: all points are one row, in the order of memory, of which each block has a piece and each thread every
// so many. In: the parts of an elementwise group. Out: statements in a scope. Holds: every point stands for itself; neighbouring threads
// have neighbouring points.

import { type Dim, elementCount } from '../../../base/index.js';
import { build, type Expr, type For } from '../../../kernel/index.js';
import { pointsOfBlock } from '../../../target/index.js';
import { splitIndex } from '../../form/index-expressions.js';
import { partOf, type Scope } from '../../form/scope.js';
import type { KernelEmitter } from '../common/emitter.js';

export function emitElementwise(points: KernelEmitter, scope: Scope): void {
  const { group, context } = points;
  const { outer } = group;
  if (outer.length === 0) return points.store(scope, points.maps, []);
  eachPoint(scope, elementCount(outer), context.parallel, (vector, number) =>
    points.store(vector, points.maps, splitIndex(outer, number, vector)),
  );
}

/** Runs `fill` for the number of every point, in blocks where they may be parallel; of those there are none where `when` is false. */
export function eachPoint(
  scope: Scope,
  all: Dim,
  parallel: boolean,
  fill: (vector: Scope, number: Expr) => void,
  when: Pick<For, 'when'> = {},
): void {
  const extent = build.size(all);
  if (!parallel) return scope.loop('i', extent, 'vector', (i, vector) => fill(vector, i));
  const length = build.int(pointsOfBlock);
  const block = (p: Expr, body: Scope): void => {
    const start = body.let('start', build.times(p, length));
    const own = build.smaller(length, build.minus(extent, start));
    body.loop('i', own, 'vector', (i, vector) => fill(vector, build.plus(start, i)), partOf(p));
  };
  scope.loop('p', build.ceilDiv(extent, length), 'parallel', block, { blocks: all, ...when });
}
