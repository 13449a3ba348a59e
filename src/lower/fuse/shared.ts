// What several kernels would compute again. In: a block; groups of it, or none yet. Out: nodes that it pays to store. Holds: what is
// foreseen is a guess, which groups confirm or not: see the note at the end.

import { type Node, NodeMap } from '../../graph/index.js';
import { paysToMove, paysToStore } from './cost-model.js';
import { type Form, space, tensorOf } from '../form/forms.js';
import type { Fusion, Group } from './groups.js';
import type { InlineCosts } from '../form/inline-costs.js';
import { Leaves } from '../form/leaves.js';
import type { Forms } from '../form/materialize.js';

/** Nodes that several groups would compute again, where that costs more than to store them: see `cost-model.ts`. */
export function sharedExpensive(order: readonly Node[], fusion: Fusion, forms: Forms, costs: InlineCosts): Node[] {
  return storedOf(order, sharedByGroups(fusion, forms), fusion.materialized, forms, costs);
}

/**
 * How many groups compute a node, where several do and that takes arithmetic. `supposed`: what is looked at as if it had no storage, and no
 * place in a group.
 */
export function sharedByGroups(
  { groups, materialized }: Fusion,
  forms: Forms,
  supposed: ReadonlySet<Node> = none,
): ReadonlyMap<Node, number> {
  const lastUser = new NodeMap<Group>();
  const shared = new Map<Node, number>();
  for (const group of groups) {
    const waiting: Node[] = [];
    for (const { node } of group.members) if (!supposed.has(node)) waiting.push(...forms.argsOf(node));
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const last = lastUser.get(node);
      if (last === group) continue;
      if ((materialized.has(node) && !supposed.has(node)) || forms.isStored(node)) continue;
      if (last !== undefined && computes(forms.of(node))) shared.set(node, (shared.get(node) ?? 1) + 1);
      lastUser.set(node, group);
      for (const argument of forms.argsOf(node)) waiting.push(argument);
    }
  }
  return shared;
}

/** Those of `shared` that pay, by the numbers of groups that compute them. */
export function storedOf(
  order: readonly Node[],
  shared: ReadonlyMap<Node, number>,
  materialized: ReadonlySet<Node>,
  forms: Forms,
  costs: InlineCosts,
): Node[] {
  if (shared.size === 0) return [];
  const operands = new Leaves(order, materialized, forms);
  return order.filter((node) => {
    const groups = shared.get(node);
    if (groups === undefined) return false;
    if (paysToStore(tensorOf(node), costs.of(node), groups, forms.target)) return true;
    const leaves = operands.of(node);
    return paysToMove(
      tensorOf(node),
      leaves,
      leaves.some((leaf) => operands.isEpilogue(leaf, node)),
      groups,
      forms.target,
    );
  });
}

/** In how many groups nodes will be computed at the least, before there are any, where they will be in several. */
export function foreseenShared(order: readonly Node[], materialized: ReadonlySet<Node>, forms: Forms): ReadonlyMap<Node, number> {
  const shared = new Map<Node, number>();
  /** How many products, nests and loops have to run, one after the other, before the node. */
  const stages = new NodeMap<number>();
  const loops = new Map<string, number>();
  const places = new NodeMap<readonly number[]>();
  const lastUser = new NodeMap<Node>();
  for (const user of order) {
    const form = forms.of(user);
    let stage = 0;
    for (const argument of user.args) stage = Math.max(stage, stages.get(argument) ?? 0);
    stages.set(user, isKernel(form) ? stage + 1 : stage);
    // Reductions join what has the points that they keep.
    if (form.kind !== 'element' || !materialized.has(user)) continue;
    const text = `${stage} ${space(form.node.type.shape).join()}`;
    let place = loops.get(text);
    if (place === undefined) loops.set(text, (place = loops.size));
    const waiting = [...user.args];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (lastUser.get(node) === user || materialized.has(node) || forms.isStored(node)) continue;
      lastUser.set(node, user);
      const known = places.get(node);
      if (known === undefined) places.set(node, [place]);
      else if (!known.includes(place)) {
        places.set(node, [...known, place]);
        if (computes(forms.of(node))) shared.set(node, known.length + 1);
      }
      for (const argument of node.args) waiting.push(argument);
    }
  }
  return shared;
}

const isKernel = ({ kind }: Form): boolean => kind === 'matmul' || kind === 'nest' || kind === 'loop';

const none: ReadonlySet<Node> = new Set();

const computes = (form: Form): boolean => form.kind === 'reduce' || (form.kind === 'element' && form.cost > 0);

/* Note: foreseeing.
   Which kernels compute a value again is seen when there are groups, and when it is stored there are others: a plan of a deep model is made
   twice for the sake of a few values in each layer. Two elementwise results are in groups of their own where a product lies between them,
   and where their points are different ones; what both are computed of is stored before groups are made for the first time, if that pays.
   Groups say whether it was right for each of these values: were it not stored, as many of them would compute it as it takes for that to
   pay. What they show beyond that is stored as well. Where it was wrong, they are made again, by what groups alone have shown. */
