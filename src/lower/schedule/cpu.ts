// The schedules of CPUs: threads over blocks, lanes in vectors, sums in registers. In: a group. Out: statements in a scope.

import { acrossOf, emitAcross } from '../across.js';
import { emitInner } from '../inner.js';
import { emitLoop } from '../loops.js';
import { emitMap } from '../map.js';
import { emitNest } from '../nests.js';
import { emitOuter } from '../outer.js';
import { PointEmitter } from '../points.js';
import { RowEmitter } from '../rows.js';
import { emitSmall } from '../small.js';
import { TileEmitter } from '../tile.js';
import type { Schedules } from './index.js';

export const cpu: Schedules = {
  map: (group, scope, context, fusion) => {
    const across = acrossOf(group, fusion, context);
    const points = new PointEmitter(group, context);
    if (across === undefined) emitMap(points, scope);
    else emitAcross(points, scope, across);
  },
  inner: (group, scope, context) => emitInner(new PointEmitter(group, context), scope),
  outer: (group, scope, context) => emitOuter(new PointEmitter(group, context), scope),
  small: (group, scope, context) => emitSmall(new PointEmitter(group, context), scope),
  rows: (group, scope, context) => new RowEmitter(group, context).emit(scope),
  tile: (group, scope, context) => new TileEmitter(group, context).emit(scope),
  nest: (group, scope, context) => emitNest(group, scope, context),
  loop: (group, scope, context) => emitLoop(group, scope, context),
};
