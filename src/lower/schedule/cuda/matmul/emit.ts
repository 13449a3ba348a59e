// Matrix products by blocks of threads: tiles whose sides pass through shared memory, sums in registers, a fused epilogue (see the note at
// the end). In: a matmul group and its storage. Out: statements in a scope.
// Holds: every element is one sum over the depth in order, in runs of a fixed length, so no tiling changes a bit of it.

import { bytesOf, elementCount, isFloat } from '../../../../base/index.js';
import type { TensorNode } from '../../../../graph/index.js';
import { type Accumulator, build, type Expr } from '../../../../kernel/index.js';
import { depthRun, stages, threadsAcross, threadsDown, threadTiles, unrolledDepth } from '../../../../target/index.js';
import { combinedAs, identity, type MatmulForm, spread, widthAs } from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import type { Group } from '../../../fuse/groups.js';
import { type EmitContext, KernelEmitter } from '../../cpu/emitter.js';
import { twoSum, withLost } from '../../cpu/running-sum.js';
import { matricesOf, rowAxes, type Staged, stageSide } from './sides.js';
import { type BlockTile, chooseTile, placeIn } from './tiles.js';

/** Where a tile of a block is. */
interface Place {
  readonly batch: readonly Expr[];
  readonly row: Expr;
  readonly column: Expr;
}

/** A thread of a block: `down` and `across` say which of a tile's elements it has. */
interface Thread {
  readonly number: Expr;
  readonly down: Expr;
  readonly across: Expr;
}

export class BlockProduct {
  readonly #group: Group;
  readonly #context: EmitContext;
  readonly #form: MatmulForm;
  readonly #tile: BlockTile;

  constructor(group: Group, context: EmitContext) {
    this.#group = group;
    this.#context = context;
    const member = group.members.find(({ role }) => role === 'matmul');
    this.#form = (member as Extract<typeof member, { role: 'matmul' }>).form;
    const bytes = bytesOf(this.#dtype);
    // Totals of a deep product take as many registers as its sums again, or twice as many.
    const most = bytes > 4 || this.#runs > 2 ? threadTiles[1] : threadTiles[0];
    this.#tile = chooseTile(matricesOf(this.#form), elementCount(rowAxes(this.#form)), this.#form.columns, most, bytes);
  }

  get #dtype() {
    return combinedAs(this.#form.node.type.dtype);
  }

  /** How many runs the depth has at most; sums that do not round are one. */
  get #runs(): number {
    if (!isFloat(this.#form.node.type.dtype)) return 1;
    return Math.ceil((this.#form.depth.constant ?? Infinity) / depthRun);
  }

  emit(scope: Scope): void {
    const { parallel } = this.#context;
    const { batch, shared, columns } = this.#form;
    const [tileRows, tileColumns] = [build.int(this.#tile.rows), build.int(this.#tile.columns)];
    const own = batch.slice(0, shared);
    const down = build.ceilDiv(build.size(elementCount(rowAxes(this.#form))), tileRows);
    const across = build.ceilDiv(build.size(columns), tileColumns);
    const count = build.times(build.times(build.size(elementCount(own)), down), across);
    scope.loop('p', count, parallel ? 'parallel' : 'serial', (p, body) => {
      const column = body.let('column', build.times(build.modulo(p, across), tileColumns));
      const rest = body.let('rest', build.over(p, across));
      const row = body.let('row', build.times(build.modulo(rest, down), tileRows));
      const matrix = body.let('matrix', build.over(rest, down));
      this.#tileAt(body, { batch: own.length === 0 ? [] : splitIndex(own, matrix, body), row, column });
    });
  }

  #tileAt(scope: Scope, place: Place): void {
    const { depth } = this.#form;
    const sums = this.#registers(scope, 'acc');
    const sides = this.#sides(scope);
    const step = build.int(this.#tile.depth);
    const count = build.ceilDiv(build.size(depth), step);
    const isAsync = sides.some((side) => side.isAsync);
    const fetch = (where: Scope, number: Expr): void => {
      const stage = where.let('stage', build.modulo(number, build.int(stages)));
      const start = where.let('start', build.times(number, step));
      const [left, right] = sides;
      left.copy(where, stage, place.batch, start, place.row);
      right.copy(where, stage, place.batch, start, place.column);
      if (isAsync) where.emit({ kind: 'commit' });
    };
    for (let number = 0; number < stages - 1; number++) fetch(scope, build.int(number));
    const totals = this.#runs > 1 ? this.#totals(scope, sums) : undefined;
    scope.loop(
      's',
      count,
      'serial',
      (s, body) => {
        if (isAsync) body.emit({ kind: 'wait', open: stages - 2 });
        // What was copied is there for all, and what the stage to be filled held was used by all.
        body.emit({ kind: 'barrier' });
        fetch(body, build.plus(s, build.int(stages - 1)));
        this.#multiply(body, sides, sums, body.let('stage', build.modulo(s, build.int(stages))));
        totals?.add(body, s, count);
      },
      { carried: true, blocks: depth },
    );
    if (isAsync) scope.emit({ kind: 'wait', open: 0 });
    this.#finish(scope, place, (i, j, thread) => (totals === undefined ? build.read(sums, [i, j, thread]) : totals.read(i, j, thread)));
    // The next tile of the block uses the same memory.
    if (!this.#context.parallel) scope.emit({ kind: 'barrier' });
  }

  #sides(scope: Scope): readonly [Staged, Staged] {
    const { rows, columns, depth } = this.#tile;
    const staged = (which: 'left' | 'right'): Staged => {
      const [lines, tileLines] = which === 'left' ? [elementCount(rowAxes(this.#form)), rows] : [this.#form.columns, columns];
      const one = stageSide(this.#form, { which, lines, tileLines }, depth, this.#context, scope.names);
      scope.emit({ kind: 'share', buffer: one.buffer });
      return one;
    };
    return [staged('left'), staged('right')];
  }

  #registers(scope: Scope, stem: string): Accumulator {
    const { perThread } = this.#tile;
    const shape = [perThread, perThread, threadsDown * threadsAcross];
    const accumulator: Accumulator = { name: scope.names.fresh(stem), dtype: this.#dtype, shape };
    scope.emit({ kind: 'declare', accumulator, initial: identity('sum', accumulator.dtype) });
    return accumulator;
  }

  #threads(scope: Scope, fill: (thread: Thread, vector: Scope) => void): void {
    const count = threadsDown * threadsAcross;
    scope.loop(
      't',
      build.int(count),
      'vector',
      (number, vector) => {
        const down = vector.let('down', build.over(number, build.int(threadsAcross)));
        const across = vector.let('across', build.modulo(number, build.int(threadsAcross)));
        fill({ number, down, across }, vector);
      },
      { limit: count },
    );
  }

  /** Every element of every thread. */
  #elements(scope: Scope, fill: (vector: Scope, index: readonly [Expr, Expr, Expr]) => void): void {
    const each = build.int(this.#tile.perThread);
    this.#threads(scope, ({ number }, vector) =>
      vector.loop('i', each, 'unroll', (i, row) => row.loop('j', each, 'unroll', (j, one) => fill(one, [i, j, number]))),
    );
  }

  /** The steps of a stage, onto the sums. */
  #multiply(scope: Scope, [left, right]: readonly [Staged, Staged], sums: Accumulator, stage: Expr): void {
    const { depth, perThread } = this.#tile;
    const each = build.int(perThread);
    const written = Math.min(unrolledDepth, depth);
    this.#threads(scope, ({ number, down, across }, vector) => {
      const columns: Accumulator = { name: scope.names.fresh('b'), dtype: sums.dtype, shape: [perThread] };
      vector.emit({ kind: 'declare', accumulator: columns, initial: identity('sum', sums.dtype) });
      const step = (k: Expr, body: Scope): void => {
        body.loop('j', each, 'unroll', (j, one) => {
          const value = build.load(right.buffer, right.at(stage, k, placeIn(this.#tile, threadsAcross, across, j)));
          one.emit({ kind: 'assign', accumulator: columns, index: [j], value });
        });
        body.loop('i', each, 'unroll', (i, row) => {
          const a = row.let('a', build.load(left.buffer, left.at(stage, k, placeIn(this.#tile, threadsDown, down, i))));
          row.loop('j', each, 'unroll', (j, one) => {
            const value = build.apply('mul', sums.dtype, a, build.read(columns, [j]));
            one.emit({ kind: 'accumulate', accumulator: sums, index: [i, j, number], combine: 'sum', value });
          });
        });
      };
      vector.loop('k', build.int(depth / written), 'serial', (k, outer) =>
        outer.loop('k', build.int(written), 'unroll', (next, body) => step(build.plus(build.times(k, build.int(written)), next), body)),
      );
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
  #finish(scope: Scope, { batch, row, column }: Place, sum: (i: Expr, j: Expr, thread: Expr) => Expr): void {
    const { node, columns } = this.#form;
    const { perThread, run } = this.#tile;
    const points = new KernelEmitter(this.#group, this.#context);
    const stored = this.#group.members.flatMap((member): TensorNode[] =>
      member.role === 'matmul' || member.role === 'elementwise' ? [member.node] : [],
    );
    const together = (columns.constant ?? NaN) % run === 0;
    const allRows = elementCount(rowAxes(this.#form));
    const below = (index: Expr, size: Expr): Expr => build.apply('lt', 'bool', index, size);
    this.#threads(scope, ({ number, down, across }, vector) => {
      vector.loop('i', build.int(perThread), 'unroll', (i, line) => {
        const m = line.let('m', build.plus(row, placeIn(this.#tile, threadsDown, down, i)));
        line.loop('j', build.int(perThread / run), 'unroll', (group, some) => {
          const first = build.times(group, build.int(run));
          const n = some.let('n', build.plus(column, placeIn(this.#tile, threadsAcross, across, first)));
          const exists = below(m, build.size(allRows));
          const guard = together ? build.apply('and', 'bool', exists, below(n, build.size(columns))) : exists;
          some.each(guard, (inside) => {
            const rowIndex = splitIndex(rowAxes(this.#form), m, inside);
            inside.loop('j', build.int(run), 'unroll', (j, one) => {
              const at = one.let('n', build.plus(n, j));
              const store = (where: Scope): void => {
                const index = [...batch, ...rowIndex, at];
                const loops = index.filter((_, axis) => node.type.shape[axis]?.constant !== 1);
                const value = sum(i, build.plus(first, j), number);
                // A single row has no loop of its own: its index is 0 wherever the epilogue reads it.
                where.remember(valueKey(node, spread(node.type.shape, loops)), widthAs(node.type.dtype, value));
                points.store(where, stored, loops);
              };
              if (together) store(one);
              else one.each(below(at, build.size(columns)), store);
            });
          });
        });
      });
    });
  }
}
