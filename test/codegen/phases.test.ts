// Kernels that run at the same time. In: which memory kernels touch; programs of several kernels. Out: phases, and the same bits in any
// number of shares.

import { afterAll, describe, expect, it } from 'vitest';
import { type Phase, phasesOf, type Touching } from '../../codegen/analysis/phases.js';
import { Dim } from '../../src/base/index.js';
import type { Buffer, Kernel } from '../../src/kernel/index.js';
import {
  apply,
  Bench,
  dim,
  f32,
  feed,
  index,
  int,
  kernel,
  load,
  loop,
  numbers,
  output,
  program,
  store,
  size as sizeOf,
  temporary,
} from './harness.js';

const bench = new Bench();
afterAll(() => bench.close());

interface Sketch {
  readonly name: string;
  readonly cut: boolean;
  readonly memory: Touching['memory'];
}

/** `cut a: x y > z` is a kernel that several threads share, reads x and y and writes z; `whole` ones are not cut. */
function sketch(text: string): Sketch {
  const [, how, name, reads, writes] = /^(\w+) (\w+): ([\w ]*)>([\w ]*)$/.exec(text) ?? [];
  const memory = (list: string | undefined, written: boolean): Touching['memory'] =>
    (list ?? '')
      .split(' ')
      .filter((key) => key !== '')
      .map((key) => ({ key, written }));
  return { name: name ?? '', cut: how === 'cut', memory: [...memory(reads, false), ...memory(writes, true)] };
}

const shown = (phase: Phase<Sketch>): string =>
  phase.map(({ kernel: { name }, strand }) => (strand === undefined ? name : `${name}${strand}`)).join(' ');
const phases = (...texts: string[]): string =>
  phasesOf(
    texts.map(sketch),
    (kernel) => kernel.cut,
    ({ name }) => (name.startsWith('large') ? 9 : 1),
  )
    .phases.map(shown)
    .join(' | ');

describe('phases', () => {
  it('end where a shared kernel depends on another', () => {
    expect(phases('cut a: x > y', 'cut b: y > z')).toBe('a | b');
    expect(phases('cut a: x > y', 'cut b: x > z')).toBe('a b');
    expect(phases('cut a: x > y', 'cut b: z > x')).toBe('a | b');
    expect(phases('cut a: x > y', 'cut b: z > y')).toBe('a | b');
    expect(phases('cut a: x > y', 'whole b: y > z')).toBe('a | b0');
    expect(phases('whole a: x > y', 'cut b: y > z')).toBe('a0 | b');
  });

  it('take kernels that are not cut into strands, in which they follow each other', () => {
    expect(phases('whole a: x > y', 'whole b: y > z', 'whole c: u > v', 'cut d: u > w')).toBe('a0 b0 c1 d');
    expect(phases('whole a: x > y', 'whole b: u > v', 'whole c: y v > z', 'whole d: z > q')).toBe('a0 b1 | c0 d0');
    expect(phases('whole a: x > y', 'cut b: u > v', 'whole c: y v > z')).toBe('a0 b | c0');
  });

  it('number strands from the one with most work on', () => {
    expect(phases('whole a: x > y', 'whole large: u > v', 'whole b: y > z', 'whole c: w > q')).toBe('a1 large0 b1 c2');
  });

  it('begin as early as what they need is there', () => {
    expect(phases('cut a: x > y', 'cut b: y > z', 'cut c: x > w', 'whole d: w > q')).toBe('a c | b d0');
  });
});

describe('shares', () => {
  const rows = 'N';
  const size = 300;
  const grid = (
    of: Buffer,
    value: (at: readonly [ReturnType<typeof index>, ReturnType<typeof index>]) => ReturnType<typeof load>,
  ): ReturnType<typeof loop> =>
    loop('parallel', 'i', rows, [loop('vector', 'j', size, [store(of, [index('i'), index('j')], value([index('i'), index('j')]))])]);

  /** b = 2a; c = a + 1; d = b of the rows from the end; first = d[0, 0]; e = c + d * first */
  const chain = () => {
    const shape = [rows, size] as const;
    const [a, e] = [feed(0, 'f32', ...shape), output(0, 'f32', ...shape)];
    const [b, c, d] = ['b', 'c', 'd'].map((name) => temporary(name, 'f32', ...shape)) as [Buffer, Buffer, Buffer];
    const first = temporary('first', 'f32', 1);
    const work = dim(rows).mul(size * 12);
    const last = apply('sub', 'i64', sizeOf(dim(rows).add(Dim.of(-1))), index('i'));
    const kernels: Kernel[] = [
      kernel('double', [grid(b, (at) => apply('mul', 'f32', load(a, at), f32(2)))], work),
      kernel('more', [grid(c, (at) => apply('add', 'f32', load(a, at), f32(1)))], work),
      kernel('turn', [grid(d, ([, j]) => load(b, [last, j]))], work),
      kernel('first', [store(first, [int(0)], load(d, [int(0), int(0)]))]),
      kernel('join', [grid(e, (at) => apply('add', 'f32', load(c, at), apply('mul', 'f32', load(d, at), load(first, [int(0)]))))], work),
    ];
    return program(kernels, [a, e, b, c, d, first], [rows]);
  };

  it('give the same bits, however many there are', () => {
    const artifact = bench.compile([chain()]);
    for (const n of [200, 1, 0]) {
      const a = numbers(n * size, 3);
      const alone = artifact.run({ feeds: [a], dims: { N: n } });
      const at = (i: number, j: number): number => a[i * size + j] ?? NaN;
      const expected = Float32Array.from(a, (value, k) =>
        Math.fround(Math.fround(value + 1) + Math.fround(2 * at(n - 1 - Math.floor(k / size), k % size) * (2 * at(n - 1, 0)))),
      );
      const most = Math.max(0, ...Array.from(expected, (value, k) => Math.abs(value - ((alone.outputs[0] as Float32Array)[k] ?? NaN))));
      expect(most).toBeLessThan(1e-5);
      for (const shares of [1, 2, 3, 7, 300]) {
        const shared = artifact.run({ feeds: [a], dims: { N: n }, shares });
        expect(shared.outputs[0]).toEqual(alone.outputs[0]);
        expect(shared.phases).toBe(n === 200 ? 4 : 0);
      }
    }
  });
});
