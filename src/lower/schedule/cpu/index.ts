// The schedules of CPUs: threads over blocks, lanes in vectors, sums in registers. In: a group. Out: statements in a scope.

import { InternalError } from '../../../base/index.js';
import { transposeOf, emitTranspose } from './transpose.js';
import { emitRowReduction } from '../common/row-reduction.js';
import { emitElementwise } from './elementwise.js';
import { emitNest } from '../common/nest.js';
import { emitColumnReduction } from '../common/column-reduction.js';
import { KernelEmitter } from '../common/emitter.js';
import { FusedRowsEmitter } from '../common/fused-rows.js';
import { emitFullReduction } from '../common/full-reduction.js';
import { MatmulEmitter } from './matmul/emit.js';
import type { CpuTarget } from '../../../target/index.js';
import type { Schedules } from '../index.js';

export const cpu = (target: CpuTarget): Schedules => ({
  elementwise: (group, scope, context, fusion) => {
    const across = transposeOf(group, fusion, context);
    const points = new KernelEmitter(group, context);
    if (across === undefined) emitElementwise(points, scope);
    else emitTranspose(points, scope, across, target);
  },
  'row-reduction': (group, scope, context) => emitRowReduction(new KernelEmitter(group, context), scope),
  'column-reduction': (group, scope, context) => emitColumnReduction(new KernelEmitter(group, context), scope),
  'full-reduction': (group, scope, context) => emitFullReduction(new KernelEmitter(group, context), scope),
  'fused-rows': (group, scope, context) => new FusedRowsEmitter(group, context).emit(scope),
  matmul: (group, scope, context) => new MatmulEmitter(group, context, target).emit(scope),
  flash: () => {
    throw new InternalError('lower', 'no schedule of a CPU keeps scores in registers');
  },
  nest: (group, scope, context) => emitNest(group, scope, context),
});
