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

  it('takes scalar arguments as options, however they are written', () => {
    const losses = [['--feed', 'lr=0.1'], ['--lr', '0.1'], ['--lr=.1'], ['--lr', '1e-1']].map((lr) => {
      const outcome = tfc('train', line, ...lr, '--data', 'set.csv', '--batch', '7', '--epochs', '2', '--json', 'train');
      expect(outcome).toMatchObject({ status: 0, err: '' });
      return (jsonLines(outcome) as { readonly loss: number }[]).map(({ loss }) => loss);
    });
    for (const other of losses) expect(other).toEqual(losses[0]);
    const falls = tfc('train', line, 'train', '--lr', '-0.1', '--data', 'set.csv', '--batch', '7', '--epochs', '2', '--json');
    expect((jsonLines(falls) as { readonly loss: number }[])[1]?.loss).toBeGreaterThan(losses[0]?.[0] ?? NaN);
  });

  it.each([
    [['--lrr', '1'], "error: unknown option '--lrr' (Did you mean --lr?)\n"],
    [['--lr', '1', '--checkpont', 'd'], "error: unknown option '--checkpont' (Did you mean --checkpoint?)\n"],
    [['--x', '[1]'], "error: unknown option '--x' (x is no scalar: give it by --feed x=@file.npy.)\n"],
    [['--lr'], "error: option '--lr' needs a value\n"],
    [['--lr', '1', 'more'], 'error: too many arguments: more\n'],
    [
      ['--lr', '1', '--save', 'x.pt'],
      'error: --save takes a path that ends in .safetensors; got "x.pt" (PyTorch reads such a file by safetensors.torch.load_file, NumPy by safetensors.numpy.load_file.)\n',
    ],
    [
      ['--lr', '1', '--restore', 'x.pth'],
      'error: --restore reads .safetensors files and directories of checkpoints; got "x.pth" (Convert it where it was made: safetensors.torch.save_file(model.state_dict(), "model.safetensors"), or safetensors.numpy.save_file.)\n',
    ],
    [['--lr', '1', '--resume'], 'error: --resume is about checkpoints: name their directory by --checkpoint\n'],
    [['--lr', '1', '--best', 'loss'], 'error: --best is about checkpoints: name their directory by --checkpoint\n'],
    [
      ['--lr', '1', '--checkpoint', 'never', '--every', '5minutes'],
      'error: --every takes a number of steps or epochs, e.g. 500steps or 1epochs; got "5minutes"\n',
    ],
    [['--lr', '1', '--checkpoint', 'never', '--keep', '0'], 'error: --keep takes a whole number of at least 1; got "0"\n'],
    [
      ['--lr', '1', '--validate', '1.5'],
      'error: --validate takes a part of the data between 0 and 1, or a path; got "1.5" (A file of that name is ./NAME.)\n',
    ],
    [['--lr', '1', '--early-stop', 'los'], 'error: --early-stop: an epoch has no los (Did you mean loss?)\n'],
    [
      ['--lr', '1', '--early-stop', 'validation/loss:3'],
      'error: --early-stop: an epoch has no validation/loss (Say on what to validate by --validate.)\n',
    ],
    [['--lr', '1', '--early-stop', 'loss:0'], 'error: --early-stop METRIC:PATIENCE takes a whole number of at least 1; got "0"\n'],
  ])('%j is wrong usage', (args, err) => {
    const outcome = tfc('train', line, 'train', '--data', 'set.csv', '--batch', '7', '--epochs', '1', ...args);
    expect(outcome).toEqual({ status: 2, out: '', err });
    expect(existsSync(join(directory, 'never'))).toBe(false);
  });

  it('ends at a loss that is no number, by its step and its name', () => {
    const outcome = train('set.csv', '--lr', '1e30');
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toMatch(/^error\[not-finite\]: loss is Infinity in step 2 \(epoch 1\)\.\n {2}hint: .*--no-stop-on-nan/);
    expect(outcome.err).toContain('--trap-nan');
    const trapped = train('set.csv', '--lr', '1e30', '--trap-nan');
    expect(trapped.status).toBe(1);
    expect(trapped.err).toMatch(/^error\[not-finite\]: train: .* at \S+\.tdsl:\d+:\d+.* made an infinity of finite numbers/);
    expect(train('set.csv', '--lr', '1e30', '--no-stop-on-nan').status).toBe(0);
  });

  it('keeps the order of the data, and drops what fills no batch, when that is asked for', () => {
    const steps = (...args: readonly string[]): unknown =>
      jsonLines(train('set.csv', '--json', ...args))
        .slice(0, 1)
        .map((record) => (record as { readonly steps: number }).steps);
    expect([steps(), steps('--drop-rest')]).toEqual([[6], [5]]);
    const losses = ['1', '2'].map((seed) =>
      jsonLines(train('set.csv', '--json', '--no-shuffle', '--seed', seed)).map((one) => (one as { loss: number }).loss),
    );
    expect(losses[1]).toEqual(losses[0]);
  });

  it('asks which step when there are several', () => {
    const outcome = tfc('train', line, '--data', 'set.csv', '--batch', '5', '--epochs', '1');
    expect(outcome).toMatchObject({ status: 2, out: '', err: 'error: name one of the steps: train, other\n' });
  });
});
