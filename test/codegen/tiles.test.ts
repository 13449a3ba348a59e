// Register tiles and reductions over lanes: matrix products as the schedule writes them, sums, maxima, per-row softmax.

import { afterAll, describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { Dim } from '../../src/base/index.js';
import { build, type Program } from '../../src/kernel/index.js';
import {
  accumulate,
  accumulator,
  apply,
  Bench,
  constant,
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
  temporary,
  textOf,
  times,
} from './harness.js';

const bench = new Bench();
afterAll(() => bench.close());
const { read, smaller } = build;

/** c = a b + bias in tiles of rows × columns, with guards for what is left over at the edges. */
function product(m: number | string, n: number, k: number, rows: number, columns: number): Program {
  const [a, b, bias, c] = [feed(0, 'f32', m, k), feed(1, 'f32', k, n), feed(2, 'f32', n), output(0, 'f32', m, n)];
  const tile = accumulator('tile', 'f32', rows, columns);
  const blocksN = Math.ceil(n / columns);
  const M = size(Dim.of(m));
  const [i, j, p] = [index('i'), index('j'), index('p')];
  const [row0, column0] = [
    times(apply('div', 'i64', index('block'), int(blocksN)), int(rows)),
    times(apply('rem', 'i64', index('block'), int(blocksN)), int(columns)),
  ];
  const width = n % columns === 0 ? int(columns) : smaller(int(columns), minus(int(n), name('column0', 'i64')));
  const row = plus(name('row0', 'i64'), i);
  const guarded = typeof m === 'string' || m % rows !== 0;
  const safeRow = guarded ? apply('min', 'i64', row, minus(M, int(1))) : row;
  const column = plus(name('column0', 'i64'), j);
  const blocks = times(apply('div', 'i64', plus(M, int(rows - 1)), int(rows)), int(blocksN));
  return program(
    [
      kernel(
        'product',
        [
          loop('parallel', 'block', blocks, [
            define('row0', row0),
            define('column0', column0),
            declare(tile, f32(0)),
            loop('serial', 'p', k, [
              loop('unroll', 'i', rows, [
                loop(
                  'vector',
                  'j',
                  width,
                  [accumulate(tile, [i, j], 'sum', apply('mul', 'f32', load(a, [safeRow, p]), load(b, [p, column])))],
                  columns,
                ),
              ]),
            ]),
            loop('unroll', 'i2', rows, [
              {
                kind: 'if',
                condition: apply('lt', 'bool', plus(name('row0', 'i64'), index('i2')), M),
                then: [
                  loop(
                    'vector',
                    'j2',
                    width,
                    [
                      store(
                        c,
                        [plus(name('row0', 'i64'), index('i2')), plus(name('column0', 'i64'), index('j2'))],
                        apply(
                          'add',
                          'f32',
                          read(tile, [index('i2'), index('j2')]),
                          load(bias, [plus(name('column0', 'i64'), index('j2'))]),
                        ),
                      ),
                    ],
                    columns,
                  ),
                ],
              },
            ]),
          ]),
        ],
        Dim.of(m).mul(2 * n * k),
      ),
    ],
    [a, b, bias, c],
    typeof m === 'string' ? [m] : [],
  );
}

function expectedProduct(a: Float32Array, b: Float32Array, bias: Float32Array, m: number, n: number, k: number): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = bias[j] ?? 0;
    for (let p = 0; p < k; p++) sum += (a[i * k + p] ?? 0) * (b[p * n + j] ?? 0);
    return sum;
  });
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], relative: number): void {
  expect(actual.length).toBe(expected.length);
  for (let at = 0; at < expected.length; at++) {
    const [x, y] = [actual[at] ?? NaN, expected[at] ?? NaN];
    if (!Object.is(x, y) && !(Math.abs(x - y) <= relative * Math.max(1, Math.abs(y)))) expect.fail(`element ${at}: ${x} instead of ${y}`);
  }
}

describe.each(['native', 'x86-64-v3', 'x86-64'])('on %s', (cpu) => {
  const target = hostTarget(cpu);

  it.each([
    [8, 48, 4, 8, 48],
    [5, 48, 7, 8, 48],
    [9, 50, 3, 4, 32],
    [17, 100, 20, 8, 48],
    [3, 10, 5, 2, 16],
  ])('multiplies %i×%i over %i in tiles of %i×%i', (m, n, k, rows, columns) => {
    const artifact = bench.compile([product('M', n, k, rows, columns), product(m, n, k, rows, columns)], target);
    const [a, b, bias] = [numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3)];
    const expected = expectedProduct(a, b, bias, m, n, k);
    expectClose(artifact.run({ feeds: [a, b, bias], dims: { M: m }, entry: 0 }).outputs[0] as Float32Array, expected, 1e-5);
    expectClose(artifact.run({ feeds: [a, b, bias], entry: 1 }).outputs[0] as Float32Array, expected, 1e-5);
    expect(artifact.run({ feeds: [new Float32Array(0), b, bias], dims: { M: 0 }, entry: 0 }).outputs[0]?.length).toBe(0);
  });

  it('gives the same bits in shares and at once', () => {
    const artifact = bench.compile([product('M', 100, 64, 8, 48)], target);
    const feeds = [numbers(50 * 64, 1), numbers(6400, 2), numbers(100, 3)];
    const alone = artifact.run({ feeds, dims: { M: 50 } });
    expect(alone.phases).toBe(0);
    for (const shares of [1, 2, 3, 20]) {
      const shared = artifact.run({ feeds, dims: { M: 50 }, shares });
      expect(shared.phases).toBe(1);
      expect(shared.outputs[0]).toEqual(alone.outputs[0]);
    }
    // One row is too little work to wake anybody.
    expect(artifact.run({ feeds: [numbers(64, 1), ...feeds.slice(1)], dims: { M: 1 }, shares: 2 }).phases).toBe(0);
  });

  it('sums, multiplies and compares over lanes for every length', () => {
    const [x, z] = [feed(0, 'f32', 'N'), output(0, 'f32', 5)];
    const parts = ['sum', 'product', 'max', 'min'] as const;
    const starts = [0, 1, -Infinity, Infinity];
    const accumulators = parts.map((part) => accumulator(part, 'f32'));
    const body = [
      ...accumulators.map((acc, at) => declare(acc, f32(starts[at] ?? 0))),
      loop(
        'vector',
        'i',
        'N',
        accumulators.map((acc, at) =>
          accumulate(
            acc,
            [],
            parts[at] ?? 'sum',
            at === 1 ? apply('add', 'f32', f32(1), apply('mul', 'f32', f32(0.01), load(x, [index('i')]))) : load(x, [index('i')]),
          ),
        ),
      ),
      ...accumulators.map((acc, at) => store(z, [int(at)], read(acc))),
      store(z, [int(4)], f32(7)),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, z], ['N'])], target);
    const lanes = target.vectorBytes / 4;
    for (const n of [...Array.from({ length: 2 * lanes + 2 }, (_, at) => at), 4 * lanes, 4 * lanes + 1, 9 * lanes + 5]) {
      const a = numbers(n, n + 1);
      const [sum, total, most, least] = [
        a.reduce((s, v) => s + v, 0),
        a.reduce((s, v) => s * (1 + 0.01 * v), 1),
        Math.max(...a),
        Math.min(...a),
      ];
      expectClose(
        artifact.run({ feeds: [a], dims: { N: n } }).outputs[0] as Float32Array,
        [sum, total, most, least, 7].map((v) => v),
        (2e-5 * Math.max(1, n)) / 8 + 1e-5,
      );
      if (n > 0) {
        const result = artifact.run({ feeds: [a], dims: { N: n } }).outputs[0] as Float32Array;
        expect([result[2], result[3]]).toEqual([most, least]);
      }
    }
  });

  it('hands NaN on through max and min, wherever it stands', () => {
    const [x, z] = [feed(0, 'f32', 'N'), output(0, 'f32', 2)];
    const [most, least] = [accumulator('most', 'f32'), accumulator('least', 'f32')];
    const body = [
      declare(most, f32(-Infinity)),
      declare(least, f32(Infinity)),
      loop('vector', 'i', 'N', [accumulate(most, [], 'max', load(x, [index('i')])), accumulate(least, [], 'min', load(x, [index('i')]))]),
      store(z, [int(0)], read(most)),
      store(z, [int(1)], read(least)),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, z], ['N'])], target);
    for (const n of [1, 7, 40, 150]) {
      for (const at of [0, Math.floor(n / 2), n - 1]) {
        const a = numbers(n, n);
        a[at] = NaN;
        expect(list(artifact.run({ feeds: [a], dims: { N: n } }).outputs[0])).toEqual([NaN, NaN]);
      }
    }
  });

  it('sums columns and rows, keeping partial results across the outer loop', () => {
    const [x, rows, columns, all] = [feed(0, 'f32', 'M', 'N'), output(0, 'f32', 'M'), output(1, 'f32', 'N'), output(2, 'f32', 1)];
    const [i, j] = [index('i'), index('j')];
    const [r, c, t] = [accumulator('r', 'f32'), accumulator('c', 'f32'), accumulator('t', 'f32')];
    const body = [
      declare(t, f32(1)),
      loop('serial', 'i', 'M', [
        declare(r, f32(0)),
        loop('vector', 'j', 'N', [accumulate(r, [], 'sum', load(x, [i, j])), accumulate(t, [], 'sum', load(x, [i, j]))]),
        store(rows, [i], read(r)),
      ]),
      store(all, [int(0)], read(t)),
      loop('vector', 'q', 'N', [
        declare(c, f32(0)),
        loop('serial', 'p', 'M', [accumulate(c, [], 'sum', load(x, [index('p'), index('q')]))]),
        store(columns, [index('q')], read(c)),
      ]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, rows, columns, all], ['M', 'N'])], target);
    for (const [m, n] of [
      [1, 1],
      [3, 20],
      [20, 3],
      [5, 70],
      [0, 5],
      [4, 0],
    ] as const) {
      const a = numbers(m * n, 7);
      const { outputs } = artifact.run({ feeds: [a], dims: { M: m, N: n } });
      const sum = (list: readonly number[]): number => list.reduce((s, v) => s + v, 0);
      expectClose(
        outputs[0] as Float32Array,
        Array.from({ length: m }, (_, y) => sum(Array.from(a.subarray(y * n, y * n + n)))),
        1e-5,
      );
      expectClose(
        outputs[1] as Float32Array,
        Array.from({ length: n }, (_, y) => sum(Array.from({ length: m }, (__, z) => a[z * n + y] ?? 0))),
        1e-5,
      );
      expectClose(outputs[2] as Float32Array, [1 + sum(Array.from(a))], 1e-4);
    }
  });

  it('reduces several rows at once, and small arrays of registers', () => {
    const [x, w, z] = [feed(0, 'f32', 4, 'N'), feed(1, 'f32', 'N'), output(0, 'f32', 4)];
    const acc = accumulator('acc', 'f32', 4);
    const [i, k] = [index('i'), index('k')];
    const body = [
      declare(acc, f32(0.5)),
      loop('vector', 'k', 'N', [
        define('weight', load(w, [k])),
        loop('unroll', 'i', 4, [accumulate(acc, [i], 'sum', apply('mul', 'f32', load(x, [i, k]), name('weight', 'f32')))]),
      ]),
      loop('serial', 'o', 4, [store(z, [index('o')], read(acc, [index('o')]))]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, w, z], ['N'])], target);
    for (const n of [0, 1, 30, 200]) {
      const [a, b] = [numbers(4 * n, 3), numbers(n, 4)];
      const expected = Array.from({ length: 4 }, (_, y) => b.reduce((s, v, at) => s + v * (a[y * n + at] ?? 0), 0.5));
      expectClose(artifact.run({ feeds: [a, b], dims: { N: n } }).outputs[0] as Float32Array, expected, 1e-4);
    }
  });

  it('runs kernels in order through temporaries of the arena', () => {
    const [x, z] = [feed(0, 'f32', 'N'), output(0, 'f32', 'N')];
    const [first, second] = [temporary('first', 'f32', 'N'), temporary('second', 'f32', 'N', 2)];
    const i = index('i');
    const programs = [
      program(
        [
          kernel('one', [loop('vector', 'i', 'N', [store(first, [i], apply('mul', 'f32', load(x, [i]), f32(2)))])]),
          kernel('two', [loop('vector', 'i', 'N', [store(second, [i, int(0)], load(first, [i])), store(second, [i, int(1)], f32(1))])]),
          kernel('three', [
            loop('vector', 'i', 'N', [store(z, [i], apply('add', 'f32', load(second, [i, int(0)]), load(second, [i, int(1)])))]),
          ]),
        ],
        [x, z, first, second],
        ['N'],
      ),
    ];
    const artifact = bench.compile(programs, target);
    const a = numbers(77, 5);
    const { outputs, arenaBytes } = artifact.run({ feeds: [a], dims: { N: 77 } });
    expect(arenaBytes).toBe(Math.ceil((77 * 4) / 64) * 64 + Math.ceil((77 * 8) / 64) * 64);
    expect(list(outputs[0])).toEqual(Array.from(a, (v) => Math.fround(Math.fround(v * 2) + 1)));
  });

  it('adds integers and booleans over lanes', () => {
    const [x, z] = [feed(0, 'i32', 'N'), output(0, 'i32', 4)];
    const [sum, most, any, all] = [
      accumulator('sum', 'i32'),
      accumulator('most', 'i32'),
      accumulator('any', 'bool'),
      accumulator('all', 'bool'),
    ];
    const value = load(x, [index('i')]);
    const body = [
      declare(sum, constant('i32', 0)),
      declare(most, constant('i32', -(2 ** 31))),
      declare(any, constant('bool', 0)),
      declare(all, constant('bool', 1)),
      loop('vector', 'i', 'N', [
        accumulate(sum, [], 'sum', value),
        accumulate(most, [], 'max', value),
        accumulate(any, [], 'any', apply('gt', 'bool', value, constant('i32', 90))),
        accumulate(all, [], 'all', apply('lt', 'bool', value, constant('i32', 99))),
      ]),
      ...[sum, most].map((acc, at) => store(z, [int(at)], read(acc))),
      ...[any, all].map((acc, at) => store(z, [int(at + 2)], apply('convert', 'i32', read(acc)))),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, z], ['N'])], target);
    for (const n of [0, 1, 5, 33, 300]) {
      const a = Int32Array.from({ length: n }, (_, at) => (at * 7919) % 101);
      const expected = [
        a.reduce((s, v) => s + v, 0),
        Math.max(-(2 ** 31), ...a),
        a.some((v) => v > 90) ? 1 : 0,
        a.every((v) => v < 99) ? 1 : 0,
      ];
      expect(list(artifact.run({ feeds: [a], dims: { N: n } }).outputs[0])).toEqual(expected);
    }
  });
});

describe('the innermost loop of a product', () => {
  it.each([
    ['sapphirerapids', 8, 48, 24],
    ['sapphirerapids', 14, 32, 28],
    ['haswell', 4, 24, 12],
  ])('on %s in tiles of %i×%i is %i multiply-adds and nothing on the stack', (cpu, rows, columns, count) => {
    const text = textOf([product(rows * 2, columns * 2, 64, rows, columns)], hostTarget(cpu), 'asm');
    const blocks = text.split(/^(?=\.LBB)/m).map((block) => block.slice(0, block.search(/\tj[a-z]+\t/) + 1 || undefined));
    const inner = blocks.filter((block) => (block.match(/vfmadd/g) ?? []).length >= count);
    expect(inner.length).toBeGreaterThan(0);
    for (const block of inner) {
      expect(block.match(/vfmadd/g)?.length).toBe(count);
      expect(block).not.toContain('(%rsp)');
      expect((block.match(/vbroadcastss/g) ?? []).length).toBeLessThanOrEqual(rows);
    }
  });
});
