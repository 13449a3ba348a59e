// What kernels of pointwise groups are made of: values, stores, accumulators, loops. In: a group and its storage. Out: statements in a
// scope.
// Holds: values are computed before any of them is stored, so that a variable may be read and updated in place.

import type { Dim, Shape } from '../../../base/index.js';
import type { Node, TensorNode } from '../../../graph/index.js';
import { type Accumulator, type Axis, build, type Expr, type For, type Stmt } from '../../../kernel/index.js';
import { assumedAxis, leastLaneAxis, sumBlockTerms, type Target } from '../../../target/index.js';
import { combinedAs, identity, indices, type ReduceForm, space, spread } from '../../form/forms.js';
import type { Group } from '../../fuse/groups.js';
import type { Forms } from '../../form/materialize.js';
import { partOf, type Scope } from '../../form/scope.js';
import { type Reduction, stagesOf } from '../../fuse/stages.js';
import type { Storage } from '../../form/storage.js';
import { Values } from '../../form/values.js';

export interface EmitContext {
  readonly storage: Storage;
  readonly forms: Forms;
  readonly target: Target;
  /** Whether the outermost loops may be parallel: not inside of another loop. */
  readonly parallel: boolean;
  /** Opens a kernel that runs before the one that the group is emitted into. */
  readonly ahead?: () => Scope;
}

/** Lanes of a register for this element. */
export const lanesOf = (target: Target, bytes: number): number => Math.max(1, target.vectorBytes / Math.max(bytes, 4));

/** A part of one axis: indices from `start` on, of the block of this number. */
export interface Part {
  readonly block: Expr;
  readonly axis: number;
  readonly start: Expr;
  readonly extent: Expr;
}

export type Fill = (body: Scope, at: readonly Expr[], into: readonly Accumulator[]) => void;

export class KernelEmitter {
  readonly values: Values;
  readonly maps: readonly TensorNode[];
  readonly stages: readonly (readonly Reduction[])[];

  readonly group: Group;
  readonly context: EmitContext;

  constructor(group: Group, context: EmitContext) {
    this.group = group;
    this.context = context;
    const inlined = new Set<Node>(
      group.members.flatMap((member) => (member.role === 'elementwise' && !context.forms.isStored(member.node) ? [member.node] : [])),
    );
    this.values = new Values({
      stored: (node) => (inlined.has(node) ? undefined : context.storage.stored(node)),
      form: (node) => context.forms.of(node),
      isPartOfSum: (node) => context.forms.isPartOfSum(node),
      namesLoads: true,
    });
    this.maps = group.members.flatMap((member) => (member.role === 'elementwise' ? [member.node] : []));
    this.stages = stagesOf(group, context.forms);
  }

  /** Values of all `nodes` at a point of the loops, then their stores. */
  store(scope: Scope, nodes: readonly TensorNode[], loops: readonly Expr[]): void {
    const stores: Stmt[] = [];
    for (const node of nodes) stores.push(...this.storesAt(scope, node, spread(node.type.shape, loops)));
    scope.emit(...stores);
  }

  /** The stores that take the value of `node` at an index to where it must go; what they need is computed in `scope`. */
  storesAt(scope: Scope, node: TensorNode, index: readonly Expr[]): Stmt[] {
    const destinations = this.context.storage.destinations(node);
    if (destinations.length === 0) return [];
    const value = this.values.at(node, index, scope);
    return destinations.map((to): Stmt =>
      to.kind === 'buffer'
        ? { kind: 'store', buffer: to.buffer, index: [...to.prefix, ...index], value }
        : { kind: 'assign', accumulator: to.accumulator, index: [], value },
    );
  }

  reduced(): TensorNode[] {
    return this.stages.flatMap((stage) => stage.map(({ node }) => node));
  }

  declare(scope: Scope, form: ReduceForm, shape: readonly number[], node: TensorNode): Accumulator {
    const dtype = combinedAs(node.type.dtype);
    const accumulator: Accumulator = { name: scope.names.fresh('acc'), dtype, shape };
    scope.emit({ kind: 'declare', accumulator, initial: identity(form.combine, dtype) });
    return accumulator;
  }

  accumulate(
    scope: Scope,
    form: ReduceForm,
    accumulator: Accumulator,
    slot: readonly Expr[],
    kept: readonly Expr[],
    reduced: readonly Expr[],
  ): void {
    const value = form.term(kept, reduced, (argument, index) => this.values.at(argument, index, scope));
    scope.emit({ kind: 'accumulate', accumulator, index: slot, combine: form.combine, value });
  }

  /** Loops over points: the first parallel where that is allowed, the rest in order. */
  loops(scope: Scope, shape: Shape, fill: (point: readonly Expr[], body: Scope) => void, before: readonly Expr[] = []): void {
    const [first, ...rest] = shape;
    if (first === undefined) return fill(before, scope);
    const axis: Axis = before.length === 0 && this.context.parallel ? 'parallel' : 'serial';
    scope.loop('o', build.size(first), axis, (o, body) => this.loops(body, rest, fill, [...before, o]));
  }

  serial(scope: Scope, shape: Shape, fill: (body: Scope, at: readonly Expr[]) => void, filled?: Expr, before: readonly Expr[] = []): void {
    const [first, ...rest] = shape;
    if (first === undefined) return fill(scope, before);
    const next = (r: Expr, body: Scope): void => this.serial(body, rest, fill, undefined, [...before, r]);
    scope.loop('r', filled ?? build.size(first), 'serial', next, filled === undefined ? {} : mostOf(first));
  }

  /** Loops in order with lanes along the last axis. */
  nested(scope: Scope, shape: Shape, fill: (body: Scope, at: readonly Expr[]) => void): void {
    this.serial(scope, shape.slice(0, -1), (body, at) =>
      body.loop('i', build.size(shape.at(-1) as Dim), 'vector', (i, vector) => fill(vector, [...at, i])),
    );
  }

  /**
   * Loops over what is reduced, or a part of it, lanes along its last axis, or along the longest when the last one is short. `fill`
   * accumulates into the registers that it is given: over a long axis that is not cut into parts, those are partial results of
   * `sumBlockTerms` terms, so that the error of a sum grows with the number of blocks and not with the number of terms.
   */
  reduceLoops(scope: Scope, reductions: readonly Reduction[], totals: readonly Accumulator[], fill: Fill, part?: Part): void {
    const { reduced, filled } = (reductions[0] as Reduction).form;
    const loops = space(reduced);
    if (loops.length === 0) return fill(scope, [], totals);
    const along = laneAxis(loops);
    const others = (body: Scope, axis: number, at: readonly Expr[]): void => {
      if (axis === loops.length) return vectors(body, at);
      if (axis === along) return others(body, axis + 1, [...at, build.int(0)]);
      const own = part?.axis === axis ? part : undefined;
      const next = (r: Expr, inner: Scope): void => others(inner, axis + 1, [...at, own === undefined ? r : build.plus(own.start, r)]);
      body.loop('r', own?.extent ?? build.size(loops[axis] as Dim), 'serial', next, own === undefined ? {} : partOf(own.block));
    };
    const vectors = (body: Scope, at: readonly Expr[]): void => {
      const own = part?.axis === along ? part : undefined;
      const indexAt = (index: Expr): Expr[] =>
        at.map((one, axis) => (axis === along ? (own === undefined ? index : build.plus(own.start, index)) : one));
      const length = loops[along] as Dim;
      const extent = own?.extent ?? filled ?? build.size(length);
      if (own !== undefined || (length.constant ?? Infinity) <= sumBlockTerms)
        return body.loop(
          'i',
          extent,
          'vector',
          (i, inner) => fill(inner, indexAt(i), totals),
          own !== undefined ? partOf(own.block) : filled !== undefined ? mostOf(length) : {},
        );
      this.#inBlocks(body, reductions, totals, length, (inner, index, into) => fill(inner, indexAt(index), into));
    };
    others(scope, 0, []);
  }

  #inBlocks(
    scope: Scope,
    reductions: readonly Reduction[],
    totals: readonly Accumulator[],
    length: Dim,
    fill: (body: Scope, index: Expr, into: readonly Accumulator[]) => void,
  ): void {
    const [extent, terms] = [build.size(length), build.int(sumBlockTerms)];
    const count = build.ceilDiv(extent, terms);
    const add = (n: Expr, block: Scope): void => {
      const start = block.let('start', build.times(n, terms));
      const partial = reductions.map(({ node, form }, which) => this.declare(block, form, (totals[which] as Accumulator).shape, node));
      const left = build.smaller(terms, build.minus(extent, start));
      block.loop('i', left, 'vector', (i, vector) => fill(vector, build.plus(start, i), partial), partOf(n));
      for (const [which, { form }] of reductions.entries()) {
        const total = totals[which] as Accumulator;
        for (const slot of indices(total.shape))
          block.emit({
            kind: 'accumulate',
            accumulator: total,
            index: slot.map(build.int),
            combine: form.combine,
            value: build.read(partial[which] as Accumulator, slot.map(build.int)),
          });
      }
    };
    scope.loop('n', count, 'serial', add, { blocks: length });
  }
}

/** The bound of an extent along an axis that is only filled so far. */
const mostOf = ({ constant }: Dim): Pick<For, 'most'> => (constant === undefined ? {} : { most: constant });

/** The axis along which lanes run: the last one, or the longest where that is short. */
export function laneAxis(loops: Shape): number {
  const last = loops.length - 1;
  const length = (axis: number): number => (loops[axis] as Dim).constant ?? assumedAxis;
  if (length(last) >= leastLaneAxis) return last;
  return loops.reduce((best, _, axis) => (length(axis) > length(best) ? axis : best), last);
}
