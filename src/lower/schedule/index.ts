// Schedules by kind of target: how each kind of group becomes loops, and how loops are run. In: a target. Out: a table with a schedule for
// every mode of a group but that of regions; what writes on loops how they run. Holds: a target of another kind brings both, which types
// ask for here.

import { type KernelCode, mapCode, type Program } from '../../kernel/index.js';
import type { Target } from '../../target/index.js';
import type { Node } from '../../graph/index.js';
import type { ScoreKeeper } from '../fuse/flash.js';
import type { Fusion, Group, Mode } from '../fuse/groups.js';
import type { EmitContext } from './common/emitter.js';
import { type Forms, probeBuffer } from '../form/materialize.js';
import type { Scope } from '../form/scope.js';
import { cpu } from './cpu/index.js';
import { vectorizeCode } from './cpu/vectorize/vectorize.js';
import { planBackward } from './cuda/attention/backward-plan.js';
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

/** Which attention the schedules of a target compute without storing scores; undefined where they compute none. */
export function scoreKeeper(forms: Forms): ScoreKeeper | undefined {
  const { target } = forms;
  switch (target.kind) {
    case 'cpu':
      return undefined;
    case 'cuda': {
      const from = (isStored: ReadonlySet<Node>): ReadFrom => ({
        forms,
        storage: {
          stored: (node) => (isStored.has(node) || forms.isStored(node) ? { kind: 'buffer', buffer: probeBuffer(node) } : undefined),
        },
      });
      return {
        keeps: (attention, stored) => planAttention(attention, from(stored), target) !== undefined,
        keepsBackward: (backward, stored) => planBackward(backward, from(stored), target) !== undefined,
      };
    }
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
