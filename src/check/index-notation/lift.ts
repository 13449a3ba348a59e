// From scalars to tensors. In: the scalar graph of a body and the ranges of its indices. Out: the same graph over whole tensors, where
// indices are axes.
// Holds: a lifted node has an axis for each index that it depends on, in the order of the space; what depends on none stays as it is.

import type { ReductionName, Span } from '../../../grammar/index.js';
import { Dim, type Shape } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Context } from '../context.js';
import { fail } from '../report.js';
import { insideOf, nothingOf } from './bounded.js';
import { contract, factorsOf } from './contraction.js';
import { batched } from './batched.js';
import { Dependence, initialOf, inOrder } from './dependence.js';
import { itemOf, liftCall, type LiftedOp, type LiftedTuple, liftLoop } from './lift-region.js';
import { Openings } from './opened.js';
import type { Ranges } from './ranges.js';
import { liftRead } from './reads.js';
import { separated } from './separate.js';
import type { BodyIndex, IndexRange, IndexReduction, IndexSpace, InnerNotation } from './space.js';

/** A tensor with an axis for each of these indices, before the axes that it has for each of them. */
export interface Lifted {
  readonly node: TensorNode;
  readonly axes: readonly BodyIndex[];
}

/** What combines; a mean divides its sum. */
export const reductionOps = {
  sum: ops.reduceSum,
  mean: ops.reduceSum,
  product: ops.reduceProduct,
  max: ops.reduceMax,
  min: ops.reduceMin,
  any: ops.reduceAny,
  all: ops.reduceAll,
} as const satisfies Record<ReductionName, ops.Op<ops.ReduceAttrs>>;

export class Lift {
  readonly context: Context;
  readonly space: IndexSpace;
  readonly ranges: Ranges;
  /** The whole of the notation. */
  readonly span: Span;
  readonly #order: ReadonlyMap<BodyIndex, number>;
  readonly #lifted = new Map<Node, Lifted>();
  /** Lifted ops with several results. */
  readonly #tuples = new Map<Node, LiftedTuple>();
  readonly #openings: Openings;

  constructor(context: Context, space: IndexSpace, ranges: Ranges, span: Span) {
    this.context = context;
    this.space = space;
    this.ranges = ranges;
    this.span = span;
    this.#order = new Map(space.indices.map((index, at) => [index, at]));
    this.#openings = new Openings(context.checker.build, space);
  }

  get build(): Context['checker']['build'] {
    return this.context.checker.build;
  }

  /** The body over exactly these indices; undefined after a diagnostic. */
  tensor(whole: TensorNode, indices: readonly BodyIndex[]): TensorNode | undefined {
    let body = whole;
    let { order, dependence } = this.#dependenceOf(body);
    const escaped = dependence.of(body).filter((index) => !indices.includes(index));
    if (escaped.length > 0) {
      body = separated(this, this.#openings, body, dependence, escaped);
      ({ order, dependence } = this.#dependenceOf(body));
    }
    for (const node of order) {
      const lifted = this.build.at(this.#originOf(node), () => this.#lift(node, dependence));
      if (lifted === undefined) return undefined;
      if ('stacks' in lifted) this.#tuples.set(node, lifted);
      else this.#lifted.set(node, lifted);
    }
    return this.build.at(this.#originOf(body), () => this.over(this.of(body), indices));
  }

  #dependenceOf(body: TensorNode): { readonly order: readonly Node[]; readonly dependence: Dependence } {
    const order = inOrder(body, this.space, this.#openings);
    return { order, dependence: new Dependence(order, this.space, this.#openings, (...axes) => this.union(...axes)) };
  }

  /** A scalar of the body that was lifted already, or depends on no index. */
  of(node: TensorNode): Lifted {
    return this.#lifted.get(node) ?? { node, axes: [] };
  }

  sizeOf(index: BodyIndex): Dim {
    const { start, stop } = this.ranges.of.get(index) as IndexRange;
    return stop.sub(start);
  }

  startOf = (index: BodyIndex): Dim => (this.ranges.of.get(index) as IndexRange).start;

  shapeOf = (indices: readonly BodyIndex[]): Shape => indices.map((index) => this.sizeOf(index));

  /** All of them, in the order of the space. */
  union(...axes: readonly (readonly BodyIndex[])[]): readonly BodyIndex[] {
    return [...new Set(axes.flat())].sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0));
  }

  /** Repeated along the indices that it does not have, in the order of the space. */
  over({ node, axes }: Lifted, indices: readonly BodyIndex[]): TensorNode {
    if (axes.length === indices.length) return node;
    const own = node.type.shape.slice(axes.length);
    return ops.applyTensor(this.build, ops.broadcast, [node], {
      shape: [...this.shapeOf(indices), ...own],
      axes: [...axes.map((index) => indices.indexOf(index)), ...own.map((_, at) => indices.length + at)],
    });
  }

  /** An op that acts element by element, on what is lifted. */
  elementwise(op: ops.Op<ops.NoAttrs>, args: readonly Lifted[]): Lifted {
    const axes = this.union(...args.map((arg) => arg.axes));
    return {
      node: ops.applyTensor(
        this.build,
        op,
        args.map((arg) => this.over(arg, axes)),
        {},
      ),
      axes,
    };
  }

  #originOf(node: Node): ReturnType<Context['checker']['build']['originsOf']>[number] {
    const { context } = this;
    return (
      this.build.originsOf(node)[0] ?? {
        span: context.module.std ? (context.site ?? this.span) : this.span,
        scope: context.path,
        backward: false,
        entry: context.entry.name,
      }
    );
  }

  #lift(node: Node, dependence: Dependence): LiftedOp | undefined {
    const axes = dependence.atLeast(node);
    if (node.op === ops.placeholderOp && axes !== undefined && this.space.indexOf(node as TensorNode) === undefined) {
      const { reads, reductions, inner } = this.space;
      const isParameter = [reads, reductions, inner].every((met) => !met.has(node as TensorNode));
      if (isParameter) return this.#parameter(node as TensorNode, axes);
    }
    const lifted = this.#narrow(node);
    if (axes === undefined || lifted === undefined || 'stacks' in lifted) return lifted;
    const all = this.union(axes, lifted.axes);
    return { node: this.over(lifted, all), axes: all };
  }

  /** What a round of a loop is given, for all indices. */
  #parameter({ type }: TensorNode, axes: readonly BodyIndex[]): Lifted {
    return { node: ops.placeholder(this.build, { ...type, shape: [...this.shapeOf(axes), ...type.shape] }), axes };
  }

  #narrow(node: Node): LiftedOp | undefined {
    const index = this.space.indexOf(node as TensorNode);
    if (index !== undefined) return this.#counted(index);
    const read = this.space.reads.get(node as TensorNode);
    if (read !== undefined) return liftRead(this, read);
    const reduction = this.space.reductions.get(node as TensorNode);
    if (reduction !== undefined) return this.#reduced(reduction);
    const notation = this.space.inner.get(node as TensorNode);
    if (notation !== undefined) return this.#inner(notation);
    const opened = this.#openings.of(node);
    if (opened?.kind === 'loop')
      return liftLoop(
        this,
        node,
        opened,
        initialOf(node).map((one) => this.of(one)),
      );
    if (!node.args.some((arg) => this.#lifted.has(arg) || this.#tuples.has(arg)))
      return node.type.kind === 'tensor' ? { node: node as TensorNode, axes: [] } : { node, axes: [], stacks: 0 };
    if (opened?.kind === 'call') {
      const args = node.args.map((arg) => this.of(arg as TensorNode));
      return liftCall(this, opened, args) ?? this.#batched(node);
    }
    return this.#derivative(node) ?? this.#itemOf(node) ?? this.#batched(node);
  }

  /** 0, 1, 2, …: where an index stands in its range. */
  placeOf(index: BodyIndex): Lifted {
    return {
      node: ops.applyTensor<ops.IotaAttrs>(this.build, ops.iota, [], { shape: this.shapeOf([index]), axis: 0, dtype: 'i32' }),
      axes: [index],
    };
  }

  /** The same from the start of its range. */
  #counted(index: BodyIndex): Lifted {
    const start = this.startOf(index);
    const place = this.placeOf(index);
    if (start.constant === 0) return place;
    return this.elementwise(ops.elementwise.add, [place, { node: ops.sizeAs(this.build, start, 'i32'), axes: [] }]);
  }

  /** A tensor for each element: its axes come behind those of the indices around it. */
  #inner({ indices, body }: InnerNotation): Lifted {
    const whole = this.of(body);
    const outer = whole.axes.filter((index) => !indices.includes(index));
    const all = this.union(outer, indices);
    const order = [...outer, ...indices].map((index) => all.indexOf(index));
    const node = this.over(whole, all);
    const isInOrder = order.every((axis, at) => axis === at);
    return { node: isInOrder ? node : ops.applyTensor(this.build, ops.transpose, [node], { axes: order }), axes: outer };
  }

  #reduced({ how, indices, body }: IndexReduction): Lifted {
    const bounded = indices.filter(({ bounds }) => bounds !== undefined);
    if (bounded.length > 0) return this.#reducedInside(how, indices, body, bounded);
    const factors = how === 'sum' || how === 'mean' ? factorsOf(body, this.space.mark).map((factor) => this.of(factor)) : [];
    const whole = this.of(body);
    const sum = factors.length > 1 ? contract(this, factors, indices) : this.combined(reductionOps[how], whole, indices);
    if (how !== 'mean') return sum;
    const count = this.shapeOf(indices).reduce((product, size) => product.mul(size), Dim.one);
    return this.elementwise(ops.elementwise.div, [sum, { node: ops.sizeAs(this.build, count, sum.node.type.dtype), axes: [] }]);
  }

  /** Between bounds of its own for each element: what is outside of them changes nothing. */
  #reducedInside(how: ReductionName, indices: readonly BodyIndex[], body: TensorNode, bounded: readonly BodyIndex[]): Lifted {
    const both = (a: Lifted, b: Lifted): Lifted => this.elementwise(ops.elementwise.and, [a, b]);
    const inside = bounded.map((index) => insideOf(this, index)).reduce(both);
    const { dtype } = body.type;
    const nothing: Lifted = { node: ops.scalar(this.build, dtype, nothingOf(how, dtype)), axes: [] };
    const masked = this.elementwise(ops.elementwise.select, [inside, this.of(body), nothing]);
    const combined = this.combined(reductionOps[how], masked, indices);
    if (how !== 'mean') return combined;
    const ones = ops.applyTensor<ops.CastAttrs>(this.build, ops.cast, [inside.node], { dtype });
    const count = this.combined(ops.reduceSum, { node: ones, axes: inside.axes }, indices);
    return this.elementwise(ops.elementwise.div, [combined, count]);
  }

  /** Combined over all of `indices`, those included that it does not depend on. */
  combined(op: ops.Op<ops.ReduceAttrs>, lifted: Lifted, indices: readonly BodyIndex[]): Lifted {
    const all = this.union(lifted.axes, indices);
    const axes = all.flatMap((index, axis) => (indices.includes(index) ? [axis] : []));
    return {
      node: ops.applyTensor(this.build, op, [this.over(lifted, all)], { axes }),
      axes: all.filter((index) => !indices.includes(index)),
    };
  }

  /** A derivative taken inside of the body. */
  #derivative(node: Node): LiftedOp | undefined {
    const parts = ops.derivativeParts(node);
    if (parts === undefined) return undefined;
    const args = node.args.map((arg) => this.of(arg as TensorNode));
    const inputs = parts.inputs.map((input) => this.of(input as TensorNode));
    // Directions are as wide as what they move.
    const nodes = args.map((arg, at) => {
      const input = inputs[at - parts.results.length - inputs.length];
      return input === undefined ? arg.node : this.over(arg, input.axes);
    });
    const made = ops.apply(this.build, ops.opOf(node), nodes, node.attrs);
    if (made.type.kind === 'tensor') return { node: made as TensorNode, axes: (args[0] as Lifted).axes };
    return { node: made, axes: inputs.map((input) => input.axes), stacks: inputs.length };
  }

  #itemOf(node: Node): Lifted | undefined {
    const tuple = this.#tuples.get(node.args[0] as Node);
    if (tuple === undefined || !ops.isNodeOf(node, ops.element)) return undefined;
    return itemOf(this, tuple, node.attrs.index);
  }

  /** An op for all indices at once. */
  #batched(node: Node): LiftedOp | undefined {
    const made = batched(
      this,
      node,
      node.args.map((arg) => this.of(arg as TensorNode)),
    );
    if (made !== undefined) return made;
    fail(
      this.context,
      'unsupported-feature',
      this.build.originsOf(node)[0]?.span ?? this.span,
      `\`${ops.opOf(node).name}\` of what depends on indices cannot be computed for all of them at once`,
      { hint: 'compute it of whole tensors before, and subscript the result' },
    );
    return undefined;
  }
}
