// Which tiles the kernels of attention's derivative have. In: what it is made of, and where its operands lie. Out: a plan for blocks of
// queries, which go over keys, and one for blocks of keys, which go over queries; or nothing where separate kernels are better.
// Holds: sizes and formats alone decide, so equal groups have equal plans.

import { bytesOf, type Dim, type DType } from '../../../../base/index.js';
import { build, exprKey } from '../../../../kernel/index.js';
import {
  assumedAxis,
  attentionKeys,
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
import { Names, Scope } from '../../../form/scope.js';
import type { AttentionBackward, Taker } from '../../../fuse/attention-backward.js';
import { type ReadFrom, readSide, readSides, shapeOfSide, type SideRead, type StagedTile } from '../matmul/sides.js';
import { besideWeights, bytesOfShapes, otherBytes, paddedColumns, stagedAs } from './plan.js';

export interface BackwardPlan {
  /** Undefined where nothing sums over keys, or queries. */
  readonly overKeys: SweepPlan | undefined;
  readonly overQueries: SweepPlan | undefined;
}

/** One kernel: a block has a tile of lines, queries or keys, and goes over tiles of the others. */
export interface SweepPlan {
  readonly over: Taker['over'];
  readonly isTensor: boolean;
  readonly factors: readonly Factor[];
  readonly results: readonly Result[];
  /** Lines of the block, and steps of a tile that it goes over. */
  readonly rows: number;
  readonly keys: number;
  readonly stages: number;
}

/** A product with a row for each line and a column for each step, in registers: the scores, and the cotangents of weights. */
export interface Factor {
  readonly form: MatmulForm;
  readonly lines: SideRead;
  readonly steps: SideRead;
  readonly staged: DType;
  readonly depth: number;
}

/** What sums over the steps. */
export interface Result {
  readonly taker: Taker;
  readonly given: SideRead;
  readonly staged: DType;
  /** As many as there are, or some more. */
  readonly columns: number;
  readonly width: number;
  /** The factor whose steps are what is given, so that it lies in shared memory already. */
  readonly shared: number | undefined;
}

export function planBackward(backward: AttentionBackward, from: ReadFrom, { sharedBytes }: CudaTarget): BackwardPlan | undefined {
  const { attention, cotangents, rowSum, takers } = backward;
  const { scores } = attention;
  const forms = [scores, ...(cotangents === undefined ? [] : [cotangents]), ...takers.map(({ form }) => form)];
  if (forms.some(({ node }) => combinedAs(node.type.dtype) !== 'f32')) return undefined;
  if ([scores.rows, scores.columns].some(({ constant }) => constant !== undefined && constant < leastAttentionRows)) return undefined;
  const plans: SweepPlan[] = [];
  for (const over of ['keys', 'queries'] as const) {
    const own = takers.filter((taker) => taker.over === over);
    if (own.length === 0) continue;
    // Each is made in the place of a factor.
    const factors = cotangents === undefined ? [scores] : [scores, cotangents];
    const plan = own.length > factors.length ? undefined : planSweep(over, factors, own, from, sharedBytes - otherBytes(attention));
    if (plan === undefined) return undefined;
    plans.push(plan);
  }
  const [overKeys, overQueries] = (['keys', 'queries'] as const).map((over) => plans.find((plan) => plan.over === over));
  // Blocks of queries have the sums of rows.
  return rowSum !== undefined && overKeys === undefined ? undefined : { overKeys, overQueries };
}

function planSweep(
  over: Taker['over'],
  forms: readonly MatmulForm[],
  takers: readonly Taker[],
  from: ReadFrom,
  sharedBytes: number,
): SweepPlan | undefined {
  const read = forms.map((form) => readSides(form, from));
  const beside = takers.map(({ form, side, weights }) => besideWeights(form, otherSide(side), weights, from));
  const areTensor = [...read.map(({ multiplied }) => multiplied !== undefined), ...beside.map((one) => one !== undefined)];
  const isTensor = areTensor[0] === true;
  // Where only some of the products have rounded operands, separate kernels do what each of them can.
  if (areTensor.some((one) => one !== isTensor)) return undefined;
  const factors: Factor[] = [];
  for (const [at, { left, right, multiplied }] of read.entries()) {
    const form = forms[at] as MatmulForm;
    const depth = form.depth.constant;
    if (depth === undefined || depth === 0) return undefined;
    const [lines, steps] = over === 'keys' ? [left, right] : [right, left];
    factors.push({ form, lines, steps, staged: stagedAs(multiplied ?? 'f32'), depth: paddedColumns(depth, isTensor) });
  }
  const results: Result[] = [];
  for (const [at, taker] of takers.entries()) {
    const { form, side } = taker;
    const width = widthOf(taker).constant;
    if (width === undefined || width === 0) return undefined;
    const given = beside[at]?.side ?? readSide(form, otherSide(side), from, false);
    const staged = stagedAs(beside[at]?.multiplied ?? 'f32');
    const columns = paddedColumns(width, isTensor);
    const shared = factors.findIndex((one) => one.staged === staged && one.depth === columns && isTurned(one.steps, given, form));
    results.push({ taker, given, staged, columns, width, shared: shared < 0 ? undefined : shared });
  }
  const [first] = forms as [MatmulForm];
  const sizes = over === 'keys' ? first.columns : first.rows;
  return withTile({ over, isTensor, factors, results }, sizes, sharedBytes);
}

export const otherSide = (side: Taker['side']): Taker['side'] => (side === 'left' ? 'right' : 'left');

/** How many columns the sums have; where weights are the right side these are the rows of the product. */
const widthOf = ({ form, side }: Taker): Dim => (side === 'left' ? form.columns : form.rows);

/** Whether the one's lines are the other one's steps, and the other way around, of the same elements in memory. */
function isTurned(one: SideRead, other: SideRead, { batch }: MatmulForm): boolean {
  const scope = Scope.root(new Names());
  const at = batch.map((_, axis) => build.index(`b${axis}`));
  const [line, step] = [build.index('line'), build.index('step')];
  const [first, second] = [one.element(at, line, step, scope), other.element(at, step, line, scope)];
  return first.kind === 'load' && exprKey(first) === exprKey(second);
}

type Operands = Pick<SweepPlan, 'over' | 'isTensor' | 'factors' | 'results'>;

/** The tile with which a block needs the fewest cycles for all steps, of those for which there are registers and shared memory. */
function withTile(operands: Operands, steps: Dim, sharedBytes: number): SweepPlan | undefined {
  const { isTensor, factors, results } = operands;
  const { rows, backwardMade, backwardSums, products } = isTensor ? tensorAttention : coreAttention;
  const wide = results.reduce((sum, { columns }) => sum + columns, 0);
  let best: { readonly cost: number; readonly plan: SweepPlan } | undefined;
  for (const keys of attentionKeys)
    for (const stages of attentionStages) {
      const plan: SweepPlan = { ...operands, rows, keys, stages };
      const made = factors.length * keys;
      if (made > backwardMade || made + wide > backwardSums || bytesOfSweep(plan) > sharedBytes) continue;
      const count = Math.ceil((steps.constant ?? assumedAxis) / keys);
      const deep =
        factors.reduce((sum, { depth, staged }) => sum + depth * bytesOf(staged), 0) +
        results.reduce((sum, { columns, staged }) => sum + columns * bytesOf(staged), 0);
      const cost = count * (rows * keys * (deep / products + scoreCycles) + stageCycles);
      if (best === undefined || cost < best.cost) best = { cost, plan };
    }
  return best?.plan;
}

function bytesOfSweep(plan: SweepPlan): number {
  const { factors, results, rows, keys, isTensor } = plan;
  const shapes: (readonly [DType, readonly number[]])[] = [];
  for (const { lines, steps, staged, depth } of factors)
    shapes.push(
      [staged, shapeOfSide(lines, staged, rows, tileOfLines(depth, isTensor))],
      [staged, shapeOfSide(steps, staged, keys, tileOfSteps(depth, plan))],
    );
  for (const { given, staged, columns, shared } of results) {
    if (shared === undefined) shapes.push([staged, shapeOfSide(given, staged, columns, tileOfGiven(plan))]);
    if (!isTensor) shapes.push([staged, [rows, keys + linePadding / bytesOf(staged)]]);
  }
  return bytesOfShapes(shapes);
}

/** How operands lie in shared memory: all lines of a block, and stages of what it goes over. */
export const tileOfLines = (depth: number, isTensor: boolean): StagedTile => ({ depth, stages: 1, isTensor });
export const tileOfSteps = (depth: number, { stages, isTensor }: SweepPlan): StagedTile => ({ depth, stages, isTensor });
export const tileOfGiven = ({ keys, stages, isTensor }: SweepPlan): StagedTile => ({ depth: keys, stages, isTensor, isInTurn: true });
