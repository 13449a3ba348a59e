// One kernel of attention's derivative: a block has lines, queries or keys, and goes over tiles of the others, for which scores and their
// cotangents are computed again (see the note at the end). In: a group, its plan and storage. Out: statements in a scope.
// Holds: results are summed up tile by tile in order, and tiles follow from sizes alone, so every run gives the same bits.

import { type Dim, type Shape } from '../../../../base/index.js';
import type { Node, TensorNode } from '../../../../graph/index.js';
import { type Accumulator, type Buffer, build, type Expr } from '../../../../kernel/index.js';
import { formatOf, rightIndex, spread, tensorOf, widthAs } from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import { Values } from '../../../form/values.js';
import type { AttentionBackward, RowSum, Taker } from '../../../fuse/attention-backward.js';
import type { Group } from '../../../fuse/groups.js';
import { moved } from '../../../fuse/reading.js';
import { type EmitContext, KernelEmitter } from '../../common/emitter.js';
import { type Staged, stageSide } from '../matmul/sides.js';
import { type Arithmetic, arithmeticOf, type ThreadPlace } from './arithmetic.js';
import { countsOf, type Result, type SweepPlan, tileOfGiven, tileOfLines, tileOfSteps } from './backward-plan.js';

/** Where a block is: its matrix, and its first line. */
interface Block {
  readonly batch: readonly Expr[];
  readonly line: Expr;
}

export class Sweep {
  readonly #points: KernelEmitter;
  readonly #backward: AttentionBackward;
  readonly #plan: SweepPlan;
  /** The sums of rows, for the kernel behind this one or from the one before. */
  readonly #rowSums: Buffer | undefined;
  readonly #threads: number;
  readonly #batch: Shape;
  /** How many lines there are, and how many steps. */
  readonly #lines: Dim;
  readonly #steps: Dim;
  readonly #factors: readonly Arithmetic[];
  readonly #results: readonly Arithmetic[];
  /** Weights as they are before they are rounded. */
  readonly #weights: readonly Values[];

  constructor(
    group: Group,
    context: EmitContext,
    backward: AttentionBackward,
    plan: SweepPlan,
    rowSums: Buffer | undefined,
    threads: number,
  ) {
    this.#points = new KernelEmitter(group, context);
    this.#backward = backward;
    this.#plan = plan;
    this.#rowSums = rowSums;
    this.#threads = threads;
    const { scores } = backward.attention;
    this.#batch = scores.batch;
    const { queries, keys: asked } = countsOf(scores);
    [this.#lines, this.#steps] = plan.over === 'keys' ? [queries, asked] : [asked, queries];
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
    const tiles = build.ceilDiv(build.size(this.#lines), build.int(rows));
    const matrices = this.#batch.reduce((product, size) => build.times(product, build.size(size)), build.int(1));
    scope.loop('p', build.times(matrices, tiles), 'parallel', (p, body) => {
      const number = body.let('tile', build.modulo(p, tiles));
      const isTurned = this.#skips && over === 'keys';
      const tile = isTurned ? build.minus(build.minus(tiles, build.int(1)), number) : number;
      const line = body.let('line', build.times(tile, build.int(rows)));
      const split = this.#batch.length === 0 ? [] : splitIndex(this.#batch, body.let('matrix', build.over(p, tiles)), body);
      const batch = split.map((at, axis) => (this.#batch[axis]?.constant === 1 ? build.int(0) : at));
      this.#tile({ batch, line }, body);
    });
  }

  #tile(block: Block, scope: Scope): void {
    const { factors, results, rows, keys, stages, isTensor } = this.#plan;
    const [first] = this.#factors as [Arithmetic];
    const { down } = first;
    const sums = this.#results.map(({ columns }) => this.#registers(scope, 'acc', [down, columns]));
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
          side.begin(where, { number, batch, step: from, line: zero, limit: build.size(this.#steps) });
      if (copies) where.emit({ kind: 'commit' });
      return () => {
        for (const side of moving) side.finish(where, number);
      };
    };
    for (let number = 0; number < stages - 1; number++) bring(scope, build.int(number))();
    const rest = this.#rowSum(scope, block);
    const turn = (s: Expr, body: Scope): void => {
      if (copies) body.emit({ kind: 'wait', open: stages - 2 });
      // What was brought is there for all, and the tile in whose place the next one comes was used by all.
      body.emit({ kind: 'barrier' });
      const end = bring(body, build.plus(s, build.int(stages - 1)));
      const number = body.let('stage', build.modulo(s, build.int(stages)));
      const made = this.#factors.map((factor, which) => {
        const registers = this.#registers(body, 'made', [down, first.keys]);
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

  /** Whether tiles are left out that a mask hides from all lines of a block: where every row sees something, nothing of them counts. */
  get #skips(): boolean {
    const { attention, vanishes } = this.#backward;
    return vanishes && attention.mask?.score === -Infinity && attention.mask.last >= 0;
  }

  /** The first tile of steps that counts: of queries the one that sees the first key of the block. */
  #start({ line }: Block, scope: Scope): Expr {
    const { over, keys } = this.#plan;
    const { mask } = this.#backward.attention;
    if (!this.#skips || over === 'keys' || mask === undefined) return build.int(0);
    return scope.let('first', build.over(build.larger(build.int(0), build.minus(line, build.int(mask.last))), build.int(keys)));
  }

  /** How many tiles count from there on. */
  #count({ line }: Block, scope: Scope, start: Expr): Expr {
    const { over, rows, keys } = this.#plan;
    const { mask } = this.#backward.attention;
    const all = build.ceilDiv(build.size(this.#steps), build.int(keys));
    if (!this.#skips || mask === undefined) return all;
    if (over === 'queries') return scope.let('seen', build.larger(build.int(0), build.minus(all, start)));
    const end = build.smaller(build.plus(line, build.int(rows)), build.size(this.#lines));
    return scope.let('seen', build.smaller(all, build.ceilDiv(build.plus(end, build.int(mask.last)), build.int(keys))));
  }

  #registers(scope: Scope, stem: string, shape: readonly number[]): Accumulator {
    const accumulator: Accumulator = { name: scope.names.fresh(stem), dtype: 'f32', shape: [...shape, this.#threads] };
    scope.emit({ kind: 'declare', accumulator, initial: build.constant('f32', 0) });
    return accumulator;
  }

  #eachThread(scope: Scope, arithmetic: Arithmetic, fill: (thread: Expr, place: ThreadPlace, vector: Scope) => void): void {
    scope.loop('t', build.int(this.#threads), 'vector', (thread, vector) => fill(thread, arithmetic.place(thread, vector), vector), {
      limit: this.#threads,
    });
  }

  /** Results times their cotangents, summed up for each row of the block; undefined where they come from the kernel before, or there are none. */
  #rowSum(scope: Scope, block: Block): Accumulator | undefined {
    const { rowSum, attention, cotangents } = this.#backward;
    const { over, factors, rows } = this.#plan;
    if (over !== 'keys' || rowSum === undefined || cotangents === undefined) return undefined;
    const { node } = attention.mixed;
    const width = factors.find(({ form }) => form === cotangents)?.form.depth.constant ?? 0;
    const side = factors.find(({ form }) => form === cotangents)?.lines;
    const [arithmetic] = this.#factors as [Arithmetic];
    const { down, rowLanes } = arithmetic;
    const sums = this.#registers(scope, 'rest', [down]);
    const each = Math.ceil(width / rowLanes);
    this.#eachThread(scope, arithmetic, (thread, place, vector) => {
      const lane = vector.let('lane', build.modulo(thread, build.int(rowLanes)));
      vector.loop('i', build.int(down), 'unroll', (i, line) => {
        const { at } = this.#lineAt(line, block, place, i);
        line.loop('j', build.int(each), 'unroll', (j, one) => {
          const n = one.let('n', build.plus(lane, build.times(j, build.int(rowLanes))));
          const add = (where: Scope): void => {
            const cotangent = side?.element(block.batch, at, n, where) ?? build.constant('f32', 0);
            const result = this.#points.values.at(node, [...block.batch, at, n], where);
            const value = build.apply('mul', 'f32', widthAs('f32', cotangent), widthAs('f32', result));
            where.emit({ kind: 'accumulate', accumulator: sums, index: [i, thread], combine: 'sum', value });
          };
          if (each * rowLanes === width) add(one);
          else one.each(build.apply('lt', 'bool', n, build.int(width)), add);
        });
      });
    });
    scope.emit({ kind: 'combine', accumulator: sums, combine: 'sum', lanes: rowLanes });
    this.#eachThread(scope, arithmetic, (thread, place, vector) =>
      vector.loop('i', build.int(down), 'unroll', (i, line) => {
        const { at, m, isWhole } = this.#lineAt(line, block, place, i);
        const value = line.let('rest', this.#scaled(line, rowSum, block, at, build.read(sums, [i, thread])));
        line.emit({ kind: 'assign', accumulator: sums, index: [i, thread], value });
        const [to] = [this.#rowSums];
        if (to === undefined) return;
        // One of the threads that have the row.
        const own = build.apply('eq', 'bool', build.modulo(thread, build.int(rowLanes)), build.int(0));
        const isThere = build.apply('lt', 'bool', m, build.size(this.#lines));
        line.each(isWhole ? own : build.apply('and', 'bool', own, isThere), (inside) =>
          inside.emit({ kind: 'store', buffer: to, index: this.#rowIndex(rowSum.form.node, block, at), value: build.read(sums, [i, thread]) }),
        );
      }),
    );
    return rows === 0 ? undefined : sums;
  }

  /** A line of a thread: its number, and the same of a line that there is. */
  #lineAt(scope: Scope, { line }: Block, place: ThreadPlace, i: Expr): { readonly m: Expr; readonly at: Expr; readonly isWhole: boolean } {
    const m = scope.let('m', build.plus(line, place.row(i)));
    return { m, ...this.#inside(scope, m, this.#lines, this.#plan.rows) };
  }

  /** What is read beyond the end is read at the end. */
  #inside(scope: Scope, index: Expr, size: Dim, part: number): { readonly at: Expr; readonly isWhole: boolean } {
    const isWhole = size.constant !== undefined && size.constant % part === 0;
    return { isWhole, at: isWhole ? index : scope.let('at', build.smaller(index, build.minus(build.size(size), build.int(1)))) };
  }

  #scaled(scope: Scope, { constant, over }: RowSum, block: Block, m: Expr, sum: Expr): Expr {
    const { total } = this.#backward.attention;
    let value = constant === 1 ? sum : build.apply('mul', 'f32', sum, build.constant('f32', constant));
    for (let time = 0; time < over; time++) {
      const divisor = this.#points.values.at(total.node, this.#rowIndex(total.node, block, m), scope);
      value = build.apply('div', 'f32', value, widthAs('f32', divisor));
    }
    return value;
  }

  #rowIndex({ type: { shape } }: TensorNode, { batch }: Block, m: Expr): readonly Expr[] {
    const axes = [...batch.filter((_, axis) => this.#batch[axis]?.constant !== 1), m];
    return spread(shape, axes);
  }

  /** What was made again becomes what the results take, in its place. */
  #weigh(scope: Scope, block: Block, first: Expr, made: readonly Accumulator[], rest: Accumulator | undefined): void {
    const { over, keys } = this.#plan;
    const [arithmetic] = this.#factors as [Arithmetic];
    const [down, across] = [build.int(arithmetic.down), build.int(arithmetic.keys)];
    this.#eachThread(scope, arithmetic, (thread, place, vector) => {
      const lineAt = (where: Scope, i: Expr) => this.#lineAt(where, block, place, i);
      const stepAt = (where: Scope, j: Expr) => {
        const n = where.let('n', build.plus(first, place.key(j)));
        return { m: n, ...this.#inside(where, n, this.#steps, keys) };
      };
      // What depends on queries alone is loaded for each query once.
      if (over === 'keys')
        vector.loop('i', down, 'unroll', (i, outer) => {
          const query = lineAt(outer, i);
          this.#rememberRest(outer, block, query.at, rest === undefined ? undefined : build.read(rest, [i, thread]));
          outer.loop('j', across, 'unroll', (j, one) => this.#weightAt(one, block, query, stepAt(one, j), made, [i, j, thread]));
        });
      else
        vector.loop('j', across, 'unroll', (j, outer) => {
          const query = stepAt(outer, j);
          this.#rememberRest(outer, block, query.at, undefined);
          outer.loop('i', down, 'unroll', (i, one) => this.#weightAt(one, block, query, lineAt(one, i), made, [i, j, thread]));
        });
    });
  }

  #rememberRest(scope: Scope, block: Block, query: Expr, own: Expr | undefined): void {
    const { rowSum } = this.#backward;
    if (rowSum === undefined) return;
    const { node } = rowSum.form;
    const index = this.#rowIndex(node, block, query);
    const value = own ?? (this.#rowSums === undefined ? undefined : scope.let('rest', build.load(this.#rowSums, index)));
    if (value !== undefined) scope.remember(valueKey(node, index), widthAs(node.type.dtype, value));
  }

  #weightAt(
    scope: Scope,
    { batch }: Block,
    query: { readonly m: Expr; readonly at: Expr; readonly isWhole: boolean },
    key: { readonly m: Expr; readonly at: Expr; readonly isWhole: boolean },
    made: readonly Accumulator[],
    index: readonly Expr[],
  ): void {
    const { factors, results } = this.#plan;
    const { queries, keys } = countsOf(this.#backward.attention.scores);
    for (const [which, { form }] of factors.entries())
      scope.remember(
        valueKey(form.node, [...batch, query.at, key.at]),
        widthAs(form.node.type.dtype, scope.let('made', build.read(made[which] as Accumulator, index))),
      );
    const values = results.map(({ taker }, which) => {
      const read = (node: TensorNode, at: readonly Expr[]): Expr => (this.#weights[which] as Values).at(node, at, scope);
      return scope.let('weight', widthAs('f32', weightOf(taker, batch, query.at, key.at, read)));
    });
    const below = [
      ...(query.isWhole ? [] : [build.apply('lt', 'bool', query.m, build.size(queries))]),
      ...(key.isWhole ? [] : [build.apply('lt', 'bool', key.m, build.size(keys))]),
    ];
    const [one, other] = below;
    const there = one === undefined || other === undefined ? one : build.apply('and', 'bool', one, other);
    for (const [which, weight] of values.entries()) {
      const value = there === undefined ? weight : build.apply('select', 'f32', there, weight, build.constant('f32', 0));
      scope.emit({ kind: 'assign', accumulator: made[which] as Accumulator, index, value });
    }
  }

  /** What becomes of a result. */
  #finish(scope: Scope, block: Block, which: number, sums: Accumulator): void {
    const { taker, columns, width } = this.#plan.results[which] as Result;
    const arithmetic = this.#results[which] as Arithmetic;
    const { node } = taker.form;
    const stored = this.#storedBehind(node);
    const guarded = (where: Scope, condition: Expr | undefined, fill: (body: Scope) => void): void =>
      condition === undefined ? fill(where) : where.each(condition, fill);
    this.#eachThread(scope, arithmetic, (thread, place, vector) =>
      vector.loop('i', build.int(arithmetic.down), 'unroll', (i, line) => {
        const { m, isWhole } = this.#lineAt(line, block, place, i);
        guarded(line, isWhole ? undefined : build.apply('lt', 'bool', m, build.size(this.#lines)), (inside) =>
          inside.loop('j', build.int(arithmetic.columns), 'unroll', (j, one) => {
            const n = one.let('n', place.column(j));
            guarded(one, columns === width ? undefined : build.apply('lt', 'bool', n, build.int(width)), (where) => {
              const point = taker.side === 'left' ? [m, n] : [n, m];
              const loops = [...block.batch, ...point].filter((_, axis) => node.type.shape[axis]?.constant !== 1);
              where.remember(valueKey(node, spread(node.type.shape, loops)), widthAs(node.type.dtype, build.read(sums, [i, j, thread])));
              this.#points.store(where, stored, loops);
            });
          }),
        );
      }),
    );
  }

  /** The product, and what is made of it in the group, where they go anywhere. */
  #storedBehind(product: TensorNode): readonly TensorNode[] {
    const { context, group, maps } = this.#points;
    const isBehind = (map: TensorNode): boolean => {
      const below = new Set<Node>([map]);
      // A set's iteration also visits what is added meanwhile.
      for (const node of below)
        if (!group.reads.has(node) && context.forms.of(node).kind === 'element') for (const argument of node.args) below.add(argument);
      return below.has(product);
    };
    return [product, ...maps.filter(isBehind)].filter((node) => context.storage.destinations(node).length > 0);
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
