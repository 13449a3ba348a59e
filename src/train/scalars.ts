// The numbers among a step's results. In: results. Out: numbers by name, their means over rows, and which of them are losses. Holds: a mean
// is over rows, not over batches; sums that were carried over give the same mean.

import { type Result, TfcError } from '../../runtime/index.js';

export type Scalars = Readonly<Record<string, number>>;

/** The numbers among a step's results, by name. */
export function scalarsOf(result: Result): Record<string, number> {
  if (typeof result === 'number') return { result };
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return {};
  return Object.fromEntries(Object.entries(result).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

export class Means {
  readonly #sums: Map<string, number>;
  #rows: number;

  /** Goes on with what was summed before. */
  constructor(before: { readonly rows: number; readonly sums: Scalars } = { rows: 0, sums: {} }) {
    this.#sums = new Map(Object.entries(before.sums));
    this.#rows = before.rows;
  }

  get rows(): number {
    return this.#rows;
  }

  get sums(): Scalars {
    return Object.fromEntries(this.#sums);
  }

  add(scalars: Scalars, rows: number): void {
    this.#rows += rows;
    for (const name in scalars) this.#sums.set(name, (this.#sums.get(name) ?? 0) + (scalars[name] as number) * rows);
  }

  means(): Scalars {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.#rows]));
  }
}

/** What is watched for NaN: scalars whose name ends in loss; of a step that has none of these, all. A ratio may well be 0 / 0. */
function isLoss(name: string): boolean {
  let known = losses.get(name);
  if (known === undefined) losses.set(name, (known = /loss$/i.test(name)));
  return known;
}

/** What was found out of a name: steps ask thousands of times a second. */
const losses = new Map<string, boolean>();

/** @throws TfcError not-finite that names the first loss that is NaN or infinite. */
export function requireFiniteLoss(scalars: Scalars, step: number, epoch: number): void {
  let bad: string | undefined;
  let hasLoss = false;
  for (const name in scalars) {
    const loss = isLoss(name);
    if (!Number.isFinite(scalars[name]) && (bad === undefined || (loss && !isLoss(bad)))) bad = name;
    hasLoss ||= loss;
  }
  if (bad === undefined || (hasLoss && !isLoss(bad))) return;
  throw new TfcError('not-finite', `${bad} is ${scalars[bad]} in step ${step} (epoch ${epoch}).`, { hint: smallerHint });
}

export const smallerHint = 'A smaller learning rate, or clipped gradients, often help; so does a look at the data for missing values.';

const names = ['lr', 'learningRate', 'learning_rate'];

export const isLearningRate = (name: string): boolean => names.includes(name);

/** The learning rate, where a step returns it or is fed it. */
export function learningRateOf(scalars: Scalars, constant: Readonly<Record<string, unknown>>): number | undefined {
  for (const name of names) {
    const value = scalars[name] ?? constant[name];
    if (typeof value === 'number') return value;
  }
  return undefined;
}
