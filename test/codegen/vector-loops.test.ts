// Vector loops: tails of every length, strides, gathers, scatters, masks; symbolic sizes.

import { afterAll, describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { Dim } from '../../src/base/index.js';
import { type Buffer, build, type Expr, type Program } from '../../src/kernel/index.js';
import {
  accumulate,
  accumulator,
  allocate,
  apply,
  Bench,
  declare,
  define,
  f32,
  feed,
  index,
  int,
  kernel,
  list,
  load,
  loop,
  minus,
  name,
  numbers,
  output,
  plus,
  program,
  size,
  store,
  textOf,
  times,
  variable,
} from './harness.js';

const bench = new Bench();
afterAll(() => bench.close());

const targets = ['native', 'x86-64-v3', 'x86-64'] as const;
const fround = Math.fround;

describe.each(targets)('on %s', (cpu) => {
  const target = hostTarget(cpu);
  const lanes = target.vectorBytes / 4;

  it('computes elementwise for every length', () => {
    const [x, y, z] = [feed(0, 'f32', 'N'), feed(1, 'f32', 'N'), output(0, 'f32', 'N')];
    const i = index('i');
    const value = apply('fma', 'f32', load(x, [i]), load(y, [i]), f32(0.5));
    const artifact = bench.compile([program([kernel('k', [loop('vector', 'i', 'N', [store(z, [i], value)])])], [x, y, z], ['N'])], target);
    for (let n = 0; n <= 2 * lanes + 1; n++) {
      const [a, b] = [numbers(n, 1), numbers(n, 2)];
      const { outputs } = artifact.run({ feeds: [a, b], dims: { N: n } });
      // f64 holds the product and this sum exactly.
      expect(list(outputs[0])).toEqual(Array.from(a, (p, at) => fround(p * (b[at] ?? 0) + 0.5)));
    }
  });

  it('computes long chains of operations, in place and with a maximum, for every length', () => {
    const [x, y] = [variable(0, 'f32', 150), output(0, 'f32')];
    const [i, most] = [index('i'), accumulator('most', 'f32')];
    const steps = 13;
    let value: Expr = name('v', 'f32');
    for (let step = 0; step < steps; step++) value = apply('add', 'f32', apply('mul', 'f32', value, f32(0.75)), f32(step));
    const body = [
      declare(most, f32(-1)),
      loop('vector', 'i', 'N', [
        define('v', load(x, [i])),
        define('w', value),
        accumulate(most, [], 'max', name('w', 'f32')),
        store(x, [i], name('w', 'f32')),
      ]),
      store(y, [], build.read(most)),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, y], ['N'])], target);
    for (let n = 0; n <= 9 * lanes; n++) {
      const start = numbers(150, n);
      const expected = Array.from(start, (one, at) => {
        let v = one;
        for (let step = 0; step < steps && at < n; step++) v = fround(fround(v * 0.75) + step);
        return v;
      });
      const { outputs, variables } = artifact.run({ variables: [start], dims: { N: n } });
      expect(list(variables[0])).toEqual(expected);
      expect(list(outputs[0])).toEqual([Math.max(-1, ...expected.slice(0, n))]);
    }
  });

  it('computes elementwise for constant lengths', () => {
    const lengths = [1, lanes - 1, lanes, lanes + 1, 3 * lanes, 5 * lanes + 3];
    const programs = lengths.map((n) => {
      const [x, z] = [feed(0, 'f32', n), output(0, 'f32', n)];
      return program(
        [kernel('k', [loop('vector', 'i', n, [store(z, [index('i')], apply('mul', 'f32', load(x, [index('i')]), f32(3)))])])],
        [x, z],
      );
    });
    const artifact = bench.compile(programs, target);
    lengths.forEach((n, entry) => {
      const a = numbers(n, n);
      expect(list(artifact.run({ feeds: [a], entry }).outputs[0])).toEqual(Array.from(a, (p) => fround(p * 3)));
    });
  });

  it.each([-3, -1, 2, 3, 4, 7])('reads with stride %i', (stride) => {
    const length = Dim.of('N').mul(Math.abs(stride));
    const [x, z] = [feed(0, 'f32', length), output(0, 'f32', 'N')];
    const i = index('i');
    const start = stride < 0 ? minus(size(length), int(1)) : int(Math.abs(stride) - 1);
    const at = stride < 0 ? minus(start, times(i, int(-stride))) : plus(start, times(i, int(stride)));
    const artifact = bench.compile(
      [program([kernel('k', [loop('vector', 'i', 'N', [store(z, [i], load(x, [at]))])])], [x, z], ['N'])],
      target,
    );
    for (const n of [1, lanes, lanes + 3, 3 * lanes - 1]) {
      const a = numbers(n * Math.abs(stride), n);
      const first = stride < 0 ? a.length - 1 : stride - 1;
      expect(list(artifact.run({ feeds: [a], dims: { N: n } }).outputs[0])).toEqual(
        Array.from({ length: n }, (_, k) => a[first + k * stride]),
      );
    }
  });

  it.each([2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17])('reads the columns of %i wide rows for every length', (width) => {
    const i = index('i');
    const columns = Array.from({ length: width }, (_, at) => at);
    for (const dtype of ['f32', 'i32', 'u8'] as const) {
      const open = [feed(0, dtype, 'N', width), ...columns.map((at) => output(at, dtype, 'N'))] as const;
      const artifact = bench.compile(
        [
          program(
            [
              kernel('k', [
                loop(
                  'vector',
                  'i',
                  'N',
                  columns.map((at) => store(open[at + 1] ?? open[0], [i], load(open[0], [i, int(at)]))),
                ),
              ]),
            ],
            [...open],
            ['N'],
          ),
        ],
        target,
      );
      for (let n = 0; n <= 2 * lanes + 1; n++) {
        const a = allocate(dtype, n * width);
        numbers(n * width, n).forEach((value, at) => (a[at] = dtype === 'f32' ? value : at));
        const { outputs } = artifact.run({ feeds: [a], dims: { N: n } });
        columns.forEach((column) => expect(list(outputs[column])).toEqual(Array.from({ length: n }, (_, row) => a[row * width + column])));
      }
    }
    if (width > 2) {
      // The last element of each row is nobody's.
      const rows = 2 * lanes + 3;
      const apart: Buffer = { ...variable(0, 'f32', rows, width - 1), strides: [Dim.of(width), Dim.one] };
      const results = columns.slice(1).map((at) => output(at - 1, 'f32', rows));
      const read = program(
        [
          kernel('k', [
            loop(
              'vector',
              'i',
              rows,
              results.map((to, at) => store(to, [i], load(apart, [i, int(at)]))),
            ),
          ]),
        ],
        [apart, ...results],
      );
      const a = numbers(rows * width, 1).map((value, at) => (at % width === width - 1 ? NaN : value));
      const ran = bench.run(read, { variables: [a] }, target);
      results.forEach((_, column) =>
        expect(list(ran.outputs[column])).toEqual(Array.from({ length: rows }, (__, row) => a[row * width + column])),
      );
    }
    for (const n of [1, 3, lanes + 1, 3 * lanes - 1]) {
      const [x, z] = [feed(0, 'f32', n, width), output(0, 'f32', n)];
      const a = numbers(n * width, n);
      const ran = bench.run(
        program([kernel('k', [loop('vector', 'i', n, [store(z, [i], load(x, [i, int(width - 1)]))])])], [x, z]),
        { feeds: [a] },
        target,
      );
      expect(list(ran.outputs[0])).toEqual(Array.from({ length: n }, (_, row) => a[row * width + width - 1]));
    }
  });

  it('asks for memory, of this array or behind it, without touching it', () => {
    const [x, z] = [feed(0, 'f32', 'N'), output(0, 'f32', 'N')];
    const i = index('i');
    const ahead = plus(i, int(1 << 20));
    const body = [
      loop('vector', 'i', 'N', [
        { kind: 'fetch', to: 'read', buffer: x, index: [ahead] },
        { kind: 'fetch', to: 'write', buffer: z, index: [ahead] },
        store(z, [i], load(x, [i])),
      ]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, z], ['N'])], target);
    for (const n of [0, 1, lanes + 1, 4 * lanes]) {
      const a = numbers(n, n);
      expect(list(artifact.run({ feeds: [a], dims: { N: n } }).outputs[0])).toEqual([...a]);
    }
  });

  it('writes large results past the caches, where their vectors are whole and aligned', () => {
    const [x, z, last] = [feed(0, 'f32', 'N'), output(0, 'f32', 'N'), output(1, 'f32', 'N')];
    const i = index('i');
    const at = plus(times(index('p'), int(4096)), i);
    // The second result starts one element further on: its vectors are never whole.
    const stores = [
      store(z, [at], apply('mul', 'f32', load(x, [at]), f32(3))),
      store(last, [apply('rem', 'i64', plus(at, int(1)), size(Dim.of('N')))], load(x, [at])),
    ];
    const blocks = apply('div', 'i64', plus(size(Dim.of('N')), int(4095)), int(4096));
    const extent = apply('min', 'i64', int(4096), minus(size(Dim.of('N')), times(index('p'), int(4096))));
    const text = program([kernel('k', [loop('parallel', 'p', blocks, [loop('vector', 'i', extent, stores)])])], [x, z, last], ['N']);
    expect(textOf([text], target, 'asm').match(/movntps/g)).toHaveLength(1);
    const artifact = bench.compile([text], target);
    // Memory ends with a page: a length that is no multiple of a vector's starts where no vector may.
    for (const n of [2 ** 23, 2 ** 23 + 1, 2 ** 23 + 48]) {
      const a = numbers(n, 1);
      const { outputs } = artifact.run({ feeds: [a], dims: { N: n } });
      const [tripled, moved] = outputs as [Float32Array, Float32Array];
      expect(a.findIndex((value, k) => tripled[k] !== fround(value * 3) || moved[(k + 1) % n] !== value)).toBe(-1);
    }
  });

  it('turns squares: copies for every lane read what lies together in rows of their own', () => {
    const [i, c] = [index('i'), index('c')];
    for (const dtype of ['f32', 'f64', 'u8'] as const) {
      const most = dtype === 'f64' ? lanes / 2 : lanes;
      for (const count of [2, 3, most]) {
        for (const [width, first] of [
          [count, 0],
          [count + 21, 5],
        ] as const) {
          const copies = (n: number | 'N'): Program => {
            const [x, z] = [feed(0, dtype, n, width), output(0, dtype, count, n)];
            return program(
              [kernel('k', [loop('vector', 'i', n, [loop('unroll', 'c', count, [store(z, [c, i], load(x, [i, plus(c, int(first))]))])])])],
              [x, z],
              n === 'N' ? ['N'] : [],
            );
          };
          const lengths = [1, most - 1, most, 2 * most + 1];
          const turned = bench.compile([copies('N'), ...lengths.map(copies)], target);
          for (const [at, n] of lengths.entries()) {
            const a = allocate(dtype, n * width);
            numbers(n * width, n).forEach((value, k) => (a[k] = dtype === 'u8' ? k : value));
            const expected = Array.from({ length: count * n }, (_, k) => a[(k % n) * width + first + Math.floor(k / n)]);
            expect(list(turned.run({ feeds: [a], dims: { N: n } }).outputs[0])).toEqual(expected);
            expect(list(turned.run({ feeds: [a], entry: at + 1 }).outputs[0])).toEqual(expected);
          }
        }
      }
    }
  });

  it('transposes: a symbolic stride to read, and to write', () => {
    const [x, y, z] = [feed(0, 'f32', 'M', 'N'), output(0, 'f32', 'N', 'M'), output(1, 'f32', 'N', 'M')];
    const [i, j] = [index('i'), index('j')];
    const body = [
      loop('serial', 'j', 'N', [loop('vector', 'i', 'M', [store(y, [j, i], load(x, [i, j]))])]),
      loop('serial', 'p', 'M', [loop('vector', 'q', 'N', [store(z, [index('q'), index('p')], load(x, [index('p'), index('q')]))])]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, y, z], ['M', 'N'])], target);
    for (const [m, n] of [
      [1, 1],
      [lanes, lanes],
      [lanes + 2, 3],
      [3, 2 * lanes + 5],
      [0, 4],
    ] as const) {
      const a = numbers(m * n, m + n);
      const expected = Array.from({ length: m * n }, (_, at) => a[(at % m) * n + Math.floor(at / m)]);
      const { outputs } = artifact.run({ feeds: [a], dims: { M: m, N: n } });
      expect(list(outputs[0])).toEqual(expected);
      expect(list(outputs[1])).toEqual(expected);
    }
  });

  it('gathers rows and scatters elements by index', () => {
    const [table, ids, rows, spread] = [feed(0, 'f32', 'R', 3), feed(1, 'i32', 'N'), output(0, 'f32', 'N', 3), output(1, 'f32', 'N')];
    const [i, j] = [index('i'), index('j')];
    const row = (at: typeof i) => apply('convert', 'i64', load(ids, [at]));
    const body = [
      loop('vector', 'i', 'N', [loop('unroll', 'j', 3, [store(rows, [i, j], load(table, [row(i), j]))])]),
      loop('vector', 'k', 'N', [
        store(
          spread,
          [apply('rem', 'i64', times(index('k'), int(7)), size(Dim.of('N')))],
          apply('convert', 'f32', apply('convert', 'i32', index('k'))),
        ),
      ]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [table, ids, rows, spread], ['R', 'N'])], target);
    for (const n of [1, 5, lanes + 1, 2 * lanes + 4]) {
      const data = numbers(3 * 11, 4);
      const chosen = Int32Array.from({ length: n }, (_, at) => (at * 5 + 3) % 11);
      const { outputs } = artifact.run({ feeds: [data, chosen], dims: { R: 11, N: n } });
      expect(list(outputs[0])).toEqual(Array.from({ length: 3 * n }, (_, at) => data[(chosen[Math.floor(at / 3)] ?? 0) * 3 + (at % 3)]));
      const expected = new Array<number>(n).fill(0);
      for (let k = 0; k < n; k++) expected[(7 * k) % n] = k;
      expect(list(outputs[1])).toEqual(expected);
    }
  });

  it('recognises a flattened walk over rows as contiguous', () => {
    const [x, z] = [feed(0, 'f32', 'M', 'N'), output(0, 'f32', 'M', 'N')];
    const i = index('i');
    const at = [apply('div', 'i64', i, size(Dim.of('N'))), apply('rem', 'i64', i, size(Dim.of('N')))];
    const body = [loop('vector', 'i', Dim.of('M').mul(Dim.of('N')), [store(z, at, apply('neg', 'f32', load(x, at)))])];
    const artifact = bench.compile([program([kernel('k', body)], [x, z], ['M', 'N'])], target);
    const a = numbers(7 * 9, 3);
    expect(list(artifact.run({ feeds: [a], dims: { M: 7, N: 9 } }).outputs[0])).toEqual(Array.from(a, (p) => -p));
  });
});
