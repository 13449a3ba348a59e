// Kernels for GPUs, from graphs to the emulated device. In: every op's samples. Out: what the meaning says. Holds: graph interpreter ≈
// kernel interpreter with the lanes of a block ≈ the device.

import { describe, expect, it } from 'vitest';
import { buildModule } from '../../codegen/cuda/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import { cudaTarget } from '../../src/target/index.js';
import type { Program } from '../../src/kernel/index.js';
import { CaseMake, type ChainOptions, type GraphCase, runGraphs } from '../chain/graphs.js';
import { tensorValue, type TensorValue } from '../../src/ops/index.js';
import { runOnDevice } from './device-program.js';

const target = cudaTarget();
const device: ChainOptions['device'] = (programs: readonly Program[]) => {
  const module = buildModule(programs, target);
  return (which, dims) => (inputs) => runOnDevice(module, which, { ...inputs, dims });
};

const ramp = (name: string, shape: readonly number[]): TensorValue =>
  tensorValue(
    'f32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at + name.length) * 2),
  );

const cases: GraphCase[] = [];
function add(name: string, sizes: readonly Readonly<Record<string, number>>[], build: (make: CaseMake) => TensorNode): void {
  const make = new CaseMake(name);
  cases.push({ name, make, entry: make.entry([build(make)]), sizes, value: (feed, _, shape) => ramp(feed, shape) });
}
add('elementwise', [{ N: 0 }, { N: 1 }, { N: 3000 }], (make) => make.op('exp', [make.feed('x', ['N', 3])]));
add('rows', [{ N: 3 }], (make) => make.op('reduceSum', [make.feed('x', ['N', 700])], { axes: [1] }));
add('columns', [{ N: 300 }], (make) => make.op('reduceSum', [make.feed('x', ['N', 300])], { axes: [0] }));
add('all', [{ N: 5000 }], (make) => make.op('reduceSum', [make.feed('x', ['N'])], { axes: [0] }));
add('product', [{ N: 19 }], (make) => make.op('matmul', [make.feed('x', ['N', 40]), make.feed('w', [40, 300])]));

describe('the device', () => {
  it.each(cases)('computes $name', (one) => {
    expect(runGraphs([one], { target, device, native: false })).toEqual([]);
  });
});
