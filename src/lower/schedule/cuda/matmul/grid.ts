// Which tile of a product a block has. In: a tile, the sizes of the product. Out: how many tiles there are, and the place of each. Holds:
// blocks that run at the same time have neighbouring tiles, down as across, so that most of what they bring comes from the cache.

import type { Dim } from '../../../../base/index.js';
import { build, type Expr } from '../../../../kernel/index.js';
import type { Scope } from '../../../form/scope.js';
import type { BlockTile } from './tiles.js';

export interface Grid {
  readonly count: Expr;
  /** The first row and column of the tile of this number, below the count. */
  at(number: Expr, scope: Scope): { readonly row: Expr; readonly column: Expr };
}

/**
 * Tiles in strips of so many rows of tiles that the blocks of all processors make a square of elements, column by column: then they read
 * the fewest lines of both sides (Triton's "grouped ordering", CUTLASS's "threadblock swizzling").
 */
export function gridOf({ rows, columns }: Pick<BlockTile, 'rows' | 'columns'>, processors: number, allRows: Dim, allColumns: Dim): Grid {
  const [down, across] = [tilesOf(allRows, rows), tilesOf(allColumns, columns)];
  const wanted = 2 ** Math.round(Math.log2(Math.sqrt((processors * columns) / rows)));
  const known = build.intValue(down);
  const strip = known !== undefined && known > 0 && known < wanted ? known : wanted;
  const isWhole = known !== undefined && known % strip === 0;
  return {
    count: build.times(down, across),
    at(number, scope) {
      const perStrip = build.times(build.int(strip), across);
      const above = strip === known ? build.int(0) : scope.let('above', build.times(build.over(number, perStrip), build.int(strip)));
      const within = strip === known ? number : scope.let('within', build.modulo(number, perStrip));
      const height = isWhole ? build.int(strip) : scope.let('height', build.smaller(build.int(strip), build.minus(down, above)));
      return {
        row: scope.let('row', build.times(build.plus(above, build.modulo(within, height)), build.int(rows))),
        column: scope.let('column', build.times(build.over(within, height), build.int(columns))),
      };
    },
  };
}

const tilesOf = (size: Dim, part: number): Expr => build.ceilDiv(build.size(size), build.int(part));
