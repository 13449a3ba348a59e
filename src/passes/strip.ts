// Takes out what only carries names and marks. In: a differentiated graph. Out: the same without `named`, `stopGradient` and `widen`.
// Holds: every op that says "removed by strip" is the identity of its one argument; entries' names point to what was named.

import { InternalError } from '../base/index.js';
import type { ModuleGraph, Node } from '../graph/index.js';
import { opOf } from '../ops/index.js';
import { strippedGraph } from './graph-form.js';
import type { Pass } from './pass.js';
import { Rewriter, copyOrigins } from './rewrite.js';

export const strip: Pass<ModuleGraph, ModuleGraph> = {
  name: 'strip',
  doc: 'Removes named, stopGradient and widen, which mean nothing once derivatives are written out.',
  to: strippedGraph,
  run: (module, { build }) =>
    new Rewriter(build, (node: Node) => {
      const { lowering } = opOf(node);
      if (lowering.kind !== 'removed' || lowering.by !== 'strip') return node;
      const inner = node.args[0];
      if (inner === undefined) throw new InternalError('strip', `${node.op.name} has no argument`);
      // A node that nothing marked (a constant, a derivative) takes the place of its name.
      if (build.originsOf(inner).length === 0) copyOrigins(build, node, inner);
      return inner;
    }).module(module),
};
