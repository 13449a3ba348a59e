// Kernels for GPUs, from graphs to the emulated device. In: every op's samples. Out: what the meaning says. Holds: graph interpreter ≈
// kernel interpreter with the lanes of a block ≈ the device.

import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/base/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import { CaseMake, type GraphCase, runGraphs } from '../chain/graphs.js';
import { opForms, valueCase } from '../chain/op-cases.js';
import { scalarNames, scalarTable, tensorValue, type TensorValue } from '../../src/ops/index.js';

import { device, target } from './device-chain.js';

const ramp = (name: string, shape: readonly number[], dtype: DType): TensorValue =>
  tensorValue(
    dtype,
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at + name.length) * 2),
  );

const cases: GraphCase[] = [];
function add(name: string, sizes: readonly Readonly<Record<string, number>>[], build: (make: CaseMake) => TensorNode): void {
  const make = new CaseMake(name);
  cases.push({ name, make, entry: make.entry([build(make)]), sizes, value: (feed, { dtype }, shape) => ramp(feed, shape, dtype) });
}
add('elementwise', [{ N: 0 }, { N: 1 }, { N: 3000 }], (make) => make.op('exp', [make.feed('x', ['N', 3])]));
add('rows', [{ N: 3 }], (make) => make.op('reduceSum', [make.feed('x', ['N', 700])], { axes: [1] }));
add('short rows', [{ N: 0 }, { N: 1 }, { N: 8 }, { N: 21 }], (make) => {
  const x = make.feed('x', ['N', 40]);
  const most = make.broadcast(make.op('reduceMax', [x], { axes: [1] }), ['N', 40], [0]);
  const all = make.op('exp', [make.op('sub', [x, most])]);
  return make.op('div', [all, make.broadcast(make.sum(all, 1), ['N', 40], [0])]);
});
add('rows of a few in f64', [{ N: 21 }], (make) => make.sum(make.feed('x', ['N', 3, 2], 'f64'), 1, 2));
add('columns', [{ N: 300 }], (make) => make.op('reduceSum', [make.feed('x', ['N', 300])], { axes: [0] }));
add('all', [{ N: 5000 }], (make) => make.op('reduceSum', [make.feed('x', ['N'])], { axes: [0] }));
add('product', [{ N: 19 }], (make) => make.op('matmul', [make.feed('x', ['N', 40]), make.feed('w', [40, 300])]));

/** What functions of f64 take: points where they are smooth, and all that is extreme. */
const extremes = [0, -0, 1, -1, 0.5, 1e-300, 5e-324, 20, -20, 700, -700, 1e5, -1e15, 1e22, 1e300, 1e308, Infinity, -Infinity, NaN];
function doubles(domain: readonly (readonly [number, number])[], argument: number, count: number): TensorValue {
  const pairs = count === extremes.length ** 2;
  const [low, high] = domain[argument] ?? [0, 1];
  const at = (index: number): number =>
    pairs
      ? (extremes[argument === 0 ? index % extremes.length : Math.floor(index / extremes.length)] as number)
      : low + ((high - low) * ((index * (argument + 1)) % count)) / count;
  return tensorValue(
    'f64',
    [count],
    Array.from({ length: count }, (_, index) => at(index)),
  );
}
for (const name of scalarNames) {
  const { takes, result, arity, domain } = scalarTable[name];
  if (takes === 'bool' || takes === 'any' || result !== 'same' || arity > 2) continue;
  const make = new CaseMake(`${name} of f64`);
  const args = Array.from({ length: arity }, (_, at) => make.feed(String(at), ['N'], 'f64'));
  cases.push({
    name: `${name} of f64`,
    make,
    entry: make.entry([make.op(name, args)]),
    sizes: [{ N: 200 }, { N: extremes.length ** 2 }],
    value: (feed, _, [count]) => doubles(domain, Number(feed), count ?? 0),
    tolerance: () => 4e-15,
  });
}

/** One form of each op: all of them are tried by `programs.long.test.ts`. */
const forms = [...new Map(opForms().flatMap((form, at) => (form.quick ? [[form.op.name, valueCase(form, at)] as const] : []))).entries()];

describe('the device', () => {
  it.each(cases)('computes $name', (one) => {
    expect(runGraphs([one], { target, device, native: false })).toEqual([]);
  });

  it.each(forms)('computes a form of %s', (_, one) => {
    expect(runGraphs([one], { target, device, native: false, ends: true })).toEqual([]);
  });
});
