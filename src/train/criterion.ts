// Metrics that decide: which checkpoint is the best, when to stop early. In: `loss`, `validation/accuracy`, `max:score`. Out: which of two
// values is better. Holds: smaller is better, unless the name says otherwise or `max:` does; NaN is never better.

export interface Criterion {
  readonly metric: string;
  readonly direction: 'min' | 'max';
}

/** Words in the last part of a name by which larger is better. */
const larger =
  /(?:^|[^a-z])(?:accuracy|acc|precision|recall|sensitivity|specificity|f1|auc|auroc|r2|score|iou|dice|bleu|rouge|reward|top[0-9]*)(?:$|[^a-z])/i;

/** Parts of `topOneAccuracy`, `binary_accuracy` are words. */
const wordsOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1).replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ');

/** `min:` or `max:` before the name decides. */
export function parseCriterion(text: string): Criterion {
  const [, given, metric = ''] = /^(?:(min|max):)?(.*)$/s.exec(text) ?? [];
  const direction = given === 'min' || given === 'max' ? given : larger.test(wordsOf(metric)) ? 'max' : 'min';
  return { metric, direction };
}

export const criterionToString = ({ metric, direction }: Criterion): string => `${direction}:${metric}`;

/** Whether `value` is better than the best so far, if there is one. */
export function isBetter({ direction }: Criterion, value: number, best: number | undefined): boolean {
  if (Number.isNaN(value)) return false;
  return best === undefined || Number.isNaN(best) || (direction === 'min' ? value < best : value > best);
}
