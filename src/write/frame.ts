// What is known at one place of a text. In: nodes as they are written. Out: their texts, where a block sees those around it as well.
// Holds: what a block writes is not seen behind it; a region sees nothing but its parameters.

import type { Expression } from '../../grammar/index.js';
import type { Node, SizeFact } from '../graph/index.js';
import type { Written } from '../ops/index.js';
import { Ranges } from '../passes/index.js';

/** Values of nodes at one place; a block sees those around it. */
export class Frame {
  readonly #around: Frame | undefined;
  readonly #values = new Map<Node, Written>();
  readonly #parts = new Map<Node, readonly Written[]>();
  /** Names of all of a node whose text is smaller. */
  readonly #whole = new Map<Node, Expression>();
  readonly ranges: Ranges;
  /** How often a node is used, and the results of nodes of several that are. */
  uses: ReadonlyMap<Node, number> = new Map();
  users: ReadonlyMap<Node, readonly (Node | undefined)[]> = new Map();
  elements: ReadonlyMap<Node, ReadonlyMap<number, Node>> = new Map();
  /** Nodes may have names of the program's own. */
  readonly isOutermost: boolean;

  constructor(facts: readonly SizeFact[], isOutermost: boolean, around?: Frame) {
    this.#around = around;
    this.ranges = around?.ranges ?? new Ranges(facts);
    this.isOutermost = isOutermost;
    if (around === undefined) return;
    this.uses = around.uses;
    this.users = around.users;
    this.elements = around.elements;
  }

  value(node: Node): Written | undefined {
    return this.#values.get(node) ?? this.#around?.value(node);
  }

  parts(node: Node): readonly Written[] | undefined {
    return this.#parts.get(node) ?? this.#around?.parts(node);
  }

  whole(node: Node): Expression | undefined {
    return this.#whole.get(node) ?? this.#around?.whole(node);
  }

  set(node: Node, value: Written): void {
    this.#values.set(node, value);
    if (value.bounds !== undefined) this.ranges.note(node, value.bounds);
  }

  setParts(node: Node, parts: readonly Written[]): void {
    this.#parts.set(node, parts);
  }

  setWhole(node: Node, name: Expression): void {
    this.#whole.set(node, name);
  }
}
