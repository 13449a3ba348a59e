// Derivatives inside of reductions, with respect to what stands outside of them. In: the scalar graph of a body, the indices that escaped
// their reductions. Out: the same graph, in which such a derivative has a copy of its own of what it differentiates.
// Holds: in `u + sum[k](grad(u * w[k], u))` there is a derivative for each k, so the u in it is one for each k as well, and the u outside
// of the sum stays what it was.

import { Dim } from '../../base/index.js';
import type { GraphBuilder, Node, Region, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { type Dependence, initialOf, inOrder, partsOf } from './dependence.js';
import type { Lift } from './lift.js';
import type { Openings } from './opened.js';
import type { Settled } from './ranges.js';
import type { BodyIndex, ElementRead, IndexSpace } from './space.js';

/** What a node is made of. */
function sourcesOf(node: Node, space: IndexSpace): readonly Node[] {
  const tensor = node as TensorNode;
  const read = space.reads.get(tensor);
  if (read !== undefined) return partsOf(read);
  // Bounds are integers: no derivative flows through them.
  const combined = space.reductions.get(tensor) ?? space.inner.get(tensor);
  if (combined !== undefined) return [combined.body];
  const loop = space.loops.get(node);
  return loop === undefined ? node.args : [...node.args, ...loop.results, ...(loop.condition === undefined ? [] : [loop.condition])];
}

/** The body, where derivatives that carried an index of `escaped` to what they are taken with respect to have copies of their own. */
export function separated(
  lift: Lift,
  openings: Openings,
  body: TensorNode,
  dependence: Dependence,
  escaped: readonly BodyIndex[],
): TensorNode {
  const { space } = lift;
  const whole = new Map<Node, Node>();
  for (const node of inOrder(body, space, openings)) {
    const copy = copied(lift, node, whole);
    if (copy !== node) whole.set(node, copy);
    const inputs = ops.derivativeParts(node)?.inputs ?? [];
    const widened = inputs.filter((input) => dependence.of(input).some((index) => escaped.includes(index)));
    if (widened.length === 0) continue;
    const own = new Map<Node, Node>(
      widened.map((input) => {
        const before = whole.get(input) ?? input;
        return [before, apart(lift, before as TensorNode)] as const;
      }),
    );
    const order = inOrder(copy, space, openings);
    withParameters(lift, order, own);
    for (const one of order) {
      const made = own.get(one) ?? copied(lift, one, own);
      if (made !== one) own.set(one, made);
    }
    whole.set(node, own.get(copy) ?? copy);
  }
  return (whole.get(body) ?? body) as TensorNode;
}

/** The same scalar as a node that equals no other. */
function apart({ context, space }: Lift, body: TensorNode): TensorNode {
  const placeholder = space.placeholder(context, body.type.dtype, body.type.shape);
  space.inner.set(placeholder, { placeholder, indices: [], body });
  return placeholder;
}

/** Loops that take something of a copy are copies themselves: parameters of their own for each. */
function withParameters({ build, space }: Lift, order: readonly Node[], map: Map<Node, Node>): void {
  for (let before = NaN; before !== map.size;) {
    before = map.size;
    const reached = new Set(map.keys());
    for (const node of order) {
      if (reached.has(node) || !sourcesOf(node, space).some((source) => reached.has(source))) continue;
      reached.add(node);
      for (const param of space.loops.get(node)?.params ?? []) if (!map.has(param)) map.set(param, ops.placeholder(build, param.type));
    }
  }
}

/** The node over what its sources have become; itself where none has changed. */
function copied({ build, context, ranges, space }: Lift, node: Node, map: ReadonlyMap<Node, Node>): Node {
  const of = <N extends Node>(one: N): N => (map.get(one) ?? one) as N;
  if (sourcesOf(node, space).every((source) => !map.has(source))) return node;
  const tensor = node as TensorNode;
  const read = space.reads.get(tensor);
  const reduction = space.reductions.get(tensor);
  const inner = space.inner.get(tensor);
  if (read !== undefined || reduction !== undefined || inner !== undefined) {
    const placeholder = space.placeholder(context, tensor.type.dtype, tensor.type.shape);
    if (read !== undefined) {
      const { tensor: table, subscripts, outside, guard } = read;
      const copy: ElementRead = {
        ...read,
        placeholder,
        tensor: of(table),
        subscripts: subscripts.map(({ at, span }) => ({ at: at instanceof Dim ? at : of(at), span })),
        outside: outside === undefined ? undefined : of(outside),
        guard: guard === undefined ? undefined : of(guard),
      };
      space.reads.set(placeholder, copy);
      ranges.settled.set(copy, ranges.settled.get(read) as readonly Settled[]);
    }
    if (reduction !== undefined) space.reductions.set(placeholder, { ...reduction, placeholder, body: of(reduction.body) });
    if (inner !== undefined) space.inner.set(placeholder, { ...inner, placeholder, body: of(inner.body) });
    build.addOrigins(placeholder, node);
    return placeholder;
  }
  const loop = space.loops.get(node);
  if (loop === undefined) return remade(build, node, node.args.map(of), node.attrs);
  const params = loop.params.map(of);
  const results = loop.results.map(of);
  const condition = loop.condition === undefined ? undefined : of(loop.condition);
  const { regions, captures } = ops.closeTogether(build, params, condition === undefined ? [results] : [results, [condition]]);
  const [body, asked] = regions as [Region, Region | undefined];
  const attrs = { ...node.attrs, body, ...(asked === undefined ? {} : { condition: asked }) };
  const made = remade(build, node, [...initialOf(node).map(of), ...captures], attrs);
  space.loops.set(made, { params, results, condition });
  return made;
}

function remade(build: GraphBuilder, node: Node, args: readonly Node[], attrs: Node['attrs']): Node {
  const made = build.make(node.op, args, attrs, node.type);
  build.addOrigins(made, node);
  return made;
}
