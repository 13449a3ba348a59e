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
  scoreCycles,
  stageCycles,
  tensorAttention,
} from '../../../../target/index.js';
import { combinedAs, type MatmulForm } from '../../../form/forms.js';
import type { Attention } from '../../../fuse/attention.js';
import {
  isTensorFormat,
  type ReadFrom,
  readSide,
  readSides,
  rowAxes,
  shapeOfSide,
  type SideRead,
  type StagedTile,
  type Which,
} from '../matmul/sides.js';

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
  const rounded = besideWeights(mixed, 'right', attention.weights, from);
  // Where only one of the products has rounded operands, three kernels do what each of them can.
  if ((multiplied === undefined) !== (rounded === undefined)) return undefined;
  const isTensor = multiplied !== undefined;
  const [scored, summed] = [stagedAs(multiplied ?? 'f32'), stagedAs(rounded?.multiplied ?? 'f32')];
  const value = rounded?.side ?? readSide(mixed, 'right', from, false);
  const operands: Operands = { query, key, value, isTensor, scored, mixed: summed };
  const tile = tileOf(operands, { depth, columns, keys: scores.columns }, sharedBytes - otherBytes(attention));
  return tile === undefined ? undefined : { ...operands, tile };
}

/** What weights are multiplied by, where tensor cores do that, and in what format; undefined where they do not. */
export function besideWeights(
  form: MatmulForm,
  which: Which,
  weights: Precision,
  from: ReadFrom,
): { readonly side: SideRead; readonly multiplied: Precision } | undefined {
  const side = readSide(form, which, from, true);
  if (!isTensorFormat(weights) || !isTensorFormat(side.holds)) return undefined;
  if (side.holds === weights) return { side, multiplied: weights };
  // TF32 has all numbers of 16 bits, once they are such.
  return { side: readSide(form, which, from, false), multiplied: 'tf32' };
}

/** Bytes of shared memory that are not for tiles: lanes combine there whether the scores of a mask count, unless they are −∞. */
export const otherBytes = ({ mask }: Attention): number => ((mask?.score ?? -Infinity) > -Infinity ? attentionOther : 0);

export const stagedAs = (format: Precision): DType => (format === 'tf32' ? 'f32' : format);

type Operands = Omit<AttentionPlan, 'tile'>;

interface Sizes {
  readonly depth: number;
  readonly columns: number;
  readonly keys: Dim;
}

/** The tile with which a block needs the fewest cycles for all keys, of those for which there are registers and shared memory. */
function tileOf(operands: Operands, sizes: Sizes, sharedBytes: number): AttentionTile | undefined {
  const { isTensor } = operands;
  const [scored, mixed] = [operands.scored, operands.mixed].map(bytesOf) as [number, number];
  const { rows, sums, products } = isTensor ? tensorAttention : coreAttention;
  const depth = whole(sizes.depth, 32 / scored);
  const columns = paddedColumns(sizes.columns, isTensor);
  let best: { readonly cost: number; readonly tile: AttentionTile } | undefined;
  for (const keys of attentionKeys)
    for (const stages of attentionStages) {
      const tile: AttentionTile = { rows, keys, depth, columns, stages };
      if (keys + columns > sums || bytesOfTile(tile, operands) > sharedBytes) continue;
      const count = Math.ceil((sizes.keys.constant ?? assumedAxis) / keys);
      const multiplied = (rows * keys * (depth * scored + columns * mixed)) / products;
      const cost = count * (multiplied + rows * keys * scoreCycles + stageCycles);
      if (best === undefined || cost < best.cost) best = { cost, tile };
    }
  return best?.tile;
}

const whole = (size: number, part: number): number => Math.ceil(size / part) * part;

/** A power of two without tensor cores: threads have runs of columns. */
export const paddedColumns = (size: number, isTensor: boolean): number =>
  isTensor ? whole(size, 16) : 2 ** Math.ceil(Math.log2(Math.max(16, size)));

function bytesOfTile(tile: AttentionTile, { query, key, value, scored, mixed, isTensor }: Operands): number {
  const staged = stagedTiles(tile, isTensor);
  const shapes: readonly (readonly [DType, readonly number[]])[] = [
    [scored, shapeOfSide(query, scored, tile.rows, staged.query)],
    [scored, shapeOfSide(key, scored, tile.keys, staged.key)],
    [mixed, shapeOfSide(value, mixed, tile.columns, staged.value)],
    ...(isTensor ? [] : [[mixed, shapeOfWeights(tile)] as const]),
  ];
  return bytesOfShapes(shapes);
}

export const bytesOfShapes = (shapes: readonly (readonly [DType, readonly number[]])[]): number =>
  shapes.reduce((sum, [dtype, shape]) => sum + shape.reduce((product, size) => product * size, bytesOf(dtype)), 0);

/** How the operands lie in shared memory: all queries of a block, and stages of keys. */
export function stagedTiles(
  { depth, keys, stages }: AttentionTile,
  isTensor: boolean,
): Readonly<Record<'query' | 'key' | 'value', StagedTile>> {
  return {
    query: { depth, stages: 1, isTensor },
    key: { depth, stages, isTensor },
    value: { depth: keys, stages, isTensor, isInTurn: true },
  };
}

/** Weights in shared memory, where threads multiply for themselves; f32. */
export const shapeOfWeights = ({ rows, keys }: AttentionTile): readonly number[] => [rows, keys + linePadding / bytesOf('f32')];
