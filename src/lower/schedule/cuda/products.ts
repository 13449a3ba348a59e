// Matrix products of threads: each has a column of a tile, whose rows' sums it keeps in registers. In: the sizes of a product. Out:
// its plan. Holds: threads beside each other read elements beside each other of the right side, and the same element of the left one.

import type { Products } from '../cpu/matmul/products.js';
import { columnTiling } from '../cpu/matmul/column-tiling.js';
import { rowCover, rowTiling } from '../cpu/matmul/row-tiling.js';
import { assumedVectors, threadRows } from '../../../target/index.js';

export const products: Products = {
  tiling: ({ rows, columns }, lanes) => {
    const vectors = columns.constant === undefined ? assumedVectors : Math.ceil(columns.constant / lanes);
    return { rows: rowTiling(rows, rowCover(rows.constant, threadRows), false), columns: columnTiling(columns, [vectors], 1, lanes) };
  },
  packing: () => undefined,
  // There are far more processors than tiles.
  tilesOfBlock: () => 1,
  fetch: () => undefined,
};
