// Who uses what in a graph that is written. In: nodes in order. Out: the order of statements, how often nodes are used, by whom, and in
// what shape.
// Holds: what is written through (a repetition, a check) counts as its argument.

import { type Shape, shapeEquals } from '../base/index.js';
import type { Node } from '../graph/index.js';
import { broadcast, element, ensure, isNodeOf, reshape } from '../ops/index.js';

/** The same order, but that what is no derivative, nor depends on one, comes first. */
export function forwardFirst(order: readonly Node[], isBackward: (node: Node) => boolean): readonly Node[] {
  const late = new Set<Node>();
  for (const node of order) if (isBackward(node) || node.args.some((arg) => late.has(arg))) late.add(node);
  return [...order.filter((node) => !late.has(node)), ...order.filter((node) => late.has(node))];
}

/** What is written through: its uses are those of its argument. */
const isThrough = (node: Node): boolean => isNodeOf(node, broadcast) || isNodeOf(node, ensure);

/** How often each node is used by what is written; a result is used by whoever asks for it. */
export function usesOf(order: readonly Node[], results: readonly Node[]): ReadonlyMap<Node, number> {
  const uses = new Map<Node, number>();
  const add = (node: Node, count: number): void => void uses.set(node, (uses.get(node) ?? 0) + count);
  for (const result of results) add(result, 1);
  for (const node of order.toReversed()) for (const arg of node.args) add(arg, isThrough(node) ? (uses.get(node) ?? 0) : 1);
  return uses;
}

/** Nodes that have a node as an argument; a result has one that is none of them. */
export function usersOf(order: readonly Node[], results: readonly Node[]): ReadonlyMap<Node, readonly (Node | undefined)[]> {
  const users = new Map<Node, (Node | undefined)[]>();
  const add = (node: Node, user: Node | undefined): void => {
    const known = users.get(node);
    if (known === undefined) users.set(node, [user]);
    else known.push(user);
  };
  for (const result of results) add(result, undefined);
  for (const node of order) for (const arg of node.args) add(arg, node);
  return users;
}

/** Whether a user takes a value with more or fewer axes of size 1. */
export function wants(user: Node | undefined, other: Shape): boolean {
  if (user === undefined) return false;
  if (isNodeOf(user, reshape)) return shapeEquals(user.attrs.shape, other);
  if (!isNodeOf(user, broadcast)) return false;
  const { shape, axes } = user.attrs;
  return shape.length === other.length && other.every((size, axis) => axes.includes(axis) || size.constant === 1) && axes.length > 0;
}

/** Of each node of several results, those that are read. */
export function elementsOf(order: readonly Node[]): ReadonlyMap<Node, ReadonlyMap<number, Node>> {
  const found = new Map<Node, Map<number, Node>>();
  for (const node of order) {
    if (!isNodeOf(node, element)) continue;
    const tuple = node.args[0] as Node;
    const known = found.get(tuple) ?? new Map<number, Node>();
    found.set(tuple, known.set(node.attrs.index, node));
  }
  return found;
}
