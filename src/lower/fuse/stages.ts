// In which order the reductions of a group are done. In: a group. Out: its reductions in stages, each of which needs results of earlier
// ones only.
// Holds: reductions of one stage over the same sizes share a loop.

import type { Node, TensorNode } from '../../graph/index.js';
import { reducedKey, type ReduceForm } from '../form/forms.js';
import type { Group } from './groups.js';
import type { Forms } from '../form/materialize.js';

export interface Reduction {
  readonly node: TensorNode;
  readonly form: ReduceForm;
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const known = groups.get(key(item));
    if (known === undefined) groups.set(key(item), [item]);
    else known.push(item);
  }
  return [...groups.values()];
}

/** Reductions over the same sizes share a loop. */
export const alike = (stage: readonly Reduction[]): Reduction[][] => groupBy(stage, ({ form }) => reducedKey(form));

/** Reductions by how many others they wait for. What the group reads waits for none of them: otherwise it would wait for itself. */
export function stagesOf(group: Group, forms: Forms): Reduction[][] {
  const argsOf = (node: Node): readonly Node[] => (group.reads.has(node) || forms.isStored(node) ? [] : forms.argsOf(node));
  const reductions = new Map<Node, Reduction>();
  for (const member of group.members) if (member.role === 'reduce') reductions.set(member.node, { node: member.node, form: member.form });
  const stages: Reduction[][] = [];
  const known = new Map<Node, number>();
  for (const [root, reduction] of reductions) {
    // Arguments first, on a stack of its own: a chain of ops may be long.
    const waiting: Node[] = [root];
    for (let node = waiting.at(-1); node !== undefined; node = waiting.at(-1)) {
      const missing = known.has(node) ? [] : argsOf(node).filter((argument) => !known.has(argument));
      if (missing.length > 0) {
        waiting.push(...missing);
        continue;
      }
      waiting.pop();
      const below = argsOf(node).reduce((most, argument) => Math.max(most, known.get(argument) as number), 0);
      known.set(node, reductions.has(node) ? below + 1 : below);
    }
    (stages[(known.get(root) as number) - 1] ??= []).push(reduction);
  }
  return stages.filter((stage) => stage !== undefined);
}
