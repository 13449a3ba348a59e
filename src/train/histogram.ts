// How numbers are distributed. In: the elements of a tensor. Out: counts in buckets, and sums.
// Holds: buckets are TensorFlow's: their limits are 0 and ±1.1ⁿ · 10⁻¹² up to 10²⁰, and ± the largest double; a run of empty ones is one;
// what is not finite is counted apart and is in no bucket and no sum.

export interface HistogramSummary {
  /** Of finite numbers; 0 when there are none. */
  readonly minimum: number;
  readonly maximum: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly notFinite: number;
  /** Bucket i counts what is at least limit i − 1 and less than limit i; there is at least one. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const limits: readonly number[] = (() => {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  positive.push(Number.MAX_VALUE);
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive];
})();

export function histogramOf(values: ArrayLike<number>): HistogramSummary {
  const buckets = new Float64Array(limits.length);
  let [minimum, maximum, sum, sumOfSquares, notFinite] = [Infinity, -Infinity, 0, 0, 0];
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (!Number.isFinite(value)) {
      notFinite += 1;
      continue;
    }
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
    sum += value;
    sumOfSquares += value * value;
    const bucket = bucketOf(value);
    buckets[bucket] = (buckets[bucket] as number) + 1;
  }
  const count = values.length - notFinite;
  return {
    ...(count === 0 ? { minimum: 0, maximum: 0 } : { minimum, maximum }),
    count,
    sum,
    sumOfSquares,
    notFinite,
    ...withoutRuns(buckets),
  };
}

/** The first bucket whose limit is above the value; the last one has the largest double as well. */
function bucketOf(value: number): number {
  let [low, high] = [0, limits.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((limits[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function withoutRuns(buckets: Float64Array): Pick<HistogramSummary, 'limits' | 'counts'> {
  const kept: number[] = [];
  const counts: number[] = [];
  for (let at = 0; at < buckets.length; at++) {
    const count = buckets[at] as number;
    // Up to the last of the run.
    if (count === 0) while (at + 1 < buckets.length && buckets[at + 1] === 0) at++;
    kept.push(limits[at] as number);
    counts.push(count);
  }
  return { limits: kept, counts };
}
