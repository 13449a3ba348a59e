// Stored nodes that a value is computed of. In: nodes in topological order, and which of them are stored. Out: for those that are asked
// about the stored ones below. Holds: no more than a few are told apart, so it takes linear time; more than those are enough for any
// decision.

import { shapeEquals } from '../../base/index.js';
import { type Node, NodeMap } from '../../graph/index.js';
import { space } from './forms.js';
import type { Forms } from './materialize.js';

/** So many operands are told apart. */
const mostLeaves = 8;

/** Stands for several nodes. */
const several = Symbol('several');

export class Leaves {
  readonly #leaves = new NodeMap<readonly Node[]>();
  /** The only node that takes a node; found when the first is asked for. */
  #users: NodeMap<Node | typeof several> | undefined;
  readonly #order: readonly Node[];
  readonly #materialized: ReadonlySet<Node>;
  readonly #forms: Forms;

  constructor(order: readonly Node[], materialized: ReadonlySet<Node>, forms: Forms) {
    this.#order = order;
    this.#materialized = materialized;
    this.#forms = forms;
  }

  /** Whether several nodes take it. */
  isShared(node: Node): boolean {
    return this.#user(node) === several;
  }

  /** As it is when it is first asked for: what is materialized later is no leaf of it. */
  of(node: Node): readonly Node[] {
    // Arguments first, on a stack of its own: a chain of ops may be long.
    const waiting = [node];
    for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
      const args = this.#leaves.get(last) === undefined ? this.#forms.argsOf(last) : [];
      const missing = args.filter((argument) => !this.#isStored(argument) && this.#leaves.get(argument) === undefined);
      if (missing.length > 0) {
        waiting.push(...missing);
        continue;
      }
      waiting.pop();
      if (this.#leaves.get(last) !== undefined) continue;
      const found = new Set<Node>();
      for (const argument of args)
        for (const leaf of this.#isStored(argument) ? [argument] : (this.#leaves.get(argument) ?? []))
          if (found.size < mostLeaves) found.add(leaf);
      this.#leaves.set(last, [...found]);
    }
    return this.#leaves.get(node) ?? [];
  }

  /** Whether the node can be computed where the product `leaf` is, and nothing else needs that. */
  isEpilogue(leaf: Node, node: Node): boolean {
    if (this.#forms.of(leaf).kind !== 'matmul' || leaf.type.kind !== 'tensor' || node.type.kind !== 'tensor') return false;
    if (!shapeEquals(space(leaf.type.shape), space(node.type.shape))) return false;
    let user = this.#user(leaf);
    while (user !== undefined && user !== several && user !== node) user = this.#user(user);
    return user === node;
  }

  #isStored(node: Node): boolean {
    return this.#materialized.has(node) || this.#forms.isStored(node);
  }

  #user(node: Node): Node | typeof several | undefined {
    return (this.#users ??= this.#foundUsers()).get(node);
  }

  #foundUsers(): NodeMap<Node | typeof several> {
    const users = new NodeMap<Node | typeof several>();
    for (const node of this.#order) {
      for (const argument of this.#forms.argsOf(node)) {
        const known = users.get(argument);
        if (known !== node) users.set(argument, known === undefined ? node : several);
      }
    }
    return users;
  }
}
