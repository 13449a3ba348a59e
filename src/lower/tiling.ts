// How a matrix product is cut into register tiles. In: its sizes, lanes and registers. Out: heights and widths of tiles and how many there are of each.
// Holds: the tiles cover every row and column once, with at most two heights, one apart, and one width but for the last columns, so few bodies of code serve any size. The note at the end has the cost model.

import type { Dim } from '../base/index.js';
import { build, type Expr, type Target } from '../loop/index.js';

/** Rows from the top: `taller` tiles of `height + 1` rows, then tiles of `height` rows, `count` in all; `rest` rows below them are fewer than a tile has. */
export interface RowTiling {
  readonly height: number;
  readonly count: Expr;
  readonly taller: Expr;
  readonly rest: Expr;
  /** Rows of the tiles that the rest is cut into; the last one may reach beyond the end. */
  readonly restHeight: number;
}

/** Tiles side by side: `count` of them from column `first` on, each `width` columns wide; the last one has `extent(column)` of them, where `column` is its first. */
export interface ColumnClass {
  readonly first: Expr;
  readonly count: Expr;
  readonly width: number;
  extent(column: Expr): Expr;
}

/** Columns from the left: whole tiles, then tiles that are one vector narrower, or one that ends where the columns do. */
export interface ColumnTiling {
  readonly lanes: number;
  readonly classes: readonly ColumnClass[];
  /** Tiles in all. */
  readonly count: Expr;
  /** Neighbouring tiles that are computed for all rows before the next ones are. */
  readonly groups: number;
}

export interface Tiling {
  readonly rows: RowTiling;
  readonly columns: ColumnTiling;
}

export interface ProductSizes {
  readonly rows: Dim;
  readonly columns: Dim;
  readonly depth: Dim;
}

/** What stands for a size that is not known yet. */
const assumed = { rows: 240, vectors: 12, depth: 256 } as const;
const mostRows = 14;
const mostVectors = 6;

/** Cycles per vector of the result for what comes before and after the depth: zeroing, loads and stores of the epilogue. */
const perVector = 1.5;
/** Bytes of a tile's rows of the left side that stay in the nearest cache while the tile's neighbour needs them again. */
const nearBytes = 32 * 1024;
/** Cycles per tile: loop starts, and the branch that its end is predicted wrong. */
const perTile = 30;
/**
 * With so many tiles side by side, threads get columns of their own: the thread that updates columns of a weight then multiplies with the same columns in the next step, and they stay
 * in its cache.
 */
const fewestOwned = 5;
/** Elements of a right side whose halves the second-level caches keep. */
const mostOwned = 512 * 1024;
/** One more body of code is worth so much of the speed. */
const perBody = 0.005;

export function chooseTiling(sizes: ProductSizes, lanes: number, target: Target): Tiling {
  const columns = sizes.columns.constant ?? assumed.vectors * lanes;
  const depth = Math.max(1, sizes.depth.constant ?? assumed.depth);
  // Of few registers one is left free: products need it where nothing multiplies and adds at once, and with none to spare the code generator was seen to spill.
  const registers = target.vectorRegisters === 16 ? 15 : target.vectorRegisters;
  let best: { readonly cost: number; readonly width: number; readonly rows: RowCover } | undefined;
  for (let width = 1; width <= Math.min(mostVectors, Math.ceil(columns / lanes)); width++) {
    for (let most = 1; most <= mostRows && (most + 1) * width + 1 <= registers; most++) {
      const rows = rowCover(sizes.rows.constant, most);
      const cost = costOf(rows, { columns, width, lanes }, depth, target.vectorBytes);
      if (best === undefined || cost < best.cost) best = { cost, width, rows };
    }
  }
  const { width, rows } = best as NonNullable<typeof best>;
  return { rows: rowTiling(sizes.rows, rows), columns: columnTiling(sizes, width, lanes) };
}

/** Tiles of two heights over a number of rows. */
interface RowCover {
  readonly height: number;
  readonly count: number;
  readonly taller: number;
}

/** Rows that are not known are assumed to need both heights. */
function rowCover(rows: number | undefined, most: number): RowCover {
  if (rows === undefined) {
    const height = Math.max(1, most - 1);
    const count = Math.floor(assumed.rows / (height + 0.5));
    return { height, count, taller: most === 1 ? 0 : Math.floor(count / 2) };
  }
  const count = Math.ceil(rows / most);
  const height = Math.floor(rows / count);
  return { height, count, taller: rows - height * count };
}

/** Cycles of the whole product per row, and a little for every body of code. */
function costOf({ height, count, taller }: RowCover, { columns, width, lanes }: { readonly columns: number; readonly width: number; readonly lanes: number }, depth: number, vectorBytes: number): number {
  const { tiles, narrow } = cutColumns(Math.ceil(columns / lanes), width);
  const rowsOf = [{ height, times: count - taller }, { height: height + 1, times: taller }].filter(({ times }) => times > 0);
  const columnsOf = [{ vectors: width, times: tiles - narrow }, { vectors: width - 1, times: narrow }].filter(({ times }) => times > 0);
  let cost = 0;
  for (const row of rowsOf) {
    for (const column of columnsOf) cost += row.times * column.times * (depth * stepCost(row.height, column.vectors, depth, { vectorBytes, lanes }) + perVector * row.height * column.vectors + perTile);
  }
  return (cost / (height * count + taller)) * (1 + perBody * rowsOf.length * columnsOf.length);
}

/** Cycles of one step of the depth, without what comes before and after all of them. */
function stepCost(rows: number, vectors: number, depth: number, { vectorBytes, lanes }: { readonly vectorBytes: number; readonly lanes: number }): number {
  const [multiplied, loaded, streamed] = [(rows * vectors) / 2, (rows + vectors) / 2, (vectors * vectorBytes) / 40];
  const near = (rows * depth * vectorBytes) / lanes <= nearBytes;
  return Math.max(multiplied, loaded, streamed, 4) + (near ? 0.09 : 0.15) * rows + 0.33 * vectors;
}

function rowTiling(rows: Dim, cover: RowCover): RowTiling {
  const { height } = cover;
  if (rows.constant !== undefined) return { height, count: build.int(cover.count), taller: build.int(cover.taller), rest: build.int(0), restHeight: 1 };
  // As many tiles as fit in the lower height; what is left makes some of them taller. Only few rows leave more than that.
  const all = build.size(rows);
  const count = build.over(all, build.int(height));
  const left = build.minus(all, build.times(count, build.int(height)));
  return { height, count, taller: build.smaller(left, count), rest: build.minus(left, build.smaller(left, count)), restHeight: Math.ceil(height / 2) };
}

/** As few tiles of `width` as cover the vectors; some are one vector narrower, so that none is much narrower than the others. */
function cutColumns(vectors: number, width: number): { readonly tiles: number; readonly narrow: number } {
  const tiles = Math.ceil(vectors / width);
  return { tiles, narrow: tiles * width - vectors };
}

function columnTiling({ columns, depth }: ProductSizes, vectors: number, lanes: number): ColumnTiling {
  const all = build.size(columns);
  const wide = vectors * lanes;
  const whole = (count: Expr): ColumnClass => ({ first: build.int(0), count, width: wide, extent: () => build.int(wide) });
  const known = columns.constant;
  if (known === undefined) {
    const full = build.over(all, build.int(wide));
    const count = build.over(build.plus(all, build.int(wide - 1)), build.int(wide));
    const last: ColumnClass = { first: build.times(full, build.int(wide)), count: build.minus(count, full), width: wide, extent: (column) => build.minus(all, column) };
    return { lanes, classes: [whole(full), last], count, groups: 1 };
  }
  const { tiles, narrow } = cutColumns(Math.ceil(known / lanes), vectors);
  // The last tile is masked, if it must be, so it is no whole one.
  const others = Math.max(narrow, known % lanes === 0 ? 0 : 1);
  const width = narrow > 0 ? wide - lanes : wide;
  const first = (tiles - others) * wide;
  const rest = known - first - (others - 1) * width;
  const extent = (column: Expr): Expr => {
    if (others === 1 || rest === width) return build.int(rest);
    return build.larger(build.int(width - lanes + 1), build.smaller(build.int(width), build.minus(all, column)));
  };
  const classes = [whole(build.int(tiles - others)), { first: build.int(first), count: build.int(others), width: others === 1 ? rest : width, extent }].filter(({ count }) => build.intValue(count) !== 0);
  const elements = known * (depth.constant ?? assumed.depth);
  const owned = tiles >= fewestOwned && elements <= mostOwned ? 2 : 1;
  return { lanes, classes, count: build.int(tiles), groups: owned };
}

/* Note: the cost model.
   A tile of R rows and V vectors keeps R·V sums, V vectors of the right side and one broadcast element of the left side in registers: (R + 1)·V + 1 ≤ registers, of 16 one less. A step of the depth does R·V multiply-adds
   and R + V loads, two of each per cycle, streams V vectors from the second-level cache at 40 bytes per cycle, and takes no less than the four cycles of one sum's latency. Loads are not quite free beside
   that: measured were 0.33 cycles a vector, of which most cross two lines when rows are not padded, and 0.09 an element of the left side, or 0.15 when the tile's rows do not stay in the nearest cache until
   the next tile needs them. A tile costs the depth's steps and, per vector of the result and per tile, what comes before and after them. The cover with the least cost wins, where every body of code adds a
   little, because compile time counts.
   Any M ≥ h·(h − 1) is a sum of h and h + 1, so two heights cover all but small numbers of rows without a remainder, also when the number is known only at run time: M / h tiles, of which M mod h are taller.
   Fewer rows than that leave a rest, which tiles of half the height take; they may reach beyond the last row, which they then compute again without storing it. Columns are cut into as few tiles as possible,
   some of them one vector narrower: a tile of one vector is bound by latency and loads. Masks cost where loads cross lines, so only tiles that end where the columns do have them, and only in their last vector. */
