// What it costs to compute a value where it is needed. In: which nodes are stored. Out: FLOPs per element, for the nodes that are asked
// about. Holds: counted as a tree, and capped; what is stored after a node was asked about changes nothing for it.

import { type Node, NodeMap } from '../../graph/index.js';
import { inlineReduceFlops, mostInlineFlops } from '../../target/index.js';
import type { Forms } from './materialize.js';

export class InlineCosts {
  readonly #costs = new NodeMap<number>();
  readonly #materialized: ReadonlySet<Node>;
  readonly #forms: Forms;

  constructor(materialized: ReadonlySet<Node>, forms: Forms) {
    this.#materialized = materialized;
    this.#forms = forms;
  }

  /** FLOPs per element of computing the node from stored ones. */
  of(node: Node): number {
    const known = this.#costs.get(node);
    if (known !== undefined) return known;
    // Arguments first, on a stack of its own: a chain of ops may be long.
    const waiting = [node];
    for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
      const form = this.#forms.of(last);
      const { length } = waiting;
      let cost = form.kind === 'element' ? form.cost : form.kind === 'reduce' ? inlineReduceFlops : 0;
      if (form.kind === 'element' || form.kind === 'reduce')
        for (const argument of last.args) {
          if (this.#materialized.has(argument)) continue;
          const below = this.#costs.get(argument);
          if (below === undefined) waiting.push(argument);
          else cost += below;
        }
      if (waiting.length > length) continue;
      waiting.pop();
      this.#costs.set(last, Math.min(cost, mostInlineFlops));
    }
    return this.#costs.get(node) as number;
  }
}
