// Programs as cases for the chain. In: a text, or a seed and how many statements. Out: a case, of which derivatives both modes agree; the
// first difference from finite differences, as text.
// Holds: floats are fed away from 0, where conditions change; variables start as the program says. Where a step of the differences crosses
// a corner, a smaller one does not.

import { type Dim, type DType, isFloat, isWide, roundTo } from '../../src/base/index.js';
import { evaluateNodes, initialValues } from '../../src/eval/index.js';
import type { Entry, TensorNode } from '../../src/graph/index.js';
import { tabulate, type TensorValue } from '../../src/ops/index.js';
import { differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { moduleOf } from '../check/support.js';
import { generator } from '../passes/make.js';
import type { GraphCase } from './graphs.js';
import { moved, type Program, slopeProgram } from './random/slopes.js';
import { type Training, trainingProgram } from './random/training.js';

/** A case that gives a scalar first, and its slope along a direction. */
export interface SlopeCase extends GraphCase {
  /** The result that is the slope in reverse mode, by position. */
  readonly back: number;
  /** What is moved (a feed, or a variable's path), and the feed that says where to. */
  readonly moved: ReadonlyMap<string, string>;
}

const batches = [{ B: 3 }, { B: 1 }];

/** A case of a random program; `text` is that of the program, or of a smaller one. */
export function slopeCase(seed: number, count: number, text = whole(slopeProgramOf(seed, count))): SlopeCase {
  const name = slopeName(seed);
  const net = `net_${name}`;
  const by = moved(net);
  const one = textCase(name, text, seed);
  // Params that start as ones, all alike, would lie on corners.
  const start = one.make.variables.map(({ path, type }) => [path, one.value(path, type, type.shape.map(numberOf))] as const);
  return {
    ...one,
    initial: new Map(start),
    sizes: batches,
    back: 1 + by.length,
    equal: [1 + by.length, 2 + by.length],
    moved: new Map(by.map((one) => [one.path ?? one.text, one.direction])),
  };
}

const numberOf = (dim: Dim): number => dim.constant ?? Number.NaN;
const slopeName = (seed: number): string => `slope_${seed}`;
const trainingName = (seed: number): string => `training_${seed}`;

export const slopeProgramOf = (seed: number, count: number): Program => slopeProgram(slopeName(seed), seed, count);
export const trainingProgramOf = (seed: number, count: number, float: Training): Program =>
  trainingProgram(trainingName(seed), seed, count, float);

const whole = ({ text, tail }: Program): string => text + tail;

/** A case of a random step, which runs three times on what it leaves behind. */
export function trainingCase(
  seed: number,
  count: number,
  training: Training,
  text = whole(trainingProgramOf(seed, count, training)),
): GraphCase {
  const name = trainingName(seed);
  return {
    ...textCase(name, text, seed),
    sizes: batches,
    steps: 3,
    tolerance: () => trainingTolerance[training],
    ...(training in units ? { unit: units[training] } : {}),
    ...(training === 'mixed' ? { meaningTolerance: () => 5e-2 } : {}),
  };
}

/** The one entry of a text. */
export function textCase(name: string, text: string, seed = 1): GraphCase {
  const { module, result } = moduleOf(text);
  const { entries, variables } = Pipeline.of(differentiate).then(strip).run(module, { build: result.build }).output;
  return {
    name,
    make: { build: result.build, variables, prefix: name },
    entry: entries[0] as Entry,
    initial: initialValues(module, BigInt(seed)),
    sizes: [{}],
    simplified: true,
    tolerance: (_, dtype) => (dtype === 'f64' ? 1e-9 : 0),
    value: (feed, { dtype }, shape) => {
      const next = generator(seed * 31 + [...feed].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 0));
      return tabulate(dtype, shape, () => fedTo(dtype, next));
    },
  };
}

/** Integers are 1 or 2. */
function fedTo(dtype: DType, next: () => number): number | bigint {
  if (dtype === 'bool') return Math.floor(2 * next());
  const value = 2 * next() - 1;
  if (isFloat(dtype)) return roundTo(dtype, value + Math.sign(value) * 0.2);
  const whole = 1 + Math.floor(2 * next());
  return isWide(dtype) ? BigInt(whole) : whole;
}

/** What differs between the slope along the direction and that by differences, for each size; undefined when nothing does. */
export function slopeDifference(one: SlopeCase): string | undefined {
  for (const sizes of one.sizes) {
    const found = slopeAt(one, new Map(Object.entries(sizes)));
    if (found !== undefined) return `${found} at ${JSON.stringify(sizes)}`;
  }
  return undefined;
}

function slopeAt({ entry, value, initial, back, moved: by }: SlopeCase, dims: ReadonlyMap<string, number>): string | undefined {
  const feeds = new Map(
    entry.feeds.map(({ name, type }): [string, TensorValue] => {
      const shape = type.shape.map((dim) => dim.evaluate(dims) ?? Number.NaN);
      return [name, value(name, type, shape)];
    }),
  );
  const shifted = (values: ReadonlyMap<string, TensorValue>, step: number): Map<string, TensorValue> =>
    new Map(
      [...values].map(([name, at]) => {
        const direction = feeds.get(by.get(name) ?? '');
        if (direction === undefined) return [name, at] as const;
        const data = Float64Array.from(at.data as Float64Array, (element, index) => element + step * Number(direction.data[index]));
        return [name, { ...at, data }] as const;
      }),
    );
  const result = (position: number, step: number): number => {
    const { node } = entry.outputs[position] as { readonly node: TensorNode };
    const [found] = evaluateNodes([node], { feeds: shifted(feeds, step), variables: shifted(initial ?? new Map(), step), dims });
    return Number(found?.data[0]);
  };
  if (entry.outputs[0]?.node.type.shape.length !== 0) throw new Error('the first result is no scalar');
  const slope = result(back, 0);
  const central = (step: number): number => (result(0, step) - result(0, -step)) / (2 * step);
  const agrees = (found: number): boolean => Math.abs(found - slope) <= 3e-6 * Math.max(1, Math.abs(slope));
  // Loops may make slopes steep, which only small steps follow.
  for (const step of [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10])
    // Richardson's extrapolation: the error falls with the fourth power of the step.
    if (agrees((4 * central(step / 2) - central(step)) / 3)) return undefined;
  // Slopes that turn within a millionth, of a large value: no single step is small enough and leaves enough digits.
  const found = extrapolated(central);
  return agrees(found) ? undefined : `the slope is ${slope}, by differences ${found}`;
}

/**
 * What central differences tend to as their step goes to 0: Ridders' method (C. J. F. Ridders, Accurate computation of F'(x) and
 * F'(x)F''(x), Advances in Engineering Software 4, 1982), from several first steps; the value whose neighbours in the table lie nearest.
 */
function extrapolated(central: (step: number) => number): number {
  const ratio = 1.6;
  let [best, error] = [Number.NaN, Infinity];
  for (const first of [1e-4, 1e-5, 1e-6, 1e-7, 1e-8]) {
    let before: number[] = [];
    for (let row = 0; row < 8; row++) {
      const values = [central(first / ratio ** row)];
      for (let order = 1; order <= row; order++) {
        const factor = ratio ** (2 * order);
        const [left, above] = [values[order - 1] as number, before[order - 1] as number];
        const value = (factor * left - above) / (factor - 1);
        const apart = Math.max(Math.abs(value - left), Math.abs(value - above));
        if (apart < error) [best, error] = [value, apart];
        values.push(value);
      }
      before = values;
    }
  }
  return best;
}

/** Half a unit in the last place; of `mixed` there is none. */
const units: Partial<Readonly<Record<Training, number>>> = { f32: 2 ** -24, f16: 2 ** -11, bf16: 2 ** -8 };

/** Rounding errors of some dozens of operations one behind the other, in three steps. */
const trainingTolerance: Readonly<Record<Training, number>> = { f64: 1e-9, mixed: 1e-9, f32: 2e-4, f16: 5e-2, bf16: 0.3 };
