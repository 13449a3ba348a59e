// Closed regions out of nodes, and back. In: placeholders and results that use them; a region and arguments. Out: a region with its
// captures; nodes.
// Holds: a region reaches nothing outside of itself but through its parameters. What costs nothing (constants, sizes, indices, and
// repeating those) is copied inside; everything else that does not depend on the placeholders is computed once, outside, and captured.

import { InternalError } from '../base/index.js';
import {
  type GraphBuilder,
  isTensorNode,
  type Node,
  type Region,
  sourceOf,
  type TensorNode,
  type TensorType,
  topological,
} from '../graph/index.js';
import { applyTensor, opOf, tensorOf } from './apply.js';
import { derivativeParts } from './derivative.js';
import { argument, placeholderOp } from './sources.js';

/** A parameter of a region that is being built. It equals no other node. */
export const placeholder = (build: GraphBuilder, type: TensorType): TensorNode =>
  applyTensor(build, placeholderOp, [], { mark: build.size, dtype: type.dtype, shape: type.shape });

export interface ClosedRegion {
  readonly region: Region;
  /** Values for the parameters that follow those of `params`, in order. */
  readonly captures: readonly TensorNode[];
}

const none: readonly never[] = [];
const oldestOf = (nodes: readonly Node[]): number => nodes.reduce((least, { id }) => Math.min(least, id), Infinity);

const isFree = (node: Node): boolean => opOf(node).lowering.kind === 'element' && node.args.length === 0;

/**
 * The region of `results` as a function of `params`; what else it needs becomes further parameters. What is computed of constants alone is
 * computed once, outside; with `constants: 'inside'`, in the region, so that only feeds, variables and placeholders are captured. `belongs`
 * says of nodes that depend on no parameter that they are computed inside all the same: those of a branch.
 */
export function closeRegion(
  build: GraphBuilder,
  params: readonly TensorNode[],
  results: readonly TensorNode[],
  constants: 'inside' | 'outside' = 'outside',
  belongs: (node: Node) => boolean = () => false,
): ClosedRegion {
  // What is older than the parameters, and than what derivatives are taken with respect to, depends on none of them: however much has been
  // computed before, a region is closed in the time that it takes itself.
  let since = oldestOf(params);
  const isLookedInto = (node: Node): boolean => constants === 'inside' || node.id >= since || opOf(node).repeats === true || belongs(node);
  const argsOf = (node: Node): readonly Node[] => (isLookedInto(node) ? node.args : none);
  let order = topological(results, undefined, argsOf);
  for (let before = NaN; since !== before;) {
    before = since;
    for (const node of order) if (isLookedInto(node)) since = Math.min(since, oldestOf(derivativeParts(node)?.inputs ?? none));
    if (since !== before) order = topological(results, undefined, argsOf);
  }
  const dependent = new Set<Node>(params);
  const cheap = new Set<Node>();
  const belongsInside = (node: Node): boolean =>
    constants === 'inside' ? node.args.length > 0 || sourceOf(node) === undefined : opOf(node).repeats === true;
  for (const node of order) {
    if (belongs(node) || argsOf(node).some((arg) => dependent.has(arg))) dependent.add(node);
    else if (isFree(node) || (node.op !== placeholderOp && belongsInside(node) && node.args.every((arg) => cheap.has(arg))))
      cheap.add(node);
  }
  for (const node of betweenDerivatives(order, dependent)) {
    cheap.delete(node);
    dependent.add(node);
  }
  const inside = (node: Node): boolean => dependent.has(node) || cheap.has(node);
  const roots = new Set<Node>(results);
  const needed = new Set<Node>(order.filter((node) => roots.has(node)));
  // From the results down: what is needed inside needs its arguments; a captured node needs nothing.
  for (const node of [...order].reverse()) {
    if (needed.has(node) && inside(node)) for (const arg of node.args) needed.add(arg);
  }
  const captures: TensorNode[] = [];
  const map = new Map<Node, Node>();
  const parameter = (index: number, { dtype, shape }: TensorType): TensorNode => applyTensor(build, argument, [], { index, dtype, shape });
  for (const [index, param] of params.entries()) map.set(param, parameter(index, param.type));
  for (const node of order) {
    if (!needed.has(node) || map.has(node)) continue;
    if (inside(node)) {
      map.set(node, rebuild(build, node, map));
    } else {
      if (!isTensorNode(node)) throw new InternalError('closeRegion', `${node.op.name} is a tuple and cannot be captured`);
      map.set(node, parameter(params.length + captures.length, node.type));
      captures.push(node);
    }
  }
  return {
    region: {
      kind: 'region',
      params: [...params, ...captures].map((node) => node.type),
      results: results.map((node) => tensorOf(mapped(map, node))),
    },
    captures,
  };
}

/** Several regions over the same parameters: what one of them needs from outside all of them take. */
export function closeTogether(
  build: GraphBuilder,
  params: readonly TensorNode[],
  groups: readonly (readonly TensorNode[])[],
  belongs?: (node: Node) => boolean,
): { readonly regions: readonly Region[]; readonly captures: readonly TensorNode[] } {
  const { region, captures } = closeRegion(build, params, groups.flat(), 'outside', belongs);
  let start = 0;
  const regions = groups.map(({ length }): Region => {
    start += length;
    return { ...region, results: region.results.slice(start - length, start) };
  });
  return { regions, captures };
}

/**
 * Nodes on the ways from x to y of derivatives that are taken inside: captured as a value, such a way would be a constant to the
 * derivative. They become dependent, which may bring more derivatives inside.
 */
function betweenDerivatives(order: readonly Node[], dependent: ReadonlySet<Node>): ReadonlySet<Node> {
  const found = new Set<Node>();
  const isInside = (node: Node): boolean => dependent.has(node) || found.has(node);
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const node of order) {
      const parts = derivativeParts(node);
      if (parts === undefined || !(isInside(node) || node.args.some(isInside))) continue;
      const varied = new Set<Node>(parts.inputs);
      const oldest = oldestOf(parts.inputs);
      const above = new Set<Node>(topological(parts.results, ({ id }) => id >= oldest));
      for (const one of order) if (!varied.has(one) && one.args.some((arg) => varied.has(arg))) varied.add(one);
      for (const one of varied) if (above.has(one) && !parts.inputs.includes(one) && !dependent.has(one)) found.add(one);
    }
    for (const node of order) if (!dependent.has(node) && node.args.some((arg) => found.has(arg))) found.add(node);
  }
  return found;
}

/** The results of a region for given arguments, as nodes. */
export function inlineRegion(build: GraphBuilder, region: Region, args: readonly TensorNode[]): TensorNode[] {
  if (args.length !== region.params.length)
    throw new InternalError('inlineRegion', `${args.length} arguments for ${region.params.length} parameters`);
  const map = new Map<Node, Node>();
  for (const node of topological(region.results)) {
    const source = sourceOf(node);
    if (source?.kind === 'argument') {
      const arg = args[source.index];
      if (arg === undefined) throw new InternalError('inlineRegion', `a region of ${args.length} parameters uses another one`);
      map.set(node, arg);
    } else {
      map.set(node, rebuild(build, node, map));
    }
  }
  return region.results.map((node) => tensorOf(mapped(map, node)));
}

/** The parameters that the results of a region use, by index. */
export function usedParameters(results: readonly TensorNode[]): ReadonlySet<number> {
  return new Set(
    topological(results).flatMap((node) => {
      const source = sourceOf(node);
      return source?.kind === 'argument' ? [source.index] : [];
    }),
  );
}

/** The same node over mapped arguments, with all its origins. */
function rebuild(build: GraphBuilder, node: Node, map: ReadonlyMap<Node, Node>): Node {
  const args = node.args.map((arg) => mapped(map, arg));
  if (args.every((arg, at) => arg === node.args[at])) return node;
  const made = build.make(node.op, args, node.attrs, node.type);
  build.addOrigins(made, node);
  return made;
}

function mapped(map: ReadonlyMap<Node, Node>, node: Node): Node {
  const found = map.get(node);
  if (found === undefined) throw new InternalError('region', `${node.op.name} %${node.id} was not reached before its use`);
  return found;
}
