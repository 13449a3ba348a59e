// `tfc train` on every kind of data. In: small data sets that the tests write. Out: means per epoch, saved variables; or an error before
// anything is trained.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/driver/index.js';
import { idx, npy } from './files-of-data.js';
import { jsonError, jsonLines, workplace } from './tfc.js';

const place = workplace();
const { tfc, directory } = place;

const line = place.file(
  'line.tdsl',
  `import { sgd } from "std/optim"
param w: f32[2, 1] = zeros()
param b: f32 = 0
export step train<B>(x: f32[B, 2], y: f32[B, 1], lr: f32): { loss: f32 } {
  let loss = mean(square(x @ w + b - y))
  minimize loss with sgd(lr)
  return { loss }
}
export step other<B>(x: f32[B, 2], y: f32[B, 1]): f32 {
  b <- mean(y)
  return b
}
`,
);

/** y = 2·x₀ − x₁ + 3. */
const rows = Array.from({ length: 40 }, (_, at) => [Math.sin(at), Math.cos(3 * at)] as const);
const labels = rows.map(([a, b]) => 2 * a - b + 3);
place.file('set.csv', `a,b,target\n${rows.map(([a, b], at) => `${a},${b},${labels[at]}`).join('\n')}\n`);
place.file('set.json', JSON.stringify({ x: rows, y: labels.map((label) => [label]) }));
mkdirSync(join(directory, 'set'));
place.file('set/x.npy', npy('<f8', [40, 2], Float64Array.from(rows.flat())));
place.file('set/y.npy', npy('<f4', [40, 1], Float32Array.from(labels)));

const train = (data: string, ...more: readonly string[]) =>
  tfc('train', line, 'train', '--data', data, '--batch', '7', '--epochs', '60', '--feed', 'lr=0.1', ...more);

describe('tfc train', () => {
  it('learns the same from CSV, JSON and npy', () => {
    const outcomes = ['set.csv', 'set.json', 'set'].map((data) => train(data, '--json'));
    const records = outcomes.map((outcome) => {
      expect(outcome).toMatchObject({ status: 0, err: '' });
      return (
        jsonLines(outcome) as { readonly epoch: number; readonly steps: number; readonly loss: number; readonly seconds: number }[]
      ).map(({ epoch, steps, loss }) => ({ epoch, steps, loss }));
    });
    expect(records[0]).toHaveLength(60);
    expect(records[0]?.[0]?.steps).toBe(6);
    expect(records[0]?.at(-1)?.loss).toBeLessThan(1e-6);
    expect(records[1]).toEqual(records[0]);
    expect(records[2]).toEqual(records[0]);
  });

  it('writes a line per epoch for people, and saves the variables', async () => {
    const outcome = train('set.csv', '--save', 'line.safetensors');
    expect(outcome).toMatchObject({ status: 0, err: '' });
    expect(outcome.out.split('\n')[0]).toMatch(/^epoch 1: loss \d+\.\d+ \(\d+\.\d\d s\)$/);
    expect(outcome.out).toContain('variables saved to line.safetensors\n');
    using model = await compile(join(directory, line));
    using session = model.session();
    session.restore(join(directory, 'line.safetensors'));
    const [a, b] = (session.get('w') as { readonly data: Float32Array }).data;
    expect([a, b, session.get('b')].map((value) => (value as number).toFixed(2))).toEqual(['2.00', '-1.00', '3.00']);
  });

  it("reads MNIST's files", () => {
    mkdirSync(join(directory, 'digits'));
    place.file(
      'digits/t10k-images-idx3-ubyte',
      idx(
        [30, 2, 2],
        Uint8Array.from({ length: 120 }, (_, at) => ((at >> 2) % 2 === 0 ? 255 : 0)),
      ),
    );
    place.file(
      'digits/t10k-labels-idx1-ubyte',
      idx(
        [30],
        Uint8Array.from({ length: 30 }, (_, at) => at % 2),
      ),
    );
    const digits = place.file(
      'digits.tdsl',
      `import { Dense } from "std/nn"
import { softmaxCrossEntropy, accuracy } from "std/loss"
import { sgd } from "std/optim"
layer = Dense<4, 2>()
export step train<B>(image: f32[B, 2, 2], label: i32[B]): { loss: f32, accuracy: f32 } {
  let logits = layer(reshape(image, [B, 4]))
  let loss = mean(softmaxCrossEntropy(logits, label))
  minimize loss with sgd(lr: 0.5)
  return { loss, accuracy: accuracy(logits, label) }
}
`,
    );
    const outcome = tfc('train', digits, '--data', 'digits', '--batch', '5', '--epochs', '5', '--json', '--threads', '2');
    expect(outcome).toMatchObject({ status: 0, err: '' });
    expect(jsonLines(outcome).at(-1)).toMatchObject({ epoch: 5, steps: 30, accuracy: 1 });
    place.file('digits/t10k-labels-idx1-ubyte', readFileSync(join(directory, 'digits', 't10k-labels-idx1-ubyte')).subarray(0, 20));
    expect(jsonError(tfc('train', digits, '--data', 'digits', '--batch', '5', '--epochs', '1', '--json'))).toMatchObject({
      code: 'bad-data',
      message: expect.stringContaining('truncated') as string,
    });
  });

  it('gives other batches for another seed', () => {
    const [a, b, c] = ['1', '1', '2'].map((seed) =>
      jsonLines(train('set.csv', '--json', '--seed', seed)).map((record) => (record as { readonly loss: number }).loss),
    );
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
  });

  it.each([
    [['train', '--data', 'set.csv'], 'missing-feed', 'lr'],
    [['train', '--data', 'nowhere', '--feed', 'lr=1'], 'file-not-found', 'nowhere'],
    [['trane', '--data', 'set.csv'], 'unknown-entry', 'trane'],
    [['train', '--data', 'cut', '--feed', 'lr=1'], 'bad-data', 'truncated'],
    [['train', '--data', 'nan.json', '--feed', 'lr=1'], 'bad-data', 'NaN and Infinity are no JSON'],
    [['train', '--data', 'wide.json', '--feed', 'lr=1'], 'shape-mismatch', 'x'],
    [['train', '--data', 'set.csv', '--feed', 'lr=NaN'], 'bad-data', 'lr'],
    [['train', '--data', 'set.csv', '--feed', 'lr=1', '--feed', 'rate=1'], 'unknown-feed', 'rate'],
    [['train', '--data', 'set.csv', '--feed', 'lr=1', '--save', 'nowhere/x.safetensors'], 'file-not-written', 'nowhere'],
  ])('tfc train %j is %s', (args, code, said) => {
    mkdirSync(join(directory, 'cut'), { recursive: true });
    place.file('cut/x.npy', npy('<f4', [40, 2], new Float32Array(80)).subarray(0, 300));
    place.file('cut/y.npy', npy('<f4', [40, 1], new Float32Array(40)));
    place.file('nan.json', '{"x": [[1, NaN]], "y": [[1]]}');
    place.file('wide.json', '{"x": [[1, 2, 3]], "y": [[1]]}');
    const outcome = tfc('train', line, ...args, '--batch', '5', '--epochs', '1', '--json');
    expect(outcome).toMatchObject({ status: 1, err: '' });
    expect(jsonError(outcome).code).toBe(code);
    expect(jsonError(outcome).message).toContain(said);
    expect(existsSync(join(directory, 'nowhere'))).toBe(false);
  });

  it('asks which step when there are several', () => {
    const outcome = tfc('train', line, '--data', 'set.csv', '--batch', '5', '--epochs', '1');
    expect(outcome).toMatchObject({ status: 2, out: '', err: 'error: name one of the steps: train, other\n' });
  });
});
