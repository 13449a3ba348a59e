// Stored nodes that a value is computed of. In: nodes in topological order, and which of them are stored. Out: for each of the others the
// stored ones below it. Holds: no more than a few are told apart, so it takes linear time; more than those are enough for any decision.

import { shapeEquals } from '../../base/index.js';
import { type Node, NodeMap } from '../../graph/index.js';
import { space } from './forms.js';
import type { Forms } from './materialize.js';

/** So many operands are told apart. */
const mostLeaves = 8;

export class Leaves {
  readonly #leaves = new NodeMap<readonly Node[]>();
  /** The only node that takes a node; undefined where several do. */
  readonly #user = new Map<Node, Node | undefined>();
  readonly #forms: Forms;

  /** `reach` hears of each node when its leaves are known: where it has the node materialized, that is a leaf of those above it. */
  constructor(
    order: readonly Node[],
    materialized: ReadonlySet<Node>,
    forms: Forms,
    reach: (node: Node, leaves: Leaves) => void = () => undefined,
  ) {
    this.#forms = forms;
    for (const node of order)
      for (const argument of new Set(forms.argsOf(node))) this.#user.set(argument, this.#user.has(argument) ? undefined : node);
    for (const node of order) {
      const found = new Set<Node>();
      for (const argument of forms.argsOf(node)) {
        const isStored = materialized.has(argument) || forms.isStored(argument);
        for (const leaf of isStored ? [argument] : (this.#leaves.get(argument) ?? [])) if (found.size < mostLeaves) found.add(leaf);
      }
      this.#leaves.set(node, [...found]);
      reach(node, this);
    }
  }

  /** Whether several nodes take it. */
  isShared(node: Node): boolean {
    return this.#user.has(node) && this.#user.get(node) === undefined;
  }

  of(node: Node): readonly Node[] {
    return this.#leaves.get(node) ?? [];
  }

  /** Whether the node can be computed where the product `leaf` is, and nothing else needs that. */
  isEpilogue(leaf: Node, node: Node): boolean {
    if (this.#forms.of(leaf).kind !== 'matmul' || leaf.type.kind !== 'tensor' || node.type.kind !== 'tensor') return false;
    if (!shapeEquals(space(leaf.type.shape), space(node.type.shape))) return false;
    let user = this.#user.get(leaf);
    while (user !== undefined && user !== node) user = this.#user.get(user);
    return user === node;
  }
}
