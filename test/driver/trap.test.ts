// Sessions that find where a NaN or an infinity was made. In: programs that go wrong in fused, vectorized, reduced and looping code. Out:
// errors that name the line; variables as they were.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileSync, type Feeds, type Module, openModule, type Session, type Tensor, tensor, TfcError } from '../../src/driver/index.js';
import { hostTarget } from '../../codegen/llvm/index.js';
import { isFloat } from '../../src/base/index.js';
import { check } from '../../src/driver/build/front.js';
import { toKernels } from '../../src/driver/build/pipeline.js';
import { sourceOf } from '../../src/graph/index.js';
import { trap } from '../../src/passes/index.js';
import { workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const open = (name: string, text: string): Module => compileSync(join(place.directory, place.file(name, text)));

const functions = open(
  'functions.tdsl',
  `import { relu } from "std/nn"
import { klDivergence } from "std/loss"

export fn ratio<N>(a: f32[N], b: f32[N]): f32 = sum(a / b)
export fn wide<N>(x: f32[N]): f32 = sum(tanh(sqrt(x) * 0.5 + 1) * x)
export fn product<N>(a: f32[N, N], b: f32[N, N]): f32[N, N] =
  relu(a @ b)
export fn half<N>(x: f16[N]): f16[N] = x * x
export fn powers(a: f32): f32 =
  fold i in 0..20 with z = a {
    z * z
  }
export fn nested(a: f32): f32 =
  fold i in 0..3 with z = a { fold j in 0..4 with y = z { y * 2 + log(f32(2) - f32(i)) } }
export fn masked<N>(x: f32[N, N]): f32[N] {
  let scores = where(x > 0, x, -1.0 / 0.0)
  let e = exp(scores - max(scores, axis: 1, keepDims: true))
  return sum(e * where(x > 0, x, 0), axis: 1)
}
export fn lengths<N>(x: f32[N, 2]): f32 {
  let r = sum(sum(x * x, axis: 1) ** 0.5)
  return sum(grad(r, x))
}
export fn any<...S>(x: f32[...S]): f32[...S] = log(x) + 1
export fn divergence<B>(p: f32[B, 3], q: f32[B, 3]): f32 = mean(klDivergence(p, q))
`,
);

const steps = open(
  'steps.tdsl',
  `import { momentum } from "std/optim"
param w: f32[4] = full(0.5)
state seen: i32 = 0
state last: f32
export step train<B>(x: f32[B, 4]): { loss: f32, rows: f32[B] } {
  let z = fold i in 0..3 with z = x * w { (z * z) ** 0.5 + 1 }
  let rows = sum(z, axis: 1)
  let loss = mean(rows)
  minimize loss with momentum(lr: 0.1)
  seen <- seen + 1
  last <- log(loss)
  return { loss, rows }
}
`,
);

/** The message of what a run refuses, without the entry's name; else undefined. */
function blamed(session: Session, entry: string, feeds: Feeds): string | undefined {
  try {
    session.run(entry, feeds);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'not-finite' });
    return (error as TfcError).message.replace(`${entry}: `, '').replaceAll(`${place.directory}/`, '');
  }
}

const matrix = (n: number, value: number): Tensor => tensor(new Float32Array(n * n).fill(value), [n, n]);
const ones = (n: number, ...others: readonly (readonly [at: number, value: number])[]): Float32Array => {
  const array = new Float32Array(n).fill(1);
  for (const [at, value] of others) array[at] = value;
  return array;
};

describe.each([1, 2, 3])('with %d threads', (threads) => {
  it('names the line in functions', () => {
    using session = functions.session({ trapNan: true, threads });
    const blame = (entry: string, feeds: Feeds): string | undefined => blamed(session, entry, feeds);
    const at = (line: number, column: number): string => `at functions.tdsl:${line}:${column}`;
    expect(blame('ratio', { a: [1, 2], b: [2, 4] })).toBeUndefined();
    expect(blame('ratio', { a: [1, 2], b: [2, 0] })).toBe(`\`a / b\` (div) ${at(4, 53)} made an infinity of finite numbers.`);
    expect(blame('ratio', { a: [1, 0], b: [2, 0] })).toBe(`\`a / b\` (div) ${at(4, 53)} made NaN where its operands have none.`);
    expect(blame('ratio', { a: [1, NaN], b: [2, 0] })).toBe('feed a holds NaN.');
    // Long enough for partial results of every thread, and wrong in one place.
    const count = 300_007;
    expect(blame('wide', { x: ones(count) })).toBeUndefined();
    for (const place of [0, 77_777, count - 1])
      expect(blame('wide', { x: ones(count, [place, -1]) })).toBe(`\`sqrt(x)\` (sqrt) ${at(5, 46)} made NaN where its operands have none.`);
    expect(blame('product', { a: matrix(100, 1), b: matrix(100, 1) })).toBeUndefined();
    expect(blame('product', { a: matrix(100, 1e30), b: matrix(100, 1e30) })).toBe(
      `\`a @ b\` (matmul) ${at(7, 8)} made an infinity of finite numbers.`,
    );
    expect(blame('half', { x: [1, 2, 200] })).toBeUndefined();
    expect(blame('half', { x: [1, 2, 300] })).toContain(`\`x * x\` (mul) ${at(8, 40)}`);
    expect(blame('powers', { a: 1 })).toBeUndefined();
    expect(blame('powers', { a: 2 })).toContain(`\`z * z\` (mul) ${at(11, 5)}, in fold, made an infinity`);
    expect(blame('nested', { a: 1 })).toContain(`\`log(f32(2) - f32(i))\` (log) ${at(14, 67)}`);
    const scores = (...values: number[]): Feeds => ({ x: tensor(Float32Array.from(values), [2, 2]) });
    expect(blame('masked', scores(1, 2, -1, 3))).toBeUndefined();
    expect(blame('masked', scores(-1, -2, -1, 3))).toContain(`(sub) ${at(17, 15)} made NaN`);
    expect(blame('lengths', { x: [[3, 4]] })).toBeUndefined();
    expect(
      blame('lengths', {
        x: [
          [3, 4],
          [0, 0],
        ],
      }),
    ).toContain(`the derivative of \`sum(x * x, axis: 1) ** 0.5\` (pow) ${at(21, 15)}`);
    expect(blame('any', { x: [[1, 2]] })).toBeUndefined();
    expect(blame('any', { x: [[1, -2]] })).toContain(`\`log(x)\` (log) ${at(24, 48)} made NaN`);
    expect(blame('any', { x: 0 })).toContain(`\`log(x)\` (log) ${at(24, 48)} made an infinity`);
  });

  it('names the line of the program that called the library', () => {
    using session = functions.session({ trapNan: true, threads });
    expect(blamed(session, 'divergence', { p: [[-1, -2, -3]], q: [[-3, -2, -1]] })).toBeUndefined();
    expect(blamed(session, 'divergence', { p: [[-1, 100, -3]], q: [[-3, -2, -1]] })).toMatch(
      /^`klDivergence\(p, q\)` \(exp\) at functions\.tdsl:25:65.* made an infinity of finite numbers\.$/,
    );
  });

  it('names the line in nodes that are fetched, and leaves variables as they were', async () => {
    const model = open(
      'fetched.tdsl',
      `import { sgd } from "std/optim"
param w: f32[2] = ones()
export step train<N>(x: f32[N, 2]): f32 {
  let root = sqrt(x @ w)
  let loss = mean(1 / root)
  minimize loss with sgd(lr: 0.1)
  return loss
}
`,
    );
    using session = model.session({ trapNan: true, threads: 1 });
    const [fine, bad] = [
      { x: [[1, 2]] },
      {
        x: [
          [1, 2],
          [0, 0],
        ],
      },
    ];
    const before = [...(session.get('w') as Tensor<'f32'>).data];
    expect(session.run('train/loss', fine)).toBeCloseTo(1 / Math.sqrt(3), 6);
    for (const run of [
      () => Promise.resolve().then(() => session.run({ loss: 'train/loss', step: 'train' }, bad)),
      () => session.runAsync(['train/loss', 'train'], bad),
    ]) {
      const error: unknown = await run().catch((one: unknown) => one);
      expect(error).toMatchObject({ code: 'not-finite' });
      expect((error as TfcError).message).toMatch(/`1 \/ root` \(div\) at .*fetched\.tdsl:5:19 made an infinity of finite numbers/);
      expect([...(session.get('w') as Tensor<'f32'>).data]).toEqual(before);
    }
    // What is not computed is not looked at.
    expect((session.run('train/root', bad) as Tensor<'f32'>).toArray()).toEqual([Math.fround(Math.sqrt(3)), 0]);
    await session.runAsync(['train/loss', 'train'], fine);
    expect([...(session.get('w') as Tensor<'f32'>).data]).not.toEqual(before);
  });

  it('leaves variables as they were, and goes on', async () => {
    using session = steps.session({ trapNan: true, threads });
    using plain = steps.session({ threads });
    const good = { x: ones(4 * 5) };
    const bad = { x: ones(4 * 5, [7, 0]) };
    const state = (of: Session): unknown[] =>
      ['w', 'seen', 'last', 'w.momentum.v']
        .filter((path) => of.variables.some((one) => one.path === path))
        .map((path) => (of.isInitialized(path) ? of.get(path) : undefined));
    const before = state(session);
    const line = 'the derivative of `(z * z) ** 0.5` (pow) at steps.tdsl:6:43, in fold, made an infinity of finite numbers.';
    expect(blamed(session, 'train', bad)).toBe(line);
    expect(state(session)).toEqual(before);
    expect(session.isInitialized('last')).toBe(false);
    const [trapping, usual] = [session.run('train', good), plain.run('train', good)] as { loss: number }[];
    expect(Object.keys(trapping as object)).toEqual(['loss', 'rows']);
    expect(trapping?.loss).toBeCloseTo(usual?.loss as number, 5);
    expect(session.get('seen')).toBe(1);
    const kept = state(session);
    await expect(session.runAsync('train', bad)).rejects.toMatchObject({ code: 'not-finite' });
    expect(state(session)).toEqual(kept);
    // Steps within native code: the third row of the second batch is wrong.
    const many = { x: ones(4 * 12, [20, 0]) };
    expect(() => session.runSteps('train', many, { batch: { B: 4 } })).toThrow(/steps\.tdsl:6:43/);
    expect(session.get('seen')).toBe(2);
    expect(() => session.runSteps('train', bad, { steps: 5 })).toThrow(/steps\.tdsl:6:43/);
    const { series } = session.runSteps('train', good, { steps: 3 });
    expect(Object.keys(series)).toEqual(['loss']);
    expect(series['loss']?.every((loss) => Number.isFinite(loss))).toBe(true);
    expect(session.get('seen')).toBe(5);
    const done: number[] = [];
    await expect(session.trainAsync([good, good, bad, good], { onStep: ({ step }) => done.push(step) })).rejects.toMatchObject({
      code: 'not-finite',
    });
    expect(done).toEqual([1, 2]);
    expect(session.get('seen')).toBe(7);
    session.set('w', [NaN, 0, 0, 0]);
    expect(blamed(session, 'train', good)).toBe('variable w holds NaN.');
  });
});

describe('every program and example', () => {
  const root = join(import.meta.dirname, '..', '..');
  const programs = ['test/programs', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.tdsl'))
      .map((name) => join(folder, name)),
  );
  it.each(programs)('%s has kernels that are sound, and places for what it computes', (name) => {
    const { module, build } = check({ path: join(root, name), set: {} }, new Map());
    const { output } = toKernels(hostTarget('native'), [trap]).run(module, { build });
    for (const entry of output.module.entries) {
      if (entry.kind === 'init') continue;
      const floats = entry.outputs.filter(({ node }) => isFloat(node.type.dtype) && node.args.length > 0);
      expect(entry.trap?.output).toBe(entry.outputs.length - 1);
      expect((entry.trap?.places.length ?? 0) > 0 || floats.length === 0).toBe(true);
      for (const place of entry.trap?.places ?? [])
        expect(sourceOf(place) !== undefined || build.originsOf(place).length > 0, `${entry.name}: ${place.op.name}`).toBe(true);
    }
  });
});

describe('what it needs', () => {
  it('is the program', () => {
    const artifact = openModule(functions.path);
    expect(() => artifact.session({ trapNan: true })).toThrow(TfcError);
    expect(() => functions.session({ trapNan: 1 as never })).toThrow(/true or false/);
    using session = functions.session({ trapNan: true });
    expect(() => session.run('ratioo', {})).toThrow(/no ratioo/);
  });
});
