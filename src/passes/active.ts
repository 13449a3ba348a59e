// Where a derivative flows. In: results and inputs. Out: the nodes between them. Holds: only these get tangents or cotangents.

import { isFloat } from '../base/index.js';
import type { GraphBuilder, Node, Type } from '../graph/index.js';
import { topological } from '../graph/index.js';
import { opOf } from '../ops/index.js';

export interface Active {
  /** What the results depend on, arguments first, without what is older than every input. */
  readonly order: readonly Node[];
  /** Nodes that depend on an input and reach a result, both through ops that let derivatives through. */
  readonly nodes: ReadonlySet<Node>;
}

export function activeNodes(results: readonly Node[], inputs: readonly Node[], build: GraphBuilder): Active {
  // A node is younger than its arguments: what is older than all inputs depends on none of them.
  const oldest = inputs.reduce((least, { id }) => Math.min(least, id), Infinity);
  const order = topological(results, (node) => node.id >= oldest);
  build.meter.spend(order.length >> 2);
  const varying = new Set<Node>(inputs);
  for (const node of order) {
    if (carriesDerivative(node.type) && letsThrough(node) && node.args.some((arg) => varying.has(arg))) varying.add(node);
  }
  const reaching = new Set<Node>(results);
  for (const node of order.toReversed()) if (reaching.has(node) && letsThrough(node)) for (const arg of node.args) reaching.add(arg);
  return { order, nodes: new Set(order.filter((node) => varying.has(node) && reaching.has(node))) };
}

const letsThrough = (node: Node): boolean => opOf(node).derivative.kind !== 'zero';

const carriesDerivative = (type: Type): boolean =>
  type.kind === 'tuple' ? type.items.some((item) => isFloat(item.dtype)) : isFloat(type.dtype);
