// The f64 functions on the emulated device give the very bits that exact machine arithmetic gives. In: pairs of f64 of all exponents, and
// where functions are busy.

import { describe, expect, it } from 'vitest';
import { buildModule } from '../../codegen/cuda/index.js';
import { Dim } from '../../src/base/index.js';
import { build as ir, type Kernel, machineOps, ownCode, type Program } from '../../src/kernel/index.js';
import { expandScalars, vectorize } from '../../src/lower/index.js';
import { libmExpansions, type LibmName, tensorValue } from '../../src/ops/index.js';
import { cudaTarget } from '../../src/target/index.js';
import { compile } from '../ops/machine.js';
import { runOnDevice } from './device-program.js';

const target = cudaTarget();
const names = Object.keys(libmExpansions) as LibmName[];
const params = ['x', 'y'];
const count = 600;

/** out[i] = f(x[i], y[i]) over N elements. */
function programOf(name: LibmName, libm = false): Program {
  const size = Dim.of('N');
  const feeds = params.map((param, index) => ir.buffer(param, 'f64', [size], { kind: 'feed', index }));
  const output = ir.buffer('out', 'f64', [size], { kind: 'output', index: 0 });
  const at = [ir.index('i')];
  const value = ir.apply(name, 'f64', ...feeds.slice(0, machineOps[name].arity).map((feed) => ir.load(feed, at)));
  const kernel: Kernel = {
    name,
    title: name,
    origins: [],
    cost: { bytesRead: Dim.zero, bytesWritten: Dim.zero, flops: Dim.zero },
    ...ownCode([
      { kind: 'for', index: 'i', extent: ir.size(size), axis: 'vector', body: [{ kind: 'store', buffer: output, index: at, value }] },
    ]),
  };
  const program: Program = {
    entry: name,
    dims: ['N'],
    buffers: [...feeds, output],
    kernels: [kernel],
    arena: { slots: [], slotOf: new Map() },
  };
  return vectorize(expandScalars(program, { libm }), target);
}

const bits = new BigInt64Array(count * 2);
const values = new Float64Array(bits.buffer);
let state = 88172645463325252n;
for (let at = 0; at < count * 2; at++) {
  state = BigInt.asUintN(64, state ^ (state << 13n));
  state ^= state >> 7n;
  state = BigInt.asUintN(64, state ^ (state << 17n));
  // A third anywhere, the others where functions are busy.
  if (at % 3 === 0) bits[at] = BigInt.asIntN(64, state);
  else values[at] = (Number(BigInt.asIntN(64, state)) / 2 ** 63) * (at % 3 === 1 ? 2 : 700);
}
const [xs, ys] = [values.subarray(0, count), values.subarray(count)];

describe('f64 functions on the device', () => {
  it.each(names)('%s', (name) => {
    const program = programOf(name);
    const module = buildModule([program], target);
    const feeds = [xs, ys].map((data) => tensorValue('f64', [count], data));
    const { outputs } = runOnDevice(module, 0, { feeds, dims: new Map([['N', count]]) });
    const used = params.slice(0, machineOps[name].arity);
    const exact = compile(libmExpansions[name](...used.map((param) => ir.name(param, 'f64'))), used);
    for (let at = 0; at < count; at++) {
      const [x, y] = [xs[at] as number, ys[at] as number];
      const [got, expected] = [outputs[0]?.data[at], exact(x, y)];
      if (!Object.is(got, expected)) expect(got, `${name}(${x}, ${y})`).toBe(expected);
    }
  });

  it('takes no call of libm', () => {
    expect(() => buildModule([programOf('libm_exp', true)], target)).toThrow('a call of exp where there is no libm');
  });
});
