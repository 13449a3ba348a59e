// Takes out what matters to derivatives alone. In: a differentiated graph. Out: the same without names and marks, and with the bodies of
// functions that have a rule of their own, and of what was computed again, in their places.
// Holds: every other op that says "removed by strip" is the identity of its one argument; entries' names point to what was named.

import { InternalError } from '../base/index.js';
import { isTensorNode, type ModuleGraph, type Node } from '../graph/index.js';
import { call, checkpoint, inlineRegion, isNodeOf, opOf, tensorOf } from '../ops/index.js';
import { strippedGraph } from './graph-form.js';
import type { Pass } from './pass.js';
import { copyOrigins, type Image, Rewriter } from './rewrite.js';

export const strip: Pass<ModuleGraph, ModuleGraph> = {
  name: 'strip',
  doc: 'Removes what means nothing once derivatives are written out: named, stopGradient, widen, functions with a rule of their own.',
  to: strippedGraph,
  run: (module, { build }) =>
    new Rewriter(build, (node: Node): Image => {
      const { lowering } = opOf(node);
      if (lowering.kind !== 'removed' || lowering.by !== 'strip') return node;
      if (isNodeOf(node, call) || isNodeOf(node, checkpoint)) {
        const results = inlineRegion(build, node.attrs.body, node.args.map(tensorOf));
        return isTensorNode(node) ? (results[0] ?? node) : results;
      }
      const inner = node.args[0];
      if (inner === undefined) throw new InternalError('strip', `${node.op.name} has no argument`);
      // A node that nothing marked (a constant, a derivative) takes the place of its name.
      if (build.originsOf(inner).length === 0) copyOrigins(build, node, inner);
      return inner;
    }).module(module),
};
