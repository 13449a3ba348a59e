// Curves as they are drawn. In: the curves of runs. Out: charts of a few points per pixel, raw and smoothed.
// Holds: of each column of pixels its first, least, greatest and last value are kept, so no peak is lost and none is made; smoothing goes
// over all values before that, and never over one that is not finite, where a line breaks and a cross stands.

import type { Curve, RunRecord } from '../read-run.js';

/** Columns of pixels of a chart. */
export const chartColumns = 640;

export interface Chart {
  /** What its curves have in common: `loss`. */
  readonly title: string;
  readonly curves: readonly ChartCurve[];
  /** The first and the last step of all curves. */
  readonly steps: readonly [first: number, last: number];
  /** How many values a mean is of, where some curve is smoothed. */
  readonly smoothedOver: number | undefined;
  /** Of smoothed curves the means alone are drawn: there are so many that nobody would see through. */
  readonly isCrowded: boolean;
  /** There are positive values alone. */
  readonly fitsLog: boolean;
}

export interface ChartCurve {
  /** The place of its run. */
  readonly run: number;
  /** `train`, `validation`, `test`; '' for what belongs to none. */
  readonly set: string;
  readonly raw: readonly Point[];
  /** Empty for a curve that is legible without. */
  readonly smooth: readonly Point[];
  /** Steps whose value is not finite; one stands for those close behind it. */
  readonly notFinite: readonly number[];
  /** So few points that each is seen. */
  readonly isSparse: boolean;
}

/** `y` undefined: the line breaks. */
export interface Point {
  readonly x: number;
  readonly y: number | undefined;
}

export const setNames = ['train', 'validation', 'test'] as const;

/** `train/loss` → `train`, `loss`; any other tag is its own title. */
export function partsOf(tag: string): { readonly set: string; readonly title: string } {
  const set = setNames.find((name) => tag.startsWith(`${name}/`) && tag.length > name.length + 1) ?? '';
  return { set, title: set === '' ? tag : tag.slice(set.length + 1) };
}

/** Losses first, then what sets have in common, then the rest, each in order of names. */
export function chartsOf(runs: readonly RunRecord[]): Chart[] {
  const groups = new Map<string, { readonly run: number; readonly set: string; readonly curve: Curve }[]>();
  for (const [run, { curves }] of runs.entries()) {
    for (const [tag, curve] of curves) {
      const { set, title } = partsOf(tag);
      const group = groups.get(title) ?? [];
      groups.set(title, group);
      if (curve.steps.length > 0) group.push({ run, set, curve });
    }
  }
  const rank = ([title, curves]: readonly [string, readonly { readonly set: string }[]]): number =>
    curves.every(({ set }) => set === '') ? 2 : title === 'loss' ? 0 : 1;
  return [...groups]
    .filter(([, curves]) => curves.length > 0)
    .sort((a, b) => rank(a) - rank(b) || (a[0] < b[0] ? -1 : 1))
    .map(([title, curves]) => chartOf(title, curves));
}

/** Curves with fewer points are not smoothed. */
const smoothedFrom = 100;
/** Charts with more curves show means alone. */
const crowdedFrom = 7;
/** Curves with fewer points show each. */
const sparseBelow = 60;

function chartOf(title: string, group: readonly { readonly run: number; readonly set: string; readonly curve: Curve }[]): Chart {
  let [first, last, fitsLog, longest] = [Infinity, -Infinity, true, 0];
  const needsSmoothing = ({ steps, values }: Curve): boolean => steps.length >= smoothedFrom && isRestless(values);
  for (const { curve } of group) {
    first = Math.min(first, curve.steps[0] as number);
    last = Math.max(last, curve.steps.at(-1) as number);
    if (needsSmoothing(curve)) longest = Math.max(longest, curve.steps.length);
    fitsLog &&= curve.values.every((value) => !Number.isFinite(value) || value > 0);
  }
  const span = [first, last] as const;
  const over = longest === 0 ? undefined : Math.max(5, Math.round(longest / 40));
  const order = (set: string): number => (setNames as readonly string[]).indexOf(set);
  return {
    title,
    steps: span,
    smoothedOver: over,
    isCrowded: group.length >= crowdedFrom,
    fitsLog,
    curves: [...group]
      .sort((a, b) => a.run - b.run || order(a.set) - order(b.set))
      .map(({ run, set, curve }) => {
        const { steps, values } = curve;
        const smooth = over !== undefined && needsSmoothing(curve) ? reduced(steps, smoothed(values, over), span).raw : [];
        return { run, set, ...reduced(steps, values, span), smooth, isSparse: steps.length < sparseBelow };
      }),
  };
}

/**
 * Means with weights that fall off exponentially to both sides, so nothing lags behind; `count` is about how many values they are of. What
 * is not finite stays, and is not counted.
 */
export function smoothed(values: readonly number[], count: number): number[] {
  const keep = Math.max(0, 1 - 2 / count);
  const sums = new Float64Array(values.length);
  const weights = new Float64Array(values.length);
  const pass = (from: number, step: 1 | -1): void => {
    let [sum, weight] = [0, 0];
    for (let at = from; at >= 0 && at < values.length; at += step) {
      // The value itself belongs to the way back alone.
      if (step === 1) add(at, sum, weight);
      const value = values[at] as number;
      [sum, weight] = Number.isFinite(value) ? [keep * (sum + value), keep * (weight + 1)] : [keep * sum, keep * weight];
      if (step === -1) add(at, sum / keep, weight / keep);
    }
  };
  const add = (at: number, sum: number, weight: number): void => {
    sums[at] = (sums[at] as number) + sum;
    weights[at] = (weights[at] as number) + weight;
  };
  if (keep === 0) return [...values];
  pass(0, 1);
  pass(values.length - 1, -1);
  return values.map((value, at) => (Number.isFinite(value) ? (sums[at] as number) / (weights[at] as number) : value));
}

/** Curves that go up and down by less than so many times their range are read as they are. */
const restless = 8;

function isRestless(values: readonly number[]): boolean {
  let [least, greatest, way]: [number, number, number] = [Infinity, -Infinity, 0];
  let before: number | undefined;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
    way += Math.abs(value - (before ?? value));
    before = value;
  }
  return way > restless * (greatest - least);
}

/** Pixels. */
const crossWidth = 8;

/** At most four points per column of pixels, in their order. */
export function reduced(
  steps: readonly number[],
  values: readonly number[],
  [first, last]: readonly [number, number],
): { readonly raw: Point[]; readonly notFinite: number[] } {
  const raw: Point[] = [];
  const notFinite: number[] = [];
  const isWhole = steps.length <= 2 * chartColumns;
  const columnOf = (at: number): number =>
    isWhole ? at : Math.floor((((steps[at] as number) - first) / Math.max(1, last - first)) * (chartColumns - 1));
  for (let start = 0; start < steps.length;) {
    let end = start + 1;
    while (end < steps.length && columnOf(end) === columnOf(start)) end++;
    const kept = new Set<number>();
    let [least, greatest, broken]: (number | undefined)[] = [];
    let latest: number | undefined;
    for (let at = start; at < end; at++) {
      const value = values[at] as number;
      if (!Number.isFinite(value)) {
        broken ??= at;
        continue;
      }
      if (latest === undefined) kept.add(at);
      latest = at;
      if (least === undefined || value < (values[least] as number)) least = at;
      if (greatest === undefined || value > (values[greatest] as number)) greatest = at;
    }
    for (const at of [least, greatest, latest]) if (at !== undefined) kept.add(at);
    if (broken !== undefined) {
      const step = steps[broken] as number;
      if (step - (notFinite.at(-1) ?? -Infinity) >= (crossWidth / chartColumns) * (last - first)) notFinite.push(step);
    }
    const points = [...kept].sort((a, b) => a - b).map((at) => ({ x: steps[at] as number, y: values[at] as number, at }));
    const gap = broken;
    if (gap === undefined) for (const { x, y } of points) raw.push({ x, y });
    else {
      for (const { x, y } of points.filter(({ at }) => at < gap)) raw.push({ x, y });
      raw.push({ x: steps[gap] as number, y: undefined });
      for (const { x, y } of points.filter(({ at }) => at > gap)) raw.push({ x, y });
    }
    start = end;
  }
  return { raw, notFinite };
}
