// The kernels of attention's derivative: blocks of queries that go over keys, and blocks of keys that go over queries. In: a group and its
// storage. Out: statements in a scope, and in one ahead of it. Holds: what blocks of queries leave for those of keys is what they need
// of each row, no more.

import { Dim, elementCount, InternalError } from '../../../../base/index.js';
import type { CudaTarget } from '../../../../target/index.js';
import type { Scope } from '../../../form/scope.js';
import { attentionOf } from '../../../fuse/attention.js';
import { backwardOf } from '../../../fuse/attention-backward.js';
import type { Fusion, Group } from '../../../fuse/groups.js';
import type { EmitContext } from '../../common/emitter.js';
import { type BackwardPlan, planBackward, type SweepPlan } from './backward-plan.js';
import { Sweep } from './sweep.js';

export function emitAttentionBackward(group: Group, scope: Scope, context: EmitContext, target: CudaTarget, fusion: Fusion): void {
  const { forms, storage, ahead } = context;
  const again = group.members.find(({ role }) => role === 'again');
  const forward = again === undefined ? undefined : fusion.groupOf.get(again.node);
  const attention = forward === undefined ? undefined : attentionOf(forward, forms);
  const backward = attention === undefined ? undefined : backwardOf(group, attention, forms);
  const plan = backward === undefined ? undefined : planBackward(backward, context, target);
  if (backward === undefined || plan === undefined || ahead === undefined)
    throw new InternalError('lower', "a group of attention's derivative is none");
  const { overKeys, overQueries } = plan;
  const { batch, rows } = backward.attention.scores;
  const isKept = backward.rowSum !== undefined && overQueries !== undefined;
  // The sum and the inverse total of each row.
  const kept = isKept ? storage.pool.temporary({ dtype: 'f32', shape: [...batch, rows, Dim.of(2)] }) : undefined;
  const emit = (where: Scope, sweep: SweepPlan): void =>
    where.computing(flopsOf(sweep), () => new Sweep(group, context, backward, sweep, kept, target.threads).emit(where));
  const [first, second] = inOrder({ overKeys, overQueries });
  if (second === undefined) return emit(scope, first);
  emit(ahead('sums over keys'), first);
  emit(scope, second);
}

function inOrder({ overKeys, overQueries }: BackwardPlan): readonly [SweepPlan, SweepPlan?] {
  if (overKeys === undefined) return [overQueries as SweepPlan];
  return overQueries === undefined ? [overKeys] : [overKeys, overQueries];
}

/** Of products: two for each element and step. */
function flopsOf({ factors, results }: SweepPlan): Dim {
  const [{ form }] = factors as [SweepPlan['factors'][number]];
  const each =
    factors.reduce((sum, { form: { depth } }) => sum + (depth.constant ?? 0), 0) + results.reduce((sum, { width }) => sum + width, 0);
  return elementCount(form.node.type.shape).mul(2 * each);
}
