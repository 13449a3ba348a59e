// Rows of a GPU: a block has several short ones, each of which a warp reduces; a long one has a block for itself. In: a group of row
// reductions. Out: statements in a scope. Holds: how long a row is decides alone, so a row is summed up alike wherever it stands.

import { elementCount } from '../../../base/index.js';
import { build, type Expr, warpThreads } from '../../../kernel/index.js';
import { type CudaTarget, longestWarpRow } from '../../../target/index.js';
import { space } from '../../form/forms.js';
import { splitIndex } from '../../form/index-expressions.js';
import { partOf, type Scope } from '../../form/scope.js';
import type { KernelEmitter } from '../common/emitter.js';
import { emitRowReduction } from '../common/row-reduction.js';

export function emitRows(points: KernelEmitter, scope: Scope, { threads }: CudaTarget): void {
  const { group, context } = points;
  if (!context.parallel || !areShort(points)) return emitRowReduction(points, scope);
  const all = elementCount(group.outer);
  const warps = build.int(threads / warpThreads);
  emitRowReduction(points, scope, (fill) =>
    scope.loop(
      'p',
      build.ceilDiv(build.size(all), warps),
      'parallel',
      (p, block) => {
        const start = block.let('start', build.times(p, warps));
        const own = build.smaller(warps, build.minus(build.size(all), start));
        const row = (w: Expr, body: Scope): void => fill(splitIndex(group.outer, body.let('row', build.plus(start, w)), body), body);
        block.loop('w', own, 'serial', row, { warps: true, ...partOf(p) });
      },
      { blocks: all },
    ),
  );
}

/** Whether neither what is reduced nor what a row stores is longer than what a warp should have. */
function areShort({ stages, maps, group }: KernelEmitter): boolean {
  const lengths = [
    ...stages.flat().map(({ form }) => elementCount(form.reduced)),
    ...maps.map(({ type }) => elementCount(space(type.shape).slice(group.outer.length))),
  ];
  return lengths.every(({ constant }) => constant !== undefined && constant <= longestWarpRow);
}
