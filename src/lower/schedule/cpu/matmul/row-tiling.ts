// How the rows of a matrix product are cut into tiles: two heights, one apart, cover any number of rows (see the note at the end). In:
// their number, the most rows of a tile. Out: heights of tiles, and which of them a block has.
// Holds: the tiles of all blocks cover every row once, with at most two heights, and lower ones for a remainder that those do not cover.

import type { Dim } from '../../../../base/index.js';
import { build, type Expr } from '../../../../kernel/index.js';
import { assumedRows } from '../../../../target/index.js';

/**
 * Rows of one block from the top: `taller` tiles of `height + 1` rows, `lower` ones of `height`, then those behind `remainder` up to `end`
 * in tiles of `remainderHeight`, of which the last may reach beyond the end.
 */
export interface RowPart {
  readonly start: Expr;
  readonly taller: Expr;
  readonly lower: Expr;
  readonly remainder: Expr;
  readonly end: Expr;
}

export interface RowTiling {
  readonly height: number;
  /** Undefined where two heights cover all rows. */
  readonly remainderHeight: number | undefined;
  /** Tiles that the rows hold at the usual height: what blocks share. */
  readonly count: Expr;
  /**
   * The rows of block number `block` of `blocks`, of which there are no more than tiles; `name` names a value that is used more than once.
   */
  part(block: Expr, blocks: Expr, name: (stem: string, value: Expr) => Expr): RowPart;
}

/** Tiles of two heights over a number of rows: `count` in all, `taller` of them of `height + 1` rows. */
export interface RowCover {
  readonly height: number;
  readonly count: number;
  readonly taller: number;
}

/** As few tiles of at most `most` rows as there can be. Rows that are not known are assumed to need both heights. */
export function rowCover(rows: number | undefined, most: number): RowCover {
  if (rows === undefined) {
    const height = Math.max(1, most - 1);
    const count = Math.floor(assumedRows / (height + 0.5));
    return { height, count, taller: most === 1 ? 0 : Math.floor(count / 2) };
  }
  const count = Math.ceil(rows / most);
  const height = Math.floor(rows / count);
  return { height, count, taller: rows - height * count };
}

/** `few`: of a number of rows that is not known as few tiles as there can be, most of them taller; else as many, most of them lower. */
export const rowTiling = (rows: Dim, cover: RowCover, few: boolean): RowTiling =>
  rows.constant === undefined ? freeRows(build.size(rows), cover.height, few) : knownRows(rows.constant, cover);

const next = (block: Expr): Expr => build.plus(block, build.int(1));

/** Blocks have as many tiles each, as far as that goes. */
function knownRows(rows: number, cover: RowCover): RowTiling {
  const [height, count, tallerOfAll] = [build.int(cover.height), build.int(cover.count), build.int(cover.taller)];
  return {
    height: cover.height,
    remainderHeight: undefined,
    count,
    part: (block, blocks, name) => {
      const first = name('first', build.over(build.times(block, count), blocks));
      const after = name('after', build.over(build.times(next(block), count), blocks));
      const tiles = build.minus(after, first);
      const taller =
        cover.taller === 0 ? build.int(0) : name('tall', build.larger(build.int(0), build.smaller(tiles, build.minus(tallerOfAll, first))));
      const [low, end] = [build.times(first, height), build.int(rows)];
      return {
        start: cover.taller === 0 ? low : build.plus(low, build.smaller(first, tallerOfAll)),
        taller,
        lower: build.minus(tiles, taller),
        remainder: end,
        end,
      };
    },
  };
}

/** Blocks have as many rows each, as far as that goes. */
function freeRows(rows: Expr, low: number, few: boolean): RowTiling {
  const [height, remainderHeight] = [build.int(low), Math.ceil(low / 2)];
  return {
    height: low,
    remainderHeight,
    count: build.over(rows, few ? build.int(low + 1) : height),
    part: (block, blocks, name) => {
      const start = name('start', build.over(build.times(block, rows), blocks));
      const end = name('end', build.over(build.times(next(block), rows), blocks));
      const own = build.minus(end, start);
      const most = build.over(own, height);
      const count = name('count', few ? build.smaller(build.ceilDiv(own, build.int(low + 1)), most) : most);
      const left = name('left', build.minus(own, build.times(count, height)));
      // What is left makes tiles taller; what they cannot take needs tiles of its own, which are filled first.
      const needed = build.ceilDiv(build.larger(build.int(0), build.minus(left, count)), build.int(remainderHeight));
      const taller =
        low === 1
          ? build.int(0)
          : name('tall', build.larger(build.int(0), build.minus(left, build.times(needed, build.int(remainderHeight)))));
      const remainder = name('rest', build.plus(start, build.plus(build.times(count, height), taller)));
      return { start, taller, lower: build.minus(count, taller), remainder, end };
    },
  };
}

/* Note: two heights.
   64 rows in tiles of at most six, in four blocks: eleven tiles, of which nine have six rows and two have five (shortened):

     let first3 = block2 * 11 / 4
     let after4 = (block2 + 1) * 11 / 4
     let tall5 = max(0, min(after4 - first3, 9 - first3))
     for m7 in 0..tall5 { let row8 = first3 * 5 + min(first3, 9) + m7 * 6  acc acc9: f32[6, 16] … }
     for m22 in 0..after4 - first3 - tall5 { let row23 = first3 * 5 + min(first3, 9) + tall5 * 6 + m22 * 5  acc acc24: f32[5, 16] … }

   A tile for what is left over would be one more body of code, and where few rows are left one that waits for the latency of its own
   sums. Any M ≥ h·(h − 1) is a sum of h and h + 1, so two heights cover all but small numbers of rows without a remainder, also when the
   number is known only at run time: M / h tiles, of which M mod h are taller. Fewer rows than that leave a remainder, which tiles of
   half the height take; they may reach beyond the last row, which they then compute again without storing it. So as to compute few rows
   twice, they are filled before others are made taller: 64 rows at 13 are four tiles of 13 and two of 7, two rows too many, where four
   of 14 and two of 7 would be six. Where there are enough rows either height may be the usual one: 57 rows at 5 are nine tiles of 5 and
   two of 6, or three of 5 and seven of 6, a tile less. Shown by "cover %s rows once, with two heights at most" and "cost a free number
   of rows at most a quarter more per row than the next multiple of 16" in test/lower/tiling.test.ts. */
