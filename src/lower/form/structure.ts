// What nodes are made of, apart from which nodes they are. In: nodes, and where to stop. Out: a text, and the nodes in the order of their
// numbers. Holds: equal texts mean that the nodes with equal numbers are computed alike from each other and from what they stop at.

import { attrsKey, type Node, NodeMap, typeToString } from '../../graph/index.js';
import type { Expr } from '../../kernel/index.js';
import type { Form } from './forms.js';
import type { Forms } from './materialize.js';

/** What a member of a group reads, and what that was found by. */
export interface MemberReads {
  readonly form: Form;
  readonly unrolled: boolean;
  /** From the member down to the leaves, and which of them are leaves. */
  readonly nodes: readonly Node[];
  readonly leaves: readonly boolean[];
  readonly reads: ReadonlyMap<Node, readonly Expr[][]>;
}

/** Numbers texts, so that long ones are compared once. One for everything whose texts are compared. */
export class Structures {
  /** What members of groups read, by what they are made of: numbers of nodes, and the indices at which each is read. */
  readonly reads = new Map<string, readonly (readonly [number: number, accesses: readonly Expr[][]])[]>();
  /** What members read when they were asked before, the latest first. */
  readonly readsBefore = new NodeMap<readonly MemberReads[]>();
  /** Operands of matrix products that need storage first, by what the product and its operands are made of: see `operands.ts`. */
  readonly unreadable = new Map<string, readonly number[]>();
  readonly #numbers = new Map<string, number>();
  readonly #ofNode = new NodeMap<number>();
  readonly #ofType = new NodeMap<number>();

  number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size));
    return number;
  }

  /** Equal for nodes of one op, with equal attributes and one type. */
  ofNode(node: Node): number {
    let number = this.#ofNode.get(node);
    if (number === undefined)
      this.#ofNode.set(node, (number = this.number(`${node.op.name}${attrsKey(node.attrs)}: ${typeToString(node.type)}`)));
    return number;
  }

  ofType(node: Node): number {
    let number = this.#ofType.get(node);
    if (number === undefined) this.#ofType.set(node, (number = this.number(typeToString(node.type))));
    return number;
  }
}

export interface Structure {
  readonly text: string;
  readonly nodes: readonly Node[];
  /** Which of them are leaves. */
  readonly leaves: readonly boolean[];
}

/** `starts` have the first numbers; leaves are numbered, and nothing below them is looked at. `more`: what else makes a difference. */
export function structureOf(
  starts: readonly Node[],
  forms: Forms,
  isLeaf: (node: Node) => boolean,
  more?: (node: Node) => string,
): Structure {
  const nodes: Node[] = [];
  const numbers = new Map<Node, number>();
  const numberOf = (node: Node): number => {
    let number = numbers.get(node);
    if (number === undefined) numbers.set(node, (number = nodes.push(node) - 1));
    return number;
  };
  for (const node of starts) numberOf(node);
  let text = '';
  const leaves: boolean[] = [];
  // What is added meanwhile is visited as well.
  for (const node of nodes) {
    const own = more?.(node) ?? '';
    // Of what is there already, neither its name nor how it was made matters.
    const stopsHere = isLeaf(node);
    leaves.push(stopsHere);
    if (stopsHere) text += `${forms.structures.ofType(node)} stored${own};`;
    else {
      text += `${forms.structures.ofNode(node)}${own}(`;
      for (const argument of forms.argsOf(node)) text += `${numberOf(argument)},`;
      text += ');';
    }
  }
  return { text, nodes, leaves };
}
