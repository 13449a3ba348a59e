// Arguments that may be left out, and records as arguments, wherever an entry is called; steps and precision in native code. In: programs.
// Out: what sessions, fetches, commands and declarations make of them.

import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, type FeedValue, tensor, TfcError, toJson } from '../../src/driver/index.js';
import { roundToBF16 } from '../../src/base/index.js';
import { jsonError, jsonLines, root, workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const path = (name: string, text: string): string => join(place.directory, place.file(name, text));

const program = path(
  'program.tdsl',
  `param w: f64[2] = [1, 2]
/// The slope moves w.
export step train<B>(batch: { x: f64[B, 2], y: f64[B] }, lr: f64 = 0.5, on: bool = true): { loss: f64, lr: f64 } {
  let loss = mean(square(batch.x @ w - batch.y))
  summary scalar("loss", loss)
  if on {
    w <- w - lr * grad(loss, w)
  }
  return { loss, lr }
}
export fn loss<B>(batch: { x: f64[B, 2], y: f64[B] }, scale: f64 = 1): { loss: f64 } =
  { loss: scale * mean(square(batch.x @ w - batch.y)) }
export fn scaled<N>(x: f32[N], by: f32 = 2, from: i64 = 9007199254740993, limit: f32 = 1.0 / 0.0): (f32[N], i64, f32) =
  (min(x * by, limit), from, limit)
`,
);
const dataOf = (value: unknown): Float32Array => (value as { readonly data: Float32Array }).data;
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof TfcError ? error.code : String(error);
  }
  return 'nothing';
};

describe('arguments that may be left out', () => {
  it('are what the program says, in every call anew', async () => {
    using module = await compile(program);
    using session = module.session();
    const run = (feeds: object): unknown => toJson(session.run('scaled', feeds as Record<string, FeedValue>) as never);
    const x = Float32Array.of(1, 3);
    const rest = ['9007199254740993', 'Infinity'];
    for (let time = 0; time < 2; time++) {
      expect(run({ x })).toEqual([[2, 6], ...rest]);
      expect(run({ x, by: 3 })).toEqual([[3, 9], ...rest]);
      expect(run({ x, by: undefined })).toEqual([[2, 6], ...rest]);
      expect(run({ x, limit: 4, from: 1n })).toEqual([[2, 4], 1, 4]);
    }
    expect(codeOf(() => run({ by: 1 }))).toBe('missing-feed');
    expect(codeOf(() => run({ x, bye: 1 }))).toBe('unknown-feed');
    expect(codeOf(() => run({ x, by: [1, 2] }))).toBe('shape-mismatch');
    expect(toJson((await session.runAsync('scaled', { x })) as never)).toEqual([[2, 6], ...rest]);
    expect(toJson(session.run(['scaled'], { x, by: 5 } as never) as never)).toEqual([[[5, 15], ...rest]]);
    expect(toJson(session.run(['scaled'], { x } as never) as never)).toEqual([[[2, 6], ...rest]]);
  });

  it('are flags of commands, and optional in declarations', () => {
    expect(jsonLines(place.tfc('run', 'program.tdsl', 'scaled', '--feed', 'x=[1,2]', '--json'))).toEqual([
      [[2, 4], '9007199254740993', 'Infinity'],
    ]);
    expect(jsonLines(place.tfc('run', 'program.tdsl', 'scaled', '--feed', 'x=[1,2]', '--feed', 'by=-1', '--json'))).toEqual([
      [[-1, -2], '9007199254740993', 'Infinity'],
    ]);
    expect(place.tfc('types', 'program.tdsl')).toMatchObject({ status: 0 });
    const declared = readFileSync(join(place.directory, '.tfc', 'types', 'program.d.tdsl.ts'), 'utf8');
    expect(declared).toContain("      readonly by?: Feed<'f32', []>;");
    expect(declared).toContain("      readonly batch: {\n        /** `f64[B, 2]` */\n        readonly x: Feed<'f64', [number, 2]>;");
  });

  it('train without them, and with them as flags', () => {
    place.file('data.csv', `x0,x1,y\n${Array.from({ length: 8 }, (_, at) => `${at},1,${at}`).join('\n')}\n`);
    place.file(
      'line.tdsl',
      `param w: f32[2] = 0\nexport step train<B>(x: f32[B, 2], y: f32[B], lr: f32 = 0.125): { loss: f32, lr: f32 } {
      let loss = mean(square(x @ w - y))\nw <- w - 0 * lr\nreturn { loss, lr } }`,
    );
    const last = (...more: string[]): unknown =>
      jsonLines(place.tfc('train', 'line.tdsl', 'train', '--data', 'data.csv', '--batch', '4', '--epochs', '1', '--json', ...more)).at(-1);
    expect(JSON.stringify(last())).toContain('0.125');
    expect(JSON.stringify(last('--lr', '0.75'))).toContain('0.75');
  });
});

describe('records as arguments', () => {
  const x = tensor(Float64Array.of(1, 0, 0, 1), [2, 2]);
  const y = Float64Array.of(0, 0);
  it('are fed as objects, or field by field', async () => {
    using module = await compile(program);
    using session = module.session();
    expect(toJson(session.run('loss', { batch: { x, y } }) as never)).toEqual({ loss: 2.5 });
    expect(toJson(session.run('loss', { 'batch/x': x, 'batch/y': y }) as never)).toEqual({ loss: 2.5 });
    expect(codeOf(() => session.run('loss', { batch: { x } }))).toBe('missing-feed');
    expect(codeOf(() => session.run('loss', { batch: { x, y, z: 1 } }))).toBe('unknown-feed');
    expect(codeOf(() => session.run('loss', { batch: 3 }))).toBe('unknown-feed');
    expect(toJson(session.run(['train/loss'], { batch: { x, y } } as never) as never)).toEqual([2.5]);
    expect(jsonLines(place.tfc('run', 'program.tdsl', 'loss', '--feed', 'batch={"x": [[1, 0], [0, 1]], "y": [0, 0]}', '--json'))).toEqual([
      { loss: 2.5 },
    ]);
    expect(jsonError(place.tfc('run', 'program.tdsl', 'loss', '--feed', 'batch={"x": [[1, 0]]}', '--json')).code).toBe('missing-feed');
  });

  it('steps of them are recorded and undone like others', async () => {
    using module = await compile(program);
    using session = module.session({ summaries: true });
    expect(toJson(session.run('train', { batch: { x, y }, lr: 1 }) as never)).toEqual({ loss: 2.5, lr: 1 });
    expect([...dataOf(session.get('w'))]).toEqual([0, 0]);
    expect(toJson(session.run('train', { batch: { x, y }, on: false }) as never)).toEqual({ loss: 0, lr: 0.5 });
    expect(session.summaries().map((one) => one.name)).toEqual(['loss']);
  });
});

describe('blocks of a step', () => {
  it('that are not taken leave every bit, also of NaN', async () => {
    using module = await compile(
      path(
        'bits.tdsl',
        'state s: f32[5] = 0\nexport step f(c: bool, x: f32[5]) { if c { s <- s + x } }\nexport step g(x: f32[5]) { s <- x }',
      ),
    );
    using session = module.session({ threads: 2 });
    const bits = Float32Array.of(-0, NaN, 1e-45, Infinity, 1);
    new Uint32Array(bits.buffer)[1] = 0x7fc12345;
    session.set('s', bits);
    session.run('f', { c: false, x: new Float32Array(5).fill(NaN) });
    expect([...new Uint32Array(dataOf(session.get('s')).slice().buffer)]).toEqual([...new Uint32Array(bits.buffer)]);
    session.run('f', { c: true, x: new Float32Array(5).fill(1) });
    expect([...dataOf(session.get('s'))]).toEqual([1, NaN, 1, Infinity, 2]);
  });

  it('of a batch without rows: BatchNorm keeps its statistics', async () => {
    using module = await compile(
      path(
        'norm.tdsl',
        'import { BatchNorm } from "std/nn"\nnorm = BatchNorm<2>()\nexport step f<B>(x: f32[B, 2]): f32[B, 2] = norm.train(x)',
      ),
    );
    using session = module.session();
    session.run('f', { x: tensor(new Float32Array(0), [0, 2]) });
    expect([...dataOf(session.get('norm/runningMean')), ...dataOf(session.get('norm/runningVar'))]).toEqual([0, 0, 1, 1]);
  });
});

describe('precision', () => {
  it('rounds operands of products to bf16, in derivatives as well, and adds in f32', async () => {
    using module = await compile(
      path(
        'precision.tdsl',
        `export fn f(a: f32[3, 40], b: f32[40, 5], g: f32[3, 5]) {
  precision bf16 {
    let c = a @ b
  }
  return (c, grad(sum(c * g), [a, b]), jvp(c, a, b[0, 0]), a @ b)
}`,
      ),
    );
    using session = module.session();
    let state = 7;
    const next = (): number => ((state = (state * 48271) % 2147483647) / 2147483647) * 2 - 1;
    const draw = (length: number): Float32Array => Float32Array.from({ length }, next);
    const [a, b, g] = [draw(120), draw(200), draw(15)];
    const product = (
      x: Float32Array,
      y: Float32Array,
      [m, k, n]: readonly [number, number, number],
      at: (i: number, j: number) => number,
      of: (i: number, j: number) => number,
    ): number[] =>
      Array.from({ length: m * n }, (_, one) => {
        const [row, column] = [Math.floor(one / n), one % n];
        let sum = 0;
        for (let inner = 0; inner < k; inner++)
          sum += roundToBF16(x[at(row, inner)] as number) * roundToBF16(y[of(inner, column)] as number);
        return sum;
      });
    const found = session.run('f', {
      a: tensor(a, [3, 40]),
      b: tensor(b, [40, 5]),
      g: tensor(g, [3, 5]),
    }) as unknown as [
      { data: Float32Array },
      [{ data: Float32Array }, { data: Float32Array }],
      { data: Float32Array },
      { data: Float32Array },
    ];
    const close = (actual: Float32Array, expected: readonly number[]): void => {
      expect(actual.length).toBe(expected.length);
      for (const [at, value] of expected.entries()) expect(Math.abs((actual[at] as number) - value)).toBeLessThan(2e-6 * 8);
    };
    const rounded = product(a, b, [3, 40, 5], (i, k) => i * 40 + k, (k, j) => k * 5 + j); // prettier-ignore
    close(found[0].data, rounded);
    close(found[1][0].data, product(g, b, [3, 5, 40], (i, j) => i * 5 + j, (j, k) => k * 5 + j)); // prettier-ignore
    close(found[1][1].data, product(a, g, [40, 3, 5], (k, i) => i * 40 + k, (i, j) => i * 5 + j)); // prettier-ignore
    const direction = new Float32Array(120).fill(b[0] as number);
    close(found[2].data, product(direction, b, [3, 40, 5], (i, k) => i * 40 + k, (k, j) => k * 5 + j)); // prettier-ignore
    // Outside nothing is rounded: the difference is there.
    expect(Math.max(...[...found[3].data].map((value, at) => Math.abs(value - (rounded[at] as number))))).toBeGreaterThan(1e-3);
  });
});

it('the program of the language page trains', () => {
  copyFileSync(join(root, 'test', 'programs', 'gan.tdsl'), join(place.directory, 'gan.tdsl'));
  expect(place.tfc('check', 'gan.tdsl')).toMatchObject({ status: 0 });
});
