// The tensor graph as a form of the pipeline. In: which passes have run. Out: how to print, count and verify the graph after them.
// Holds: an op that says "removed by P" must not occur after P.

import type { GraphBuilder, ModuleGraph, Node, Type } from '../graph/index.js';
import { moduleRoots, NodeMap, NodeSet, printModule, SoundNodes, topological, typeEquals, verifyModule } from '../graph/index.js';
import { infer, opOf } from '../ops/index.js';
import type { Form } from './pass.js';

function graphForm(name: string, done: readonly string[]): Form<ModuleGraph> {
  return {
    name,
    print: (module) => printModule(module),
    count: countNodes,
    verify: (module, pass, build) => {
      const { typed, sound } = soundIn(build);
      verifyModule(module, {
        pass,
        infer: (node) => inferNode(node, typed),
        refuse: (node) => refuse(node, done),
        mayRefuse: (node) => opOf(node).lowering.kind === 'removed',
        sound,
      });
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

/** Nodes do not change, so what passes keep is looked at once. */
interface Known {
  /** Nodes whose type is what their op says. */
  readonly typed: NodeMap<Node>;
  readonly sound: SoundNodes;
}

const knownNodes = new WeakMap<GraphBuilder, Known>();

function soundIn(build: GraphBuilder): Known {
  let known = knownNodes.get(build);
  if (known === undefined) knownNodes.set(build, (known = { typed: new NodeMap(), sound: new SoundNodes() }));
  return known;
}

function inferNode(node: Node, typed: NodeMap<Node>): Type | string {
  if (typed.get(node) === node) return node.type;
  const type = infer(
    opOf(node),
    node.args.map((arg) => arg.type),
    node.attrs,
  );
  if (type.kind === 'problem') return type.message;
  if (typeEquals(type, node.type)) typed.set(node, node);
  return type;
}

function refuse(node: Node, done: readonly string[]): string | undefined {
  const { lowering } = opOf(node);
  return lowering.kind === 'removed' && done.includes(lowering.by) ? `${lowering.by} removes it` : undefined;
}
