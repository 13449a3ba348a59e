// One kernel of attention's derivative: a block has lines, queries or keys, and goes over tiles of the others, for which scores and their
// cotangents are computed again (see the note at the end). In: a group, its plan and storage. Out: statements in a scope.
// Holds: results are summed up tile by tile in order, and tiles follow from sizes alone, so every run gives the same bits.

import type { Node, TensorNode } from '../../../../graph/index.js';
import { type Accumulator, type Buffer, build, type Expr, exprKey } from '../../../../kernel/index.js';
import { formatOf, rightIndex, tensorOf, widthAs } from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import { Values } from '../../../form/values.js';
import type { AttentionBackward, Taker } from '../../../fuse/attention-backward.js';
import type { Mask } from '../../../fuse/attention.js';
import type { Group } from '../../../fuse/groups.js';
import { moved } from '../../../fuse/reading.js';
import { type EmitContext, KernelEmitter } from '../../common/emitter.js';
import { type Staged, stageSide } from '../matmul/sides.js';
import { type Arithmetic, arithmeticOf } from './arithmetic.js';
import { type Result, type SweepPlan, tileOfGiven, tileOfLines, tileOfSteps } from './backward-plan.js';
import { type Block, Places } from './places.js';
import { Results } from './results.js';
import { type OwnRows, RowResults, type RowTotal } from './row-results.js';

export class Sweep {
  readonly #points: KernelEmitter;
  readonly #backward: AttentionBackward;
  readonly #plan: SweepPlan;
  readonly #places: Places;
  readonly #rows: RowResults;
  readonly #factors: readonly Arithmetic[];
  readonly #results: readonly Arithmetic[];
  /** Weights as they are before they are rounded. */
  readonly #weights: readonly Values[];

  constructor(group: Group, context: EmitContext, backward: AttentionBackward, plan: SweepPlan, kept: Buffer | undefined, threads: number) {
    this.#points = new KernelEmitter(group, context);
    this.#backward = backward;
    this.#plan = plan;
    this.#places = new Places(plan, backward.attention.scores, threads);
    this.#rows = new RowResults(this.#points, backward, this.#places, kept);
    const { isTensor, rows, keys, stages, factors, results } = plan;
    const shares = (scored: Result['staged'], depth: number, columns: number): Arithmetic =>
      arithmeticOf({ isTensor, scored, mixed: scored, tile: { rows, keys, depth, columns, stages } });
    this.#factors = factors.map(({ staged, depth }) => shares(staged, depth, 16));
    this.#results = results.map(({ staged, columns }) => shares(staged, 16, columns));
    const { sources } = this.#points.values;
    this.#weights = results.map(({ taker: { form, side } }) => {
      const operand = moved(form.node.args[side === 'left' ? 0 : 1], context.forms);
      return new Values({ ...sources, isRoundedLater: (node) => operand.has(node) && formatOf(node) !== node.type.dtype });
    });
  }

  /** A block for each tile of lines of each matrix; what has most to go over starts first. */
  emit(scope: Scope): void {
    const { rows, over } = this.#plan;
    const tiles = build.ceilDiv(build.size(this.#places.lines), build.int(rows));
    const matrices = this.#places.batch.reduce((product, size) => build.times(product, build.size(size)), build.int(1));
    scope.loop('p', build.times(matrices, tiles), 'parallel', (p, body) => {
      const number = body.let('tile', build.modulo(p, tiles));
      const isTurned = this.#skips !== undefined && over === 'keys';
      const tile = isTurned ? build.minus(build.minus(tiles, build.int(1)), number) : number;
      const line = body.let('line', build.times(tile, build.int(rows)));
      const split = this.#places.batch.length === 0 ? [] : splitIndex(this.#places.batch, body.let('matrix', build.over(p, tiles)), body);
      const batch = split.map((at, axis) => (this.#places.batch[axis]?.constant === 1 ? build.int(0) : at));
      this.#tile({ batch, line }, body);
    });
  }

  #tile(block: Block, scope: Scope): void {
    const { factors, results, rows, keys, stages, isTensor } = this.#plan;
    const [first] = this.#factors as [Arithmetic];
    const { down } = first;
    const sums = this.#results.map(({ columns }) => this.#places.registers(scope, 'acc', [down, columns]));
    const own = factors.map(({ lines, staged, depth }) => stageSide(lines, staged, rows, tileOfLines(depth, isTensor), scope));
    const asked = factors.map(({ steps, staged, depth }) => stageSide(steps, staged, keys, tileOfSteps(depth, this.#plan), scope));
    const given = results.map(({ given: side, staged, columns, shared }) =>
      shared === undefined ? stageSide(side, staged, columns, tileOfGiven(this.#plan), scope) : turned(asked[shared] as Staged),
    );
    const mixers = this.#results.map((result) => result.mixer(scope));
    const zero = build.int(0);
    const { batch } = block;
    for (const [at, side] of own.entries()) {
      const limit = build.size(factors[at]?.form.depth ?? 0);
      side.begin(scope, { number: zero, batch, step: zero, line: block.line, limit });
      side.finish(scope, zero);
    }
    const moving = [...asked, ...given.filter((_, at) => results[at]?.shared === undefined)];
    const copies = [...own, ...moving].some((side) => side.copies);
    const start = this.#start(block, scope);
    /** Begins to bring a tile of steps; what it gives ends that. */
    const bring = (where: Scope, at: Expr): (() => void) => {
      const number = where.let('stage', build.modulo(at, build.int(stages)));
      const from = where.let('start', build.times(build.plus(start, at), build.int(keys)));
      for (const [which, side] of asked.entries())
        side.begin(where, { number, batch, step: zero, line: from, limit: build.size(factors[which]?.form.depth ?? 0) });
      for (const [which, side] of given.entries())
        if (results[which]?.shared === undefined)
          side.begin(where, { number, batch, step: from, line: zero, limit: build.size(this.#places.steps) });
      if (copies) where.emit({ kind: 'commit' });
      return () => {
        for (const side of moving) side.finish(where, number);
      };
    };
    for (let number = 0; number < stages - 1; number++) bring(scope, build.int(number))();
    const rest = this.#plan.over === 'keys' ? this.#rows.compute(scope, block, first) : undefined;
    const turn = (s: Expr, body: Scope): void => {
      if (copies) body.emit({ kind: 'wait', open: stages - 2 });
      // What was brought is there for all, and the tile in whose place the next one comes was used by all.
      body.emit({ kind: 'barrier' });
      const end = bring(body, build.plus(s, build.int(stages - 1)));
      const number = body.let('stage', build.modulo(s, build.int(stages)));
      const made = this.#factors.map((factor, which) => {
        const registers = this.#places.registers(body, 'made', [down, first.keys]);
        factor.score(body, own[which] as Staged, asked[which] as Staged, registers, number);
        return registers;
      });
      this.#weigh(body, block, build.times(build.plus(start, s), build.int(keys)), made, rest);
      for (const [which, mix] of mixers.entries())
        mix(body, made[which] as Accumulator, given[which] as Staged, sums[which] as Accumulator, number);
      end();
    };
    scope.loop('s', this.#count(block, scope, start), 'serial', turn, { carried: true });
    if (copies) scope.emit({ kind: 'wait', open: 0 });
    for (const which of results.keys()) this.#finish(scope, block, which, sums[which] as Accumulator);
  }

  /** Whether tiles are left out that a mask hides from all lines of a block. Rows that see nothing are NaN, or see what is hidden. */
  get #skips(): Mask | undefined {
    const { attention, vanishes } = this.#backward;
    const { mask } = attention;
    return vanishes && mask !== undefined && (mask.score > -Infinity || mask.last >= 0) ? mask : undefined;
  }

  /** The first tile of steps that counts: of queries the one that sees the first key of the block. */
  #start(block: Block, scope: Scope): Expr {
    const { over, keys } = this.#plan;
    const mask = this.#skips;
    const none = build.int(0);
    if (mask === undefined || over === 'keys') return none;
    const first = scope.let('first', build.over(build.larger(none, build.minus(block.line, build.int(mask.last))), build.int(keys)));
    const seesHidden = this.#asked(scope, mask, (counts) => {
      const before = build.smaller(build.times(first, build.int(keys)), build.size(this.#places.steps));
      scope.loop('q', before, 'vector', (q, vector) => this.#ask(vector, block, q, mask, counts));
    });
    return seesHidden === undefined ? first : scope.let('from', build.apply('select', 'i64', seesHidden, none, first));
  }

  /** How many tiles count from there on. */
  #count(block: Block, scope: Scope, start: Expr): Expr {
    const { over, rows, keys } = this.#plan;
    const { lines, steps } = this.#places;
    const mask = this.#skips;
    const all = build.ceilDiv(build.size(steps), build.int(keys));
    if (mask === undefined) return all;
    if (over === 'queries') return scope.let('seen', build.larger(build.int(0), build.minus(all, start)));
    const end = build.smaller(build.plus(block.line, build.int(rows)), build.size(lines));
    const last = build.larger(build.int(0), build.plus(end, build.int(mask.last)));
    const seen = scope.let('seen', build.smaller(all, build.ceilDiv(last, build.int(keys))));
    const [arithmetic] = this.#factors as [Arithmetic];
    const seesHidden = this.#asked(scope, mask, (counts) =>
      this.#places.eachThread(scope, arithmetic, (_, place, vector) =>
        vector.loop('i', build.int(arithmetic.down), 'unroll', (i, line) =>
          this.#ask(line, block, this.#places.lineAt(line, block, place, i).at, mask, counts),
        ),
      ),
    );
    return seesHidden === undefined ? seen : scope.let('goes', build.apply('select', 'i64', seesHidden, all, seen));
  }

  /** Whether what a mask leaves out counts nevertheless, because nothing else of a row is much more; undefined where it never does. */
  #asked(scope: Scope, { score }: Mask, fill: (counts: Accumulator) => void): Expr | undefined {
    if (score === -Infinity) return undefined;
    const counts: Accumulator = { name: scope.names.fresh('counts'), dtype: 'bool', shape: [] };
    scope.emit({ kind: 'declare', accumulator: counts, initial: build.constant('bool', 0) });
    fill(counts);
    return build.read(counts);
  }

  /** Of one query; of a row that is NaN everything counts. */
  #ask(scope: Scope, block: Block, query: Expr, { score }: Mask, counts: Accumulator): void {
    const { node } = this.#backward.attention.most;
    const most = widthAs('f32', this.#points.values.at(node, this.#places.ofRow(node, block, query), scope));
    const weight = build.apply('exp', 'f32', build.apply('sub', 'f32', build.constant('f32', score), most));
    const value = build.apply('ne', 'bool', weight, build.constant('f32', 0));
    scope.emit({ kind: 'accumulate', accumulator: counts, index: [], combine: 'any', value });
  }

  /** What was made again becomes what the results take, in its place. */
  #weigh(scope: Scope, block: Block, first: Expr, made: readonly Accumulator[], own: OwnRows | undefined): void {
    const places = this.#places;
    const [arithmetic] = this.#factors as [Arithmetic];
    const [down, across] = [build.int(arithmetic.down), build.int(arithmetic.keys)];
    places.eachThread(scope, arithmetic, (thread, place, vector) => {
      // What depends on queries alone is loaded for each query once.
      if (this.#plan.over === 'keys')
        vector.loop('i', down, 'unroll', (i, outer) => {
          const query = places.lineAt(outer, block, place, i);
          const row = this.#rows.remember(outer, block, query.at, own === undefined ? undefined : [own, [i, thread]]);
          outer.loop('j', across, 'unroll', (j, one) => {
            const key = places.stepAt(one, first, place, j);
            this.#weightAt(one, block, [query.at, key.at], row, made, [i, j, thread], key.isThere);
          });
        });
      else
        vector.loop('j', across, 'unroll', (j, outer) => {
          const query = places.stepAt(outer, first, place, j);
          const row = this.#rows.remember(outer, block, query.at, undefined);
          outer.loop('i', down, 'unroll', (i, one) => {
            const key = places.lineAt(one, block, place, i);
            this.#weightAt(one, block, [query.at, key.at], row, made, [i, j, thread], query.isThere);
          });
        });
    });
  }

  /** `isThere`: whether the step is; what lines beyond the end sum up goes nowhere. */
  #weightAt(
    scope: Scope,
    { batch }: Block,
    [query, key]: readonly [Expr, Expr],
    row: RowTotal | undefined,
    made: readonly Accumulator[],
    index: readonly Expr[],
    isThere: Expr | undefined,
  ): void {
    const { factors, results } = this.#plan;
    for (const [which, { form }] of factors.entries()) {
      const element = scope.let('made', build.read(made[which] as Accumulator, index));
      scope.remember(valueKey(form.node, [...batch, query, key]), widthAs(form.node.type.dtype, element));
    }
    const values = results.map(({ taker }, which) => {
      const read = (node: TensorNode, at: readonly Expr[]): Expr => (this.#weights[which] as Values).at(node, at, scope);
      return scope.let('weight', widthAs('f32', weightOf(taker, batch, query, key, read)));
    });
    if (row !== undefined) multiplyByInverse(scope, row);
    for (const [which, weight] of values.entries()) {
      const value = isThere === undefined ? weight : build.apply('select', 'f32', isThere, weight, build.constant('f32', 0));
      scope.emit({ kind: 'assign', accumulator: made[which] as Accumulator, index, value });
    }
  }

  /** What becomes of a result. */
  #finish(scope: Scope, block: Block, which: number, sums: Accumulator): void {
    const { taker, columns, width } = this.#plan.results[which] as Result;
    const arithmetic = this.#results[which] as Arithmetic;
    const { node } = taker.form;
    const results = new Results(this.#points, node);
    const guarded = (where: Scope, condition: Expr | undefined, fill: (body: Scope) => void): void =>
      condition === undefined ? fill(where) : where.each(condition, fill);
    this.#places.eachThread(scope, arithmetic, (thread, place, vector) =>
      vector.loop('i', build.int(arithmetic.down), 'unroll', (i, line) => {
        const { number: m, isThere } = this.#places.lineAt(line, block, place, i);
        guarded(line, isThere, (inside) =>
          inside.loop('j', build.int(arithmetic.columns), 'unroll', (j, one) => {
            const n = one.let('n', place.column(j));
            guarded(one, columns === width ? undefined : build.apply('lt', 'bool', n, build.int(width)), (where) => {
              const point = taker.side === 'left' ? [m, n] : [n, m];
              results.store(where, [...block.batch, ...point], build.read(sums, [i, j, thread]));
            });
          }),
        );
      }),
    );
  }
}

/** Elements are divided by the total of their row: they are multiplied by its inverse instead. */
function multiplyByInverse({ statements }: Scope, { total, inverse }: RowTotal): void {
  const key = exprKey(total);
  for (const [which, stmt] of statements.entries()) {
    if (stmt.kind !== 'let' || stmt.value.kind !== 'apply' || stmt.value.fn !== 'div') continue;
    const [of, by] = stmt.value.args as [Expr, Expr];
    if (exprKey(by) === key && build.dtypeOf(of) === 'f32') statements[which] = { ...stmt, value: build.apply('mul', 'f32', of, inverse) };
  }
}

/** What a product takes of a query and a key. */
function weightOf(
  { form, side, over }: Taker,
  batch: readonly Expr[],
  query: Expr,
  key: Expr,
  read: (node: TensorNode, index: readonly Expr[]) => Expr,
): Expr {
  const [line, inner] = over === 'keys' ? [query, key] : [key, query];
  if (side === 'left') return form.left([...batch, line, inner], read);
  return read(tensorOf(form.node.args[1] as Node), rightIndex(form, batch, [inner], line));
}

/** What lies in shared memory with its lines for steps, and the other way around. */
const turned = (side: Staged): Staged => ({
  ...side,
  along: side.along === 'depth' ? 'lines' : 'depth',
  at: (stage, step, line) => side.at(stage, line, step),
});

/* Note: the derivative of attention, keys over queries.
   Of q, k, v and cotangents g of f32[H, T, 64], with the maximum m and the total l of each row from the kernel of attention itself, and the
   sum d and 1 / l of each row from the one that goes over keys, shortened:

     parallel for p0 in 0..H * tiles {
       acc acc4: f32[2, 16, 256] = 0  acc acc5: f32[2, 16, 256] = 0
       copy … keys6 …  copy … values8 …
       copy … queries10[0, …] …  copy … cotangents12[0, …] …  commit
       for s40 in 0..tiles {
         wait 0  barrier
         copy … queries10[(s40 + 1) % 2, …] …  copy … cotangents12[(s40 + 1) % 2, …] …  commit
         acc made50 = 0  … made50 += keys6 · queries10[s40 % 2]
         acc made53 = 0  … made53 += values8 · cotangents12[s40 % 2]
         weight90 = exp(made50 * 0.125 - m) * (1 / l)
         weight95 = weight90 * (made53 - d) …
         made50 = weight90  made53 = weight95
         … acc4 += sums made50 · cotangents12[s40 % 2]
         … acc5 += sums made53 · queries10[s40 % 2]
       }
       out_v[…] = acc4  out_k[…] = acc5
     }

   A line is a key, so that what is made of scores has keys for rows and is the left side of both products as it lies in registers. What
   these multiply it by lies in shared memory already, with lines for steps. The other kernel has queries for lines and keys for steps: its
   scores are the first ones' rows, and its one result is ds · k. What is read of a query or a key beyond the end is read of the last one,
   and what is made of a step beyond the end is 0. Shown by test/cuda/attention-backward.test.ts. */
