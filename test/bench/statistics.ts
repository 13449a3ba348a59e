// Numbers of a run. In: measured values. Out: medians, differences, text. Holds: nothing here knows what was measured.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/**
 * The largest difference of two series, relative to the largest value of the first; infinite when one is not a number or lengths differ.
 */
export function farthest(expected: readonly number[], actual: readonly number[]): number {
  if (expected.length !== actual.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...expected.map(Math.abs));
  const differences = expected.map((value, at) => Math.abs((actual[at] ?? Number.NaN) - value) / scale);
  return differences.every((difference) => Number.isFinite(difference)) ? Math.max(...differences) : Number.POSITIVE_INFINITY;
}

/** Three significant digits, without exponents. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3)).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ',');
}

/** Columns of text: the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
