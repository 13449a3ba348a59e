// A step whose summaries are recorded. In: the step, and the entry that computes its summaries. Out: results of the step; summaries on the
// side.
// Holds: summaries are computed by an entry of their own, before the step, from the same feeds and variables: the step runs the very code
// that it runs without them, so variables have the same bits; what a step that fails would have recorded is not.
import { BoundEntry } from './bound-entry.js';
import type { Feeds } from './feed-slots.js';
import type { Result } from './result.js';
import type { StepsOptions, StepsResult } from './steps.js';
import type { Tensor } from './tensor.js';

/**
 * What a `summary` line of the program gave.
 * @example
 * ```ts
 * using watched = model.session({ seed: 1, summaries: true });
 * watched.run('train', { x, y, lr: 0.1 });
 * const records: readonly SummaryRecord[] = watched.summaries();
 * for (const { kind, name, value } of records) console.log(kind, name, value); // scalar loss …
 * ```
 */
export interface SummaryRecord {
  readonly kind: 'scalar' | 'histogram';
  /** As the program calls it. */
  readonly name: string;
  /** Of a scalar: its number. Of a histogram: all values, of which whoever reads it counts how many lie where. */
  readonly value: number | bigint | boolean | Tensor;
}

export class RecordedEntry extends BoundEntry {
  #summaries: (() => BoundEntry) | undefined;
  #keep: ((records: readonly SummaryRecord[]) => void) | undefined;

  /** `summaries` gives the entry that computes them; `keep` gets them after every run. */
  record(summaries: () => BoundEntry, keep: (records: readonly SummaryRecord[]) => void): this {
    this.#summaries = summaries;
    this.#keep = keep;
    return this;
  }

  override run(feeds: Feeds = {}): Result {
    const bound = this.#summaries?.();
    const records = bound === undefined ? [] : recordsOf(bound, bound.run(feeds));
    const result = super.run(feeds);
    this.#keep?.(records);
    return result;
  }

  override async runThen<Value>(feeds: Feeds, after: (result: Result) => Value): Promise<Awaited<Value>> {
    const bound = this.#summaries?.();
    let records: readonly SummaryRecord[] = [];
    // Both take their turns now, so nothing comes between them.
    const recorded = bound?.runThen(feeds, (values) => {
      records = recordsOf(bound, values);
    });
    const ran = super.runThen(feeds, (result) => {
      this.#keep?.(records);
      return after(result);
    });
    const [value] = await Promise.all([ran, recorded]);
    return value;
  }

  /** Records nothing: all steps run within one call of native code. */
  override runSteps(feeds: Feeds, options: StepsOptions = {}): StepsResult {
    const result = super.runSteps(feeds, options);
    this.#keep?.([]);
    return result;
  }
}

function recordsOf({ spec }: BoundEntry, values: Result): SummaryRecord[] {
  return (values as readonly SummaryRecord['value'][]).map((value, at) => {
    const called = spec.outputs[at]?.name ?? '';
    const end = called.indexOf(' ');
    return { kind: called.slice(0, end) === 'scalar' ? 'scalar' : 'histogram', name: called.slice(end + 1), value };
  });
}
