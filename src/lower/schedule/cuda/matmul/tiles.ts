// How the threads of a block share a tile of a matrix product. In: the sizes of a product. Out: elements that each thread has, and where
// they lie in the tile. Holds: no tiling changes the order in which an element is summed up.

import type { Dim } from '../../../../base/index.js';
import { build, type Expr } from '../../../../kernel/index.js';
import {
  assumedProcessors,
  assumedSize,
  cyclesPerStep,
  stageDepth,
  threadRun,
  threadsAcross,
  threadsDown,
  threadTiles,
} from '../../../../target/index.js';

export interface BlockTile {
  /** Elements of each thread, down and across. */
  readonly perThread: number;
  /** Of those, so many lie side by side. */
  readonly run: number;
  readonly rows: number;
  readonly columns: number;
  /** Steps of the depth in a stage. */
  readonly depth: number;
}

/** The tile with which all processors together need the fewest cycles for a step of the depth. */
export function chooseTile(matrices: Dim, rows: Dim, columns: Dim, most: number, bytes: number): BlockTile {
  const [many, down, across] = [matrices, rows, columns].map((size) => size.constant ?? assumedSize) as [number, number, number];
  let best: { readonly cost: number; readonly tile: BlockTile } | undefined;
  for (const perThread of threadTiles) {
    if (perThread > most) continue;
    const tile = tileOf(perThread, bytes);
    const tiles = (matrices.constant === undefined ? 1 : many) * Math.ceil(down / tile.rows) * Math.ceil(across / tile.columns);
    const cost = Math.ceil(tiles / assumedProcessors) * cyclesPerStep(perThread);
    if (best === undefined || cost < best.cost) best = { cost, tile };
  }
  return (best as NonNullable<typeof best>).tile;
}

const tileOf = (perThread: number, bytes: number): BlockTile => ({
  perThread,
  run: Math.min(threadRun, perThread),
  rows: threadsDown * perThread,
  columns: threadsAcross * perThread,
  depth: stageDepth(perThread, bytes),
});

/** Where element `at` of thread `thread` lies, of so many threads along an axis: in runs, so that neighbouring threads have neighbouring runs. */
export function placeIn({ run }: BlockTile, threads: number, thread: Expr, at: Expr): Expr {
  const [length, jump] = [build.int(run), build.int(run * threads)];
  return build.plus(build.plus(build.times(build.over(at, length), jump), build.times(thread, length)), build.modulo(at, length));
}
