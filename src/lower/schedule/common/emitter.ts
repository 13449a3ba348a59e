// What kernels of pointwise groups are made of: values, stores, accumulators, loops. In: a group and its storage. Out: statements in a
// scope.
// Holds: values are computed before any of them is stored, so that a variable may be read and updated in place.

import { type Dim, elementCount, type Shape } from '../../../base/index.js';
import type { Node, TensorNode } from '../../../graph/index.js';
import { type Accumulator, type Axis, build, type Expr, type For, type Stmt } from '../../../kernel/index.js';
import { assumedAxis, leastLaneAxis, type Target } from '../../../target/index.js';
import { combinedAs, identity, type ReduceForm, space, spread, widthAs } from '../../form/forms.js';
import { splitIndex } from '../../form/index-expressions.js';
import type { Group } from '../../fuse/groups.js';
import type { Forms } from '../../form/materialize.js';
import { partOf, type Scope } from '../../form/scope.js';
import { type Reduction, stagesOf } from '../../fuse/stages.js';
import type { Storage } from '../../form/storage.js';
import { Values } from '../../form/values.js';
import { cutOf, isRounded, partsLike, RunningSums } from './running-sum.js';

/** What a kernel makes for one behind it: a copy of a product's right side in its order, sums of pieces, or what it sums up by rows. */
export type Ahead = 'panels' | 'partial results' | 'sums over keys';

export interface EmitContext {
  readonly storage: Storage;
  readonly forms: Forms;
  readonly target: Target;
  /** Whether the outermost loops may be parallel: not inside of another loop. */
  readonly parallel: boolean;
  /** Opens a kernel that runs before the one that the group is emitted into; what it makes for that one, or else a part of the group. */
  readonly ahead?: (makes?: Ahead) => Scope;
}

/** Lanes of a register for this element; threads of a block are such lanes. */
export function lanesOf(target: Target, bytes: number): number {
  switch (target.kind) {
    case 'cpu':
      return Math.max(1, target.vectorBytes / Math.max(bytes, 4));
    case 'cuda':
      return target.threads;
  }
}

/** A part of one axis: indices from `start` on, of the block of this number. */
export interface Part {
  readonly block: Expr;
  readonly axis: number;
  readonly start: Expr;
  readonly extent: Expr;
  /** The most indices that there can be, if that is known. */
  readonly most: number | undefined;
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
        ? { kind: 'store', buffer: to.buffer, index: [...to.prefix, ...index], value: widthAs(to.buffer.dtype, value) }
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

  /**
   * Loops over points: the first parallel where that is allowed, the rest in order; with so many processors that all can be divided they
   * are one parallel loop.
   */
  loops(scope: Scope, shape: Shape, fill: (point: readonly Expr[], body: Scope) => void, before: readonly Expr[] = []): void {
    const [first, ...rest] = shape;
    if (first === undefined) return fill(before, scope);
    if (rest.length > 0 && before.length === 0 && this.context.parallel && this.context.target.dividesPoints)
      return scope.loop('o', build.size(elementCount(shape)), 'parallel', (o, body) => fill(splitIndex(shape, o, body), body));
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
   * accumulates into the registers that it is given: where there may be many terms, those are sums of blocks (`running-sum.ts`).
   */
  reduceLoops(scope: Scope, reductions: readonly Reduction[], totals: readonly Accumulator[], fill: Fill, part?: Part): void {
    const { reduced, filled } = (reductions[0] as Reduction).form;
    const loops = space(reduced);
    if (loops.length === 0) return fill(scope, [], totals);
    const along = laneAxis(loops);
    const order = [...loops.keys()].filter((axis) => axis !== along).concat(along);
    const most = order.map((axis) => (part?.axis === axis ? part.most : (loops[axis] as Dim).constant));
    const cut = reductions.some(isRounded) ? cutOf(most, true) : undefined;
    const running = cut === undefined ? undefined : new RunningSums(scope, reductions, totals);
    const walk = (body: Scope, depth: number, at: readonly Expr[], into: readonly Accumulator[]): void => {
      const axis = order[depth];
      if (axis === undefined) return fill(body, at, into);
      const own = part?.axis === axis ? part : undefined;
      const length = loops[axis] as Dim;
      const isLast = axis === along;
      const extent = own?.extent ?? (isLast ? filled : undefined) ?? build.size(length);
      const next = (inner: Scope, index: Expr, registers: readonly Accumulator[]): void =>
        walk(
          inner,
          depth + 1,
          at.map((one, which) => (which === axis ? (own === undefined ? index : build.plus(own.start, index)) : one)),
          registers,
        );
      const [stem, kind] = isLast ? (['i', 'vector'] as const) : (['r', 'serial'] as const);
      if (cut === undefined || running === undefined || cut.loop !== depth) {
        const options = own !== undefined ? partOf(own.block) : isLast && filled !== undefined ? mostOf(length) : {};
        return body.loop(stem, extent, kind, (index, inner) => next(inner, index, into), options);
      }
      const add = (n: Expr, block: Scope): void => {
        const start = block.let('start', build.times(n, build.int(cut.each)));
        const sums = partsLike(block, reductions, totals);
        const left = build.smaller(build.int(cut.each), build.minus(extent, start));
        block.loop(stem, left, kind, (index, inner) => next(inner, build.plus(start, index), sums), partOf(n));
        running.addAll(block, (which, slot) => build.read(sums[which] as Accumulator, slot));
      };
      const count = build.ceilDiv(extent, build.int(cut.each));
      body.loop('n', count, 'serial', add, { blocks: length, ...(own === undefined ? {} : partOf(own.block)) });
    };
    walk(
      scope,
      0,
      loops.map(() => build.int(0)),
      totals,
    );
    running?.finishAll(scope);
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
