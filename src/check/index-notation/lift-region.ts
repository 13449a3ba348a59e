// Ops with regions over whole tensors: loops, and functions with a derivative rule of their own. In: such an op of scalars, and its
// arguments lifted. Out: the same op, in whose regions each scalar that depends on a lifted one is a tensor of the same shape.
// Holds: regions stay closed; what depends on no lifted parameter stays a scalar. Undefined where an op in a region is none of scalars.

import { type Shape, shapeEquals } from '../../base/index.js';
import { type GraphBuilder, type Node, type Region, sourceOf, tensor, type TensorNode, topological } from '../../graph/index.js';
import * as ops from '../../ops/index.js';

/** A node, and whether it has the axes of the shape to which all is lifted. */
interface Part {
  readonly node: Node;
  readonly isWide: boolean;
}

const isScalar = ({ type }: Node): boolean => type.kind === 'tensor' && type.shape.length === 0;

const wideOf = (build: GraphBuilder, { node, isWide }: Part, shape: Shape): TensorNode =>
  isWide ? (node as TensorNode) : ops.spread(build, node as TensorNode, shape);

/** An op that acts element by element, over tensors of `shape`: its type rule says whether it is one. */
export function liftElements(build: GraphBuilder, node: Node, args: readonly TensorNode[], shape: Shape): TensorNode | undefined {
  if (!isScalar(node) || !node.args.every(isScalar)) return undefined;
  const op = ops.opOf(node);
  const type = op.type(
    args.map((arg) => arg.type),
    node.attrs,
  );
  if (type.kind !== 'tensor' || !shapeEquals(type.shape, shape)) return undefined;
  return ops.applyAs(build, op, args, node.attrs, type) as TensorNode;
}

/** Whether an op has regions that can be lifted. */
export const hasLiftedRegions = (node: Node): boolean =>
  ops.isNodeOf(node, ops.loop) || ops.isNodeOf(node, ops.whileLoop) || ops.isNodeOf(node, ops.call);

/** A loop or a call over lifted arguments. All of its results have the shape, but for what a loop says of its rounds. */
export function liftRegions(build: GraphBuilder, node: Node, args: readonly Part[], shape: Shape): Node | undefined {
  if (ops.isNodeOf(node, ops.call)) {
    if (!node.args.every(isScalar)) return undefined;
    const all = args.map(() => true);
    const body = liftRegion(build, node.attrs.body, shape, all);
    const rule = liftRegion(build, node.attrs.rule, shape, [...all, true]);
    const wide = args.map((arg) => wideOf(build, arg, shape));
    return body === undefined || rule === undefined ? undefined : ops.apply(build, ops.call, wide, { body, rule });
  }
  if (!ops.isNodeOf(node, ops.loop) && !ops.isNodeOf(node, ops.whileLoop)) return undefined;
  const { carries } = node.attrs;
  // What is stacked would have its axis of rounds before those of the indices.
  if (node.attrs.body.results.length > carries || !node.args.slice(0, carries).every(isScalar)) return undefined;
  const parts = args.map((arg, at): Part => (at < carries ? { node: wideOf(build, arg, shape), isWide: true } : arg));
  const given = [false, ...parts.map(({ isWide }) => isWide)];
  const body = liftRegion(build, node.attrs.body, shape, given);
  const nodes = parts.map((part) => part.node);
  if (body === undefined) return undefined;
  if (ops.isNodeOf(node, ops.loop)) return ops.apply(build, ops.loop, nodes, { ...node.attrs, body });
  // Every index goes as many rounds: what asks for one more depends on none.
  const condition = liftRegion(build, node.attrs.condition, shape, given, 'one for all');
  return condition === undefined ? undefined : ops.apply(build, ops.whileLoop, nodes, { ...node.attrs, condition, body });
}

function liftRegion(
  build: GraphBuilder,
  region: Region,
  shape: Shape,
  isWide: readonly boolean[],
  results: 'one per index' | 'one for all' = 'one per index',
): Region | undefined {
  const parts = new Map<Node, Part>();
  const partOf = (node: Node): Part => parts.get(node) ?? { node, isWide: false };
  for (const node of topological(region.results)) {
    const source = sourceOf(node);
    if (source?.kind === 'argument') {
      const { dtype } = (node as TensorNode).type;
      const lifted = isWide[source.index] === true;
      const made = lifted ? ops.applyTensor<ops.ArgumentAttrs>(build, ops.argument, [], { index: source.index, dtype, shape }) : node;
      parts.set(node, { node: made, isWide: lifted });
      continue;
    }
    const args = node.args.map(partOf);
    if (!args.some((arg) => arg.isWide)) continue;
    const made = build.at(build.originsOf(node)[0], () => liftPart(build, node, args, shape));
    if (made === undefined) return undefined;
    parts.set(node, { node: made, isWide: true });
  }
  if (!region.results.every(isScalar)) return undefined;
  if (results === 'one for all' && region.results.some((node) => partOf(node).isWide)) return undefined;
  return {
    kind: 'region',
    params: region.params.map((type, at) => (isWide[at] === true ? tensor(type.dtype, shape) : type)),
    results: region.results.map((node) => (results === 'one for all' ? (node as TensorNode) : wideOf(build, partOf(node), shape))),
  };
}

function liftPart(build: GraphBuilder, node: Node, args: readonly Part[], shape: Shape): Node | undefined {
  if (hasLiftedRegions(node)) return liftRegions(build, node, args, shape);
  const [tuple] = args;
  if (tuple !== undefined && ops.isNodeOf(node, ops.element)) return ops.item(build, tuple.node, node.attrs.index);
  if (!node.args.every(isScalar)) return undefined;
  const wide = args.map((arg) => wideOf(build, arg, shape));
  return liftElements(build, node, wide, shape);
}
