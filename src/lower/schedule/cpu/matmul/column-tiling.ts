// How the columns of a matrix product are cut into tiles: as few as cover them, some one vector narrower, in groups that a thread can own
// (see the note at the end). In: their number, vectors per tile. Out: classes of tiles and where they stand.
// Holds: tiles cover every column once; products of as many columns have the same groups, so that threads that share blocks evenly own the
// same columns in all of them.

import type { Dim } from '../../../../base/index.js';
import { build, type Expr } from '../../../../kernel/index.js';
import { assumedVectors, fewestOwnedLines, lineBytes, mostOwnedElements, type CpuTarget } from '../../../../target/index.js';

/**
 * Tiles of one width. In every group `count` of them stand side by side from column `first` on, behind `before` others; they have
 * `extent(column)` columns, where `column` is their first: only the last one of all has fewer than `width`.
 */
export interface ColumnClass {
  readonly width: number;
  first(group: Expr): Expr;
  before(group: Expr): Expr;
  count(group: Expr): Expr;
  extent(column: Expr): Expr;
  /** The fewest columns that one of them has, where `extent` says no number. */
  readonly least?: number;
}

/**
 * Columns from the left, in groups that are computed for all rows before the next one is: whole tiles, then tiles that are one vector
 * narrower, or one that ends where the columns do.
 */
export interface ColumnTiling {
  readonly lanes: number;
  /** Columns of a whole tile. */
  readonly width: number;
  readonly classes: readonly ColumnClass[];
  readonly groups: number;
  /** Tiles in all, and in the largest group. */
  readonly count: Expr;
  readonly slots: Expr;
}

/**
 * Vectors of every group of columns. Where two products have as many columns, their groups are the same, whatever their tiles; no line
 * belongs to two groups.
 */
export function columnGroups(
  { columns: { constant: columns }, isFed }: { readonly columns: Dim; readonly isFed: boolean },
  depth: number,
  lanes: number,
  target: CpuTarget,
): readonly number[] {
  if (columns === undefined) return [assumedVectors];
  const [vectors, perLine] = [Math.ceil(columns / lanes), Math.max(1, lineBytes / target.vectorBytes)];
  const lines = Math.ceil(vectors / perLine);
  if (isFed || lines < fewestOwnedLines || columns * depth > mostOwnedElements) return [vectors];
  const first = Math.floor(lines / 2) * perLine;
  return [first, vectors - first];
}

/** As few tiles of `width` as cover the vectors; some are one vector narrower, so that none is much narrower than the others. */
export function cutColumns(vectors: number, width: number): { readonly tiles: number; readonly narrow: number } {
  const tiles = Math.ceil(vectors / width);
  return { tiles, narrow: tiles * width - vectors };
}

export function columnTiling(columns: Dim, groups: readonly number[], vectors: number, lanes: number): ColumnTiling {
  const all = build.size(columns);
  const wide = vectors * lanes;
  if (columns.constant === undefined) {
    const full = build.over(all, build.int(wide));
    const count = build.ceilDiv(all, build.int(wide));
    const whole: ColumnClass = {
      width: wide,
      first: () => build.int(0),
      before: () => build.int(0),
      count: () => full,
      extent: () => build.int(wide),
    };
    const last: ColumnClass = {
      width: wide,
      first: () => build.times(full, build.int(wide)),
      before: () => full,
      count: () => build.minus(count, full),
      extent: (column) => build.minus(all, column),
    };
    return { lanes, width: wide, classes: [whole, last], groups: 1, count, slots: count };
  }
  const cuts = groups.map((one) => cutColumns(one, vectors));
  const starts = groups.map((_, group) => sum(groups.slice(0, group)) * lanes);
  // Where the columns end within a vector, the last tile of all is one of the narrow ones, or the only one of its kind.
  const rest = columns.constant % lanes;
  const isNarrow = (cuts.at(-1)?.narrow ?? 0) > 0;
  const counts = cuts.map(({ tiles, narrow }, group) => {
    const alone = rest > 0 && !isNarrow && group === cuts.length - 1 ? 1 : 0;
    return [tiles - narrow - alone, narrow, alone];
  });
  const narrow = wide - lanes;
  const cutOff = (column: Expr): Expr => build.smaller(build.int(narrow), build.minus(all, column));
  const widths = [wide, narrow, narrow + rest];
  const classes = widths.flatMap((width, kind): ColumnClass[] => {
    const number = sum(counts.map((one) => one[kind] ?? 0));
    if (number === 0) return [];
    const before = counts.map((one) => sum(one.slice(0, kind)));
    const first = counts.map((one, group) => (starts[group] ?? 0) + sum(one.slice(0, kind).map((count, at) => count * (widths[at] ?? 0))));
    const place = { first: perGroup(first), before: perGroup(before), count: perGroup(counts.map((one) => one[kind] ?? 0)) };
    const isCut = kind === 1 && rest > 0 && isNarrow;
    if (isCut && number > 1) return [{ ...place, width, extent: cutOff, least: narrow - lanes + rest }];
    const extent = isCut ? width - lanes + rest : width;
    return [{ ...place, width: extent, extent: () => build.int(extent) }];
  });
  return {
    lanes,
    width: wide,
    classes,
    groups: groups.length,
    count: build.int(sum(cuts.map(({ tiles }) => tiles))),
    slots: build.int(Math.max(...cuts.map(({ tiles }) => tiles))),
  };
}

/** One number for each of at most two groups. */
export const perGroup =
  ([first = 0, second = first]: readonly number[]) =>
  (group: Expr): Expr =>
    build.plus(build.int(first), build.times(group, build.int(second - first)));

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);

/* Note: narrower tiles, and groups.
   1024 columns in tiles of at most 48, which are three vectors (shortened):

     let tile1 = p0 % 22
     if tile1 < 20 { let column5 = tile1 * 48  acc acc8: f32[8, 48] … }
     if tile1 >= 20 { let column17 = 960 + (tile1 - 20) * 32  acc acc20: f32[8, 32] … }

   Twenty-one tiles of 48 and one of 16 are as many, but a tile of one vector is bound by latency and loads. Masks cost where loads cross
   lines, so only tiles that end where the columns do have them, and only in their last vector. Two groups, each with all of its rows
   before the other, are made where threads can own columns of a weight: what one of them updates is still in its cache in the next step.
   Shown by "cover %s columns once, and only the last vector is ever short" and "cut columns into groups only where threads can own them"
   in test/lower/tiling.test.ts. */
