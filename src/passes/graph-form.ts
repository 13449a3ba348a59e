// The tensor graph as a form of the pipeline. In: which passes have run. Out: how to print, count and verify the graph after them.
// Holds: an op that says "removed by P" must not occur after P.

import type { GraphBuilder, ModuleGraph, Node, Type } from '../graph/index.js';
import { moduleRoots, NodeMap, NodeSet, printModule, topological, typeEquals, verifyModule } from '../graph/index.js';
import { infer, opOf } from '../ops/index.js';
import type { Form } from './pass.js';

function graphForm(name: string, done: readonly string[]): Form<ModuleGraph> {
  return {
    name,
    print: (module) => printModule(module),
    count: countNodes,
    verify: (module, pass, build) => {
      const sound = soundIn(build);
      verifyModule(module, { pass, infer: (node) => inferNode(node, sound), refuse: (node) => refuse(node, done) });
    },
  };
}

/** As the checker makes it: with `grad`, `jvp`, `call`, `named`. */
export const checkedGraph: Form<ModuleGraph> = graphForm('graph', []);
/** Derivatives are written out. */
export const differentiatedGraph: Form<ModuleGraph> = graphForm('differentiated graph', ['differentiate']);
/** Only what is computed. */
export const strippedGraph: Form<ModuleGraph> = graphForm('stripped graph', ['differentiate', 'strip']);
/** Checks are outputs. */
export const uncheckedGraph: Form<ModuleGraph> = graphForm('graph with checks as outputs', ['differentiate', 'strip', 'checks']);

/** Nodes of all entries and initializers, those inside regions included. */
export function countNodes(module: ModuleGraph): number {
  const seen = new NodeSet();
  let nodes = 0;
  const count = (roots: readonly Node[]): void => {
    for (const node of topological(roots)) {
      if (!seen.add(node)) continue;
      nodes++;
      for (const value of Object.values(node.attrs)) if (typeof value === 'object' && 'kind' in value) count(value.results);
    }
  };
  count(moduleRoots(module));
  return nodes;
}

/** By builder, the nodes whose type is what their op says: nodes do not change, so one is asked for once however many passes keep it. */
const soundNodes = new WeakMap<GraphBuilder, NodeMap<Node>>();

function soundIn(build: GraphBuilder): NodeMap<Node> {
  let sound = soundNodes.get(build);
  if (sound === undefined) soundNodes.set(build, (sound = new NodeMap()));
  return sound;
}

function inferNode(node: Node, sound: NodeMap<Node>): Type | string {
  if (sound.get(node) === node) return node.type;
  const type = infer(
    opOf(node),
    node.args.map((arg) => arg.type),
    node.attrs,
  );
  if (type.kind === 'problem') return type.message;
  if (typeEquals(type, node.type)) sound.set(node, node);
  return type;
}

function refuse(node: Node, done: readonly string[]): string | undefined {
  const { lowering } = opOf(node);
  return lowering.kind === 'removed' && done.includes(lowering.by) ? `${lowering.by} removes it` : undefined;
}
