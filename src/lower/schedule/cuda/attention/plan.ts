// Which tiles of queries and keys a block has. In: what attention is made of, and where its operands lie. Out: a plan, or nothing where
// three kernels are better. Holds: sizes and formats alone decide, so equal groups have equal plans.

import { bytesOf, type Dim, type DType, elementCount, type Precision } from '../../../../base/index.js';
import { multiplyDepth } from '../../../../kernel/index.js';
import {
  assumedAxis,
  attentionKeys,
  attentionRows,
  attentionStages,
  type CudaTarget,
  leastAttentionRows,
  linePadding,
  linePaddingOfWords,
  mostAttentionSums,
  scoreCycles,
  stageCycles,
  tensorProducts,
} from '../../../../target/index.js';
import { combinedAs } from '../../../form/forms.js';
import type { Attention } from '../../../fuse/attention.js';
import { isTensorFormat, type ReadFrom, readSide, readSides, rowAxes, type SideRead } from '../matmul/sides.js';

export interface AttentionPlan {
  readonly query: SideRead;
  readonly key: SideRead;
  readonly value: SideRead;
  /** Of what the two products multiply, as it lies in shared memory. */
  readonly scored: DType;
  readonly mixed: DType;
  readonly tile: AttentionTile;
}

export interface AttentionTile {
  /** Queries of a block, and keys of a tile. */
  readonly rows: number;
  readonly keys: number;
  /** Steps of the first product, and columns of the second one: as many as there are, or some zeros more. */
  readonly depth: number;
  readonly columns: number;
  /** Tiles of keys in shared memory. */
  readonly stages: number;
}

export function planAttention(attention: Attention, from: ReadFrom, { sharedBytes }: CudaTarget): AttentionPlan | undefined {
  const { scores, mixed, weights } = attention;
  const { left: query, right: key, multiplied } = readSides(scores, from);
  if (multiplied === undefined || combinedAs(mixed.node.type.dtype) !== 'f32') return undefined;
  const value = valueOf(attention, from);
  const taken = value === undefined ? undefined : weights === value.holds ? weights : ('tf32' as const);
  if (value === undefined || taken === undefined) return undefined;
  const rows = elementCount(rowAxes(scores)).constant;
  if (rows !== undefined && rows < leastAttentionRows) return undefined;
  const [depth, columns] = [scores.depth.constant, mixed.columns.constant];
  if (depth === undefined || columns === undefined || depth === 0 || columns === 0) return undefined;
  const [scored, summed] = [stagedAs(multiplied), stagedAs(taken)];
  const tile = tileOf({ depth, columns, keys: scores.columns, scored: bytesOf(scored), mixed: bytesOf(summed) }, sharedBytes);
  return tile === undefined ? undefined : { query, key, value, scored, mixed: summed, tile };
}

/** The right side of the second product, rounded as its weights are, or read with what its memory holds. */
function valueOf({ mixed, weights }: Attention, from: ReadFrom): SideRead | undefined {
  const rounded = readSide(mixed, 'right', from, true);
  if (!isTensorFormat(weights) || !isTensorFormat(rounded.holds)) return undefined;
  return rounded.holds === weights ? rounded : readSide(mixed, 'right', from, false);
}

const stagedAs = (format: Precision): DType => (format === 'tf32' ? 'f32' : format);

interface Sizes {
  readonly depth: number;
  readonly columns: number;
  readonly keys: Dim;
  /** Bytes of the elements of both products. */
  readonly scored: number;
  readonly mixed: number;
}

/** The tile with which a block needs the fewest cycles for all keys, of those for which there are registers and shared memory. */
function tileOf(sizes: Sizes, sharedBytes: number): AttentionTile | undefined {
  const whole = (size: number, part: number): number => Math.ceil(size / part) * part;
  const depth = whole(sizes.depth, 32 / sizes.scored);
  const columns = whole(sizes.columns, 16);
  let best: { readonly cost: number; readonly tile: AttentionTile } | undefined;
  for (const keys of attentionKeys)
    for (const stages of attentionStages) {
      const tile: AttentionTile = { rows: attentionRows, keys, depth, columns, stages };
      if (keys + columns > mostAttentionSums || bytesOfTile(tile, sizes) > sharedBytes) continue;
      const count = Math.ceil((sizes.keys.constant ?? assumedAxis) / keys);
      const products = (attentionRows * keys * (depth * sizes.scored + columns * sizes.mixed)) / tensorProducts;
      const cost = count * (products + attentionRows * keys * scoreCycles + stageCycles);
      if (best === undefined || cost < best.cost) best = { cost, tile };
    }
  return best?.tile;
}

/** Whichever way the sides lie. */
function bytesOfTile({ rows, keys, depth, columns, stages }: AttentionTile, { scored, mixed }: Sizes): number {
  const side = (lines: number, steps: number, bytes: number): number =>
    Math.max(lines * (steps * bytes + linePadding), steps * (lines * bytes + linePaddingOfWords));
  return side(rows, depth, scored) + stages * (side(keys, depth, scored) + side(columns, keys, mixed));
}

/** Columns of scores that one `multiply` of the second product takes as its steps. */
export const stepsOf = ({ mixed }: Pick<AttentionPlan, 'mixed'>): number => multiplyDepth(mixed);
