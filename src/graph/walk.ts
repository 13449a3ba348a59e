// Ways through a graph. In: roots. Out: nodes in topological order, or a rewritten graph. Holds: regions are closed, so a walk never enters
// them by itself.

import type { Node } from './node.js';

/**
 * Every node that the roots depend on, arguments before users, each once; `wanted` says no to arguments that are left out with all that
 * they depend on.
 */
export function topological(roots: Iterable<Node>, wanted: (node: Node) => boolean = () => true): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  for (const root of roots) {
    const stack: { node: Node; next: number }[] = [{ node: root, next: 0 }];
    if (seen.has(root)) continue;
    seen.add(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { node: Node; next: number };
      const arg = top.node.args[top.next];
      if (arg === undefined) {
        order.push(top.node);
        stack.pop();
      } else {
        top.next += 1;
        if (!seen.has(arg) && wanted(arg)) {
          seen.add(arg);
          stack.push({ node: arg, next: 0 });
        }
      }
    }
  }
  return order;
}

/** The image of `root`, after those of all its arguments, first argument first; `images` keeps them. */
export function imageOf<Image>(root: Node, images: Map<Node, Image>, make: (node: Node) => Image): Image {
  const stack = [root];
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    const missing = images.has(node) ? [] : node.args.filter((arg) => !images.has(arg));
    if (missing.length > 0) {
      // Last pushed, first done.
      for (const one of missing.reverse()) stack.push(one);
      continue;
    }
    stack.pop();
    if (!images.has(node)) images.set(node, make(node));
  }
  return images.get(root) as Image;
}

/** How many nodes among `order` use each node (an argument used twice counts twice). */
export function useCounts(order: readonly Node[]): ReadonlyMap<Node, number> {
  const counts = new Map<Node, number>();
  for (const node of order) for (const arg of node.args) counts.set(arg, (counts.get(arg) ?? 0) + 1);
  return counts;
}
