// Random kernels: the artifact computes what the checking interpreter computes, bit by bit where nothing is reassociated.

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { Dim } from '../../src/base/index.js';
import { runProgram } from '../../src/eval/index.js';
import { type Axis, build, type Buffer, type Combiner, type Expr, type Program, type Stmt } from '../../src/kernel/index.js';
import {
  accumulate,
  accumulator,
  apply,
  Bench,
  declare,
  define,
  f32,
  feed,
  index,
  int,
  kernel,
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
  times,
} from './harness.js';

const bench = new Bench();
afterAll(() => bench.close());

const N = size(Dim.of('N'));
const [x, y] = [feed(0, 'f32', Dim.of('N').mul(3).add(2)), feed(1, 'f32', 'N', 3)];

/** Where to read in x and y, for a point i below N: straight, strided, backwards, repeated, scrambled. */
const place = (i: Expr): fc.Arbitrary<Expr> =>
  fc.constantFrom<Expr>(
    load(x, [i]),
    load(x, [plus(i, int(2))]),
    load(x, [times(i, int(2))]),
    load(x, [plus(times(i, int(3)), int(1))]),
    load(x, [minus(minus(N, int(1)), i)]),
    load(x, [apply('div', 'i64', i, int(3))]),
    load(x, [apply('rem', 'i64', times(i, int(5)), apply('max', 'i64', N, int(1)))]),
    load(x, [int(0)]),
    load(y, [i, int(1)]),
    load(y, [apply('div', 'i64', i, int(3)), apply('rem', 'i64', i, int(3))]),
    load(y, [minus(minus(N, int(1)), i), int(2)]),
  );

const expression = (i: Expr, scope: readonly Expr[]): fc.Arbitrary<Expr> =>
  fc.letrec<{ value: Expr; leaf: Expr; condition: Expr }>((tie) => ({
    leaf: fc.oneof(place(i), fc.constantFrom(f32(0.5), f32(-3), f32(1.25)), ...(scope.length === 0 ? [] : [fc.constantFrom(...scope)])),
    condition: fc.tuple(fc.constantFrom('lt', 'ge', 'ne'), tie('leaf'), tie('leaf')).map(([fn, a, b]) => apply(fn, 'bool', a, b)),
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      tie('leaf'),
      fc
        .tuple(fc.constantFrom('add', 'sub', 'mul', 'div', 'min', 'max', 'copysign'), tie('value'), tie('value'))
        .map(([fn, a, b]) => apply(fn, 'f32', a, b)),
      fc.tuple(fc.constantFrom('neg', 'abs', 'floor', 'rint', 'trunc'), tie('value')).map(([fn, a]) => apply(fn, 'f32', a)),
      fc.tuple(tie('condition'), tie('value'), tie('value')).map(([c, a, b]) => apply('select', 'f32', c, a, b)),
      tie('value').map((a) => apply('convert', 'f32', apply('convert', 'i32', apply('mul', 'f32', a, f32(100))))),
    ),
  })).value;

const pointwise: fc.Arbitrary<Program> = fc
  .tuple(
    fc.constantFrom<Axis>('vector', 'serial', 'parallel'),
    expression(index('i'), []),
    expression(index('i'), [name('first', 'f32')]),
    fc.boolean(),
  )
  .map(([axis, first, second, backwards]) => {
    const z = output(0, 'f32', 'N');
    const at = backwards ? minus(minus(N, int(1)), index('i')) : index('i');
    return program([kernel('k', [loop(axis, 'i', 'N', [define('first', first), store(z, [at], second)])])], [x, y, z], ['N']);
  });

const reduction: fc.Arbitrary<Program> = fc
  .tuple(
    fc.constantFrom<Axis>('parallel', 'serial'),
    fc.constantFrom<Axis>('vector', 'serial'),
    fc.constantFrom<Combiner>('sum', 'max', 'min'),
    place(index('j')),
    fc.boolean(),
    fc.integer({ min: 1, max: 3 }),
  )
  .map(([outer, axis, combine, value, within, registers]) => {
    const z = output(0, 'f32', 4, registers);
    const acc = accumulator('acc', 'f32', registers);
    const scaled = apply('mul', 'f32', value, load(x, [index('i')]));
    const body: readonly Stmt[] = [
      loop(axis, 'j', 'N', [
        loop('unroll', 'r', registers, [
          accumulate(acc, [index('r')], combine, apply('add', 'f32', scaled, apply('convert', 'f32', apply('convert', 'i32', index('r'))))),
        ]),
      ]),
    ];
    const start = declare(acc, f32(combine === 'sum' ? 0.25 : combine === 'max' ? -Infinity : Infinity));
    const nest = within ? [start, ...body] : [start, loop('serial', 'again', 2, body)];
    const stores = loop('unroll', 's', registers, [store(z, [index('i'), index('s')], build.read(acc, [index('s')]))]);
    return program([kernel('k', [loop(outer, 'i', 4, [...nest, stores])])], [x, y, z], ['N']);
  });

const tile: fc.Arbitrary<Program> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom(8, 16, 20, 48), fc.integer({ min: 1, max: 50 }), fc.boolean())
  .map(([rows, width, columns, guarded]) => {
    const z = output(0, 'f32', rows, columns);
    const acc = accumulator('acc', 'f32', rows, width);
    const extent = guarded
      ? build.smaller(int(width), minus(int(columns), times(index('block'), int(width))))
      : int(Math.min(width, columns));
    const column = (j: string): Expr => plus(times(index('block'), int(width)), index(j));
    const blocks = guarded ? Math.ceil(columns / width) : 1;
    const body: readonly Stmt[] = [
      declare(acc, f32(1)),
      loop('serial', 'k', 'N', [
        loop(
          'vector',
          'j',
          extent,
          [
            define('b', load(x, [apply('rem', 'i64', plus(column('j'), index('k')), plus(N, int(1)))])),
            loop('unroll', 'i', rows, [
              accumulate(
                acc,
                [index('i'), index('j')],
                'sum',
                apply('mul', 'f32', apply('convert', 'f32', apply('convert', 'i32', index('i'))), name('b', 'f32')),
              ),
            ]),
          ],
          width,
        ),
      ]),
      loop('unroll', 'p', rows, [
        loop('vector', 'q', extent, [store(z, [index('p'), column('q')], build.read(acc, [index('p'), index('q')]))], width),
      ]),
    ];
    const rest: readonly Stmt[] = guarded
      ? []
      : [
          loop('vector', 't', columns - Math.min(width, columns), [
            loop('unroll', 'u', rows, [store(z, [index('u'), plus(int(Math.min(width, columns)), index('t'))], f32(0))]),
          ]),
        ];
    return program([kernel('k', [loop('serial', 'block', blocks, body), ...rest])], [x, y, z], ['N']);
  });

const samples = (arbitrary: fc.Arbitrary<Program>, count: number): readonly Program[] =>
  fc.sample(arbitrary, { numRuns: count, seed: 20261121 });

function compare(programs: readonly Program[], cpu: string, relative: number): void {
  const artifact = bench.compile(programs, hostTarget(cpu));
  for (const [entry, one] of programs.entries()) {
    for (const n of [0, 1, 5, 16, 37]) {
      const [a, b] = [numbers(3 * n + 2, n + entry), numbers(3 * n, n + 100)];
      const tensor = (buffer: Buffer, data: Float32Array) => ({
        dtype: 'f32' as const,
        shape: buffer.shape.map((dim) => dim.evaluate(new Map([['N', n]])) ?? NaN),
        data: Float64Array.from(data),
      });
      const wanted = runProgram(one, { feeds: [tensor(x, a), tensor(y, b)], dims: new Map([['N', n]]) }).outputs[0]?.data ?? [];
      const got = artifact.run({ feeds: [a, b], dims: { N: n }, entry }).outputs[0] ?? [];
      expect(got.length).toBe(wanted.length);
      for (let at = 0; at < got.length; at++) {
        const [p, q] = [Number(got[at]), Number(wanted[at])];
        if (!Object.is(p, q) && !(p === q) && !(Math.abs(p - q) <= relative * Math.max(1, Math.abs(q))))
          expect.fail(`program ${entry}, N = ${n}, element ${at}: ${p} instead of ${q}`);
      }
    }
  }
}

describe.each(['native', 'x86-64-v3', 'x86-64'])('on %s', (cpu) => {
  it('computes points exactly', () => compare(samples(pointwise, 40), cpu, 0));
  it('reduces', () => compare(samples(reduction, 25), cpu, 2e-5));
  it('fills tiles', () => compare(samples(tile, 20), cpu, 2e-5));
});
