// Random programs as cases for the chain. In: a seed, how many statements. Out: a case whose derivatives both modes agree on; the first
// difference from finite differences, as text.
// Holds: f64 throughout. Where a step crosses a tie of a maximum, a smaller one does not.

import { isFloat } from '../../src/base/index.js';
import { evaluateEntry } from '../../src/eval/index.js';
import type { Entry } from '../../src/graph/index.js';
import { tabulate, type TensorValue } from '../../src/ops/index.js';
import { differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { moduleOf } from '../check/support.js';
import { generator } from '../passes/make.js';
import type { GraphCase } from './graphs.js';
import { fed, functions, randomProgram } from './random-programs.js';

/** Places of the results: the total, a gradient per argument, its product with the direction, the same forwards. */
const back = 1 + fed.length;
const forward = back + 1;

export function programCase(seed: number, count: number): GraphCase {
  const name = `program_${seed}`;
  return { ...textCase(name, functions + randomProgram(name, seed, count), seed), equal: [back, forward] };
}

/** The one entry of a text, whose feeds are f64. */
export function textCase(name: string, text: string, seed = 1): GraphCase {
  const { module, result } = moduleOf(text);
  const { entries } = Pipeline.of(differentiate).then(strip).run(module, { build: result.build }).output;
  return {
    name,
    make: { build: result.build, variables: [], prefix: name },
    entry: entries[0] as Entry,
    sizes: [{}],
    simplified: true,
    tolerance: (_, dtype) => (dtype === 'f64' ? 1e-9 : 0),
    value: (feed, { dtype }, shape) => {
      const next = generator(seed * 31 + [...feed].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 0));
      // Away from 0, where conditions change.
      return tabulate(dtype, shape, () => {
        const value = 2 * next() - 1;
        return isFloat(dtype) ? value + Math.sign(value) * 0.2 : 1 + Math.floor(2 * next());
      });
    },
  };
}

/** What differs between the slope along the direction and that by differences; undefined when nothing does. */
export function slopeDifference({ entry, value }: GraphCase): string | undefined {
  const feeds = new Map(
    entry.feeds.map(
      ({ name, type }) =>
        [
          name,
          value(
            name,
            type,
            type.shape.map((dim) => dim.constant ?? Number.NaN),
          ),
        ] as const,
    ),
  );
  const moved = (step: number): Map<string, TensorValue> =>
    new Map(
      [...feeds].map(([name, at]) => {
        const direction = fed.some((one) => one.text === name) ? feeds.get(`d${name}`) : undefined;
        const data = Float64Array.from([...at.data].map(Number), (element, index) => element + step * Number(direction?.data[index] ?? 0));
        return [name, { ...at, data }] as const;
      }),
    );
  const results = (step: number): number[] =>
    evaluateEntry(entry, { feeds: moved(step), variables: new Map(), dims: new Map() }).outputs.map(({ data }) => Number(data[0]));
  const slope = results(0)[back] as number;
  const central = (step: number): number => ((results(step)[0] as number) - (results(-step)[0] as number)) / (2 * step);
  let found = Number.NaN;
  for (const step of [1e-3, 1e-4, 1e-5]) {
    // Richardson's extrapolation: the error falls with the fourth power of the step.
    found = (4 * central(step / 2) - central(step)) / 3;
    if (Math.abs(found - slope) <= 3e-6 * Math.max(1, Math.abs(slope))) return undefined;
  }
  return `the slope is ${slope}, by differences ${found}`;
}
