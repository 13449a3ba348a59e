// How well conditioned a case is. In: an entry, what is fed, what variables are, how many steps. Out: by result, how far it moves when what
// goes in is rounded a little otherwise, relative to its largest element.
// Holds: what moves by roundings of its inputs alone moves as much by those of what lies between, so no closer agreement can be asked for.

import { isFloat } from '../../src/base/index.js';
import type { TensorValue } from '../../src/ops/index.js';
import { generator } from '../passes/make.js';
import type { Results } from './agree.js';

type Values = ReadonlyMap<string, TensorValue>;

const rounds = 12;

/** `results` computes those of the last step. `unit`: half a unit in the last place, relative. */
export function movements(
  feeds: Values,
  variables: Values,
  unit: number,
  results: (feeds: Values, variables: Values) => Results,
): Map<string, number> {
  const next = generator(71);
  const moved = (values: Values): Values =>
    new Map(
      [...values].map(([name, value]) => {
        if (!isFloat(value.dtype)) return [name, value] as const;
        return [name, { ...value, data: (value.data as Float64Array).map((one) => one * (1 + unit * (2 * next() - 1))) }] as const;
      }),
    );
  const still = results(feeds, variables);
  const most = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, { dtype, data }] of results(moved(feeds), moved(variables))) {
      const before = still.get(name);
      if (before === undefined || !isFloat(dtype)) continue;
      const scale = (before.data as Float64Array).reduce((largest, one) => Math.max(largest, Number.isFinite(one) ? Math.abs(one) : 0), 1);
      for (const [at, one] of (data as Float64Array).entries()) {
        const by = Math.abs(one - Number(before.data[at])) / scale;
        if (by > (most.get(name) ?? 0)) most.set(name, by);
      }
    }
  }
  return most;
}
