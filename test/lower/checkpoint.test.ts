// What `checkpoint` is for. In: the same layers, kept and computed again. Out: the same bits, in fewer bytes.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileSync } from '../../src/driver/index.js';
import { check } from '../../src/driver/build/front.js';
import { toKernels } from '../../src/driver/build/pipeline.js';
import { evaluateEntry } from '../../src/eval/index.js';
import { tensorValue, tabulate } from '../../src/ops/index.js';
import { differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { workplace } from '../driver/tfc.js';
import { generator } from '../passes/make.js';
import { arenaUse, fixedTarget } from './kernels.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;

type Wrapped = (inner: string) => string;
const plainly: Wrapped = (inner) => inner;
const checkpointed: Wrapped = (inner) => `checkpoint(${inner})`;

/** Layers with four values of their own each. */
const layers = (depth: number, wrapped: Wrapped): string => `import { dropout } from "std/nn"
param ws: f32[${depth}, 32, 32] = uniform(-0.3, 0.3)
fn layer<B>(x: f32[B, 32], w: f32[32, 32], key: i64): f32[B, 32] {
  let a = tanh(x @ w)
  let b = sin(a @ w)
  let c = dropout(b, 0.2, key)
  return x + tanh(c @ w)
}
export fn slopes<B>(x: f32[B, 32], key: i64): (f32[B, 32], f32[${depth}, 32, 32]) {
  let h0 = x
${Array.from({ length: depth }, (_, at) => `  let h${at + 1} = ${wrapped(`layer(h${at}, ws[${at}], key)`)}`).join('\n')}
  return grad(sum(square(h${depth})), [x, ws])
}
`;
const rounds = (depth: number, wrapped: Wrapped): string => `
export fn slopes<B>(x: f32[B, 32], ws: f32[${depth}, 32, 32]): (f32[B, 32], f32[${depth}, 32, 32]) {
  let h = fold w in ws with h = x { ${wrapped('h + sin(tanh(h @ w) @ w)')} }
  return grad(sum(square(h)), [x, ws])
}
`;
let count = 0;
const file = (text: string): string => join(place.directory, place.file(`p${count++}.tdsl`, text));

const arena = (path: string, B: number): number => {
  const { module, build } = check({ path, set: {}, open: undefined }, new Map());
  const entry = toKernels(fixedTarget)
    .run(module, { build })
    .output.entries.find(({ program: { entry } }) => entry === 'slopes');
  return arenaUse((entry as NonNullable<typeof entry>).program, { B }).planned;
};

const feeds = (B: number): { x: Float32Array; values: Map<string, ReturnType<typeof tensorValue>> } => {
  const next = generator(3);
  const x = Float32Array.from({ length: B * 32 }, () => next() * 2 - 1);
  return {
    x,
    values: new Map([
      ['x', tensorValue('f32', [B, 32], [...x])],
      ['key', tensorValue('i64', [], [5n])],
    ]),
  };
};

describe('layers that are computed again', () => {
  const B = 4096;
  const bytes = B * 32 * 4;
  /** What a further layer takes, in tensors of its result's size. */
  const perLayer = (text: (depth: number, wrapped: Wrapped) => string, wrapped: Wrapped): number =>
    (arena(file(text(5, wrapped)), B) - arena(file(text(2, wrapped)), B)) / 3 / bytes;

  it('need no memory but for what goes from one to the next', () => {
    expect(perLayer(layers, plainly)).toBeGreaterThan(3);
    expect(perLayer(layers, checkpointed)).toBeLessThan(1.2);
  }, 120_000);

  it('are what loops have anyway: they keep their carries alone', () => {
    expect(perLayer(rounds, plainly)).toBeLessThan(1.2);
    expect(perLayer(rounds, checkpointed)).toBeLessThan(1.2);
  }, 120_000);

  it('give the same numbers, those of their random parts as well', () => {
    const { values } = feeds(3);
    const depth = 4;
    const variables = new Map([
      ['ws', tabulate('f32', [depth, 32, 32], (at) => Math.fround(Math.sin(at.reduce((sum, one) => sum * 37 + one, 1))) * 0.3)],
    ]);
    const [kept, again] = [plainly, checkpointed].map((wrapped) => {
      const { module, build } = check({ path: file(layers(depth, wrapped)), set: {}, open: undefined }, new Map());
      const entry = Pipeline.of(differentiate).then(strip).run(module, { build }).output.entries[0];
      return evaluateEntry(entry as NonNullable<typeof entry>, { feeds: values, variables, dims: new Map([['B', 3]]) }).outputs;
    });
    expect(again).toEqual(kept);
    expect([...(kept?.[0]?.data ?? [])].every((one) => Number.isFinite(Number(one)) && one !== 0)).toBe(true);
  });

  it('give the same bits when compiled, for any number of threads', () => {
    const { x } = feeds(37);
    const results = [plainly, checkpointed].flatMap((wrapped) => {
      const module = compileSync(file(layers(2, wrapped)));
      return [1, 3].map((threads) => {
        const session = module.session({ seed: 4, threads });
        const result = session.run('slopes', { x, key: 5n }) as unknown as readonly { readonly data: Float32Array }[];
        const data = result.map((one) => Float32Array.from(one.data));
        session.close();
        return data;
      });
    });
    for (const one of results) expect(one).toEqual(results[0]);
  }, 240_000);
});
