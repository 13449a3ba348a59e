// Attention by blocks of threads: a block has a tile of queries and goes over tiles of keys; scores stay in registers (see the note at the
// end). In: a group of attention and its storage. Out: statements in a scope.
// Holds: every row is summed up key tile by key tile in order, and tiles follow from sizes alone, so every run gives the same bits; a row
// none of whose scores is more than −∞ is NaN. There are keys: programs say so of whatever has a largest element.

import { elementCount, InternalError, type Shape } from '../../../../base/index.js';
import { type Accumulator, build, type Expr } from '../../../../kernel/index.js';
import type { CudaTarget } from '../../../../target/index.js';
import { identity, spread, widthAs } from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import { type Attention, attentionOf } from '../../../fuse/attention.js';
import { flopsOfGroup } from '../../../fuse/cost-model.js';
import type { Group } from '../../../fuse/groups.js';
import { type EmitContext, KernelEmitter } from '../../common/emitter.js';
import { rowAxes, stageSide } from '../matmul/sides.js';
import { type Arithmetic, arithmeticOf, type ThreadPlace } from './arithmetic.js';
import { Results } from './results.js';
import { type AttentionPlan, planAttention, stagedTiles } from './plan.js';

export function emitAttention(group: Group, scope: Scope, context: EmitContext, target: CudaTarget): void {
  const attention = attentionOf(group, context.forms);
  const plan = attention === undefined ? undefined : planAttention(attention, context, target);
  if (attention === undefined || plan === undefined) throw new InternalError('lower', 'a group of attention is none');
  const blocks = new AttentionBlocks(group, context, attention, plan, target.threads);
  scope.computing(flopsOfGroup(group, context.forms), () => blocks.emit(scope));
}

/** What a block keeps from one tile of keys to the next, for each row of each thread. */
interface Rows {
  readonly most: Accumulator;
  readonly total: Accumulator;
  readonly sums: Accumulator;
}

/** A tile of queries. */
interface Block {
  readonly batch: readonly Expr[];
  readonly row: Expr;
}

class AttentionBlocks {
  readonly #points: KernelEmitter;
  readonly #attention: Attention;
  readonly #plan: AttentionPlan;
  readonly #arithmetic: Arithmetic;
  readonly #threads: number;
  readonly #parallel: boolean;
  /** Axes of the queries, how many these are, and how many keys. */
  readonly #axes: Shape;
  readonly #count: Expr;
  readonly #keys: Expr;

  constructor(group: Group, context: EmitContext, attention: Attention, plan: AttentionPlan, threads: number) {
    this.#points = new KernelEmitter(group, context);
    this.#attention = attention;
    this.#plan = plan;
    this.#arithmetic = arithmeticOf(plan);
    this.#threads = threads;
    this.#parallel = context.parallel;
    this.#axes = rowAxes(attention.scores);
    this.#count = build.size(elementCount(this.#axes));
    this.#keys = build.size(attention.scores.columns);
  }

  /** A block for each tile of queries of each matrix. Where later ones see more keys they start first. */
  emit(scope: Scope): void {
    const { batch, shared } = this.#attention.scores;
    const { rows } = this.#plan.tile;
    const own = batch.slice(0, shared);
    const tiles = build.ceilDiv(this.#count, build.int(rows));
    const blocks = build.times(build.size(elementCount(own)), tiles);
    scope.loop('p', blocks, this.#parallel ? 'parallel' : 'serial', (p, body) => {
      const number = body.let('tile', build.modulo(p, tiles));
      const tile = this.#attention.mask === undefined ? number : build.minus(build.minus(tiles, build.int(1)), number);
      const row = body.let('row', build.times(tile, build.int(rows)));
      this.#tile({ batch: own.length === 0 ? [] : splitIndex(own, body.let('matrix', build.over(p, tiles)), body), row }, body);
      // The next tile of the block uses the same memory.
      if (!this.#parallel) body.emit({ kind: 'barrier' });
    });
  }

  #tile(block: Block, scope: Scope): void {
    const { query, key, value, scored, mixed, isTensor, tile } = this.#plan;
    const { down } = this.#arithmetic;
    const { rows: height, keys, columns, stages } = tile;
    const staged = stagedTiles(tile, isTensor);
    const rows: Rows = {
      most: this.#registers(scope, 'most', [down], -Infinity),
      total: this.#registers(scope, 'total', [down], 0),
      sums: this.#registers(scope, 'acc', [down, this.#arithmetic.columns], 0),
    };
    const queries = stageSide(query, scored, height, staged.query, scope);
    const asked = stageSide(key, scored, keys, staged.key, scope);
    const given = stageSide(value, mixed, columns, staged.value, scope);
    const mix = this.#arithmetic.mixer(scope);
    const zero = build.int(0);
    const { batch } = block;
    const steps = build.size(this.#attention.scores.depth);
    queries.begin(scope, { number: zero, batch, step: zero, line: block.row, limit: steps });
    queries.finish(scope, zero);
    const copies = asked.copies || given.copies;
    /** Begins to bring a tile of keys; what it gives ends that. */
    const bring = (where: Scope, at: Expr): (() => void) => {
      const number = where.let('stage', build.modulo(at, build.int(stages)));
      const first = where.let('start', build.times(at, build.int(keys)));
      asked.begin(where, { number, batch, step: zero, line: first, limit: steps });
      given.begin(where, { number, batch, step: first, line: zero, limit: this.#keys });
      if (copies || queries.copies) where.emit({ kind: 'commit' });
      return () => {
        asked.finish(where, number);
        given.finish(where, number);
      };
    };
    for (let number = 0; number < stages - 1; number++) bring(scope, build.int(number))();
    const all = build.ceilDiv(this.#keys, build.int(keys));
    const seen = this.#seen(block, scope, all);
    const goes = seen !== undefined && this.#mask.score > -Infinity ? this.#flag(scope) : undefined;
    const turn = (s: Expr, body: Scope): void => {
      if (copies || queries.copies) body.emit({ kind: 'wait', open: stages - 2 });
      // What was brought is there for all, and the tile in whose place the next one comes was used by all.
      body.emit({ kind: 'barrier' });
      const end = bring(body, build.plus(s, build.int(stages - 1)));
      const number = body.let('stage', build.modulo(s, build.int(stages)));
      const scores = this.#registers(body, 'scores', [down, this.#arithmetic.keys], 0);
      this.#arithmetic.score(body, queries, asked, scores, number);
      this.#weigh(body, block, build.times(s, build.int(keys)), scores, rows);
      mix(body, scores, given, rows.sums, number);
      end();
      if (goes !== undefined && seen !== undefined) this.#asks(body, block, build.plus(s, build.int(1)), seen, rows, goes);
    };
    const options = goes === undefined ? {} : { while: goes };
    scope.loop('s', goes === undefined ? (seen ?? all) : all, 'serial', turn, { carried: true, ...options });
    if (copies || queries.copies) scope.emit({ kind: 'wait', open: 0 });
    scope.emit({ kind: 'combine', accumulator: rows.total, combine: 'sum', lanes: this.#arithmetic.rowLanes });
    this.#finish(scope, block, rows);
  }

  #registers(scope: Scope, stem: string, shape: readonly number[], value: number): Accumulator {
    const accumulator: Accumulator = { name: scope.names.fresh(stem), dtype: 'f32', shape: [...shape, this.#threads] };
    scope.emit({ kind: 'declare', accumulator, initial: build.constant('f32', value) });
    return accumulator;
  }

  #flag(scope: Scope): Accumulator {
    const accumulator: Accumulator = { name: scope.names.fresh('goes'), dtype: 'bool', shape: [] };
    scope.emit({ kind: 'declare', accumulator, initial: build.constant('bool', 1) });
    return accumulator;
  }

  /** Tiles of keys of which the rows of the block see any; undefined where they see all. */
  #seen({ row }: Block, scope: Scope, all: Expr): Expr | undefined {
    const { mask } = this.#attention;
    if (mask === undefined) return undefined;
    const { rows, keys } = this.#plan.tile;
    const end = build.smaller(build.plus(row, build.int(rows)), this.#count);
    const most = build.larger(build.int(0), build.plus(end, build.int(mask.last)));
    return scope.let('seen', build.smaller(all, build.ceilDiv(most, build.int(keys))));
  }

  get #mask(): NonNullable<Attention['mask']> {
    return this.#attention.mask as NonNullable<Attention['mask']>;
  }

  #eachThread(scope: Scope, fill: (thread: Expr, place: ThreadPlace, vector: Scope) => void): void {
    scope.loop('t', build.int(this.#threads), 'vector', (thread, vector) => fill(thread, this.#arithmetic.place(thread, vector), vector), {
      limit: this.#threads,
    });
  }

  /** Scores become numerators of weights, and what was summed up before is made as large as if the largest score had been known. */
  #weigh(scope: Scope, block: Block, first: Expr, scores: Accumulator, { most, total, sums }: Rows): void {
    const { down: high, keys, columns } = this.#arithmetic;
    const [down, across, wide] = [high, keys, columns].map(build.int) as [Expr, Expr, Expr];
    const larger: Accumulator = { ...most, name: scope.names.fresh('larger') };
    scope.emit({ kind: 'declare', accumulator: larger, initial: identity('max', 'f32') });
    this.#eachThread(scope, (thread, place, vector) =>
      vector.loop('i', down, 'unroll', (i, line) => {
        const own = [i, thread];
        const m = line.let('m', build.plus(block.row, place.row(i)));
        line.emit({ kind: 'assign', accumulator: larger, index: own, value: build.read(most, own) });
        line.loop('j', across, 'unroll', (j, one) => {
          const n = one.let('n', build.plus(first, place.key(j)));
          this.#scoreAt(one, block, m, n, scores, [i, j, thread]);
          one.emit({ kind: 'accumulate', accumulator: larger, index: own, combine: 'max', value: build.read(scores, [i, j, thread]) });
        });
      }),
    );
    scope.emit({ kind: 'combine', accumulator: larger, combine: 'max', lanes: this.#arithmetic.rowLanes });
    const f32 = (fn: string, ...args: Expr[]): Expr => build.apply(fn, 'f32', ...args);
    this.#eachThread(scope, (thread, _, vector) =>
      vector.loop('i', down, 'unroll', (i, line) => {
        const own = [i, thread];
        const found = build.read(larger, own);
        const nothing = build.apply('eq', 'bool', found, build.constant('f32', -Infinity));
        // As long as there was none, no difference to it says anything.
        const base = line.let('base', f32('select', nothing, build.constant('f32', 0), found));
        const shrinks = line.let('shrinks', f32('exp', f32('sub', build.read(most, own), base)));
        line.emit({ kind: 'assign', accumulator: most, index: own, value: found });
        const here: Accumulator = { name: line.names.fresh('here'), dtype: 'f32', shape: [] };
        line.emit({ kind: 'declare', accumulator: here, initial: identity('sum', 'f32') });
        line.loop('j', across, 'unroll', (j, one) => {
          const index = [i, j, thread];
          const weight = one.let('weight', f32('exp', f32('sub', build.read(scores, index), base)));
          one.emit({ kind: 'assign', accumulator: scores, index, value: weight });
          one.emit({ kind: 'accumulate', accumulator: here, index: [], combine: 'sum', value: weight });
        });
        const kept = f32('muladd', build.read(total, own), shrinks, build.read(here));
        line.emit({ kind: 'assign', accumulator: total, index: own, value: kept });
        line.loop('j', wide, 'unroll', (j, one) => {
          const index = [i, j, thread];
          one.emit({ kind: 'assign', accumulator: sums, index, value: f32('mul', build.read(sums, index), shrinks) });
        });
      }),
    );
  }

  /** What is compared of a score; −∞ beyond the queries and keys that there are. */
  #scoreAt(scope: Scope, block: Block, m: Expr, n: Expr, scores: Accumulator, index: readonly Expr[]): void {
    const { most, readsMore } = this.#attention;
    const { rows, keys } = this.#plan.tile;
    const { scores: product } = this.#attention;
    const { node } = product;
    const below = [...this.#below(m, rows), ...(isWhole(product.columns.constant, keys) ? [] : [build.apply('lt', 'bool', n, this.#keys)])];
    const nothing = build.constant('f32', -Infinity);
    const assign = (where: Scope, value: Expr): void => where.emit({ kind: 'assign', accumulator: scores, index, value });
    const score = (where: Scope): Expr => {
      const point = [...block.batch, ...splitIndex(this.#axes, m, where)];
      const at = spread(node.type.shape, loopsOf(node.type.shape, [...point, n]));
      where.remember(valueKey(node, at), widthAs(node.type.dtype, build.read(scores, index)));
      const kept = spread(most.node.type.shape, loopsOf(node.type.shape.slice(0, -1), point));
      return widthAs(
        'f32',
        most.term(kept, [n], (argument, where_) => this.#points.values.at(argument, where_, where)),
      );
    };
    const [one, other] = below;
    if (one === undefined) return assign(scope, score(scope));
    const there = other === undefined ? one : build.apply('and', 'bool', one, other);
    if (readsMore)
      scope.each(
        there,
        (inside) => assign(inside, score(inside)),
        (beyond) => assign(beyond, nothing),
      );
    else assign(scope, build.apply('select', 'f32', there, score(scope), nothing));
  }

  /** What has to hold for a row of the tile to be there. */
  #below(m: Expr, rows: number): readonly Expr[] {
    return isWhole(elementCount(this.#axes).constant, rows) ? [] : [build.apply('lt', 'bool', m, this.#count)];
  }

  /** Behind the last tile that rows see: whether what a mask leaves out would count nevertheless, because nothing else is much more. */
  #asks(scope: Scope, block: Block, next: Expr, seen: Expr, { most }: Rows, goes: Accumulator): void {
    scope.when(build.apply('ge', 'bool', next, seen), (last) => {
      const counts: Accumulator = { name: last.names.fresh('counts'), dtype: 'bool', shape: [] };
      last.emit({ kind: 'declare', accumulator: counts, initial: build.constant('bool', 0) });
      this.#eachThread(last, (thread, place, vector) =>
        vector.loop('i', build.int(this.#arithmetic.down), 'unroll', (i, line) => {
          const m = line.let('m', build.plus(block.row, place.row(i)));
          const apart = build.apply('sub', 'f32', build.constant('f32', this.#mask.score), build.read(most, [i, thread]));
          const weighs = build.apply('gt', 'bool', build.apply('exp', 'f32', apart), build.constant('f32', 0));
          const value = this.#below(m, this.#plan.tile.rows).reduce((all, one) => build.apply('and', 'bool', all, one), weighs);
          line.emit({ kind: 'accumulate', accumulator: counts, index: [], combine: 'any', value });
        }),
      );
      last.emit({ kind: 'assign', accumulator: goes, index: [], value: build.read(counts) });
    });
  }

  /** Weights are divided by their sum at the end. */
  #finish(scope: Scope, block: Block, { most, total, sums }: Rows): void {
    const { node, columns } = this.#attention.mixed;
    const { tile } = this.#plan;
    const results = new Results(this.#points, node);
    const guarded = (where: Scope, condition: Expr | undefined, fill: (body: Scope) => void): void =>
      condition === undefined ? fill(where) : where.each(condition, fill);
    this.#eachThread(scope, (thread, place, vector) =>
      vector.loop('i', build.int(this.#arithmetic.down), 'unroll', (i, line) => {
        const m = line.let('m', build.plus(block.row, place.row(i)));
        guarded(line, this.#below(m, tile.rows)[0], (inside) => {
          const point = [...block.batch, ...splitIndex(this.#axes, m, inside)];
          const all = inside.let('all', build.read(total, [i, thread]));
          this.#storeRow(inside, point, thread, build.read(most, [i, thread]), all);
          inside.loop('j', build.int(this.#arithmetic.columns), 'unroll', (j, one) => {
            const n = one.let('n', place.column(j));
            const beyond = columns.constant === tile.columns ? undefined : build.apply('lt', 'bool', n, build.size(columns));
            guarded(one, beyond, (where) => {
              const mean = where.let('mean', build.apply('div', 'f32', build.read(sums, [i, j, thread]), all));
              results.store(where, [...point, n], mean);
            });
          });
        });
      }),
    );
  }

  /** The maximum and the sum of a row, where somebody needs them; by one of the threads that have the row. */
  #storeRow(scope: Scope, point: readonly Expr[], thread: Expr, largest: Expr, all: Expr): void {
    const { scores, most, total } = this.#attention;
    const { storage } = this.#points.context;
    if ([most, total].every(({ node }) => storage.destinations(node).length === 0)) return;
    // A row none of whose scores is more than −∞ has no sum.
    const nothing = build.apply('eq', 'bool', largest, build.constant('f32', -Infinity));
    const sum = build.apply('select', 'f32', nothing, build.constant('f32', NaN), all);
    const isOwn = build.apply('eq', 'bool', build.modulo(thread, build.int(this.#arithmetic.rowLanes)), build.int(0));
    scope.each(isOwn, (one) => {
      for (const [{ node }, value] of [[most, largest] as const, [total, sum] as const]) {
        const index = spread(node.type.shape, loopsOf(scores.node.type.shape.slice(0, -1), point));
        one.remember(valueKey(node, index), widthAs(node.type.dtype, value));
        one.emit(...this.#points.storesAt(one, node, index));
      }
    });
  }
}

/** Indices of the axes that need a loop: a single row has none, its index is 0 wherever it is read. */
const loopsOf = (shape: Shape, index: readonly Expr[]): readonly Expr[] => index.filter((_, axis) => shape[axis]?.constant !== 1);

const isWhole = (size: number | undefined, part: number): boolean => size !== undefined && size % part === 0;

/* Note: one pass over the keys.
   softmax(q kᵀ) v of f32[T, 20] and f32[T, 40], as it is scheduled (shortened):

     parallel for p0 in 0..H * tiles {
       acc most4: f32[4, 256] = -inf  acc total5: f32[4, 256] = 0  acc acc6: f32[4, 4, 256] = 0
       copy … queries7 …  copy … keys9[0, …] …  copy … values11[0, …] …  commit
       for s24 in 0..seen23 {
         wait 0  barrier
         copy … keys9[(s24 + 1) % 2, …] …  copy … values11[(s24 + 1) % 2, …] …  commit
         acc scores36: f32[4, 4, 256] = 0
         … scores36 += queries7 · keys9[s24 % 2]
         larger49 = most4  larger49 max= scores36  combine 16 larger49 max=
         base68 = larger49  shrinks69 = exp(most4 - base68)  most4 = larger49
         scores36 = exp(scores36 - base68)  total5 = total5 * shrinks69 + Σ scores36  acc6 *= shrinks69
         … acc6 += scores36 · values11[s24 % 2]
       }
       combine 16 total5 +=
       out_result[…] = acc6 / total5
     }

   With tensor cores both products are `multiply`, the second one of `sums scores36[…]`: threads multiply the weights that they have.
   Without them weights pass through shared memory. As long as a row has met nothing but −∞, `base68` is 0, so that its weights are 0 and
   not NaN: keys that it sees may come later. A row that never meets one divides 0 by 0. Where a mask has another score than −∞, what it
   leaves out counts if all else is as small, so behind the last tile that rows see they are asked whether exp(score − most) is 0 for all of
   them, and go on if not. Shown by test/cuda/attention.test.ts. */
