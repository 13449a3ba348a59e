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
  /**
   * Which results of a tuple the graph takes, also of one that has got other arguments since; undefined for one that a rule has just made.
   */
  elements(node: Node): ReadonlySet<number> | undefined;
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

/** Nodes of a graph where they stand: in entries, in regions. Only in the very same of them do the same nodes mean the same. */
export interface Places {
  /** The nodes of each, arguments before users. */
  readonly orders: readonly (readonly Node[])[];
  /** Tuples, and in which places each stands. */
  readonly tuples: ReadonlyMap<Node, readonly number[]>;
}

/** A simplification that only the whole graph shows. */
export interface GraphRule {
  readonly name: string;
  readonly doc: string;
  /** Nodes and what stands for each from now on: equal, and computed of none that it stands for, with all other replacements as well. */
  replace(places: Places, build: GraphBuilder): readonly (readonly [Node, Node])[];
}

/** A rule that reads the attributes of the nodes at which it starts. */
export const ruleOf = <A extends Attrs>(rule: Rule<A> & { readonly at: readonly Op<A>[] }): Rule => rule;
