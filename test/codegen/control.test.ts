// Conditions, nested loops, lets, variables updated in place, mixed widths, empty sizes.

import { afterAll, describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { build } from '../../src/kernel/index.js';
import {
  accumulate,
  accumulator,
  apply,
  Bench,
  constant,
  declare,
  define,
  dim,
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
  times,
  variable,
} from './harness.js';

const bench = new Bench();
afterAll(() => bench.close());
const { read } = build;

describe.each(['native', 'x86-64-v3', 'x86-64'])('on %s', (cpu) => {
  const target = hostTarget(cpu);

  it('branches on what lanes share', () => {
    const [x, flag, z] = [feed(0, 'f32', 'N'), feed(1, 'bool', 1), output(0, 'f32', 'N')];
    const i = index('i');
    const body = [
      loop('vector', 'i', 'N', [
        {
          kind: 'if',
          condition: load(flag, [int(0)]),
          then: [store(z, [i], apply('neg', 'f32', load(x, [i])))],
          otherwise: [store(z, [i], load(x, [i]))],
        },
      ]),
      { kind: 'if', condition: apply('gt', 'bool', size(dim('N')), int(3)), then: [store(z, [int(0)], f32(100))] } as const,
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, flag, z], ['N'])], target);
    for (const n of [1, 3, 4, 37]) {
      for (const on of [0, 1]) {
        const a = numbers(n, n);
        const expected = Array.from(a, (v, at) => (at === 0 && n > 3 ? 100 : on === 1 ? -v : v));
        expect(list(artifact.run({ feeds: [a, Uint8Array.of(on)], dims: { N: n } }).outputs[0])).toEqual(expected);
      }
    }
  });

  it('updates variables in place, several at once, and reads old values first', () => {
    const [w, m, g] = [variable(0, 'f32', 37), variable(1, 'f32', 37), feed(0, 'f32', 37)];
    const renamed = { ...w, name: 'w_after' };
    const i = index('i');
    const body = [
      loop('vector', 'i', 37, [
        define('next', apply('add', 'f32', apply('mul', 'f32', load(m, [i]), f32(0.5)), load(g, [i]))),
        store(m, [i], name('next', 'f32')),
        store(renamed, [i], apply('sub', 'f32', load(w, [i]), apply('mul', 'f32', f32(0.25), name('next', 'f32')))),
      ]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [w, renamed, m, g])], target);
    const [a, b, c] = [numbers(37, 1), numbers(37, 2), numbers(37, 3)];
    const { variables } = artifact.run({ feeds: [c], variables: [a, b] });
    const next = Array.from(b, (v, at) => Math.fround(Math.fround(v * 0.5) + (c[at] ?? 0)));
    expect(list(variables[1])).toEqual(next);
    expect(list(variables[0])).toEqual(next.map((v, at) => Math.fround((a[at] ?? 0) - Math.fround(0.25 * v))));
  });

  it('runs rows of softmax: maxima, sums and quotients of each row', () => {
    const [x, z] = [feed(0, 'f32', 'M', 10), output(0, 'f32', 'M', 10)];
    const [most, total] = [accumulator('most', 'f32'), accumulator('total', 'f32')];
    const [i, j] = [index('i'), index('j')];
    const body = [
      loop('parallel', 'i', 'M', [
        declare(most, f32(-Infinity)),
        loop('vector', 'j', 10, [accumulate(most, [], 'max', load(x, [i, j]))]),
        declare(total, f32(0)),
        loop('vector', 'j2', 10, [
          accumulate(total, [], 'sum', apply('fma', 'f32', load(x, [i, index('j2')]), f32(1), apply('neg', 'f32', read(most)))),
        ]),
        define('scale', apply('div', 'f32', f32(1), read(total))),
        loop('vector', 'j3', 10, [
          store(z, [i, index('j3')], apply('mul', 'f32', apply('sub', 'f32', load(x, [i, index('j3')]), read(most)), name('scale', 'f32'))),
        ]),
      ]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, z], ['M'])], target);
    const a = numbers(50, 9);
    const result = artifact.run({ feeds: [a], dims: { M: 5 } }).outputs[0] as Float32Array;
    for (let row = 0; row < 5; row++) {
      const values = Array.from(a.subarray(row * 10, row * 10 + 10));
      const top = Math.max(...values);
      const sum = values.reduce((s, v) => s + v - top, 0);
      values.forEach((v, at) => expect(result[row * 10 + at]).toBeCloseTo((v - top) / sum, 5));
    }
    expect(artifact.run({ feeds: [new Float32Array(0)], dims: { M: 0 } }).outputs[0]?.length).toBe(0);
  });

  it('mixes widths: bytes to floats, floats to bytes and doubles, 64-bit integers', () => {
    const [u, x, wide, keys] = [feed(0, 'u8', 'N'), feed(1, 'f32', 'N'), feed(2, 'f64', 'N'), feed(3, 'i64', 'N')];
    const outs = [
      output(0, 'f32', 'N'),
      output(1, 'u8', 'N'),
      output(2, 'f64', 'N'),
      output(3, 'bool', 'N'),
      output(4, 'i64', 'N'),
      output(5, 'u8', 'N'),
    ] as const;
    const i = index('i');
    const kernels = [
      kernel('a', [loop('vector', 'i', 'N', [store(outs[0], [i], apply('div', 'f32', apply('convert', 'f32', load(u, [i])), f32(255)))])]),
      kernel('b', [loop('vector', 'i', 'N', [store(outs[1], [i], apply('convert', 'u8', apply('mul', 'f32', load(x, [i]), f32(100))))])]),
      kernel('c', [
        loop('vector', 'i', 'N', [store(outs[2], [i], apply('add', 'f64', load(wide, [i]), apply('convert', 'f64', load(x, [i]))))]),
      ]),
      kernel('d', [loop('vector', 'i', 'N', [store(outs[3], [i], apply('gt', 'bool', load(x, [i]), f32(0)))])]),
      kernel('e', [loop('vector', 'i', 'N', [store(outs[4], [i], apply('mul', 'i64', load(keys, [i]), i))])]),
      kernel('f', [loop('vector', 'i', 'N', [store(outs[5], [i], apply('add', 'u8', load(u, [i]), constant('u8', 3)))])]),
    ];
    const artifact = bench.compile([program(kernels, [u, x, wide, keys, ...outs], ['N'])], target);
    for (const n of [0, 1, 15, 64, 131]) {
      const [bytes, a] = [Uint8Array.from({ length: n }, (_, at) => at * 37), numbers(n, 4)];
      const [doubles, big] = [
        Float64Array.from(a, (v) => v * 1e10),
        BigInt64Array.from({ length: n }, (_, at) => BigInt(at) * 3000000001n),
      ];
      const { outputs } = artifact.run({ feeds: [bytes, a, doubles, big], dims: { N: n } });
      expect(list(outputs[0])).toEqual(Array.from(bytes, (v) => Math.fround(v / 255)));
      expect(list(outputs[1])).toEqual(Array.from(a, (v) => Math.max(0, Math.trunc(Math.fround(v * 100)))));
      expect(list(outputs[2])).toEqual(Array.from(doubles, (v, at) => v + (a[at] ?? 0)));
      expect(list(outputs[3])).toEqual(Array.from(a, (v) => (v > 0 ? 1 : 0)));
      expect(list(outputs[4])).toEqual(Array.from(big, (v, at) => v * BigInt(at)));
      expect(list(outputs[5])).toEqual(Array.from(bytes, (v) => (v + 3) & 255));
    }
  });

  it('keeps a scan in order and a tile’s columns reduced over lanes', () => {
    const [x, sums, rows] = [feed(0, 'f32', 3, 20), output(0, 'f32', 20), output(1, 'f32', 3)];
    const [running, tile] = [accumulator('running', 'f32'), accumulator('tile', 'f32', 3)];
    const body = [
      declare(running, f32(0)),
      loop('serial', 'i', 20, [accumulate(running, [], 'sum', load(x, [int(0), index('i')])), store(sums, [index('i')], read(running))]),
      declare(tile, f32(0)),
      loop('unroll', 'r', 3, [loop('vector', 'c', 20, [accumulate(tile, [index('r')], 'sum', load(x, [index('r'), index('c')]))], 32)]),
      loop('unroll', 's', 3, [store(rows, [index('s')], read(tile, [index('s')]))]),
    ];
    const a = numbers(60, 2);
    const { outputs } = bench.run(program([kernel('k', body)], [x, sums, rows]), { feeds: [a] }, target);
    let sum = 0;
    expect(list(outputs[0])).toEqual(Array.from(a.subarray(0, 20), (v) => (sum = Math.fround(sum + v))));
    [0, 1, 2].forEach((row) =>
      expect(outputs[1]?.[row]).toBeCloseTo(
        a.subarray(row * 20, row * 20 + 20).reduce((s, v) => s + v, 0),
        4,
      ),
    );
  });

  it('lets every lane have accumulators of its own, and loops within lanes', () => {
    const [x, z] = [feed(0, 'f32', 'N', 3), output(0, 'f32', 'N', 2)];
    const [pair, count] = [accumulator('pair', 'f32', 2), accumulator('count', 'i32')];
    const [i, j] = [index('i'), index('j')];
    const body = [
      loop('vector', 'i', 'N', [
        declare(pair, f32(0)),
        declare(count, constant('i32', 0)),
        loop('serial', 'j', 3, [
          accumulate(pair, [int(0)], 'sum', load(x, [i, j])),
          accumulate(pair, [int(1)], 'max', load(x, [i, minus(int(2), j)])),
          { kind: 'assign', accumulator: count, index: [], value: apply('add', 'i32', read(count), constant('i32', 1)) },
        ]),
        loop('unroll', 'o', 2, [
          store(z, [i, index('o')], apply('mul', 'f32', read(pair, [index('o')]), apply('convert', 'f32', read(count)))),
        ]),
      ]),
    ];
    const artifact = bench.compile([program([kernel('k', body)], [x, z], ['N'])], target);
    for (const n of [1, 16, 21]) {
      const a = numbers(3 * n, n);
      const expected = Array.from({ length: n }, (_, row) => {
        const [p, q, r] = [a[3 * row] ?? 0, a[3 * row + 1] ?? 0, a[3 * row + 2] ?? 0];
        return [Math.fround(3 * Math.fround(Math.fround(p + q) + r)), Math.fround(3 * Math.max(0, p, q, r))];
      });
      expect(list(artifact.run({ feeds: [a], dims: { N: n } }).outputs[0])).toEqual(expected.flat());
    }
  });

  it('counts a long epilogue over registers instead of writing it out', () => {
    const [x, y, z] = [feed(0, 'f32', 6, 40), feed(1, 'f32', 6, 40), output(0, 'f32', 6, 40)];
    const tile = accumulator('tile', 'f32', 6, 40);
    const [i, j] = [index('i'), index('j')];
    const value = read(tile, [i, j]);
    const steps = Array.from({ length: 8 }, (_, at) =>
      define(`v${at}`, apply('fma', 'f32', at === 0 ? value : name(`v${at - 1}`, 'f32'), f32(0.5), load(y, [i, j]))),
    );
    const body = [
      declare(tile, f32(0)),
      loop('unroll', 'r', 6, [
        loop('vector', 'c', 40, [accumulate(tile, [index('r'), index('c')], 'sum', load(x, [index('r'), index('c')]))], 40),
      ]),
      loop('unroll', 'i', 6, [loop('vector', 'j', 40, [...steps, store(z, [i, j], name('v7', 'f32'))], 40)]),
    ];
    const [a, b] = [numbers(240, 1), numbers(240, 2)];
    const result = bench.run(program([kernel('k', body)], [x, y, z]), { feeds: [a, b] }, target).outputs[0] as Float32Array;
    a.forEach((v, at) => {
      let expected = v;
      for (let step = 0; step < 8; step++) expected = Math.fround(expected * 0.5 + (b[at] ?? 0));
      expect(result[at]).toBe(expected);
    });
  });

  it('emits shared parts of an expression once, however deep', () => {
    const [x, z, w] = [feed(0, 'f32', 20), output(0, 'f32', 20), output(1, 'i32', 20)];
    let [deep, whole] = [load(x, [index('i')]), plus(index('i'), int(1))];
    for (let level = 0; level < 60; level++) {
      deep = apply('sub', 'f32', deep, apply('mul', 'f32', f32(0.5), apply('max', 'f32', deep, f32(-9))));
      whole = apply('xor', 'i64', apply('mul', 'i64', whole, whole), apply('shr', 'i64', whole, constant('i64', 3)));
    }
    const body = [loop('vector', 'i', 20, [store(z, [index('i')], deep), store(w, [index('i')], apply('convert', 'i32', whole))])];
    const a = numbers(20, 1);
    const { outputs } = bench.run(program([kernel('k', body)], [x, z, w]), { feeds: [a] }, target);
    a.forEach((v, at) => {
      let [expected, integer] = [v, BigInt(at + 1)];
      for (let level = 0; level < 60; level++) {
        expected = Math.fround(expected - Math.fround(0.5 * Math.max(expected, -9)));
        integer = BigInt.asIntN(64, BigInt.asIntN(64, integer * integer) ^ (BigInt.asUintN(64, integer) >> 3n));
      }
      expect(outputs[0]?.[at]).toBe(expected);
      expect(outputs[1]?.[at]).toBe(Number(BigInt.asIntN(32, integer)));
    });
  });

  it('sizes polynomials and slots shared by several temporaries', () => {
    const size2 = dim('N').mul(dim('N')).add(dim('N').mul(3)).add(1);
    const [x, z] = [feed(0, 'f32', 'N'), output(0, 'f32', size2)];
    const [first, second] = [temporary('first', 'f32', size2), temporary('second', 'f64', 'N')];
    const i = index('i');
    const kernels = [
      kernel('a', [loop('vector', 'i', size2, [store(first, [i], apply('convert', 'f32', apply('convert', 'i32', times(i, int(3)))))])]),
      kernel('b', [loop('vector', 'i', size2, [store(z, [i], load(first, [i]))])]),
      kernel('c', [loop('vector', 'i', 'N', [store(second, [i], apply('convert', 'f64', load(x, [i])))])]),
      kernel('d', [loop('serial', 'i', 'N', [store(z, [plus(i, int(1))], apply('convert', 'f32', load(second, [i])))])]),
    ];
    const shared = {
      ...program(kernels, [x, z, first, second], ['N']),
      arena: {
        slots: [{ bytes: [size2.mul(4), dim('N').mul(8)] }],
        slotOf: new Map([
          ['first', 0],
          ['second', 0],
        ]),
      },
    };
    const artifact = bench.compile([shared], target);
    for (const n of [0, 1, 2, 9]) {
      const total = n * n + 3 * n + 1;
      const a = numbers(n, n);
      const { outputs, arenaBytes } = artifact.run({ feeds: [a], dims: { N: n } });
      expect(arenaBytes).toBe(Math.ceil(Math.max(4 * total, 8 * n) / 64) * 64);
      expect(list(outputs[0])).toEqual(Array.from({ length: total }, (_, at) => (at >= 1 && at <= n ? a[at - 1] : 3 * at)));
    }
  });
});
