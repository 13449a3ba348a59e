// What a simplification is. In: a node whose arguments are simple already. Out: an equal node that costs less, or is in canonical form.
// Holds: what `floating-point.md` says of values. Every rule goes one way only, and none undoes another's work.

import type { Attrs, GraphBuilder, Node, OpTag } from '../../graph/index.js';
import type { Op } from '../../ops/index.js';

export interface RuleContext {
  readonly build: GraphBuilder;
  /** How many nodes of the graph take this node; 0 for one that a rule has just made. */
  uses(node: Node): number;
  /**
   * The nodes that take this node, once per argument; fewer than its uses where calls return it; none for one that a rule has just made.
   */
  users(node: Node): readonly Node[];
  /** Which results of a tuple the graph takes; undefined for a node that a rule has just made. */
  elements(node: Node): ReadonlySet<number> | undefined;
  /**
   * Every tuple that stands in the very entries and regions that this one stands in, itself included; none for a node that a rule has just
   * made.
   */
  tuplesBeside(node: Node): readonly Node[];
}

export interface Rule<A extends Attrs = Attrs> {
  /** kebab-case; shown in notes. */
  readonly name: string;
  /** What becomes what, as a formula. */
  readonly doc: string;
  /** The ops at which it starts. */
  readonly at: readonly OpTag[];
  /** Undefined when the rule does not fit. The result has the node's type. */
  apply(node: Node<A>, context: RuleContext): Node | undefined;
}

/** A rule that reads the attributes of the nodes at which it starts. */
export const ruleOf = <A extends Attrs>(rule: Rule<A> & { readonly at: readonly Op<A>[] }): Rule => rule;
