// How the threads of a block share the two products of attention: by tensor cores, or each for its own elements. In: a plan. Out: which
// elements a thread has, and the statements of both products. Holds: all columns of a row are with a few threads side by side.

import { Dim } from '../../../../base/index.js';
import { type Accumulator, build, type Expr, type Fragment, multiplyDepth, warpThreads } from '../../../../kernel/index.js';
import { threadRun, threadsAcross, threadsDown } from '../../../../target/index.js';
import { identity } from '../../../form/forms.js';
import type { Scope } from '../../../form/scope.js';
import { multiplyByThreads } from '../matmul/multiply.js';
import type { Staged } from '../matmul/sides.js';
import { type BlockTile, placeOf } from '../matmul/tiles.js';
import { type AttentionPlan, shapeOfWeights } from './plan.js';

/** Of a thread: the row and the column of its elements, in the tile of scores and in that of results. */
export interface ThreadPlace {
  row(at: Expr): Expr;
  key(at: Expr): Expr;
  column(at: Expr): Expr;
}

export interface Arithmetic {
  /** Rows of a thread, and its columns of scores and of results. */
  readonly down: number;
  readonly keys: number;
  readonly columns: number;
  /** Threads that share a row. */
  readonly rowLanes: number;
  place(thread: Expr, scope: Scope): ThreadPlace;
  /** Onto scores, which are 0: queries times the keys of a stage. */
  score(scope: Scope, queries: Staged, keys: Staged, scores: Accumulator, stage: Expr): void;
  /** Declares in `scope`, around all tiles of keys, what the second product needs. */
  mixer(scope: Scope): Mixer;
}

/** Onto sums: weights times what is given in a stage. */
export type Mixer = (scope: Scope, weights: Accumulator, given: Staged, sums: Accumulator, stage: Expr) => void;

export const arithmeticOf = (plan: AttentionPlan): Arithmetic => (plan.isTensor ? byTensorCores(plan) : byThreads(plan));

/** Each warp has 16 rows; weights are multiplied where they are. */
function byTensorCores({ scored, mixed, tile }: AttentionPlan): Arithmetic {
  const rowLanes = 4;
  const rowOfWarp = (warp: Expr): Expr => build.times(warp, build.int(16));
  const fragment = ({ buffer, along, at }: Staged, stage: Expr, step: Expr, line: Expr): Fragment => ({
    buffer,
    along,
    index: at(stage, step, line),
  });
  const zero = build.int(0);
  return {
    down: 2,
    keys: tile.keys / 4,
    columns: tile.columns / 4,
    rowLanes,
    place(thread, scope) {
      const warp = scope.let('warp', build.over(thread, build.int(warpThreads)));
      const lane = scope.let('lane', build.modulo(thread, build.int(warpThreads)));
      const down = scope.let('down', build.plus(rowOfWarp(warp), build.over(lane, build.int(rowLanes))));
      const across = scope.let('across', build.times(build.modulo(lane, build.int(rowLanes)), build.int(2)));
      const column = (at: Expr): Expr =>
        build.plus(build.plus(across, build.times(build.over(at, build.int(2)), build.int(8))), build.modulo(at, build.int(2)));
      return { row: (at) => build.plus(down, build.times(at, build.int(8))), key: column, column };
    },
    score(scope, queries, keys, sums, stage) {
      const together = multiplyDepth(scored);
      scope.loop('k', build.int(tile.depth / together), 'unroll', (k, body) => {
        const warp = scope.names.fresh('warp');
        const step = build.times(k, build.int(together));
        const left = fragment(queries, zero, step, rowOfWarp(build.index(warp)));
        body.emit({ kind: 'multiply', warps: 1, warp, sums, left, right: fragment(keys, stage, step, zero) });
      });
    },
    mixer: () => (scope, weights, given, sums, stage) => {
      const together = multiplyDepth(mixed);
      scope.loop('k', build.int(tile.keys / together), 'unroll', (k, body) => {
        const step = build.times(k, build.int(together));
        const right = fragment(given, stage, step, zero);
        body.emit({ kind: 'multiply', warps: 1, warp: scope.names.fresh('warp'), sums, left: { sums: weights, index: [step] }, right });
      });
    },
  };
}

/** Half a warp has the rows; weights pass through shared memory, and what a tile of keys adds is summed up apart. */
function byThreads({ mixed, tile }: AttentionPlan): Arithmetic {
  const down = tile.rows / threadsDown;
  const [keys, columns] = [tile.keys / threadsAcross, tile.columns / threadsAcross];
  const partOf = (across: number): BlockTile => ({
    rows: tile.rows,
    columns: across * threadsAcross,
    depth: tile.depth,
    stages: tile.stages,
    perThread: [down, across],
    run: Math.min(threadRun, across),
    isTensor: false,
  });
  const placeIn = (thread: Expr, scope: Scope): ThreadPlace => {
    const { row, column: key } = placeOf(partOf(keys), thread, scope);
    return { row, key, column: placeOf(partOf(columns), thread, scope).column };
  };
  const load = ({ buffer, at }: Staged, stage: Expr, step: Expr, line: Expr): Expr => build.load(buffer, at(stage, step, line));
  return {
    down,
    keys,
    columns,
    rowLanes: threadsAcross,
    place: placeIn,
    score(scope, queries, asked, sums, stage) {
      multiplyByThreads(scope, sums, tile.depth, (thread, vector) => {
        const { row, key } = placeIn(thread, vector);
        return { left: (k, i) => load(queries, build.int(0), k, row(i)), right: (k, j) => load(asked, stage, k, key(j)) };
      });
    },
    mixer(around) {
      const shape = shapeOfWeights(tile).map((size) => Dim.of(size));
      const shared = build.buffer(around.names.fresh('weights'), mixed, shape, { kind: 'shared' });
      around.emit({ kind: 'share', buffer: shared });
      return (scope, weights, given, sums, stage) => {
        const threads = sums.shape.at(-1) ?? 0;
        const eachElement = (across: number, fill: (one: Scope, index: readonly [Expr, Expr, Expr], place: ThreadPlace) => void): void =>
          scope.loop(
            't',
            build.int(threads),
            'vector',
            (thread, vector) => {
              const place = placeIn(thread, vector);
              vector.loop('i', build.int(down), 'unroll', (i, line) =>
                line.loop('j', build.int(across), 'unroll', (j, one) => fill(one, [i, j, thread], place)),
              );
            },
            { limit: threads },
          );
        eachElement(keys, (one, index, { row, key }) =>
          one.emit({ kind: 'store', buffer: shared, index: [row(index[0]), key(index[1])], value: build.read(weights, index) }),
        );
        scope.emit({ kind: 'barrier' });
        const part: Accumulator = { ...sums, name: scope.names.fresh('part') };
        scope.emit({ kind: 'declare', accumulator: part, initial: identity('sum', part.dtype) });
        multiplyByThreads(scope, part, tile.keys, (thread, vector) => {
          const { row, column } = placeIn(thread, vector);
          return { left: (k, i) => build.load(shared, [row(i), k]), right: (k, j) => load(given, stage, k, column(j)) };
        });
        eachElement(columns, (one, index) =>
          one.emit({ kind: 'accumulate', accumulator: sums, index, combine: 'sum', value: build.read(part, index) }),
        );
      };
    },
  };
}
