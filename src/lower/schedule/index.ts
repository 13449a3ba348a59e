// Schedules by kind of target: how each kind of group becomes loops, and how loops are run. In: a target. Out: a table with a schedule for
// every mode of a group but that of regions; what writes on loops how they run. Holds: a target of another kind brings both, which types
// ask for here.

import { type KernelCode, mapCode, type Program } from '../../kernel/index.js';
import type { Target } from '../../target/index.js';
import type { Attention } from '../fuse/attention.js';
import type { Fusion, Group, Mode } from '../fuse/groups.js';
import type { EmitContext } from './common/emitter.js';
import type { Scope } from '../form/scope.js';
import { cpu } from './cpu/index.js';
import { vectorizeCode } from './cpu/vectorize/vectorize.js';
import { planAttention } from './cuda/attention/plan.js';
import { cuda } from './cuda/index.js';
import type { ReadFrom } from './cuda/matmul/sides.js';
import { threadCode } from './cuda/threads.js';

/** Emits the statements of a group of `fusion` into `scope`, and kernels that run ahead of it where the context opens them. */
export type Schedule = (group: Group, scope: Scope, context: EmitContext, fusion: Fusion) => void;
/** What stands around regions is the same for every target: `program/loops.ts`. */
export type Schedules = Readonly<Record<Exclude<Mode, 'loop'>, Schedule>>;

export function schedulesOf(target: Target): Schedules {
  switch (target.kind) {
    case 'cpu':
      return cpu(target);
    case 'cuda':
      return cuda(target);
  }
}

/** Whether the scores of attention can stay in registers; undefined where no schedule of the target does that. */
export function scoreKeeper(target: Target): ((attention: Attention, from: ReadFrom) => boolean) | undefined {
  switch (target.kind) {
    case 'cpu':
      return undefined;
    case 'cuda':
      return (attention, from) => planAttention(attention, from, target) !== undefined;
  }
}

/** Writes on the loops of programs how the target runs them. */
export const vectorizer = (target: Target): ((program: Program) => Program) =>
  mapCode((code: KernelCode) => {
    switch (target.kind) {
      case 'cpu':
        return vectorizeCode(code, target);
      case 'cuda':
        return threadCode(code, target);
    }
  });

export const vectorize = (program: Program, target: Target): Program => vectorizer(target)(program);
