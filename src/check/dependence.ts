// What a value depends on. In: nodes. Out: those that a derivative reaches, and the version of a variable among them.
// Holds: nothing flows through ops whose derivative is zero: `stopGradient`, comparisons, integers.

import type { Node, TensorNode } from '../graph/index.js';
import { opOf } from '../ops/index.js';
import type { Context } from './context.js';
import type { VariableRecord } from './variables.js';

/** Every node that a derivative of the roots reaches, roots included. */
export function reachable(roots: readonly Node[]): ReadonlySet<Node> {
  const seen = new Set<Node>(roots);
  const waiting: Node[] = [...roots];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (opOf(node).derivative.kind === 'zero') continue;
    for (const arg of node.args) {
      if (seen.has(arg)) continue;
      seen.add(arg);
      waiting.push(arg);
    }
  }
  return seen;
}

/** The nearest op at which the derivative of `root` is zero although a newest value of one of these variables lies behind it. */
export function stopsBefore(context: Context, root: TensorNode, variables: readonly VariableRecord[]): Node | undefined {
  const wanted = new Set<Node>(variables.flatMap((variable) => [variable.node, ...(context.entry.versions.get(variable) ?? [])]));
  const found = reachable([root]);
  context.checker.growth.spend(found.size >> 3);
  /** Nodes with none of them behind. */
  const clear = new Set<Node>();
  for (const node of found) {
    if (node.args.length === 0 || opOf(node).derivative.kind !== 'zero') continue;
    const before = clear.size;
    const waiting: Node[] = [...node.args];
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      if (wanted.has(one)) return node;
      if (clear.has(one)) continue;
      clear.add(one);
      waiting.push(...one.args);
    }
    context.checker.growth.spend((clear.size - before) >> 3);
  }
  return undefined;
}

/** The newest version of a variable among `found`; undefined when none is there. */
export function latestVersion(context: Context, variable: VariableRecord, found: ReadonlySet<Node>): TensorNode | undefined {
  const versions = [variable.node, ...(context.entry.versions.get(variable) ?? [])];
  return versions.reverse().find((version) => found.has(version));
}
