// Matrix products by blocks of threads: tiles whose sides pass through shared memory, sums in registers, a fused epilogue (see the note at
// the end). In: a matmul group and its storage. Out: statements in a scope.
// Holds: every element is one sum over the depth in order, in runs and parts that sizes alone decide, so every run gives the same bits.

import { bytesOf, Dim, type DType, elementCount, isFloat } from '../../../../base/index.js';
import type { TensorNode } from '../../../../graph/index.js';
import { type Accumulator, build, type Expr, type For, type Fragment, multiplyDepth } from '../../../../kernel/index.js';
import { type CudaTarget, depthRun, leastPartUnit, threadsAcross, threadsDown } from '../../../../target/index.js';
import { combinedAs, identity, type MatmulForm, spread, widthAs } from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import { flopsOfGroup } from '../../../fuse/cost-model.js';
import type { Group } from '../../../fuse/groups.js';
import { type EmitContext, KernelEmitter } from '../../common/emitter.js';
import { twoSum, withLost } from '../../common/running-sum.js';
import { bytesOfCopies, matricesOf, readSides, rowAxes, type SideRead, type Staged, stageSide } from './sides.js';
import { multiplyByThreads } from './multiply.js';
import { addParts } from './parts.js';
import { gridOf } from './grid.js';
import {
  type BlockTile,
  placeOf,
  type Plan,
  planDeep,
  planProduct,
  type ProductSizes,
  stagesInUse,
  warpPlace,
  warpsTogether,
} from './tiles.js';

/** Of a block. */
const threads = threadsDown * threadsAcross;

/** Where a tile of a block is. */
interface Place {
  readonly batch: readonly Expr[];
  readonly row: Expr;
  readonly column: Expr;
  /** The steps of the depth from `first` on, below `end`: `count` of them, or fewer where the depth ends. */
  readonly depth: { readonly first: Expr; readonly count: Expr; readonly end: Expr };
  readonly split: Expr;
}

/** Takes a sum to where it must go. */
type Store = (where: Scope, index: readonly Expr[], value: Expr, split: Expr) => void;

interface Sides {
  readonly left: Staged;
  readonly right: Staged;
}

/** A product, however it is cut. */
interface Product {
  readonly group: Group;
  readonly context: EmitContext;
  readonly form: MatmulForm;
  readonly reads: { readonly left: SideRead; readonly right: SideRead };
  /** Of the elements in shared memory, and of sums. */
  readonly staged: DType;
  readonly dtype: DType;
  /** Of the device, which share the tiles. */
  readonly processors: number;
}

export function emitProduct(group: Group, scope: Scope, context: EmitContext, { sharedBytes, groups, processors }: CudaTarget): void {
  const member = group.members.find(({ role }) => role === 'matmul');
  const { form } = member as Extract<typeof member, { role: 'matmul' }>;
  const dtype = combinedAs(form.node.type.dtype);
  const { multiplied, ...reads } = readSides(form, context);
  const staged = multiplied === undefined ? dtype : multiplied === 'tf32' ? 'f32' : multiplied;
  const product: Product = { group, context, form, reads, staged, dtype, processors };
  const { columns, depth } = form;
  const sizes: ProductSizes = {
    matrices: matricesOf(form),
    rows: elementCount(rowAxes(form)),
    columns,
    depth,
    bytes: bytesOf(staged),
    isTensor: multiplied !== undefined,
    splits: context.parallel && context.ahead !== undefined,
    processors,
    sharedBytes,
    groupBytes: groups?.sharedBytes,
    copyBytes: Math.min(...[reads.left, reads.right].map((side) => bytesOfCopies(side, staged))),
  };
  const { ahead } = context;
  const [plan, deep] = [planProduct(sizes), planDeep(sizes)];
  if (deep === undefined || ahead === undefined) {
    const whole = new BlockProduct(product, plan, {});
    if (plan.splits > 1 && ahead !== undefined) whole.emitParts(ahead('partial results'), scope);
    else whole.emit(scope);
    return;
  }
  const isDeep = build.apply('ge', 'bool', build.size(depth), build.int(deep.from));
  new BlockProduct(product, deep.plan, { when: isDeep }).emitParts(ahead('partial results'), ahead('partial results'));
  new BlockProduct(product, plan, { when: build.apply('not', 'bool', isDeep) }).emit(scope);
}

class BlockProduct {
  readonly #group: Group;
  readonly #context: EmitContext;
  readonly #form: MatmulForm;
  readonly #reads: Product['reads'];
  readonly #staged: DType;
  readonly #dtype: DType;
  readonly #processors: number;
  readonly #plan: Plan;
  readonly #tile: BlockTile;
  /** Whether sizes leave it any blocks. */
  readonly #when: Pick<For, 'when'>;
  /** Runs of the depth that a thread sums up apart. */
  readonly #runs: number;

  constructor({ group, context, form, reads, staged, dtype, processors }: Product, plan: Plan, when: Pick<For, 'when'>) {
    this.#group = group;
    this.#context = context;
    this.#form = form;
    this.#reads = reads;
    this.#staged = staged;
    this.#dtype = dtype;
    this.#processors = processors;
    this.#plan = plan;
    this.#tile = plan.tile;
    this.#when = when;
    const steps = plan.part ?? Infinity;
    // What tensor cores multiply was rounded to fewer bits than sums lose.
    this.#runs = plan.tile.isTensor || !isFloat(dtype) ? 1 : Math.ceil(steps / depthRun);
  }

  /** A kernel for the parts of the depth, and one that adds them and goes on. */
  emitParts(first: Scope, second: Scope): void {
    const { node } = this.#form;
    const shape = [Dim.of(this.#plan.splits), ...node.type.shape];
    const parts = this.#context.storage.pool.temporary({ dtype: this.#dtype, shape });
    this.#tiles(first, (where, index, value, split) => where.emit({ kind: 'store', buffer: parts, index: [split, ...index], value }));
    addParts(new KernelEmitter(this.#group, this.#context), storedOf(this.#group), node, parts, second, this.#when);
  }

  emit(scope: Scope): void {
    const { node } = this.#form;
    const points = new KernelEmitter(this.#group, this.#context);
    const stored = storedOf(this.#group);
    const store: Store = (where, index, value) => {
      const loops = index.filter((_, axis) => node.type.shape[axis]?.constant !== 1);
      // A single row has no loop of its own: its index is 0 wherever the epilogue reads it.
      where.remember(valueKey(node, spread(node.type.shape, loops)), widthAs(node.type.dtype, value));
      points.store(where, stored, loops);
    };
    scope.computing(flopsOfGroup(this.#group, this.#context.forms), () => this.#tiles(scope, store));
  }

  /** A block for every tile, and every part of the depth. */
  #tiles(scope: Scope, store: Store): void {
    const { parallel } = this.#context;
    const { batch, shared, columns } = this.#form;
    const { splits } = this.#plan;
    const own = batch.slice(0, shared);
    const grid = gridOf(this.#tile, this.#processors, elementCount(rowAxes(this.#form)), columns);
    const perPart = build.times(build.size(elementCount(own)), grid.count);
    const fill = (p: Expr, body: Scope): void => {
      const isAlone = own.length === 0 && splits === 1;
      const { row, column } = grid.at(isAlone ? p : body.let('tile', build.modulo(p, grid.count)), body);
      const others = isAlone ? build.int(0) : body.let('others', build.over(p, grid.count));
      const split = splits === 1 ? build.int(0) : body.let('split', build.over(p, perPart));
      const matrix = splits === 1 ? others : build.modulo(others, build.size(elementCount(own)));
      const depth = this.#depthOf(split, body);
      this.#tileAt(
        body,
        { batch: own.length === 0 ? [] : splitIndex(own, body.let('matrix', matrix), body), row, column, depth, split },
        store,
      );
    };
    scope.loop('p', build.times(perPart, build.int(splits)), parallel ? 'parallel' : 'serial', fill, this.#when);
  }

  #depthOf(split: Expr, body: Scope): Place['depth'] {
    const { splits, part } = this.#plan;
    const all = build.size(this.#form.depth);
    if (splits === 1) return { first: split, count: all, end: all };
    const unit = build.int(leastPartUnit);
    const free = build.times(build.ceilDiv(build.ceilDiv(all, build.int(splits)), unit), unit);
    const count = part === undefined ? body.let('part', free) : build.int(part);
    const first = body.let('first', build.times(split, count));
    return { first, count, end: body.let('end', build.smaller(build.plus(first, count), all)) };
  }

  #tileAt(scope: Scope, place: Place, store: Store): void {
    const sums = this.#registers(scope, 'acc');
    const { rows, columns, depth: steps, stages } = this.#tile;
    const staged = (read: SideRead, lines: number): Staged => stageSide(read, this.#staged, lines, this.#tile, scope);
    const sides: Sides = { left: staged(this.#reads.left, rows), right: staged(this.#reads.right, columns) };
    const { first, end: limit } = place.depth;
    const { left, right } = sides;
    const count = build.ceilDiv(place.depth.count, build.int(steps));
    const copies = left.copies || right.copies;
    /** Begins to bring a stage; what it gives ends that. */
    const bring = (where: Scope, at: Expr): (() => void) => {
      const number = where.let('stage', build.modulo(at, build.int(stages)));
      const step = where.let('start', build.plus(first, build.times(at, build.int(steps))));
      const stage = { number, batch: place.batch, step, limit };
      left.begin(where, { ...stage, line: place.row });
      right.begin(where, { ...stage, line: place.column });
      if (copies) where.emit({ kind: 'commit' });
      return () => {
        left.finish(where, number);
        right.finish(where, number);
      };
    };
    const ahead = stages - stagesInUse(this.#tile);
    for (let number = 0; number < ahead; number++) bring(scope, build.int(number))();
    const totals = this.#runs > 1 ? this.#totals(scope, sums) : undefined;
    const stage = (s: Expr, body: Scope): void => {
      if (copies) body.emit({ kind: 'wait', open: ahead - 1 });
      // What was brought is there for all, and what the stage to be filled held was used by all.
      body.emit({ kind: 'barrier' });
      // What runs beside other statements is begun first.
      if (this.#tile.isGroup === true) this.#multiplyByWarps(body, sides, sums, body.let('stage', build.modulo(s, build.int(stages))));
      const end = bring(body, build.plus(s, build.int(ahead)));
      if (this.#tile.isGroup === true) {
        // Both sides are copied: there is nothing to end.
        body.emit({ kind: 'settle', open: 1 });
        return;
      }
      const number = body.let('stage', build.modulo(s, build.int(stages)));
      if (this.#tile.isTensor) this.#multiplyByWarps(body, sides, sums, number);
      else
        multiplyByThreads(body, sums, this.#tile.depth, (thread, vector) => {
          const { row, column } = placeOf(this.#tile, thread, vector);
          const element = ({ buffer, at }: Staged, k: Expr, line: Expr): Expr => build.load(buffer, at(number, k, line));
          return { left: (k, i) => element(left, k, row(i)), right: (k, j) => element(right, k, column(j)) };
        });
      end();
      totals?.add(body, s, count);
    };
    scope.loop('s', count, 'serial', stage, { carried: true });
    if (copies) scope.emit({ kind: 'wait', open: 0 });
    if (this.#tile.isGroup === true) scope.emit({ kind: 'settle', open: 0 });
    const sum = (i: Expr, j: Expr, thread: Expr): Expr => totals?.read(i, j, thread) ?? build.read(sums, [i, j, thread]);
    this.#finish(scope, place, sum, store);
    // The next tile of the block uses the same memory.
    if (!this.#context.parallel) scope.emit({ kind: 'barrier' });
  }

  #registers(scope: Scope, stem: string): Accumulator {
    const shape = [...this.#tile.perThread, threads];
    const accumulator: Accumulator = { name: scope.names.fresh(stem), dtype: this.#dtype, shape };
    scope.emit({ kind: 'declare', accumulator, initial: identity('sum', accumulator.dtype) });
    return accumulator;
  }

  #threads(scope: Scope, fill: (thread: Expr, vector: Scope) => void): void {
    scope.loop('t', build.int(threads), 'vector', fill, { limit: threads });
  }

  /** Every element of every thread. */
  #elements(scope: Scope, fill: (vector: Scope, index: readonly [Expr, Expr, Expr]) => void): void {
    const [down, across] = this.#tile.perThread.map(build.int) as [Expr, Expr];
    this.#threads(scope, (thread, vector) =>
      vector.loop('i', down, 'unroll', (i, row) => row.loop('j', across, 'unroll', (j, one) => fill(one, [i, j, thread]))),
    );
  }

  /** The steps of a stage, onto the sums, by tensor cores. */
  #multiplyByWarps(scope: Scope, { left, right }: Sides, sums: Accumulator, stage: Expr): void {
    const together = multiplyDepth(this.#staged);
    scope.loop('k', build.int(this.#tile.depth / together), 'unroll', (k, body) => {
      const warp = scope.names.fresh('warp');
      const { row, column } = warpPlace(this.#tile, build.index(warp));
      const step = build.times(k, build.int(together));
      const fragment = ({ buffer, along, at }: Staged, line: Expr): Fragment => ({ buffer, along, index: at(stage, step, line) });
      body.emit({
        kind: 'multiply',
        warps: warpsTogether(this.#tile),
        warp,
        sums,
        left: fragment(left, row),
        right: fragment(right, column),
      });
    });
  }

  /** Runs of a long depth are added up beside the sums, with what the additions round off where there are more than two. */
  #totals(scope: Scope, sums: Accumulator) {
    const totals = this.#registers(scope, 'total');
    const lost = this.#runs > 2 ? this.#registers(scope, 'lost') : undefined;
    const perRun = build.int(depthRun / this.#tile.depth);
    const zero = build.constant(sums.dtype, 0);
    const one = build.int(1);
    return {
      add: (body: Scope, stage: Expr, count: Expr): void => {
        const next = body.let('next', build.plus(stage, one));
        const ends = build.apply('eq', 'bool', build.modulo(next, perRun), build.int(0));
        body.when(build.apply('or', 'bool', ends, build.apply('eq', 'bool', next, count)), (inside) =>
          this.#elements(inside, (vector, index) => {
            const value = build.read(sums, index);
            if (lost === undefined) vector.emit({ kind: 'accumulate', accumulator: totals, index, combine: 'sum', value });
            else {
              const { sum, error } = twoSum(vector, build.read(totals, index), value);
              const kept = build.apply('add', lost.dtype, build.read(lost, index), error);
              vector.emit(
                { kind: 'assign', accumulator: lost, index, value: kept },
                { kind: 'assign', accumulator: totals, index, value: sum },
              );
            }
            vector.emit({ kind: 'assign', accumulator: sums, index, value: zero });
          }),
        );
      },
      read: (i: Expr, j: Expr, thread: Expr): Expr => {
        const total = build.read(totals, [i, j, thread]);
        return lost === undefined ? total : withLost(sums.dtype, total, build.read(lost, [i, j, thread]));
      },
    };
  }

  /** What becomes of the sums of a tile; runs of columns are guarded together where they end together. */
  #finish(scope: Scope, place: Place, sum: (i: Expr, j: Expr, thread: Expr) => Expr, store: Store): void {
    const { columns } = this.#form;
    const { perThread, run, rows: height, columns: width } = this.#tile;
    const allRows = elementCount(rowAxes(this.#form));
    const isWhole = (size: Dim, part: number): boolean => size.constant !== undefined && size.constant % part === 0;
    const below = (index: Expr, size: Dim, part: number): readonly Expr[] =>
      isWhole(size, part) ? [] : [build.apply('lt', 'bool', index, build.size(size))];
    const guarded = (where: Scope, conditions: readonly Expr[], fill: (body: Scope) => void): void => {
      const [one, other] = conditions;
      if (one === undefined) fill(where);
      else where.each(other === undefined ? one : build.apply('and', 'bool', one, other), fill);
    };
    const together = isWhole(columns, run);
    this.#threads(scope, (thread, vector) => {
      const own = placeOf(this.#tile, thread, vector);
      vector.loop('i', build.int(perThread[0]), 'unroll', (i, line) => {
        const m = line.let('m', build.plus(place.row, own.row(i)));
        line.loop('j', build.int(perThread[1] / run), 'unroll', (group, some) => {
          const first = build.times(group, build.int(run));
          const n = some.let('n', build.plus(place.column, own.column(first)));
          guarded(some, [...below(m, allRows, height), ...(together ? below(n, columns, width) : [])], (inside) => {
            const row = splitIndex(rowAxes(this.#form), m, inside);
            inside.loop('j', build.int(run), 'unroll', (j, one) => {
              const at = one.let('n', build.plus(n, j));
              guarded(one, together ? [] : below(at, columns, width), (where) =>
                store(where, [...place.batch, ...row, at], sum(i, build.plus(first, j), thread), place.split),
              );
            });
          });
        });
      });
    });
  }
}

const storedOf = ({ members }: Group): TensorNode[] =>
  members.flatMap((member) => (member.role === 'matmul' || member.role === 'elementwise' ? [member.node] : []));

/* Note: tiles of blocks.
   x @ w of f32[256, 256] each, as it is scheduled (shortened):

     parallel for p0 in 0..64 {
       acc acc6: f32[2, 2, 256] = f32(0)
       share left7: f32[3, 32, 20]  share right8: f32[3, 16, 36]
       vector for e9 in 0..128 limit 128 { copy 4 left7[0, …] from in_x[…] if … }  …  commit  …
       for s29 in 0..16 {
         wait 1  barrier
         vector for e32 in 0..128 limit 128 { copy 4 left7[(s29 + 2) % 3, …] from in_x[…] if … }  …  commit
         vector for t43 in 0..256 limit 256 {
           for k46 in 0..4 { unroll for k47 in 0..4 {
             unroll for j48 in 0..2 { b45[j48] = right8[s29 % 3, …] }
             unroll for i49 in 0..2 { let a50 = left7[s29 % 3, …]  unroll for j51 in 0..2 { acc6[i49, j51, t43] += a50 * b45[j51] } }
           } }
         }
       }
       vector for t52 in 0..256 limit 256 { unroll for i55 in 0..2 { … out_result[…] = acc6[i55, …, t52] } }
     }

   A thread would otherwise load as many elements as it multiplies; here each element comes to the block once, and each access of shared
   memory serves as many multiply-adds as a thread has rows or columns. The copies of two stages are on their way while a third is used:
   one barrier a stage says that its copies are there, and that the stage that comes next in their place was used. That is the kernel of
   NVIDIA's CUTLASS ("Efficient GEMM in CUDA"). Of narrow operands `multiply` takes the place of the loop over `k46`. Shown by
   test/cuda/products.test.ts. */
