// The schedules of GPUs: blocks where CPUs have threads, threads of a block where those have lanes. In: a group. Out: statements in a
// scope. Holds: what the lanes of a block combine they combine in one order.

import { emitColumnReduction } from '../common/column-reduction.js';
import { KernelEmitter } from '../common/emitter.js';
import { emitFullReduction } from '../common/full-reduction.js';
import { FusedRowsEmitter } from '../common/fused-rows.js';
import type { Schedules } from '../index.js';
import { emitAttention } from './attention/emit.js';
import { emitElementwise } from './elementwise.js';
import { emitBatch } from './nest.js';
import { emitRows } from './rows.js';
import type { CudaTarget } from '../../../target/index.js';
import { emitProduct } from './matmul/emit.js';

export const cuda = (target: CudaTarget): Schedules => ({
  elementwise: (group, scope, context) => emitElementwise(new KernelEmitter(group, context), scope),
  'row-reduction': (group, scope, context) => emitRows(new KernelEmitter(group, context), scope, target),
  'column-reduction': (group, scope, context) => emitColumnReduction(new KernelEmitter(group, context), scope),
  'full-reduction': (group, scope, context) => emitFullReduction(new KernelEmitter(group, context), scope),
  'fused-rows': (group, scope, context) => new FusedRowsEmitter(group, context).emit(scope),
  matmul: (group, scope, context) => emitProduct(group, scope, context, target),
  flash: (group, scope, context) => emitAttention(group, scope, context, target),
  nest: (group, scope, context) => emitBatch(group, scope, context),
});
