// A step's own numbers without its updates. In: a step, and the graph of its module. Out: what computes its scalars from a batch, as
// fetches of a session, and an entry that says what that takes. Holds: no variable is changed; whether the numbers can be fetched is known
// before anything runs.

import type { EntryGraph, EntrySpec, Module, Session } from '../../runtime/index.js';
import type { MetricsRunner } from './metrics.js';
import type { Scalars } from './scalars.js';

/** Undefined where a number has no name by which it could be fetched. Errors: those of `module.graph`. */
export function stepMetrics(
  session: Session,
  module: Pick<Module, 'graph'>,
  entry: EntrySpec,
  names: readonly string[],
): MetricsRunner | undefined {
  const graph = module.graph().find((one) => one.entry === entry.name);
  if (graph === undefined) return undefined;
  const found = names.flatMap((name) => fetchOf(graph, name) ?? []);
  if (found.length === 0 || found.length < names.length) return undefined;
  const fetches = Object.fromEntries(found.map(({ name, path }) => [name, path]));
  const reached = reachedFrom(
    graph,
    found.map(({ node }) => node),
  );
  return {
    entry: {
      ...entry,
      // A fetch refuses what it does not need, such as a learning rate.
      feeds: entry.feeds.filter(({ name }) => reached.has(name)),
      reads: entry.reads.filter((at) => reached.has(session.variables[at]?.path ?? '')),
    },
    run: (feeds) => session.run(fetches, feeds) as Scalars,
  };
}

/** `name`: as in `scalarNames`. Its path is that of no other node. */
function fetchOf(
  { entry, nodes, outputs }: EntryGraph,
  name: string,
): { readonly name: string; readonly path: string; readonly node: string } | undefined {
  const output = outputs.find(({ path }) => path === name) ?? (name === 'result' ? outputs.find(({ path }) => path === '') : undefined);
  const path = nodes
    .find((one) => one.name === output?.node)
    ?.paths.find((one) => one.startsWith(`${entry}/`) && nodes.filter(({ paths }) => paths.includes(one)).length === 1);
  return output === undefined || path === undefined ? undefined : { name, path, node: output.node };
}

/** Names of the nodes that these are computed of; arguments and variables have their own. */
function reachedFrom({ nodes }: EntryGraph, roots: readonly string[]): ReadonlySet<string> {
  const reached = new Set(roots);
  // Nodes stand after those that they read.
  for (const { name, inputs } of nodes.toReversed()) if (reached.has(name)) for (const input of inputs) reached.add(input);
  return reached;
}
