// How a matrix product is cut into register tiles: the height and width that a model of costs finds cheapest (see the note at the end). In:
// its sizes, lanes and registers. Out: heights and widths of tiles and how many there are of each.
// Holds: the tiles cover every row and column once, with at most two heights, one apart, and one width but for the last columns, so few
// bodies of code serve any size.

import type { Dim } from '../../../../base/index.js';
import {
  assumedDepth,
  costOfBody,
  cyclesPerResult,
  cyclesPerTile,
  l2BytesPerCycle,
  leastTallerGain,
  leftLoadCycles,
  mostTileRows,
  mostTileVectors,
  nearBytes,
  rightLoadCycles,
  sumLatency,
  type CpuTarget,
  tileRegisters,
  vectorsPerCycle,
} from '../../../../target/index.js';
import { columnGroups, columnTiling, type ColumnTiling, cutColumns } from './column-tiling.js';
import { type RowCover, rowCover, rowTiling, type RowTiling } from './row-tiling.js';

export interface Tiling {
  readonly rows: RowTiling;
  readonly columns: ColumnTiling;
}

export interface ProductSizes {
  readonly rows: Dim;
  readonly columns: Dim;
  readonly depth: Dim;
  /** Whether the right side comes from the caller, so that no thread updates or copies columns of it. */
  readonly isFed: boolean;
}

export function chooseTiling(sizes: ProductSizes, lanes: number, target: CpuTarget): Tiling {
  const depth = Math.max(1, sizes.depth.constant ?? assumedDepth);
  const groups = columnGroups(sizes, depth, lanes, target);
  const registers = tileRegisters(target);
  let best: { readonly cost: number; readonly width: number; readonly rows: RowCover } | undefined;
  for (let width = 1; width <= Math.min(mostTileVectors, ...groups); width++) {
    for (let most = 1; most <= mostTileRows && (most + 1) * width + 1 <= registers; most++) {
      const rows = rowCover(sizes.rows.constant, most);
      const cost = costOf(rows, { groups, width, lanes }, depth, target);
      if (best === undefined || cost < best.cost) best = { cost, width, rows };
    }
  }
  const { width, rows } = best as NonNullable<typeof best>;
  const perRow = (height: number): number => stepCost(height, width, depth, lanes, target) / height;
  const few = perRow(rows.height + 1) < perRow(rows.height) * (1 - leastTallerGain);
  return { rows: rowTiling(sizes.rows, rows, few), columns: columnTiling(sizes.columns, groups, width, lanes) };
}

/** Cycles of the whole product per row, and a little for every body of code. */
function costOf(
  { height, count, taller }: RowCover,
  { groups, width, lanes }: { readonly groups: readonly number[]; readonly width: number; readonly lanes: number },
  depth: number,
  target: CpuTarget,
): number {
  const cuts = groups.map((vectors) => cutColumns(vectors, width));
  const [tiles, narrow] = [sum(cuts.map((cut) => cut.tiles)), sum(cuts.map((cut) => cut.narrow))];
  const rowsOf = [
    { height, times: count - taller },
    { height: height + 1, times: taller },
  ].filter(({ times }) => times > 0);
  const columnsOf = [
    { vectors: width, times: tiles - narrow },
    { vectors: width - 1, times: narrow },
  ].filter(({ times }) => times > 0);
  let cost = 0;
  for (const row of rowsOf) {
    for (const column of columnsOf)
      cost +=
        row.times *
        column.times *
        (depth * stepCost(row.height, column.vectors, depth, lanes, target) +
          cyclesPerResult * row.height * column.vectors +
          cyclesPerTile);
  }
  return (cost / (height * count + taller)) * (1 + costOfBody * rowsOf.length * columnsOf.length);
}

/** Cycles of one step of the depth, without what comes before and after all of them. */
function stepCost(rows: number, vectors: number, depth: number, lanes: number, target: CpuTarget): number {
  const { vectorBytes } = target;
  const [multiplied, loaded] = [(rows * vectors) / vectorsPerCycle, (rows + vectors) / vectorsPerCycle];
  const streamed = (vectors * vectorBytes) / l2BytesPerCycle;
  const near = (rows * depth * vectorBytes) / lanes <= nearBytes(target);
  return Math.max(multiplied, loaded, streamed, sumLatency) + leftLoadCycles[near ? 'near' : 'far'] * rows + rightLoadCycles * vectors;
}

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);

/* Note: the cost model.
   Accumulators of x @ w, of f32[64, 64] and f32[64, 48], for 32 registers of sixteen lanes and for 16 of eight:

     acc acc5: f32[8, 48] = f32(0)

     acc acc9: f32[6, 16] = f32(0)
     acc acc24: f32[5, 16] = f32(0)

   A tile of R rows and V vectors keeps R·V sums, V vectors of the right side and one broadcast element of the left side in registers: (R
   + 1)·V + 1 ≤ registers, of 16 one less. A step of the depth does R·V multiply-adds and R + V loads, two of each per cycle, streams V
   vectors from the second-level cache at 40 bytes per cycle, and takes no less than the four cycles of one sum's latency. Loads are not
   quite free beside that: measured were 0.33 cycles a vector, of which most cross two lines when rows are not padded, and 0.09 an
   element of the left side, or 0.15 when the tile's rows do not stay in the nearest cache until the next tile needs them. A tile costs
   the depth's steps and, per vector of the result and per tile, what comes before and after them. The cover with the least cost wins,
   where every body of code adds a little, because compile time counts. That a model does, instead of trying on each machine, is T. M.
   Low, F. D. Igual, T. M. Smith and E. S. Quintana-Ortí, "Analytical Modeling Is Enough for High-Performance BLIS", ACM TOMS 43(2),
   2016. Shown by test/lower/tiling.test.ts ("fit into the registers"). */
