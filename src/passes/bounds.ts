// Between which sizes whole numbers lie. In: nodes, facts about sizes. Out: bounds, and which checks they make needless. Holds: ops are
// asked; what nobody knows has no bounds; each node is asked once, without recursion over depth.

import { bytesOf, Dim, isInteger, isNatural, type Relation } from '../base/index.js';
import { isTensorNode, type Node, type TensorNode, topological } from '../graph/index.js';
import { type Bounds, type CheckParts, opOf } from '../ops/index.js';

type Known = Map<Node, Bounds | undefined>;

export class Ranges {
  readonly #facts: readonly Relation[];
  /** What was noted. */
  readonly #noted: Known = new Map();
  /** By the size that numbers are indices into. */
  readonly #known = new Map<string, Known>();

  constructor(facts: readonly Relation[]) {
    this.#facts = facts;
  }

  /** A node that lies between these. */
  note(node: Node, bounds: Bounds): void {
    this.#noted.set(node, bounds);
  }

  /** Whether all numbers of a check that has bounds lie inside of them. */
  certainlyHolds(node: TensorNode, { said, size, length, code }: CheckParts): boolean {
    if (code !== 'index-out-of-range' || node.args[0] !== said) return false;
    // Where anything is taken there is something to take (src/lower/program/index-preconditions.ts).
    const facts: readonly Relation[] = [...this.#facts, { left: size, relation: '>=', right: Dim.one }];
    const { low, high } = this.#of(said, size, (dim) => isNatural(dim, facts)) ?? {};
    return low !== undefined && high !== undefined && isNatural(low, facts) && isNatural(size.sub(length).sub(high), facts);
  }

  /** Whether integers are certainly indices of an axis of this size. */
  certainlyInside(node: TensorNode, size: Dim): boolean {
    const facts: readonly Relation[] = [...this.#facts, { left: size, relation: '>=', right: Dim.one }];
    const { low, high } = this.#of(node, size, (dim) => isNatural(dim, facts)) ?? {};
    return low !== undefined && high !== undefined && isNatural(low, facts) && isNatural(size.sub(1).sub(high), facts);
  }

  /** Between which sizes integers lie, as far as that is known. */
  boundsOf(node: TensorNode): Bounds | undefined {
    return this.#of(node, Dim.one, (dim) => isNatural(dim, this.#facts));
  }

  #of(node: TensorNode, size: Dim, isAtLeast0: (dim: Dim) => boolean): Bounds | undefined {
    let known = this.#known.get(size.key);
    if (known === undefined) this.#known.set(size.key, (known = new Map()));
    const found = known;
    const argument = (one: Node, which: number): Bounds | undefined => {
      const arg = one.args[which];
      return arg === undefined ? undefined : (this.#noted.get(arg) ?? found.get(arg));
    };
    for (const one of topological([node], (each) => !found.has(each))) {
      // What is computed in few bits may wrap.
      const isAsked = isTensorNode(one) && isInteger(one.type.dtype) && bytesOf(one.type.dtype) >= 4;
      found.set(one, isAsked ? opOf(one).bounds?.(one, (which) => argument(one, which), isAtLeast0) : undefined);
    }
    return this.#noted.get(node) ?? found.get(node);
  }
}
