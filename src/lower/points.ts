// Kernels of pointwise groups: elementwise ops and reductions. In: a group and its storage. Out: statements in a scope.
// Holds: at each point reductions come first, in the order in which they need each other; then all values are computed; then they are stored (so that a variable may be read and updated in place).


import { type Dim, InternalError, type Shape } from '../base/index.js';
import type { Node, TensorNode } from '../graph/index.js';
import { type Accumulator, type Axis, build, type Expr, type Stmt, type Target } from '../loop/index.js';
import { combinedAs, constants, identity, indices, reducedKey, type ReduceForm, space, spread, widthAs } from './forms.js';
import type { Group } from './groups.js';
import type { Forms } from './roots.js';
import { type Scope, valueKey } from './scope.js';
import type { Storage } from './storage.js';
import { Values } from './values.js';

/** Elements that one iteration of a parallel elementwise loop takes, and up to which a loop stays on one thread. */
const blockElements = 4096;
/** Terms that a long reduction combines before it adds them to the total. */
const blockTerms = 4096;

export interface EmitContext {
  readonly storage: Storage;
  readonly forms: Forms;
  readonly target: Target;
  /** Whether the outermost loops may be parallel: not inside of another loop. */
  readonly parallel: boolean;
}

export interface Reduction {
  readonly node: TensorNode;
  readonly form: ReduceForm;
}

/** Lanes of a register for this element. */
export const lanesOf = (target: Target, bytes: number): number => Math.max(1, target.vectorBytes / Math.max(bytes, 4));

export class PointEmitter {
  readonly values: Values;
  readonly maps: readonly TensorNode[];
  readonly stages: readonly (readonly Reduction[])[];

  readonly group: Group;
  readonly context: EmitContext;

  constructor(group: Group, context: EmitContext) {
    this.group = group;
    this.context = context;
    const inlined = new Set<Node>(group.members.flatMap((member) => (member.role === 'map' && !context.forms.isStored(member.node) ? [member.node] : [])));
    this.values = new Values({
      stored: (node) => (inlined.has(node) ? undefined : context.storage.stored(node)),
      form: (node) => context.forms.of(node),
      namesLoads: true,
    });
    this.maps = group.members.flatMap((member) => (member.role === 'map' ? [member.node] : []));
    this.stages = stagesOf(group, context.forms);
  }

  emit(scope: Scope): void {
    switch (this.group.mode) {
      case 'map':
        return this.#emitMap(scope);
      case 'small':
        return this.#emitSmall(scope);
      case 'inner':
        return this.#emitInner(scope);
      case 'outer':
        return this.#emitOuter(scope);
      case 'rows':
      case 'tile':
      case 'nest':
      case 'loop':
        throw new InternalError('lower', `a ${this.group.mode} group is no pointwise group`);
    }
  }

  // ---- map: lanes along the last axis -------------------------------------------------------------------------------------------------

  #emitMap(scope: Scope): void {
    const outer = this.group.outer;
    if (outer.length === 0) return this.store(scope, this.maps, []);
    this.#loops(scope, outer.slice(0, -1), (before, body) => {
      const last = outer.at(-1) as Dim;
      if (before.length > 0 || (last.constant ?? Infinity) <= blockElements || !this.context.parallel) {
        body.loop('i', build.size(last), 'vector', (i, lanes) => this.store(lanes, this.maps, [...before, i]));
        return;
      }
      const extent = build.size(last);
      body.loop('p', build.over(build.plus(extent, build.int(blockElements - 1)), build.int(blockElements)), 'parallel', (p, block) => {
        const start = build.times(p, build.int(blockElements));
        block.loop('i', build.smaller(build.int(blockElements), build.minus(extent, start)), 'vector', (i, lanes) => this.store(lanes, this.maps, [...before, build.plus(start, i)]));
      });
    });
  }

  // ---- small: a few results, lanes along what is reduced -------------------------------------------------------------------------------

  #emitSmall(scope: Scope): void {
    for (const stage of this.stages) for (const together of alike(stage)) this.#reduceUnrolled(scope, together);
    this.#storeUnrolled(scope, [...this.#reduced(), ...this.maps]);
  }

  #reduceUnrolled(scope: Scope, reductions: readonly Reduction[]): void {
    const points = reductions.map(({ node }) => unrolledPoints(node));
    const accumulators = reductions.map(({ node, form }, which) => this.declare(scope, form, [(points[which] as Expr[][]).length], node));
    this.reduceLoops(scope, reductions, accumulators, (body, at, into) => {
      for (const [which, { form }] of reductions.entries()) {
        const reduced = spread(form.reduced, at);
        for (const [slot, kept] of (points[which] as Expr[][]).entries()) this.accumulate(body, form, into[which] as Accumulator, [build.int(slot)], kept, reduced);
      }
    });
    for (const [which, { node }] of reductions.entries()) {
      for (const [slot, kept] of (points[which] as Expr[][]).entries()) scope.remember(valueKey(node, kept), scope.let('r', widthAs(node.type.dtype, build.read(accumulators[which] as Accumulator, [build.int(slot)]))));
    }
  }

  #storeUnrolled(scope: Scope, nodes: readonly TensorNode[]): void {
    const stores: Stmt[] = [];
    for (const node of nodes) {
      if (this.context.storage.destinations(node).length === 0) continue;
      for (const index of unrolledPoints(node)) stores.push(...this.#storesOf(node, index, this.values.at(node, index, scope)));
    }
    scope.emit(...stores);
  }

  // ---- inner: lanes along what is reduced, one point after the other -------------------------------------------------------------------

  #emitInner(scope: Scope): void {
    this.#loops(scope, this.group.outer, (point, body) => {
      for (const stage of this.stages) {
        for (const together of alike(stage)) {
          const accumulators = together.map(({ node, form }) => this.declare(body, form, [], node));
          this.reduceLoops(body, together, accumulators, (inner, at, into) => {
            for (const [which, { node, form }] of together.entries()) this.accumulate(inner, form, into[which] as Accumulator, [], spread(node.type.shape, point), spread(form.reduced, at));
          });
          for (const [which, { node }] of together.entries()) body.remember(valueKey(node, spread(node.type.shape, point)), body.let('r', widthAs(node.type.dtype, build.read(accumulators[which] as Accumulator))));
        }
      }
      const rest = this.maps.filter((node) => space(node.type.shape).length > point.length);
      for (const nodes of groupBy(rest, (node) => space(node.type.shape).join())) {
        const trailing = space((nodes[0] as TensorNode).type.shape).slice(point.length);
        this.nested(body, trailing, (lanes, at) => this.store(lanes, nodes, [...point, ...at]));
      }
      this.store(body, [...this.#reduced(), ...this.maps.filter((node) => !rest.includes(node))], point);
    });
  }

  // ---- outer: lanes along the last axis of the points ----------------------------------------------------------------------------------

  #emitOuter(scope: Scope): void {
    const outer = this.group.outer;
    const last = outer.at(-1) as Dim;
    const widest = Math.max(...this.#reduced().map((node) => lanesOf(this.context.target, bytes(node))));
    const width = Math.min(4 * widest, last.constant ?? Infinity);
    const tiles = build.over(build.plus(build.size(last), build.int(width - 1)), build.int(width));
    const lead = outer.slice(0, -1);
    this.#loops(scope, lead, (before, block) => {
      block.loop('t', tiles, lead.length === 0 && this.context.parallel ? 'parallel' : 'serial', (tile, body) => {
        const start = build.times(tile, build.int(width));
        const extent = last.constant !== undefined && last.constant % width === 0 ? build.int(width) : build.smaller(build.int(width), build.minus(build.size(last), start));
        const accumulators = new Map<TensorNode, Accumulator>();
        const lanes = (where: Scope, fill: (lane: Scope, point: readonly Expr[], lane_: Expr) => void): void =>
          where.loop(
            'j',
            extent,
            'vector',
            (j, lane) => {
              const point = [...before, build.plus(start, j)];
              for (const [node, accumulator] of accumulators) if (this.#isDone(node)) lane.remember(valueKey(node, spread(node.type.shape, point)), widthAs(node.type.dtype, build.read(accumulator, [j])));
              fill(lane, point, j);
            },
            { limit: width },
          );
        this.#done.clear();
        for (const stage of this.stages) {
          for (const together of alike(stage)) {
            for (const { node, form } of together) accumulators.set(node, this.declare(body, form, [width], node));
            const { form: first } = together[0] as Reduction;
            this.#serial(body, space(first.reduced), (inner, at) =>
              lanes(inner, (lane, point, j) => {
                for (const { node, form } of together) this.accumulate(lane, form, accumulators.get(node) as Accumulator, [j], spread(node.type.shape, point), spread(form.reduced, at));
              }),
              first.filled,
            );
          }
          for (const { node } of stage) this.#done.add(node);
        }
        lanes(body, (lane, point) => this.store(lane, [...this.#reduced(), ...this.maps], point));
      });
    });
  }

  /** Reductions whose result is complete: later loops may read it. */
  readonly #done = new Set<TensorNode>();
  #isDone(node: TensorNode): boolean {
    return this.#done.has(node);
  }

  // ---- parts --------------------------------------------------------------------------------------------------------------------------

  /** Values of all `nodes` at a point of the loops, then their stores. */
  store(scope: Scope, nodes: readonly TensorNode[], loops: readonly Expr[]): void {
    const stores: Stmt[] = [];
    for (const node of nodes) {
      if (this.context.storage.destinations(node).length === 0) continue;
      const index = spread(node.type.shape, loops);
      stores.push(...this.#storesOf(node, index, this.values.at(node, index, scope)));
    }
    scope.emit(...stores);
  }

  #storesOf(node: TensorNode, index: readonly Expr[], value: Expr): Stmt[] {
    return this.context.storage
      .destinations(node)
      .map((to): Stmt => (to.kind === 'buffer' ? { kind: 'store', buffer: to.buffer, index: [...to.prefix, ...index], value } : { kind: 'assign', accumulator: to.accumulator, index: [], value }));
  }

  #reduced(): TensorNode[] {
    return this.stages.flatMap((stage) => stage.map(({ node }) => node));
  }

  declare(scope: Scope, form: ReduceForm, shape: readonly number[], node: TensorNode): Accumulator {
    const dtype = combinedAs(node.type.dtype);
    const accumulator: Accumulator = { name: scope.names.fresh('acc'), dtype, shape };
    scope.emit({ kind: 'declare', accumulator, initial: identity(form.combine, dtype) });
    return accumulator;
  }

  accumulate(scope: Scope, form: ReduceForm, accumulator: Accumulator, slot: readonly Expr[], kept: readonly Expr[], reduced: readonly Expr[]): void {
    const value = form.term(kept, reduced, (argument, index) => this.values.at(argument, index, scope));
    scope.emit({ kind: 'accumulate', accumulator, index: slot, combine: form.combine, value });
  }

  /** Loops over points: the first parallel where that is allowed, the rest in order. */
  #loops(scope: Scope, shape: Shape, fill: (point: readonly Expr[], body: Scope) => void, before: readonly Expr[] = []): void {
    const [first, ...rest] = shape;
    if (first === undefined) return fill(before, scope);
    const axis: Axis = before.length === 0 && this.context.parallel ? 'parallel' : 'serial';
    scope.loop('o', build.size(first), axis, (o, body) => this.#loops(body, rest, fill, [...before, o]));
  }

  #serial(scope: Scope, shape: Shape, fill: (body: Scope, at: readonly Expr[]) => void, filled?: Expr, before: readonly Expr[] = []): void {
    const [first, ...rest] = shape;
    if (first === undefined) return fill(scope, before);
    scope.loop('r', filled ?? build.size(first), 'serial', (r, body) => this.#serial(body, rest, fill, undefined, [...before, r]));
  }

  /** Loops in order with lanes along the last axis. */
  nested(scope: Scope, shape: Shape, fill: (body: Scope, at: readonly Expr[]) => void): void {
    this.#serial(scope, shape.slice(0, -1), (body, at) => body.loop('i', build.size(shape.at(-1) as Dim), 'vector', (i, lanes) => fill(lanes, [...at, i])));
  }

  /**
   * Loops over what is reduced, lanes along its last axis, or along the longest when the last one is short. `fill` accumulates into the registers that it is given: over a long axis those are partial
   * results of `blockTerms` terms, so that the error of a sum grows with the number of blocks and not with the number of terms.
   */
  reduceLoops(scope: Scope, reductions: readonly Reduction[], totals: readonly Accumulator[], fill: (body: Scope, at: readonly Expr[], into: readonly Accumulator[]) => void): void {
    const { reduced, filled } = (reductions[0] as Reduction).form;
    const loops = space(reduced);
    if (loops.length === 0) return fill(scope, [], totals);
    const lane = laneAxis(loops);
    const length = loops[lane] as Dim;
    const along = (others: readonly Expr[], at: Expr): Expr[] => [...others.slice(0, lane), at, ...others.slice(lane)];
    this.#serial(
      scope,
      loops.filter((_, axis) => axis !== lane),
      (body, others) => {
        if ((length.constant ?? Infinity) <= blockTerms) return body.loop('i', filled ?? build.size(length), 'vector', (i, lanes) => fill(lanes, along(others, i), totals));
        const extent = build.size(length);
        body.loop('n', build.over(build.plus(extent, build.int(blockTerms - 1)), build.int(blockTerms)), 'serial', (n, block) => {
          const start = block.let('start', build.times(n, build.int(blockTerms)));
          const partial = reductions.map(({ node, form }, which) => this.declare(block, form, (totals[which] as Accumulator).shape, node));
          block.loop('i', build.smaller(build.int(blockTerms), build.minus(extent, start)), 'vector', (i, lanes) => fill(lanes, along(others, build.plus(start, i)), partial));
          for (const [which, { form }] of reductions.entries()) {
            const total = totals[which] as Accumulator;
            for (const slot of indices(total.shape)) block.emit({ kind: 'accumulate', accumulator: total, index: slot.map(build.int), combine: form.combine, value: build.read(partial[which] as Accumulator, slot.map(build.int)) });
          }
        });
      },
    );
  }
}

const bytes = (node: TensorNode): number => (node.type.dtype === 'f64' || node.type.dtype === 'i64' ? 8 : 4);

function laneAxis(loops: Shape): number {
  const last = loops.length - 1;
  const length = (axis: number): number => (loops[axis] as Dim).constant ?? 1024;
  if (length(last) >= 8) return last;
  return loops.reduce((best, _, axis) => (length(axis) > length(best) ? axis : best), last);
}

const unrolledPoints = (node: TensorNode): Expr[][] => {
  const shape = node.type.shape;
  return [...indices(constants(space(shape)) ?? [])].map((at) => spread(shape, at.map(build.int)));
};

export function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const known = groups.get(key(item));
    if (known === undefined) groups.set(key(item), [item]);
    else known.push(item);
  }
  return [...groups.values()];
}

/** Reductions over the same sizes share a loop. */
export const alike = (stage: readonly Reduction[]): Reduction[][] => groupBy(stage, ({ form }) => reducedKey(form));

/** Reductions by how many others they wait for. */
function stagesOf(group: Group, forms: Forms): Reduction[][] {
  const reductions = new Map<Node, Reduction>();
  for (const member of group.members) if (member.role === 'reduce') reductions.set(member.node, { node: member.node, form: member.form });
  const own = new Map<Node, number>();
  const stageOf = (node: Node): number => {
    const known = own.get(node);
    if (known !== undefined) return known;
    const below = Math.max(0, ...forms.argsOf(node).map((argument) => (reachesAny(argument, reductions, forms) ? stageOf(argument) : 0)));
    const stage = reductions.has(node) ? below + 1 : below;
    own.set(node, stage);
    return stage;
  };
  const stages: Reduction[][] = [];
  for (const [node, reduction] of reductions) (stages[stageOf(node) - 1] ??= []).push(reduction);
  return stages.filter((stage) => stage !== undefined);
}

function reachesAny(node: Node, targets: ReadonlyMap<Node, unknown>, forms: Forms, seen = new Set<Node>()): boolean {
  if (targets.has(node)) return true;
  if (seen.has(node)) return false;
  seen.add(node);
  return forms.argsOf(node).some((argument) => reachesAny(argument, targets, forms, seen));
}
