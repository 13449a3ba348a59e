// The f32 expansions on the CPU give the very bits that exact machine arithmetic gives, in vector code and in its tail.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import { build as ir, type Kernel, ownCode, type Program } from '../../src/kernel/index.js';
import { expandScalars } from '../../src/lower/index.js';
import { expansions, type ScalarName, scalarNames, scalarTable } from '../../src/ops/index.js';
import { type Artifact, Bench } from '../codegen/harness.js';
import { compile } from './machine.js';

const names = scalarNames.filter(
  (name) =>
    scalarTable[name].takes !== 'bool' &&
    scalarTable[name].takes !== 'any' &&
    scalarTable[name].result === 'same' &&
    scalarTable[name].arity < 3,
);
const params = ['x', 'y'];

/** One entry per function: out[i] = f(x[i], y[i]) over N elements. */
function programOf(name: ScalarName): Program {
  const row = scalarTable[name];
  const size = Dim.of('N');
  const feeds = params.map((param, index) => ir.buffer(param, 'f32', [size], { kind: 'feed', index }));
  const output = ir.buffer('out', 'f32', [size], { kind: 'output', index: 0 });
  const at = [ir.index('i')];
  const kernel: Kernel = {
    name: `k_${name}`,
    title: name,
    origins: [],
    cost: { bytesRead: Dim.zero, bytesWritten: Dim.zero, flops: Dim.zero },
    ...ownCode([
      {
        kind: 'for',
        index: 'i',
        extent: ir.size(size),
        axis: 'vector',
        body: [
          {
            kind: 'store',
            buffer: output,
            index: at,
            value: ir.apply(row.kernel, 'f32', ...feeds.slice(0, row.arity).map((feed) => ir.load(feed, at))),
          },
        ],
      },
    ]),
  };
  return expandScalars(
    {
      entry: name,
      dims: ['N'],
      buffers: [...feeds, output],
      kernels: [kernel],
      arena: { slots: [], slotOf: new Map() },
    },
    { libm: true },
  );
}

const count = 20_003;
const [xs, ys] = [new Float32Array(count), new Float32Array(count)];
const bits = [new Int32Array(xs.buffer), new Int32Array(ys.buffer)] as const;
let state = 99;
const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) | 0);
for (let at = 0; at < count; at++) {
  // A third anywhere, the others where functions are busy.
  bits[0][at] = next();
  bits[1][at] = next();
  if (at % 3 > 0) [xs[at], ys[at]] = [(next() / 2147483648) * (at % 3 === 1 ? 2 : 100), (next() / 2147483648) * 10];
}
xs.set([0, -0, Infinity, -Infinity, NaN, 1, -1]);

describe('f32 expansions on the CPU', () => {
  let bench: Bench;
  let artifact: Artifact;
  beforeAll(() => {
    bench = new Bench();
    artifact = bench.compile(names.map(programOf));
  });
  afterAll(() => {
    bench.close();
  });

  it.each(names)('%s', (name) => {
    const entry = names.indexOf(name);
    const { outputs, seconds } = artifact.run({
      feeds: [xs, ys],
      dims: { N: count },
      entry,
      ...(process.env['TFC_ULP'] ? { repeat: 2000 } : {}),
    });
    if (process.env['TFC_ULP']) console.log(name, (count / seconds / 1e9).toFixed(2), 'G/s', seconds);
    const used = params.slice(0, scalarTable[name].arity);
    const exact = compile(expansions[name]('f32', ...used.map((param) => ir.name(param, 'f32'))), used);
    const got = outputs[0] as Float32Array;
    for (let at = 0; at < count; at++) {
      const [x, y] = [xs[at] as number, ys[at] as number];
      const expected = exact(x, y);
      if (!Object.is(got[at], expected)) expect(got[at], `${name}(${x}, ${y})`).toBe(expected);
    }
  });
});
