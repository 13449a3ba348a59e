// Evaluates nodes for tests. In: roots, values of feeds, sizes. Out: one value per root. Holds: nothing but each op's own meaning is used.

import type { Dim } from '../../src/base/index.js';
import { type Node, type Region, regionsOf, type TensorNode, topological } from '../../src/graph/index.js';
import { type TensorValue, type Value, opOf } from '../../src/ops/index.js';

export interface Environment {
  readonly feeds: ReadonlyMap<string, TensorValue>;
  readonly dims: ReadonlyMap<string, number>;
}

export function evaluateNodes(roots: readonly TensorNode[], environment: Environment): TensorValue[] {
  return evaluateIn(roots, environment, []);
}

function evaluateIn(roots: readonly TensorNode[], environment: Environment, args: readonly TensorValue[]): TensorValue[] {
  const values = new Map<Node, Value>();
  const size = (dim: { evaluate(dims: ReadonlyMap<string, number>): number | undefined }): number => {
    const found = dim.evaluate(environment.dims);
    if (found === undefined) throw new Error('a size has no value');
    return found;
  };
  for (const node of topological(roots)) values.set(node, one(node));
  return roots.map((root) => values.get(root) as TensorValue);

  function one(node: Node): Value {
    if (node.op.name === 'argument') return known(args[node.attrs['index'] as number], node);
    if (node.op.name === 'feed') return known(environment.feeds.get(node.attrs['name'] as string), node);
    return opOf(node).evaluate(
      node.args.map((arg) => values.get(arg) as Value),
      {
        attrs: node.attrs,
        type: node.type,
        size,
        shape: (type) => type.shape.map(size),
        region: (region: Region, inner) => evaluateIn(region.results, environment, inner),
        fails: ({ code }) => {
          throw new Error(code);
        },
      },
    );
  }
}

function known(value: TensorValue | undefined, node: Node): TensorValue {
  if (value === undefined) throw new Error(`${node.op.name} has no value`);
  return value;
}

/** What running costs, in operations: elements times the cost of one; moves are free. */
export function costOf(roots: readonly TensorNode[], dims: ReadonlyMap<string, number>): number {
  let sum = 0;
  const count = (node: { readonly shape: readonly { evaluate(dims: ReadonlyMap<string, number>): number | undefined }[] }): number =>
    node.shape.reduce((product, dim) => product * (dim.evaluate(dims) ?? Number.NaN), 1);
  for (const node of topological(roots)) {
    const { lowering } = opOf(node);
    const type = node.type.kind === 'tensor' ? node.type : undefined;
    const first = node.args[0]?.type;
    if (lowering.kind === 'element' && type !== undefined) sum += count(type) * lowering.cost;
    if (lowering.kind === 'reduce' && first?.kind === 'tensor') sum += count(first);
    if (lowering.kind === 'contract' && type !== undefined && first?.kind === 'tensor')
      sum += 2 * count(type) * (first.shape.at(-1)?.evaluate(dims) ?? Number.NaN);
    if (lowering.kind === 'nest' && first?.kind === 'tensor') sum += count(first);
    if (lowering.kind === 'loop') {
      // As many rounds for all loops that run time counts: of two of them the one that does less in a round does less.
      const trip = (node.attrs['trip'] as Dim | undefined)?.evaluate(dims) ?? 3;
      // One for the turn itself, and one for each value that it hands on.
      for (const [, { results }] of regionsOf(node)) sum += trip * (1 + results.length + costOf(results, dims));
    }
  }
  return sum;
}
