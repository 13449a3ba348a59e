// Kernels of rows: reductions of each row, elementwise results, and partial results of sums over all rows, in one pass over the data (see
// the note at the end). In: a group of fused rows and its storage. Out: statements in a scope.
// Holds: rows come in blocks that depend on sizes alone; a block owns its partial results and what it keeps of the row at hand.

import { type Dim, elementCount, type Shape } from '../../../base/index.js';
import type { Node, TensorNode } from '../../../graph/index.js';
import { type Accumulator, build, type Buffer, type Expr, type Stmt } from '../../../kernel/index.js';
import { combineStep, identity, type PartialForm, space, spread, widthAs } from '../../form/forms.js';
import type { Group } from '../../fuse/groups.js';
import { blocksOf } from '../../form/partial.js';
import { type EmitContext, KernelEmitter } from './emitter.js';
import { type Kept, keptValues } from './row-cache.js';
import { partOf, type Scope, valueKey } from '../../form/scope.js';
import { alike, groupBy, type Reduction } from '../../fuse/stages.js';
import { isRounded, partsLike, RunningSums, serialBlockTerms, twoSum, withLost } from './running-sum.js';

/** One way along the columns of a row. */
interface Pass {
  readonly columns: Shape;
  readonly reductions: readonly Reduction[];
  readonly maps: readonly TensorNode[];
  readonly partials: readonly PartialForm[];
}

interface KeptRow extends Kept {
  readonly buffer: Buffer;
}

/** Partial results of many rows: what runs of rows have added up, and what the additions of runs rounded off. */
interface LongSum {
  readonly partial: PartialForm;
  readonly sums: Buffer;
  readonly lost: Buffer;
}

/** What the loops around a row are. */
interface Row {
  readonly block: Expr;
  readonly point: readonly Expr[];
  /** Registers of partial results that are single elements. */
  readonly totals: ReadonlyMap<PartialForm, Accumulator>;
}

export class FusedRowsEmitter {
  readonly #points: KernelEmitter;
  readonly #partials: readonly PartialForm[];
  readonly #passes: readonly Pass[];
  readonly #kept: readonly KeptRow[];
  /** Whether a block may have more rows than a sum adds up at once. */
  readonly #isLong: boolean;
  readonly #longSums: readonly LongSum[];

  readonly group: Group;
  readonly context: EmitContext;

  constructor(group: Group, context: EmitContext) {
    this.group = group;
    this.context = context;
    this.#points = new KernelEmitter(group, context);
    this.#partials = group.members.flatMap((member) => (member.role === 'partial' ? [member.form] : []));
    this.#passes = this.#planPasses();
    this.#kept = this.#planKept();
    this.#isLong = this.#partials.some(isSum) && (build.intValue(blocksOf(group.outer).points) ?? Infinity) > serialBlockTerms;
    const room = (partial: PartialForm): Buffer => context.storage.pool.temporary(partial.node.type);
    this.#longSums = this.#isLong
      ? this.#partials
          .filter((partial) => isSum(partial) && space(partial.of.node.type.shape).length > 0)
          .map((partial) => ({ partial, sums: room(partial), lost: room(partial) }))
      : [];
  }

  emit(scope: Scope): void {
    const { count, points, ...bound } = blocksOf(this.group.outer);
    const total = elementCount(this.group.outer);
    const fill = (p: Expr, block: Scope): void => {
      const start = block.let('start', build.times(p, points));
      const totals = new Map<PartialForm, Accumulator>();
      for (const partial of this.#partials) {
        const columns = space(partial.of.node.type.shape);
        if (columns.length === 0) totals.set(partial, this.#points.declare(block, partial.of, [], partial.node));
        else
          this.#points.nested(block, columns, (vector, at) =>
            vector.emit(this.#partialStore(partial, p, at, identity(partial.of.combine, partial.node.type.dtype))),
          );
      }
      const rows = build.smaller(points, build.minus(build.size(total), start));
      const rowAt = (body: Scope, o: Expr, into: Row['totals']): void =>
        this.#row(body, { block: p, point: this.#pointOf(body, build.plus(start, o)), totals: into });
      if (this.#isLong) this.#inRuns(block, p, rows, totals, rowAt);
      else block.loop('o', rows, 'serial', (o, body) => rowAt(body, o, totals), partOf(p));
      for (const [partial, register] of totals) block.emit(this.#partialStore(partial, p, [], build.read(register)));
    };
    scope.loop('p', count, this.context.parallel ? 'parallel' : 'serial', fill, { blocks: total, ...bound });
  }

  /**
   * The rows of a block in runs of `serialBlockTerms`: what a run has added to the partial results goes to totals before the next one
   * begins, so that no element adds up more. A block of a single run touches no totals.
   */
  #inRuns(
    block: Scope,
    p: Expr,
    rows: Expr,
    totals: ReadonlyMap<PartialForm, Accumulator>,
    rowAt: (body: Scope, o: Expr, into: Row['totals']) => void,
  ): void {
    const each = build.int(serialBlockTerms);
    const several = build.apply('gt', 'bool', blocksOf(this.group.outer).points, each);
    const inRows = this.#longSums.map(({ partial, sums, lost }) => {
      const own = this.context.storage.bufferOf(partial.node);
      const columns = space(partial.of.node.type.shape);
      const zero = build.constant(partial.node.type.dtype, 0);
      const at = (column: readonly Expr[]): Expr[] => [p, ...spread(partial.of.node.type.shape, column)];
      const store = (buffer: Buffer, column: readonly Expr[], value: Expr): Stmt => ({ kind: 'store', buffer, index: at(column), value });
      return { own, sums, lost, columns, zero, at, store };
    });
    block.when(several, (body) => {
      for (const { sums, lost, columns, zero, store } of inRows)
        this.#points.nested(body, columns, (vector, column) => vector.emit(store(sums, column, zero), store(lost, column, zero)));
    });
    const inRegisters = [...totals].map(([partial, total]) => {
      const reduction: Reduction = { node: partial.node, form: partial.of };
      return { partial, reduction, total, running: new RunningSums(block, [reduction], [total]) };
    });
    const run = (q: Expr, body: Scope): void => {
      const first = body.let('first', build.times(q, each));
      const own = inRegisters.map(({ reduction, total }) => partsLike(body, [reduction], [total])[0] as Accumulator);
      const into = new Map(inRegisters.map(({ partial }, which) => [partial, own[which] as Accumulator]));
      const left = build.smaller(each, build.minus(rows, first));
      body.loop('o', left, 'serial', (o, inner) => rowAt(inner, build.plus(first, o), into), partOf(q));
      for (const [which, { running }] of inRegisters.entries()) running.addAll(body, () => build.read(own[which] as Accumulator));
      body.when(several, (after) => {
        for (const { own: partial, sums, lost, columns, zero, at, store } of inRows)
          this.#points.nested(after, columns, (vector, column) => {
            const { sum, error } = twoSum(vector, build.load(sums, at(column)), build.load(partial, at(column)));
            const left = build.apply('add', partial.dtype, build.load(lost, at(column)), error);
            vector.emit(store(lost, column, left), store(sums, column, sum), store(partial, column, zero));
          });
      });
    };
    block.loop('q', build.ceilDiv(rows, each), 'serial', run, { blocks: elementCount(this.group.outer), ...partOf(p) });
    for (const { running } of inRegisters) running.finishAll(block);
    block.when(several, (body) => {
      for (const { own: partial, sums, lost, columns, at, store } of inRows)
        this.#points.nested(body, columns, (vector, column) =>
          vector.emit(store(partial, column, withLost(partial.dtype, build.load(sums, at(column)), build.load(lost, at(column))))),
        );
    });
  }

  #partialStore(
    partial: PartialForm,
    block: Expr,
    at: readonly Expr[],
    value: Expr,
  ): { kind: 'store'; buffer: Buffer; index: readonly Expr[]; value: Expr } {
    const buffer = this.context.storage.bufferOf(partial.node);
    return { kind: 'store', buffer, index: [block, ...spread(partial.of.node.type.shape, at)], value };
  }

  /** Indices of the row with this number. */
  #pointOf(scope: Scope, row: Expr): Expr[] {
    const point: Expr[] = [];
    let left = row;
    for (const dim of this.group.outer.slice(1).reverse()) {
      point.unshift(scope.let('o', build.modulo(left, build.size(dim))));
      left = build.over(left, build.size(dim));
    }
    return [scope.let('o', left), ...point];
  }

  #row(body: Scope, row: Row): void {
    const rowPartials = this.#partials.filter((partial) => columnsOf(partial).length === 0);
    for (const [at, pass] of this.#passes.entries()) this.#pass(body, row, pass, at);
    for (const partial of rowPartials) this.#accumulatePartial(body, partial, row, []);
    const { stages, maps } = this.#points;
    this.#points.store(
      body,
      [
        ...stages.flatMap((stage) => stage.map(({ node }) => node)),
        ...maps.filter((node) => space(node.type.shape).length === row.point.length),
      ],
      row.point,
    );
  }

  #pass(body: Scope, row: Row, pass: Pass, at: number): void {
    const registers = pass.reductions.map(({ node, form }) => this.#points.declare(body, form, [], node));
    const fill = (vector: Scope, columns: readonly Expr[], into: readonly Accumulator[]): void => {
      const indexOf = (node: TensorNode): Expr[] => spread(node.type.shape, [...row.point, ...columns]);
      for (const { node, again, buffer } of this.#kept)
        if (again.includes(at))
          vector.remember(valueKey(node, indexOf(node)), vector.let('x', build.load(buffer, [row.block, ...columns])));
      for (const [which, { node, form }] of pass.reductions.entries())
        this.#points.accumulate(
          vector,
          form,
          into[which] as Accumulator,
          [],
          spread(node.type.shape, row.point),
          spread(form.reduced, columns),
        );
      for (const partial of pass.partials) this.#accumulatePartial(vector, partial, row, columns);
      const keeps = this.#kept
        .filter(({ first }) => first === at)
        .map(({ node, buffer }) => ({ buffer, value: this.#points.values.at(node, indexOf(node), vector) }));
      for (const { buffer, value } of keeps) vector.emit({ kind: 'store', buffer, index: [row.block, ...columns], value });
      this.#points.store(vector, pass.maps, [...row.point, ...columns]);
    };
    if (pass.reductions.length > 0) this.#points.reduceLoops(body, pass.reductions, registers, fill);
    else this.#points.nested(body, pass.columns, (vector, columns) => fill(vector, columns, []));
    for (const [which, { node }] of pass.reductions.entries()) {
      body.remember(
        valueKey(node, spread(node.type.shape, row.point)),
        body.let('r', widthAs(node.type.dtype, build.read(registers[which] as Accumulator))),
      );
    }
  }

  /** Adds what this point contributes. */
  #accumulatePartial(scope: Scope, partial: PartialForm, row: Row, columns: readonly Expr[]): void {
    const { of } = partial;
    const kept = space(of.node.type.shape);
    const total = row.totals.get(partial);
    const keptIndex = spread(of.node.type.shape, columns.slice(0, kept.length));
    const reduced = spread(of.reduced, [...row.point, ...columns.slice(kept.length)]);
    if (total !== undefined) return this.#points.accumulate(scope, of, total, [], keptIndex, reduced);
    const value = of.term(keptIndex, reduced, (argument, index) => this.#points.values.at(argument, index, scope));
    const before = build.load(this.context.storage.bufferOf(partial.node), [row.block, ...keptIndex]);
    scope.emit(this.#partialStore(partial, row.block, columns, combineStep(of.combine, partial.node.type.dtype, before, value)));
  }

  // ---- what is done in which pass ------------------------------------------------------------------------------------------------------

  /**
   * Reductions of the row in the order in which they need each other, then everything that is stored, by columns. A partial result is added
   * in the first pass along its columns that has what it needs.
   */
  #planPasses(): Pass[] {
    const { stages } = this.#points;
    const left = new Set(this.#partials);
    const reducing = stages.flatMap((stage, level) =>
      alike(stage).map((reductions): Pass => {
        const columns = space((reductions[0] as Reduction).form.reduced);
        const partials = [...left].filter((partial) => sameShape(columnsOf(partial), columns) && this.#waitsFor(partial) <= level);
        for (const partial of partials) left.delete(partial);
        return { columns, reductions, maps: [], partials };
      }),
    );
    const points = this.group.outer.length;
    const trailing = (node: TensorNode): Shape => space(node.type.shape).slice(points);
    const maps = this.#points.maps.filter((node) => trailing(node).length > 0);
    const last = groupBy([...maps.map(trailing), ...[...left].map(columnsOf).filter((columns) => columns.length > 0)], (columns) =>
      columns.join(),
    );
    const storing = last.map(([first]): Pass => {
      const columns = first as Shape;
      return {
        columns,
        reductions: [],
        maps: maps.filter((node) => sameShape(trailing(node), columns)),
        partials: [...left].filter((partial) => sameShape(columnsOf(partial), columns)),
      };
    });
    return [...reducing, ...storing];
  }

  /** Stages of reductions whose results the partial result needs. What the group reads needs none of them. */
  #waitsFor(partial: PartialForm): number {
    const { forms } = this.context;
    const stageOf = new Map<Node, number>(
      this.#points.stages.flatMap((stage, level) => stage.map(({ node }): [Node, number] => [node, level + 1])),
    );
    const seen = new Set<Node>();
    const waiting = [...partial.node.args];
    let last = 0;
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      const stage = stageOf.get(node);
      if (stage !== undefined) last = Math.max(last, stage);
      else if (!this.group.reads.has(node) && !forms.isStored(node)) waiting.push(...forms.argsOf(node));
    }
    return last;
  }

  #planKept(): KeptRow[] {
    const { forms, storage } = this.context;
    const own = new Map(this.group.members.map((member) => [member.node, member.role]));
    const isInline = (node: Node): boolean => {
      const role = own.get(node);
      if (role !== undefined) return role === 'elementwise' && !forms.isStored(node);
      return node.type.kind === 'tensor' && storage.stored(node as TensorNode) === undefined;
    };
    const passes = this.#passes.map(({ columns, reductions, maps, partials }) => ({
      columns,
      needs: [...reductions.flatMap(({ node }) => forms.argsOf(node)), ...maps, ...partials.flatMap(({ node }) => node.args)],
    }));
    const [blocks] = (this.#partials[0] as PartialForm).node.type.shape as [Dim];
    return keptValues(passes, this.group.outer, forms, isInline).map((kept) => {
      const columns = (this.#passes[kept.first] as Pass).columns;
      return { ...kept, buffer: storage.pool.temporary({ dtype: kept.node.type.dtype, shape: [blocks, ...columns] }) };
    });
  }
}

const isSum = ({ node, of }: PartialForm): boolean => isRounded({ node, form: of });

const sameShape = (a: Shape, b: Shape): boolean => a.join() === b.join();

/** The axes that are left of what a partial result is computed over when the row is fixed. */
const columnsOf = (partial: PartialForm): Shape => [...space(partial.of.node.type.shape), ...partial.within];

/* Note: rows.
   sum(x, axis: 1) and sum(x, axis: 0) of x: f32[B, 100]; ROWS stands for max(8, #(B + 63) / 64), BLOCKS for B over that, rounded up:

     group 0 fused-rows [B] reads %0
       reduce %1: f32[B] to out_0
       partial partials of %2: f32[64, 100] to t0

     parallel for p0 in 0..BLOCKS blocks B most 64 {
       let start1 = p0 * ROWS
       vector for i2 in 0..100 { t0[p0, i2] = f32(0) }
       for o3 in 0..min(ROWS, B - start1) part p0 {
         acc acc5: f32 = f32(0)
         vector for i6 in 0..100 { acc5 += in_x[start1 + o3, i6]  t0[p0, i6] = t0[p0, i6] + in_x[start1 + o3, i6] }
         out_0[start1 + o3] = acc5
       }
     }

   Data that is larger than the caches comes from memory once instead of once per sum; a column reduction adds the blocks of t0 up. A row
   is passed once per stage of its reductions and once to store, from the nearest cache all but the first time. What is costly to compute
   and needed again in a later pass is kept in a row of its own (`row-cache.ts`), one per block and so reused for every row of it.
   Partial results of sums over all rows with a result per column are added in place, in rows of their own that stay in the nearest cache
   as well; partial results that are single elements are registers of the block. Shown by "sums of rows and of columns take one pass over
   the data, and leave partial results of the latter to a small kernel" in test/lower/facts.test.ts. */
