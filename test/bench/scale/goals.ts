// What compiling deep models may cost. In: tfc's figures of all models. Out: the goals of each, and whether they are met. Holds: a goal
// whose models were not measured is not among them.

import type { Family, ScaleModel } from './models.js';

/** What a goal may be about. */
interface Costs {
  readonly processorSeconds: number;
  readonly artifactBytes: number;
}

export interface Goal {
  /** Name of the model. */
  readonly model: string;
  readonly of: keyof Costs;
  readonly at: number;
  /** What it may be. */
  readonly least: number;
  readonly most: number;
  readonly words: string;
  readonly met: boolean;
}

export interface CostsOf {
  readonly model: ScaleModel;
  readonly costs: Costs;
}

/** `than`: a depth whose figure is the unit of `most`. */
interface Wish {
  readonly family: Family;
  readonly depth: number;
  readonly of: keyof Costs;
  readonly most: number;
  readonly than?: number;
}

const wishes: readonly Wish[] = [
  { family: 'perceptron', depth: 64, of: 'processorSeconds', most: 1.5, than: 4 },
  { family: 'perceptron', depth: 64, of: 'artifactBytes', most: 1.3, than: 4 },
  { family: 'perceptron', depth: 512, of: 'processorSeconds', most: 6 },
  { family: 'gpt', depth: 12, of: 'processorSeconds', most: 3 },
  { family: 'gpt', depth: 12, of: 'processorSeconds', most: 1.3, than: 2 },
  { family: 'realnvp', depth: 4, of: 'processorSeconds', most: 1.5 },
];

/** By which factor ways of writing one model may differ: clocks do from run to run, bytes by names alone. */
const alike: Costs = { processorSeconds: 1.15, artifactBytes: 1.05 };

export function goalsOf(all: readonly CostsOf[]): readonly Goal[] {
  const listed = (family: Family, depth: number): CostsOf | undefined =>
    all.find(({ model }) => model.family === family && model.depth === depth && model.writing === 'list');
  const goals: Goal[] = [];
  const add = ({ model, costs }: CostsOf, of: keyof Costs, [least, most]: readonly [number, number], than: CostsOf | undefined): void => {
    const unit = than === undefined ? 1 : than.costs[of];
    const at = costs[of] / unit;
    const compared = than === undefined ? ' s' : ` × ${than.model.name}`;
    const range = least > 0 ? `${least.toFixed(2)} to ${most}` : `at most ${most}`;
    const words = `${of === 'artifactBytes' ? 'artifact' : 'processor time'} ${range}${compared}`;
    goals.push({ model: model.name, of, at, least, most, words, met: least <= at && at <= most });
  };
  for (const { family, depth, of, most, than } of wishes) {
    const one = listed(family, depth);
    const other = than === undefined ? undefined : listed(family, than);
    if (one !== undefined && (than === undefined || other !== undefined)) add(one, of, [0, most], other);
  }
  for (const one of all) {
    const other = listed(one.model.family, one.model.depth);
    if (one.model.writing === 'list' || other === undefined) continue;
    for (const of of ['processorSeconds', 'artifactBytes'] as const) add(one, of, [1 / alike[of], alike[of]], other);
  }
  return goals;
}
