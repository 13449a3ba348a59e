// In which order the reductions of a group are done. In: a group. Out: its reductions in stages, each of which needs results of earlier
// ones only.
// Holds: reductions of one stage over the same sizes share a loop.

import type { Node, TensorNode } from '../graph/index.js';
import { reducedKey, type ReduceForm } from './forms.js';
import type { Group } from './groups.js';
import type { Forms } from './roots.js';

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

/** Reductions by how many others they wait for. */
export function stagesOf(group: Group, forms: Forms): Reduction[][] {
  const reductions = new Map<Node, Reduction>();
  for (const member of group.members) if (member.role === 'reduce') reductions.set(member.node, { node: member.node, form: member.form });
  const own = new Map<Node, number>();
  const stageOf = (node: Node): number => {
    const known = own.get(node);
    if (known !== undefined) return known;
    const below = Math.max(0, ...forms.argsOf(node).map((argument) => (reachesAny(argument, reductions, forms) ? stageOf(argument) : 0)));
    const stage = reductions.has(node) ? below + 1 : below;
    own.set(node, stage);
    return stage;
  };
  const stages: Reduction[][] = [];
  for (const [node, reduction] of reductions) (stages[stageOf(node) - 1] ??= []).push(reduction);
  return stages.filter((stage) => stage !== undefined);
}

function reachesAny(node: Node, targets: ReadonlyMap<Node, unknown>, forms: Forms, seen = new Set<Node>()): boolean {
  if (targets.has(node)) return true;
  if (seen.has(node)) return false;
  seen.add(node);
  return forms.argsOf(node).some((argument) => reachesAny(argument, targets, forms, seen));
}
