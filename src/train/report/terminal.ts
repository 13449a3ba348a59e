// Curves for a terminal. In: a run. Out: its loss, or whatever its sets have, drawn in lines of text. Holds: a curve has `width` columns,
// each of which is the mean of what falls into it; what is not finite is left out and counted.

import asciichart from 'asciichart';
import type { Curve, RunRecord } from '../read-run.js';
import { partsOf } from './chart-data.js';

const height = 10;

/** The losses of a run; without any, its other curves of sets. Empty when it has neither. */
export function terminalCurves({ curves }: RunRecord, width: number): string {
  const tags = [...curves.keys()].filter((tag) => partsOf(tag).set !== '');
  const losses = tags.filter((tag) => partsOf(tag).title === 'loss');
  return (losses.length > 0 ? losses : tags).map((tag) => drawn(tag, curves.get(tag) as Curve, width)).join('\n\n');
}

/** What stands left of a curve. */
const labelWidth = 12;

function drawn(tag: string, { steps, values }: Curve, width: number): string {
  const finite = values.filter(Number.isFinite);
  const missing = values.length - finite.length;
  const title = `${tag}, steps ${steps[0]} to ${steps.at(-1)}${missing === 0 ? '' : `, ${missing} not finite`}`;
  if (finite.length === 0) return title;
  const { toRow, ofRow } = rowsOf(finite);
  const format = (row: number): string =>
    ofRow(row)
      .toPrecision(4)
      .padStart(labelWidth - 2);
  return `${title}\n${asciichart.plot(columnsOf(finite.map(toRow), Math.max(1, width - labelWidth)), { height, format })}`;
}

/**
 * Rows of a drawing, from 1 on, for values, and back. The plotter counts from the least value to the greatest in steps of 1, which large
 * numbers do not have; 0 would be a mark on its axis.
 */
function rowsOf(values: readonly number[]): { readonly toRow: (value: number) => number; readonly ofRow: (row: number) => number } {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values) [least, greatest] = [Math.min(least, value), Math.max(greatest, value)];
  // The difference of two doubles may be none.
  const unit = Number.isFinite(greatest - least) ? 1 : 2;
  const range = greatest / unit - least / unit;
  return {
    toRow: (value) => (range === 0 ? 1 : 1 + ((value / unit - least / unit) / range) * height),
    ofRow: (row) => (row === 1 ? least : (least / unit + ((row - 1) / height) * range) * unit),
  };
}

function columnsOf(values: readonly number[], count: number): number[] {
  // A few values are joined by straight lines.
  if (values.length <= count)
    return Array.from({ length: count }, (_, at) => {
      const place = (at / Math.max(1, count - 1)) * (values.length - 1);
      const [left, right] = [values[Math.floor(place)] as number, values[Math.ceil(place)] as number];
      return left + (right - left) * (place - Math.floor(place));
    });
  return Array.from({ length: count }, (_, at) => {
    const part = values.slice(Math.floor((at * values.length) / count), Math.floor(((at + 1) * values.length) / count));
    return part.reduce((sum, value) => sum + value / part.length, 0);
  });
}
