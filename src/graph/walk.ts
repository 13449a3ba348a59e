// Ways through a graph. In: roots. Out: nodes in topological order, or a rewritten graph. Holds: regions are closed, so a walk never enters
// them by itself.

import type { Node } from './node.js';
import { type NodeMap, NodeSet } from './node-map.js';

/**
 * The roots and every node that they depend on, arguments before users, each once; nodes to which `wanted` says no are left out with all
 * that only they depend on. `dependsOn` says what is looked at of a node, where that is not all of its arguments.
 */
export function topological(
  roots: Iterable<Node>,
  wanted?: (node: Node) => boolean,
  dependsOn: (node: Node) => readonly Node[] = argsOf,
): Node[] {
  const order: Node[] = [];
  const seen = new NodeSet();
  // Nodes whose arguments are being walked, and which argument is next.
  const open: Node[] = [];
  const next: number[] = [];
  for (const root of roots) {
    if (wanted?.(root) === false || !seen.add(root)) continue;
    let node: Node | undefined = root;
    let [args, at] = [dependsOn(root), 0];
    while (node !== undefined) {
      const arg: Node | undefined = args[at];
      at++;
      if (arg === undefined) {
        order.push(node);
        node = open.pop();
        at = next.pop() ?? 0;
        if (node !== undefined) args = dependsOn(node);
      } else if (seen.add(arg) && wanted?.(arg) !== false) {
        open.push(node);
        next.push(at);
        node = arg;
        args = dependsOn(arg);
        at = 0;
      }
    }
  }
  return order;
}

/**
 * The image of `root`, after those of all that it depends on (its arguments, unless `dependsOn` says otherwise), the first one first;
 * `images` keeps them.
 */
export function imageOf<Image extends object>(
  root: Node,
  images: NodeMap<Image>,
  make: (node: Node) => Image,
  dependsOn: (node: Node) => readonly Node[] = argsOf,
): Image {
  const stack = [root];
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    if (images.get(node) !== undefined) {
      stack.pop();
      continue;
    }
    const waiting = stack.length;
    // Last pushed, first done.
    const needed = dependsOn(node);
    for (let at = needed.length - 1; at >= 0; at--) {
      const arg = needed[at] as Node;
      if (images.get(arg) === undefined) stack.push(arg);
    }
    if (stack.length > waiting) continue;
    stack.pop();
    images.set(node, make(node));
  }
  return images.get(root) as Image;
}

const argsOf = ({ args }: Node): readonly Node[] => args;

/** How many nodes among `order` use each node (an argument used twice counts twice). */
export function useCounts(order: readonly Node[]): ReadonlyMap<Node, number> {
  const counts = new Map<Node, number>();
  for (const node of order) for (const arg of node.args) counts.set(arg, (counts.get(arg) ?? 0) + 1);
  return counts;
}
