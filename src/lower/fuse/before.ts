// What another plan of the same nodes decided, for a plan that differs from it by some reductions that are split. In: that plan, and how
// members are placed in this one. Out: decisions that still stand. Holds: a decision looks at what the member reads, at the groups that are
// asked, as they are then, and at the order of kernels. What members read is the same as long as the same nodes are stored but for partial
// results, which split reductions alone read; of the groups those count as they were that have got the same members in the same order. The
// order of kernels is asked again.

import type { Node } from '../../graph/index.js';
import type { Attempt, Decision, Fusion, Group, Member, Placement } from './groups.js';
import type { Forms } from '../form/materialize.js';

export class Before {
  readonly #placements: ReadonlyMap<Node, Placement>;
  readonly #forms: Forms;
  /** What groups of that plan are in this one. */
  readonly #images = new Map<Group, Group>();
  /** Groups of this plan with other members than the one that they are the image of. */
  readonly #changed = new Set<Group>();

  constructor(before: Fusion | undefined, materialized: ReadonlySet<Node>, forms: Forms) {
    const isAlike = before !== undefined && differsBySplits(before.materialized, materialized, forms);
    this.#placements = isAlike ? before.placements : new Map();
    this.#forms = forms;
  }

  /** Undefined for a member that is computed in another way, or where other things than groups decide. */
  decided({ node }: Member, isOneOfMany: boolean): Decision | undefined {
    const known = this.#placements.get(node)?.decision;
    return known?.form === this.#forms.of(node) && known.isOneOfMany === isOneOfMany ? known : undefined;
  }

  /** Whether the group that would be asked now is the one that was asked then. */
  isAsItWas(then: Attempt, now: Group): boolean {
    return this.#images.get(then.group) === now && now.members.length === then.size && !this.#changed.has(now);
  }

  /** A member goes into a group of this plan. */
  placed({ node }: Member, { decision, group, at }: Placement): void {
    const known = this.#placements.get(node);
    const isAlike = known?.at === at && known.decision.form === decision.form;
    if (isAlike && at === 0) this.#images.set(known.group, group);
    else if (!isAlike || this.#images.get(known.group) !== group) this.#changed.add(group);
  }
}

/** Whether `materialized` has all of `before`, and besides nothing but partial results. */
function differsBySplits(before: ReadonlySet<Node>, materialized: ReadonlySet<Node>, forms: Forms): boolean {
  let splits = 0;
  for (const node of before) {
    if (!materialized.has(node)) return false;
    if (forms.splitOf(node) !== undefined) splits++;
  }
  return materialized.size === before.size + splits;
}
