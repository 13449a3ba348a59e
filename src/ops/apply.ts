// Makes nodes of ops. In: a builder, an op, argument nodes, attributes. Out: the node with the type that the op's rule gives. Holds: a
// refused node is our mistake.

import { InternalError, TooLarge } from '../base/index.js';
import { type Attrs, excessOf, type GraphBuilder, isTensorNode, type Node, type TensorNode, type Type } from '../graph/index.js';
import type { Op, TypeProblem } from './define.js';

/** What the type rule says. */
export const infer = <A extends Attrs>(op: Op<A>, args: readonly Type[], attrs: A): Type | TypeProblem => op.type(args, attrs);

/** The node; an InternalError when the type rule refuses (checkers ask `infer` first), TooLarge for a tensor that no memory holds. */
export function apply<A extends Attrs>(build: GraphBuilder, op: Op<A>, args: readonly Node[], attrs: A): Node<A> {
  const type = infer(
    op,
    args.map((arg) => arg.type),
    attrs,
  );
  if (type.kind === 'problem') throw new InternalError(`apply ${op.name}`, `${type.code}: ${type.message}`);
  return applyAs(build, op, args, attrs, type);
}

/** The node of the type that the op's rule gives, for who has asked it already. */
export function applyAs<A extends Attrs>(build: GraphBuilder, op: Op<A>, args: readonly Node[], attrs: A, type: Type): Node<A> {
  for (const item of type.kind === 'tuple' ? type.items : [type]) {
    const excess = excessOf(item);
    if (excess !== undefined) throw new TooLarge('size', excess);
  }
  return build.make(op, args, attrs, type);
}

/** The same, for an op with one tensor as its result. */
export const applyTensor = <A extends Attrs>(build: GraphBuilder, op: Op<A>, args: readonly Node[], attrs: A): TensorNode<A> =>
  tensorOf(apply(build, op, args, attrs));

export function tensorOf<A extends Attrs>(node: Node<A>): TensorNode<A> {
  if (!isTensorNode(node)) throw new InternalError('ops', `${node.op.name} gives a tuple where a tensor is expected`);
  return node as TensorNode<A>;
}

/** The definition of a node's op: nodes are made of ops alone, so the tag is one. */
export const opOf = <A extends Attrs>(node: Node<A>): Op<A> => node.op as Op<A>;

/** The attributes of a node that is known to be of `op`. */
export const isNodeOf = <A extends Attrs>(node: Node, op: Op<A>): node is Node<A> => node.op === op;
