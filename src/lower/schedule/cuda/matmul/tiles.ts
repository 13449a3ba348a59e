// How the threads of a block share a tile of a matrix product. In: the sizes of a product. Out: elements that each thread has, and where
// they lie in the tile. Holds: no tiling changes the order in which an element is summed up.

import type { Dim } from '../../../../base/index.js';
import { build, type Expr, warpThreads } from '../../../../kernel/index.js';
import {
  assumedProcessors,
  assumedSize,
  coreTiles,
  tensorTiles,
  threadRun,
  type TileCost,
  warpsAcross,
  warpsDown,
  threadsAcross,
  threadsDown,
} from '../../../../target/index.js';
import type { Scope } from '../../../form/scope.js';

export interface BlockTile {
  readonly rows: number;
  readonly columns: number;
  /** Steps of the depth in a stage. */
  readonly depth: number;
  /** Elements of each thread, down and across; of those across so many lie side by side. */
  readonly perThread: readonly [down: number, across: number];
  readonly run: number;
  /** Whether warps multiply by tensor cores. */
  readonly isTensor: boolean;
}

/** Where the elements of a thread lie in a tile. */
export interface ThreadPlace {
  row(at: Expr): Expr;
  column(at: Expr): Expr;
}

/** What tiles a product may have: `bytes` of an element in shared memory, `runs` of its depth that are summed up apart. */
export interface TileChoice {
  readonly matrices: Dim;
  readonly rows: Dim;
  readonly columns: Dim;
  readonly bytes: number;
  readonly runs: number;
  readonly isTensor: boolean;
}

/** The tile with which all processors together need the fewest cycles for a step of the depth. */
export function chooseTile({ matrices, rows, columns, bytes, runs, isTensor }: TileChoice): BlockTile {
  const many = matrices.constant ?? 1;
  const [down, across] = [rows.constant ?? assumedSize, columns.constant ?? assumedSize];
  const candidates = isTensor ? tensorTiles : coreTiles(bytes, runs);
  const cost = ({ rows: height, columns: width, cycles }: TileCost): number =>
    Math.ceil((many * Math.ceil(down / height) * Math.ceil(across / width)) / assumedProcessors) * cycles;
  const best = candidates.reduce((one, other) => (cost(other) < cost(one) ? other : one));
  const { rows: height, columns: width, depth } = best;
  if (isTensor) {
    const perThread = [height / warpsDown / 8, width / warpsAcross / 4] as const;
    return { rows: height, columns: width, depth, perThread, run: 2, isTensor };
  }
  const perThread = [height / threadsDown, width / threadsAcross] as const;
  return { rows: height, columns: width, depth, perThread, run: Math.min(threadRun, perThread[1]), isTensor };
}

/** Of a thread by its number, what is needed of that is named in `scope`. */
export function placeOf(tile: BlockTile, thread: Expr, scope: Scope): ThreadPlace {
  return tile.isTensor ? tensorPlace(tile, thread, scope) : corePlace(tile, thread, scope);
}

/** Runs of elements side by side, so that neighbouring threads have neighbouring runs. */
function corePlace({ perThread, run }: BlockTile, thread: Expr, scope: Scope): ThreadPlace {
  const down = scope.let('down', build.over(thread, build.int(threadsAcross)));
  const across = scope.let('across', build.modulo(thread, build.int(threadsAcross)));
  const along = (threads: number, own: Expr, length: number) => {
    const start = build.times(own, build.int(length));
    return (at: Expr): Expr => {
      const jump = build.times(build.over(at, build.int(length)), build.int(length * threads));
      return build.plus(build.plus(jump, start), build.modulo(at, build.int(length)));
    };
  };
  return { row: along(threadsDown, down, Math.min(threadRun, perThread[0])), column: along(threadsAcross, across, run) };
}

/** As `multiply` gives sums to the threads of a warp. */
function tensorPlace({ rows, columns }: BlockTile, thread: Expr, scope: Scope): ThreadPlace {
  const warp = scope.let('warp', build.over(thread, build.int(warpThreads)));
  const lane = scope.let('lane', build.modulo(thread, build.int(warpThreads)));
  const { row, column } = warpPlace({ rows, columns }, warp);
  const down = scope.let('down', build.plus(row, build.over(lane, build.int(4))));
  const across = scope.let('across', build.plus(column, build.times(build.modulo(lane, build.int(4)), build.int(2))));
  return {
    row: (at) => build.plus(down, build.times(at, build.int(8))),
    column: (at) => build.plus(build.plus(across, build.times(build.over(at, build.int(2)), build.int(8))), build.modulo(at, build.int(2))),
  };
}

/** The first row and column of a warp's part of a tile. */
export const warpPlace = (
  { rows, columns }: Pick<BlockTile, 'rows' | 'columns'>,
  warp: Expr,
): { readonly row: Expr; readonly column: Expr } => ({
  row: build.times(build.over(warp, build.int(warpsAcross)), build.int(rows / warpsDown)),
  column: build.times(build.modulo(warp, build.int(warpsAcross)), build.int(columns / warpsAcross)),
});
