// How the threads of a block share a tile of a matrix product. In: the sizes of a product. Out: elements that each thread has, and where
// they lie in the tile. Holds: no tiling changes the order in which an element is summed up.

import type { Dim } from '../../../../base/index.js';
import { build, type Expr, warpThreads } from '../../../../kernel/index.js';
import {
  assumedDeep,
  assumedDepth,
  assumedSize,
  bytesPerCycle,
  cacheBytesPerCycle,
  copyCycles,
  coreTiles,
  depthRun,
  groupsDown,
  groupTiles,
  kernelCycles,
  leastDeepGain,
  leastPart,
  leastPartUnit,
  linePadding,
  linePaddingOfWords,
  mostSplits,
  stageCycles,
  stagesOfGroups,
  stagesOfTiles,
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
  /** Steps of the depth in a stage, and stages in shared memory. */
  readonly depth: number;
  readonly stages: number;
  /** Elements of each thread, down and across; of those across so many lie side by side. */
  readonly perThread: readonly [down: number, across: number];
  readonly run: number;
  /** Whether warps multiply by tensor cores, and four of them together. */
  readonly isTensor: boolean;
  readonly isGroup?: boolean;
}

/** Where the elements of a thread lie in a tile. */
export interface ThreadPlace {
  row(at: Expr): Expr;
  column(at: Expr): Expr;
}

/** What decides about the tiles of a product. */
export interface ProductSizes {
  readonly matrices: Dim;
  readonly rows: Dim;
  readonly columns: Dim;
  readonly depth: Dim;
  /** Of an element in shared memory. */
  readonly bytes: number;
  readonly isTensor: boolean;
  /** Whether parts of the depth may have blocks of their own. */
  readonly splits: boolean;
  /** That blocks share. */
  readonly processors: number;
  /** Bytes of shared memory that a block may have, and one whose warps multiply four together, if they do. */
  readonly sharedBytes: number;
  readonly groupBytes: number | undefined;
  /** Of the smaller copies that bring a side; 0: its elements come through registers. */
  readonly copyBytes: number;
}

export interface Plan {
  readonly tile: BlockTile;
  /** So many parts of the depth have blocks of their own, each of `part` steps but for the last one. */
  readonly splits: number;
  /** Undefined where a call decides the depth. */
  readonly part: number | undefined;
}

/** The tiles, their stages, and the parts of the depth, with which all processors together need the fewest cycles. */
export function planProduct(sizes: ProductSizes): Plan {
  const { constant } = sizes.depth;
  return planOf(sizes, cheapest(sizes, Math.max(1, constant ?? assumedDepth), constant === undefined ? [1] : waysToSplit(sizes, constant)));
}

/**
 * Of a depth that a call decides: how it is cut where it is deep, and from how many steps on that takes less time than `planProduct`, whose
 * tiles fill the device where it is not. Undefined where it gains too little for the code.
 */
export function planDeep(sizes: ProductSizes): { readonly plan: Plan; readonly from: number } | undefined {
  if (sizes.depth.constant !== undefined) return undefined;
  const usual = cheapest(sizes, assumedDepth, [1]);
  const deep = cheapest(sizes, assumedDeep, waysToSplit(sizes, assumedDeep));
  const gain = (depth: number): number =>
    costOf(sizes, usual, depth) / costOf(sizes, { ...deep, part: wholeStages(Math.ceil(depth / deep.splits)) }, depth);
  if (deep.splits === 1 || gain(assumedDeep) < leastDeepGain) return undefined;
  let from = assumedDeep;
  while (from / 2 >= assumedDepth && gain(from / 2) > 1) from /= 2;
  return { plan: planOf(sizes, deep), from };
}

/** A way to compute a product. */
interface Way {
  readonly tile: TileCost;
  readonly stages: number;
  readonly splits: number;
  readonly part: number;
}

function cheapest(sizes: ProductSizes, depth: number, ways: readonly number[]): Way {
  const { bytes, isTensor, sharedBytes, groupBytes = 0, copyBytes } = sizes;
  const isKnown = sizes.depth.constant !== undefined;
  let best: { readonly cost: number; readonly way: Way } | undefined;
  for (const splits of ways) {
    const part = splits === 1 ? depth : wholeStages(Math.ceil(depth / splits));
    const runs = isKnown ? Math.ceil(part / depthRun) : Infinity;
    // Beside the sums of such tiles a thread has no registers for the addresses of more copies, nor for what is not copied.
    const groups = bytes === 2 && copyBytes === 16 ? groupTiles : [];
    const tiles = isTensor ? [...tensorTiles(bytes), ...groups] : coreTiles(bytes, runs);
    for (const tile of tiles)
      for (const stages of tile.isGroup === true ? [stagesOfGroups] : stagesOfTiles) {
        if (stages * bytesOfStage(tile, bytes) > (tile.isGroup === true ? groupBytes : sharedBytes)) continue;
        const way: Way = { tile, stages, splits: Math.max(1, Math.ceil(depth / part)), part };
        const cost = costOf(sizes, way, depth);
        if (best === undefined || cost < best.cost) best = { cost, way };
      }
  }
  return (best as NonNullable<typeof best>).way;
}

function planOf({ isTensor, depth: { constant } }: ProductSizes, { tile: from, stages, splits, part }: Way): Plan {
  const { rows, columns, depth, isGroup = false } = from;
  const perThread = isGroup
    ? ([rows / groupsDown / 32, columns / 4] as const)
    : isTensor
      ? ([rows / warpsDown / 8, columns / warpsAcross / 4] as const)
      : ([rows / threadsDown, columns / threadsAcross] as const);
  const run = isTensor ? 2 : Math.min(threadRun, perThread[1]);
  const tile: BlockTile = { rows, columns, depth, stages, perThread, run, isTensor, isGroup };
  return { tile, splits, part: constant === undefined ? undefined : part };
}

/** Only where all other sizes are known: what parts leave takes memory. */
function waysToSplit({ matrices, rows, columns, splits }: ProductSizes, depth: number): readonly number[] {
  const isKnown = [matrices, rows, columns].every(({ constant }) => constant !== undefined && constant > 0);
  const most = splits && isKnown ? Math.min(mostSplits, Math.floor(depth / leastPart)) : 1;
  return [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((one) => one === 1 || one <= most);
}

const wholeStages = (steps: number): number => Math.ceil(steps / leastPartUnit) * leastPartUnit;

/** At most, whichever way the sides lie. */
function bytesOfStage({ rows, columns, depth, isGroup }: TileCost, bytes: number): number {
  if (isGroup === true) return (rows + columns) * depth * bytes;
  const side = (lines: number): number =>
    Math.max(lines * (depth * bytes + linePadding), depth * (lines * bytes + Math.max(linePadding, linePaddingOfWords)));
  return side(rows) + side(columns);
}

/** Cycles of a processor until the product is there. */
function costOf({ matrices, rows, columns, bytes, processors }: ProductSizes, { tile, stages, splits, part }: Way, depth: number): number {
  const many = matrices.constant ?? 1;
  const [down, across] = [rows.constant ?? assumedSize, columns.constant ?? assumedSize];
  const blocks = many * Math.ceil(down / tile.rows) * Math.ceil(across / tile.columns) * splits;
  const together = splits === 1 ? 0 : kernelCycles + (many * down * across * 4 * (splits + 1)) / bytesPerCycle;
  const arithmetic = tile.depth * Math.max(tile.cycles, ((tile.rows + tile.columns) * bytes) / cacheBytesPerCycle) + stageCycles;
  const stage = Math.max(arithmetic, copyCycles / (stages - stagesInUse(tile)));
  const each = (splits === 1 ? depth : part) / tile.depth;
  return Math.ceil(blocks / processors) * stage * (tile.isGroup === true ? Math.ceil(each) : each) + together;
}

/** That are not on their way: the one that is multiplied, and the one before while four warps may still multiply it. */
export const stagesInUse = ({ isGroup }: { readonly isGroup?: boolean }): number => (isGroup === true ? 2 : 1);

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
function tensorPlace(tile: BlockTile, thread: Expr, scope: Scope): ThreadPlace {
  const together = warpsTogether(tile);
  const warp = scope.let('warp', build.over(thread, build.int(warpThreads)));
  const lane = scope.let('lane', build.modulo(thread, build.int(warpThreads)));
  const { row, column } = warpPlace(tile, tile.isGroup === true ? build.over(warp, build.int(together)) : warp);
  const own = build.plus(row, tile.isGroup === true ? build.times(build.modulo(warp, build.int(together)), build.int(16)) : build.int(0));
  const down = scope.let('down', build.plus(own, build.over(lane, build.int(4))));
  const across = scope.let('across', build.plus(column, build.times(build.modulo(lane, build.int(4)), build.int(2))));
  const eights = (at: Expr): Expr => build.times(at, build.int(8));
  const pairs = (at: Expr): Expr =>
    build.plus(build.times(build.over(at, build.int(2)), build.int(16 * together)), eights(build.modulo(at, build.int(2))));
  return {
    row: (at) => build.plus(down, tile.isGroup === true ? pairs(at) : eights(at)),
    column: (at) => build.plus(build.plus(across, build.times(build.over(at, build.int(2)), build.int(8))), build.modulo(at, build.int(2))),
  };
}

export const warpsTogether = ({ isGroup }: Pick<BlockTile, 'isGroup'>): 1 | 4 => (isGroup === true ? 4 : 1);

/** The first row and column of a part of a tile: that of a warp, or of four together, by their number. */
export function warpPlace(
  { rows, columns, isGroup }: Pick<BlockTile, 'rows' | 'columns' | 'isGroup'>,
  warp: Expr,
): { readonly row: Expr; readonly column: Expr } {
  if (isGroup === true) return { row: build.times(warp, build.int(rows / groupsDown)), column: build.int(0) };
  return {
    row: build.times(build.over(warp, build.int(warpsAcross)), build.int(rows / warpsDown)),
    column: build.times(build.modulo(warp, build.int(warpsAcross)), build.int(columns / warpsAcross)),
  };
}
