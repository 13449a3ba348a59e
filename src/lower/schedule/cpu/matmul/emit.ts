// Kernels of matrix products: register tiles over the whole depth with a fused epilogue (see the note at the end). In: a matmul group and
// its storage. Out: statements in a scope.
// Holds: every element of the product is one accumulator that sums over the depth in order, in runs of a fixed length, so neither tile
// sizes nor threads change its bits.

import { bytesOf, Dim, elementCount, isFloat } from '../../../../base/index.js';
import type { Node, TensorNode } from '../../../../graph/index.js';
import { type Accumulator, type Buffer, build, type Expr } from '../../../../kernel/index.js';
import { type CpuTarget, depthRun, fewestTileBlocks, tileBlockBytes, tilesPerBlock } from '../../../../target/index.js';
import { combinedAs, identity, rightIndex, space, spread, tensorOf, type MatmulForm, widthAs } from '../../../form/forms.js';
import { loadOf } from '../../../form/operands.js';
import { emitPanels, type Packing, packingOf, panelIndex } from './pack.js';
import { type EmitContext, lanesOf, KernelEmitter } from '../../common/emitter.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { flopsOfGroup } from '../../../fuse/cost-model.js';
import type { Group } from '../../../fuse/groups.js';
import type { RowPart } from './row-tiling.js';
import { type Elements, inRuns, type LongDepth, type StepFill } from './runs.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import { type Vectors, type Place, TileFetch } from './prefetch.js';
import { chooseTiling, type Tiling } from './tiling.js';

/** What all tiles below one another have in common. */
type Across = Omit<Place, 'row' | 'end' | 'before'> & { readonly block: Expr };

export class MatmulEmitter {
  readonly #points: KernelEmitter;
  readonly #form: MatmulForm;
  readonly #tiling: Tiling;
  readonly #packing: Packing | undefined;
  readonly #stored: readonly TensorNode[];
  readonly #fetch: TileFetch;
  readonly #target: CpuTarget;
  readonly #long: LongDepth | undefined;

  readonly group: Group;
  readonly context: EmitContext;

  constructor(group: Group, context: EmitContext, target: CpuTarget) {
    this.#target = target;
    this.group = group;
    this.context = context;
    this.#points = new KernelEmitter(group, context);
    const tile = group.members.find((member) => member.role === 'matmul');
    this.#form = (tile as Extract<typeof tile, { role: 'matmul' }>).form;
    const { node } = this.#form;
    const right = tensorOf(node.args[1] as Node);
    const read = loadOf(
      right,
      right.type.shape.map(() => build.int(0)),
      (one) => context.storage.stored(one),
      context.forms,
    );
    const sizes = { ...this.#form, isFed: read?.buffer.role.kind === 'feed' };
    this.#tiling = chooseTiling(sizes, lanesOf(target, bytesOf(node.type.dtype)), target);
    const pitch = read?.buffer.strides.at(-2)?.constant ?? this.#form.columns.constant ?? 0;
    this.#packing = packingOf(this.#form, this.#tiling, pitch, context.storage.pool, target);
    this.#stored = group.members.flatMap((member) => (member.role === 'matmul' || member.role === 'elementwise' ? [member.node] : []));
    this.#fetch = new TileFetch(this.#form, context, this.#tiling.columns.lanes, this.#tilesOfBlock(), this.#stored, target);
    this.#long = isFloat(node.type.dtype) && (this.#form.depth.constant ?? Infinity) > depthRun ? this.#roomForTotals() : undefined;
  }

  emit(scope: Scope): void {
    const batch = this.#form.batch;
    const parallel = this.context.parallel;
    // Axes of rows before the last are one loop with the batches, which threads share evenly.
    if (this.#form.shared < batch.length) {
      const around = space(batch);
      const fill = (b: Expr, body: Scope): void => this.#blocks(body, spread(batch, splitIndex(around, b, body)), false);
      const whole = (body: Scope): void =>
        around.length === 0
          ? this.#blocks(body, spread(batch, []), parallel)
          : body.loop('b', build.size(elementCount(around)), parallel ? 'parallel' : 'serial', fill);
      return this.#computing(scope, () => whole(scope));
    }
    const inBatch = (body: Scope, before: readonly Expr[]): void => {
      const [next, free] = [batch[before.length], batch.every((dim) => dim.constant === 1)];
      if (next === undefined) return this.#blocks(body, before, parallel && free);
      if (next.constant === 1) return inBatch(body, [...before, build.int(0)]);
      body.loop(
        'b',
        build.size(next),
        parallel && batch.slice(0, before.length).every((dim) => dim.constant === 1) ? 'parallel' : 'serial',
        (b, inner) => inBatch(inner, [...before, b]),
      );
    };
    this.#computing(scope, () => inBatch(scope, []));
  }

  /** What the product reads as panels is copied before. */
  #computing(scope: Scope, fill: () => void): void {
    const { ahead, parallel, forms } = this.context;
    if (this.#packing !== undefined)
      emitPanels(ahead?.('panels') ?? scope, this.#form, this.#tiling, this.#packing, this.#points.values, parallel);
    scope.computing(flopsOfGroup(this.group, forms), fill);
  }

  /**
   * Blocks of tiles below one another, tile after tile of a group of columns, then the next rows; then the next group: a run of blocks has
   * columns of its own, or rows of its own, and reads no more than fits in a cache.
   */
  #blocks(scope: Scope, batch: readonly Expr[], parallel: boolean): void {
    const { rows, columns } = this.#tiling;
    const below = this.#below();
    const { groups, slots } = columns;
    // Each group has as many blocks as the largest one, so that equal ranges of block numbers are the same columns in every product of as
    // many groups.
    const perGroup = build.times(slots, below);
    scope.loop('p', build.times(perGroup, build.int(groups)), parallel ? 'parallel' : 'serial', (p, body) => {
      const group = groups === 1 ? build.int(0) : body.let('group', build.over(p, perGroup));
      const within = groups === 1 ? p : body.let('at', build.modulo(p, perGroup));
      const tile = body.let('tile', build.modulo(within, slots));
      const block = body.let('block', build.over(within, slots));
      const part = rows.part(block, below, (stem, value) => body.let(stem, value));
      this.#columns(body, group, tile, (inside, at) => {
        const rowsFrom =
          (panel: Buffer | undefined) =>
          (where: Scope): void =>
            this.#rows(where, { batch, block: p, ...at, panel }, part);
        const enough = this.#packing?.enough;
        if (enough === undefined) return rowsFrom(this.#packing?.buffer)(inside);
        inside.when(enough, rowsFrom(this.#packing?.buffer));
        inside.when(build.apply('not', 'bool', enough), rowsFrom(undefined));
      });
    });
  }

  /** Blocks below one another. */
  #below(): Expr {
    return build.larger(this.#fewestBelow(), build.ceilDiv(this.#tiling.rows.count, build.int(this.#tilesOfBlock())));
  }

  #roomForTotals(): LongDepth {
    const { node, batch, depth } = this.#form;
    if (depth.constant !== undefined) return { kind: 'registers', runs: Math.ceil(depth.constant / depthRun) };
    const { rows, columns } = this.#tiling;
    const blocks = build.intValue(build.times(build.times(columns.slots, this.#below()), build.int(columns.groups)));
    const height = Math.max(rows.height + 1, rows.remainderHeight ?? 0);
    const width = Math.max(...columns.classes.map((one) => one.width));
    const shape = blocks === undefined ? node.type.shape : [...batch, ...[blocks, height, width].map((size) => Dim.of(size))];
    const room = (): Buffer => this.context.storage.pool.temporary({ dtype: combinedAs(node.type.dtype), shape });
    return { kind: 'memory', totals: room(), lost: room(), isPerBlock: blocks !== undefined };
  }

  /**
   * Blocks below one another where there are few tiles, so that there are enough for threads to share: a power of two, so that two or four
   * threads get as many each, of at least two tiles.
   */
  #fewestBelow(): Expr {
    const { rows, columns } = this.#tiling;
    const across = build.intValue(columns.count) ?? fewestTileBlocks;
    let below = build.int(1);
    for (let more = 1; across * more < fewestTileBlocks; more *= 2)
      below = build.plus(below, build.times(build.int(more), build.smaller(build.int(1), build.over(rows.count, build.int(4 * more)))));
    return below;
  }

  #tilesOfBlock(): number {
    const depth = this.#form.depth.constant;
    const perStep = this.#tiling.rows.height * bytesOf(this.#form.node.type.dtype);
    const { least, most, assumed } = tilesPerBlock;
    if (depth === undefined) return assumed;
    return Math.max(least, Math.min(most, Math.floor(tileBlockBytes(this.#target) / (perStep * Math.max(1, depth)))));
  }

  /** The columns of tile number `tile` of a group, by its class; nothing where the group has fewer tiles. */
  #columns(
    scope: Scope,
    group: Expr,
    tile: Expr,
    fill: (body: Scope, columns: Pick<Place, 'column' | 'extent' | 'least' | 'width'>) => void,
  ): void {
    const { classes, groups, count, slots } = this.#tiling.columns;
    const isFull = groups === 1 || build.intValue(count) === groups * (build.intValue(slots) ?? 0);
    classes.forEach((one, at) => {
      const before = one.before(group);
      const inside = (body: Scope): void => {
        const column = body.let('column', build.plus(one.first(group), build.times(build.minus(tile, before), build.int(one.width))));
        fill(body, { column, extent: one.extent(column), least: one.least, width: one.width });
      };
      const conditions = [
        ...(build.intValue(before) === 0 ? [] : [build.apply('ge', 'bool', tile, before)]),
        ...(isFull && at === classes.length - 1 ? [] : [build.apply('lt', 'bool', tile, build.plus(before, one.count(group)))]),
      ];
      const [first, second] = conditions;
      if (first === undefined) inside(scope);
      else scope.when(second === undefined ? first : build.apply('and', 'bool', first, second), inside);
    });
  }

  /** The tiles of a block; the last one of the remainder may reach beyond the end. */
  #rows(scope: Scope, place: Across, { start, taller, lower, remainder, end }: RowPart): void {
    const { height, remainderHeight } = this.#tiling.rows;
    const tiles = (count: Expr, from: Expr, each: number, before: Expr, limit?: Expr): void =>
      scope.loop('m', count, 'serial', (m, body) =>
        this.#tile(
          body,
          { ...place, row: body.let('row', build.plus(from, build.times(m, build.int(each)))), end: limit, before: build.plus(before, m) },
          each,
        ),
      );
    tiles(taller, start, height + 1, build.int(0));
    tiles(lower, build.plus(start, build.times(taller, build.int(height + 1))), height, taller);
    if (remainderHeight === undefined) return;
    const times = build.ceilDiv(build.minus(end, remainder), build.int(remainderHeight));
    tiles(times, remainder, remainderHeight, build.plus(taller, lower), end);
  }

  /** Steps of the depth: one loop for each inner axis. */
  #steps(scope: Scope, fill: StepFill): void {
    const { inner } = this.#form;
    const within = (body: Scope, along: readonly Expr[], k: Expr): void => {
      const size = inner[along.length];
      if (size === undefined) return fill(k, along, body);
      body.loop('k', build.size(size), 'serial', (at, step) =>
        within(step, [...along, at], build.plus(build.times(k, build.size(size)), at)),
      );
    };
    within(scope, [], build.int(0));
  }

  #tile(scope: Scope, place: Place & Across, height: number): void {
    const { batch, block, row, end, column, extent, least, width, panel } = place;
    const node = this.#form.node;
    const dtype = combinedAs(node.type.dtype);
    const right = tensorOf(node.args[1] as Node);
    const values = this.#points.values;
    const registers = (stem: string, shape: readonly number[]): Accumulator => {
      const accumulator: Accumulator = { name: scope.names.fresh(stem), dtype, shape };
      scope.emit({ kind: 'declare', accumulator, initial: identity('sum', dtype) });
      return accumulator;
    };
    const vectors: Vectors = (where, fill) =>
      where.loop('j', extent, 'vector', fill, { limit: width, ...(least === undefined ? {} : { least }) });
    const sums = registers('acc', [height, width]);
    const columns = registers('b', [width]);
    const existing = (i: Expr): Expr =>
      end === undefined ? build.plus(row, i) : build.smaller(build.plus(row, i), build.minus(end, build.int(1)));
    const rightAt = (k: Expr, along: readonly Expr[], j: Expr, vector: Scope): Expr =>
      panel === undefined
        ? values.at(right, rightIndex(this.#form, batch, along, build.plus(column, j)), vector)
        : build.load(panel, [panelIndex(this.#form, width, this.#tiling.columns.lanes, column, k, j)]);
    const step = (k: Expr, along: readonly Expr[], body: Scope): void => {
      vectors(body, (j, vector) => {
        vector.emit({ kind: 'assign', accumulator: columns, index: [j], value: widthAs(dtype, rightAt(k, along, j, vector)) });
        this.#fetch.right(vector, place, height, { k, along }, j);
      });
      this.#fetch.step(body, place, height, { k, along }, vectors);
      body.loop('i', build.int(height), 'unroll', (i, one) => {
        const element = this.#form.left([...batch, existing(i), ...along], (argument, at) => values.at(argument, at, one));
        const a = one.let('a', widthAs(dtype, element));
        vectors(one, (j, vector) =>
          vector.emit({
            kind: 'accumulate',
            accumulator: sums,
            index: [i, j],
            combine: 'sum',
            value: build.apply('mul', dtype, a, build.read(columns, [j])),
          }),
        );
      });
    };
    const elements: Elements = (where, fill) =>
      where.loop('i', build.int(height), 'unroll', (i, body) => {
        const hasPlaces = this.#long?.kind === 'memory' && !this.#long.isPerBlock;
        const at = (inner: Scope): void =>
          vectors(inner, (j, vector) =>
            fill(vector, { i, j, index: hasPlaces ? [...batch, build.plus(row, i), build.plus(column, j)] : [...batch, block, i, j] }),
          );
        if (!hasPlaces || end === undefined) at(body);
        else body.when(build.apply('lt', 'bool', build.plus(row, i), end), at);
      });
    if (this.#long === undefined) this.#steps(scope, step);
    else inRuns(scope, this.#form, this.#long, sums, step, elements);
    scope.loop('i', build.int(height), 'unroll', (i, body) => {
      const store = (where: Scope): void =>
        vectors(where, (j, vector) => {
          const index = [...batch, build.plus(row, i), build.plus(column, j)];
          const loops = index.filter((_, at) => (node.type.shape[at] as Dim).constant !== 1);
          // A single row has no loop of its own: its index is 0 wherever the epilogue reads it.
          vector.remember(valueKey(node, spread(node.type.shape, loops)), widthAs(node.type.dtype, build.read(sums, [i, j])));
          this.#points.store(vector, this.#stored, loops);
        });
      if (end === undefined) store(body);
      else body.when(build.apply('lt', 'bool', build.plus(row, i), end), store);
    });
  }
}

/* Note: register tiles.
   max(x @ w + b, 0) of x: f32[64, 64] and w: f32[64, 48] with AVX-512, as a group and as its tiles of 8 × 48 (shortened):

     group 0 matmul [64, 48] reads %0, %1, %3
       matmul %2: f32[64, 48]
       elementwise %8: f32[64, 48] to out_result

     acc acc5: f32[8, 48] = f32(0)
     acc b6: f32[48] = f32(0)
     for k7 in 0..64 {
       vector for j8 in 0..48 limit 48 { b6[j8] = in_w[k7, j8] }
       unroll for i10 in 0..8 { vector for j12 in 0..48 limit 48 { acc5[i10, j12] += in_x[row4 + i10, k7] * b6[j12] } }
     }
     unroll for i13 in 0..8 {
       vector for j14 in 0..48 limit 48 { out_result[row4 + i13, j14] = maximum(acc5[i13, j14] + in_b[j14], f32(0)) }
     }

   A step of the depth makes 24 vectors of multiply-adds of 11 loads, and no sum leaves its register before it is complete: bias,
   activation and an optimizer's update take no pass over memory. The tile is the innermost kernel of K. Goto and R. van de Geijn,
   "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008, and of F. Van Zee and R. van de Geijn, "BLIS: A Framework
   for Rapidly Instantiating BLAS Functionality", ACM TOMS 41(3), 2015; unlike theirs the depth is not cut. Shown by "bias, activation
   and their sum over rows follow the product without being stored twice" and "of the gradient of a product never store the gradient" in
   test/lower/facts.test.ts, and by "the innermost loop of a product" in test/codegen/tiles.test.ts. */
