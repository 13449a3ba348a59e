// From scalars to tensors. In: the scalar graph of a body and the ranges of its indices. Out: the same graph over whole tensors, where
// indices are axes.
// Holds: a lifted node has an axis for each index that it depends on, in the order of the space; what depends on none stays as it is.

import type { ReductionName, Span } from '../../../grammar/index.js';
import { Dim, type Shape } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Context } from '../context.js';
import { fail } from '../report.js';
import { contract, factorsOf } from './contraction.js';
import { hasLiftedRegions, liftElements, liftRegions } from './lift-region.js';
import type { Ranges } from './ranges.js';
import { liftRead } from './reads.js';
import type { BodyIndex, IndexRange, IndexReduction, IndexSpace } from './space.js';

/** A tensor with an axis for each of these indices. */
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
  /** Results of lifted ops with several results. */
  readonly #tuples = new Map<Node, { readonly node: Node; readonly axes: readonly (readonly BodyIndex[])[] }>();

  constructor(context: Context, space: IndexSpace, ranges: Ranges, span: Span) {
    this.context = context;
    this.space = space;
    this.ranges = ranges;
    this.span = span;
    this.#order = new Map(space.indices.map((index, at) => [index, at]));
  }

  get build(): Context['checker']['build'] {
    return this.context.checker.build;
  }

  /** The body over exactly these indices; undefined after a diagnostic. */
  tensor(body: TensorNode, indices: readonly BodyIndex[]): TensorNode | undefined {
    const order = this.#reachable(body);
    const wide = this.#wideInputs(order);
    for (const node of order) {
      const lifted = this.build.at(this.#originOf(node), () => this.#lift(node, wide));
      if (lifted === undefined) return undefined;
      if (lifted !== 'tuple') this.#lifted.set(node, lifted);
    }
    return this.build.at(this.#originOf(body), () => this.over(this.of(body), indices));
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
    return ops.applyTensor(this.build, ops.broadcast, [node], {
      shape: this.shapeOf(indices),
      axes: axes.map((index) => indices.indexOf(index)),
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

  /** What depends on indices below `body`, each after what it depends on. */
  #reachable(body: TensorNode): readonly Node[] {
    const found = new Set<Node>();
    const waiting: Node[] = [body];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node.id < this.space.mark || found.has(node)) continue;
      found.add(node);
      const read = this.space.reads.get(node as TensorNode);
      const reduction = this.space.reductions.get(node as TensorNode);
      waiting.push(...node.args);
      if (reduction !== undefined) waiting.push(reduction.body);
      if (read === undefined) continue;
      for (const { at } of read.subscripts) if (!(at instanceof Dim)) waiting.push(at);
      if (read.outside !== undefined) waiting.push(read.outside);
      if (read.guard !== undefined) waiting.push(read.guard);
    }
    return [...found].sort((a, b) => a.id - b.id);
  }

  /**
   * What derivatives inside of the body are taken with respect to must have every axis of what is differentiated: else the derivative would
   * be summed over the others.
   */
  #wideInputs(order: readonly Node[]): ReadonlyMap<Node, readonly BodyIndex[]> {
    const wide = new Map<Node, readonly BodyIndex[]>();
    const derivatives = order.flatMap((node) => ops.derivativeParts(node) ?? []);
    if (derivatives.length === 0) return wide;
    for (let changed = true; changed;) {
      changed = false;
      const axes = this.#dependence(order, wide);
      for (const { results, inputs } of derivatives) {
        const all = this.union(...[...results, ...inputs].map((node) => axes.get(node) ?? []));
        for (const input of inputs) {
          if ((wide.get(input) ?? axes.get(input) ?? []).length >= all.length) continue;
          wide.set(input, all);
          changed = true;
        }
      }
    }
    return wide;
  }

  /** The indices that each node depends on. */
  #dependence(order: readonly Node[], wide: ReadonlyMap<Node, readonly BodyIndex[]>): ReadonlyMap<Node, readonly BodyIndex[]> {
    const axes = new Map<Node, readonly BodyIndex[]>();
    for (const node of order) {
      const index = this.space.indexOf(node as TensorNode);
      const read = this.space.reads.get(node as TensorNode);
      const reduction = this.space.reductions.get(node as TensorNode);
      const parts: readonly Node[] =
        read === undefined
          ? node.args
          : [
              ...read.subscripts.flatMap(({ at }) => (at instanceof Dim ? [] : [at])),
              ...(read.outside === undefined ? [] : [read.outside]),
              ...(read.guard === undefined ? [] : [read.guard]),
            ];
      const own = [...(index === undefined ? [] : [index]), ...(wide.get(node) ?? [])];
      const below = reduction === undefined ? parts.flatMap((part) => axes.get(part) ?? []) : (axes.get(reduction.body) ?? []);
      axes.set(
        node,
        this.union(
          own,
          below.filter((one) => reduction?.indices.includes(one) !== true),
        ),
      );
    }
    return axes;
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

  #lift(node: Node, wide: ReadonlyMap<Node, readonly BodyIndex[]>): Lifted | 'tuple' | undefined {
    const lifted = this.#narrow(node);
    const axes = wide.get(node);
    if (axes === undefined || lifted === undefined || lifted === 'tuple') return lifted;
    const all = this.union(axes, lifted.axes);
    return { node: this.over(lifted, all), axes: all };
  }

  #narrow(node: Node): Lifted | 'tuple' | undefined {
    const index = this.space.indexOf(node as TensorNode);
    if (index !== undefined) return this.#counted(index);
    const read = this.space.reads.get(node as TensorNode);
    if (read !== undefined) return liftRead(this, read);
    const reduction = this.space.reductions.get(node as TensorNode);
    if (reduction !== undefined) return this.#reduced(reduction);
    if (!node.args.some((arg) => this.#lifted.has(arg) || this.#tuples.has(arg)))
      return node.type.kind === 'tensor' ? { node: node as TensorNode, axes: [] } : 'tuple';
    return this.#derivative(node) ?? this.#itemOf(node) ?? this.#withRegions(node) ?? this.#elementByElement(node);
  }

  /** 0, 1, 2, … from the start of its range. */
  #counted(index: BodyIndex): Lifted {
    const shape = this.shapeOf([index]);
    const count = ops.applyTensor<ops.IotaAttrs>(this.build, ops.iota, [], { shape, axis: 0, dtype: 'i32' });
    const start = this.startOf(index);
    if (start.constant === 0) return { node: count, axes: [index] };
    const from = ops.spread(this.build, ops.sizeAs(this.build, start, 'i32'), shape);
    return { node: ops.applyTensor(this.build, ops.elementwise.add, [count, from], {}), axes: [index] };
  }

  #reduced({ how, indices, body }: IndexReduction): Lifted {
    const factors = how === 'sum' || how === 'mean' ? factorsOf(body, this.space.mark).map((factor) => this.of(factor)) : [];
    const whole = this.of(body);
    const sum = factors.length > 1 ? contract(this, factors, indices) : this.combined(reductionOps[how], whole, indices);
    if (how !== 'mean') return sum;
    const count = this.shapeOf(indices).reduce((product, size) => product.mul(size), Dim.one);
    return this.elementwise(ops.elementwise.div, [sum, { node: ops.sizeAs(this.build, count, sum.node.type.dtype), axes: [] }]);
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
  #derivative(node: Node): 'tuple' | Lifted | undefined {
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
    this.#tuples.set(node, { node: made, axes: inputs.map((input) => input.axes) });
    return 'tuple';
  }

  #itemOf(node: Node): Lifted | undefined {
    const tuple = this.#tuples.get(node.args[0] as Node);
    if (tuple === undefined || !ops.isNodeOf(node, ops.element)) return undefined;
    return { node: ops.item(this.build, tuple.node, node.attrs.index), axes: tuple.axes[node.attrs.index] ?? [] };
  }

  /** A loop, or a function with a derivative rule of its own. */
  #withRegions(node: Node): Lifted | 'tuple' | undefined {
    if (!hasLiftedRegions(node)) return undefined;
    const args = node.args.map((arg) => this.of(arg as TensorNode));
    const axes = this.union(...args.map((arg) => arg.axes));
    const parts = args.map((arg) =>
      arg.axes.length === 0 ? { node: arg.node, isWide: false } : { node: this.over(arg, axes), isWide: true },
    );
    const made = liftRegions(this.build, node, parts, this.shapeOf(axes));
    if (made === undefined) return undefined;
    if (made.type.kind === 'tensor') return { node: made as TensorNode, axes };
    this.#tuples.set(node, { node: made, axes: made.type.items.map(({ shape }) => (shape.length === 0 ? [] : axes)) });
    return 'tuple';
  }

  /** Ops that act element by element take tensors of any shape. */
  #elementByElement(node: Node): Lifted | undefined {
    const args = node.args.map((arg) => this.of(arg as TensorNode));
    const axes = this.union(...args.map((arg) => arg.axes));
    const made = node.args.every(({ type }) => type.kind === 'tensor' && type.shape.length === 0)
      ? liftElements(
          this.build,
          node,
          args.map((arg) => this.over(arg, axes)),
          this.shapeOf(axes),
        )
      : undefined;
    if (made !== undefined) return { node: made, axes };
    fail(this.context, 'unsupported-feature', this.build.originsOf(node)[0]?.span ?? this.span, ...reasonOf(node));
    return undefined;
  }
}

/** Why an op cannot be lifted, and what to do instead. */
function reasonOf(node: Node): readonly [message: string, details: { readonly hint: string }] {
  if (ops.isNodeOf(node, ops.loop) && node.attrs.body.results.length > node.attrs.carries)
    return [
      'a `scan` of what depends on indices: what it stacks is no scalar, and only scalars stand in index notation yet',
      { hint: 'carry what is needed with `fold`; or run the `scan` over whole tensors before, and subscript its result' },
    ];
  if (ops.isNodeOf(node, ops.whileLoop))
    return [
      'a loop with as many rounds as each index needs: in index notation all indices go the same number of rounds yet',
      { hint: 'go as many rounds as any may need, with `fold` over a range, and choose with `if` inside' },
    ];
  return [
    `\`${ops.opOf(node).name}\` of what depends on indices: only functions that compute scalars of scalars stand in index notation yet`,
    { hint: 'compute it of whole tensors before, and subscript the result' },
  ];
}
