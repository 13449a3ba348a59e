// What a CPU decides about matrix products: how they are cut, what is copied into panels, what is asked for early. In: a product, a
// target. Out: the plan that `MatmulEmitter` follows. Holds: no plan changes a bit of a product.

import type { TensorNode } from '../../../../graph/index.js';
import { type CpuTarget, tileBlockBytes, tilesPerBlock } from '../../../../target/index.js';
import type { MatmulForm } from '../../../form/forms.js';
import type { BufferPool } from '../../../form/storage.js';
import type { EmitContext } from '../emitter.js';
import { type Packing, packingOf } from './pack.js';
import { TileFetch } from './prefetch.js';
import { chooseTiling, type ProductSizes, type Tiling } from './tiling.js';

export interface Products {
  tiling(sizes: ProductSizes, lanes: number): Tiling;
  /** `pitch`: elements from one row of the right side to the next. */
  packing(form: MatmulForm, tiling: Tiling, pitch: number, pool: BufferPool): Packing | undefined;
  /** Tiles below one another in a block, of each of which so many bytes of the left side are read; undefined: as many as nobody knows. */
  tilesOfBlock(bytes: number | undefined): number;
  /** `tiles`: of a block. */
  fetch(form: MatmulForm, context: EmitContext, lanes: number, tiles: number, stored: readonly TensorNode[]): TileFetch | undefined;
}

export const cpuProducts = (target: CpuTarget): Products => ({
  tiling: (sizes, lanes) => chooseTiling(sizes, lanes, target),
  packing: (form, tiling, pitch, pool) => packingOf(form, tiling, pitch, pool, target),
  tilesOfBlock: (bytes) => {
    const { least, most, assumed } = tilesPerBlock;
    return bytes === undefined ? assumed : Math.max(least, Math.min(most, Math.floor(tileBlockBytes(target) / bytes)));
  },
  fetch: (form, context, lanes, tiles, stored) => new TileFetch(form, context, lanes, tiles, stored, target),
});
