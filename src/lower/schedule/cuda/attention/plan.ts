// Which tiles of queries and keys a block has. In: what attention is made of, and where its operands lie. Out: a plan, or nothing where
// three kernels are better. Holds: sizes and formats alone decide, so equal groups have equal plans.

import { bytesOf, type Dim, type DType, elementCount, type Precision } from '../../../../base/index.js';
import {
  assumedAxis,
  attentionKeys,
  attentionOther,
  attentionStages,
  coreAttention,
  type CudaTarget,
  leastAttentionRows,
  linePadding,
  linePaddingOfWords,
  scoreCycles,
  stageCycles,
  tensorAttention,
} from '../../../../target/index.js';
import { combinedAs } from '../../../form/forms.js';
import type { Attention } from '../../../fuse/attention.js';
import { isTensorFormat, type ReadFrom, readSide, readSides, rowAxes, type SideRead } from '../matmul/sides.js';

export interface AttentionPlan {
  readonly query: SideRead;
  readonly key: SideRead;
  readonly value: SideRead;
  /** Whether tensor cores multiply, or each thread for itself. */
  readonly isTensor: boolean;
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
  const { scores, mixed } = attention;
  if ([scores, mixed].some(({ node }) => combinedAs(node.type.dtype) !== 'f32')) return undefined;
  const rows = elementCount(rowAxes(scores)).constant;
  if (rows !== undefined && rows < leastAttentionRows) return undefined;
  const [depth, columns] = [scores.depth.constant, mixed.columns.constant];
  if (depth === undefined || columns === undefined || depth === 0 || columns === 0) return undefined;
  const { left: query, right: key, multiplied } = readSides(scores, from);
  const rounded = valueOf(attention, from);
  // Where only one of the products has rounded operands, three kernels do what each of them can.
  if ((multiplied === undefined) !== (rounded === undefined)) return undefined;
  const isTensor = multiplied !== undefined;
  const [scored, summed] = [stagedAs(multiplied ?? 'f32'), stagedAs(rounded?.multiplied ?? 'f32')];
  const value = rounded?.value ?? readSide(mixed, 'right', from, false);
  const sizes: Sizes = { depth, columns, keys: scores.columns, scored: bytesOf(scored), mixed: bytesOf(summed), isTensor };
  const tile = tileOf(sizes, sharedBytes);
  return tile === undefined ? undefined : { query, key, value, isTensor, scored, mixed: summed, tile };
}

/** The right side of the second product where tensor cores multiply it by weights, and in what format; undefined where they do not. */
function valueOf({ mixed, weights }: Attention, from: ReadFrom): { readonly value: SideRead; readonly multiplied: Precision } | undefined {
  const value = readSide(mixed, 'right', from, true);
  if (!isTensorFormat(weights) || !isTensorFormat(value.holds)) return undefined;
  if (value.holds === weights) return { value, multiplied: weights };
  // TF32 has all numbers of 16 bits, once they are such.
  return { value: readSide(mixed, 'right', from, false), multiplied: 'tf32' };
}

const stagedAs = (format: Precision): DType => (format === 'tf32' ? 'f32' : format);

interface Sizes {
  readonly depth: number;
  readonly columns: number;
  readonly keys: Dim;
  /** Bytes of the elements of both products. */
  readonly scored: number;
  readonly mixed: number;
  readonly isTensor: boolean;
}

/** The tile with which a block needs the fewest cycles for all keys, of those for which there are registers and shared memory. */
function tileOf(sizes: Sizes, sharedBytes: number): AttentionTile | undefined {
  const { rows, sums, products } = sizes.isTensor ? tensorAttention : coreAttention;
  const whole = (size: number, part: number): number => Math.ceil(size / part) * part;
  const depth = whole(sizes.depth, 32 / sizes.scored);
  // Of a power of two without tensor cores: threads have runs of columns.
  const columns = sizes.isTensor ? whole(sizes.columns, 16) : 2 ** Math.ceil(Math.log2(Math.max(16, sizes.columns)));
  let best: { readonly cost: number; readonly tile: AttentionTile } | undefined;
  for (const keys of attentionKeys)
    for (const stages of attentionStages) {
      const tile: AttentionTile = { rows, keys, depth, columns, stages };
      if (keys + columns > sums || bytesOfTile(tile, sizes) + attentionOther > sharedBytes) continue;
      const count = Math.ceil((sizes.keys.constant ?? assumedAxis) / keys);
      const multiplied = (rows * keys * (depth * sizes.scored + columns * sizes.mixed)) / products;
      const cost = count * (multiplied + rows * keys * scoreCycles + stageCycles);
      if (best === undefined || cost < best.cost) best = { cost, tile };
    }
  return best?.tile;
}

/** Whichever way the sides lie. */
function bytesOfTile({ rows, keys, depth, columns, stages }: AttentionTile, { scored, mixed, isTensor }: Sizes): number {
  const side = (lines: number, steps: number, bytes: number): number =>
    Math.max(lines * (steps * bytes + linePadding), steps * (lines * bytes + linePaddingOfWords));
  const weights = isTensor ? 0 : rows * (keys * mixed + linePadding);
  return side(rows, depth, scored) + stages * (side(keys, depth, scored) + side(columns, keys, mixed)) + weights;
}
