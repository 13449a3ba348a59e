// Checkpoints, validation, evaluation and prediction as a user meets them. In: the built `tfc`. Out: lines, files, exit codes.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SafetensorsFile } from '../../runtime/index.js';
import { npy } from '../driver/files-of-data.js';
import { cli, jsonError, jsonLines, type Outcome, root, workplace } from '../driver/tfc.js';
import { readNpy } from '../../src/train/data/npy.js';

const place = workplace();
const { tfc, directory } = place;

const text = `import { momentum } from "std/optim"
param w: f32[2, 1] = zeros()
param b: f32 = 0
fn lossOf<B>(x: f32[B, 2], y: f32[B, 1]): f32 = mean(square(x @ w + b - y))
export step train<B>(x: f32[B, 2], y: f32[B, 1], lr: f32): { loss: f32 } {
  let loss = lossOf(x, y)
  minimize loss with momentum(lr)
  return { loss }
}
/// Of another name than it has to be.
export fn metrics<B>(x: f32[B, 2], y: f32[B, 1]): { loss: f32 } { return { loss: lossOf(x, y) } }
export fn predict<B>(x: f32[B, 2]): f32[B, 1] = x @ w + b
export fn several<B>(x: f32[B, 2], scale: f32): { scaled: f32[B, 1], larger: i32[B] } {
  return { scaled: scale * (x @ w + b), larger: argmax(x, axis: 1) }
}
`;
place.file('line.tdsl', text);
const rows = Array.from({ length: 50 }, (_, at) => [Math.sin(at), Math.cos(3 * at)] as const);
const labels = rows.map(([a, b]) => 2 * a - b + 3);
place.file('set.csv', `a,b,target\n${rows.map(([a, b], at) => `${a},${b},${labels[at]}`).join('\n')}\n`);
mkdirSync(join(directory, 'set'));
place.file('set/x.npy', npy('<f8', [50, 2], Float64Array.from(rows.flat())));
place.file('set/y.npy', npy('<f4', [50, 1], Float32Array.from(labels)));

const training = ['train', 'line.tdsl', '--data', 'set.csv', '--batch', '8', '--lr', '0.05'];
const train = (...more: readonly string[]): Outcome => tfc(...training, '--epochs', '3', ...more);
const names = (folder: string): string[] => readdirSync(join(directory, folder)).sort();
const epochs = (outcome: Outcome): Readonly<Record<string, number>>[] => {
  expect(outcome).toMatchObject({ status: 0, err: '' });
  return jsonLines(outcome) as Readonly<Record<string, number>>[];
};

/** Written after the description of the format, and not by what is tested. */
function safetensors(
  name: string,
  tensors: Readonly<Record<string, readonly [dtype: string, shape: readonly number[], data: ArrayBufferView]>>,
): string {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([key, [dtype, shape, data]]) => [key, { dtype, shape, data_offsets: [at, (at += data.byteLength)] }]),
  );
  const json = Buffer.from(JSON.stringify({ ...header, __metadata__: { format: 'pt' } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const bytes = Object.values(tensors).map(([, , data]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return place.file(name, Buffer.concat([length, json, ...bytes]));
}
/** y = 2·x₀ − x₁ + 3. */
const solved = safetensors('solved.safetensors', {
  w: ['F32', [2, 1], Float32Array.of(2, -1)],
  b: ['F64', [], Float64Array.of(3)],
});
const halves = safetensors('halves.safetensors', {
  unrelated: ['I64', [1], BigInt64Array.of(5n)],
  b: ['F16', [], Uint16Array.of(0x4200)],
  w: ['BF16', [2, 1], Uint16Array.of(0x4000, 0xbf80)],
});

describe('validation', () => {
  it('is of a part of the data that is not trained on, the same for the same seed', () => {
    const [one, again, other] = [['1'], ['1'], ['2']].map(([seed = '']) => epochs(train('--json', '--validate', '0.2', '--seed', seed)));
    expect(one?.[0]).toMatchObject({ epoch: 1, steps: 5 });
    expect(one?.every((record) => Number.isFinite(record['validation/loss']))).toBe(true);
    const losses = (records: typeof one): unknown => records?.map((record) => [record['loss'], record['validation/loss']]);
    expect(losses(again)).toEqual(losses(one));
    expect(losses(other)).not.toEqual(losses(one));
    expect(train('--validate', '0.2').out).toMatch(/^epoch 1: loss \S+, validation\/loss \S+ \(/);
    // One row at least validates, and one at least trains.
    expect(epochs(train('--json', '--validate', '0.001')).every((record) => Number.isFinite(record['validation/loss']))).toBe(true);
    expect(jsonError(train('--json', '--validate', '0.999'))).toMatchObject({ code: 'invalid-value' });
  });

  it('is of other data, by a function that is named or fits', () => {
    const last = (records: readonly Readonly<Record<string, number>>[]): number => records.at(-1)?.['validation/loss'] ?? NaN;
    const fits = last(epochs(train('--json', '--validate', 'set', '--save', 'validated.safetensors')));
    expect(last(epochs(train('--json', '--validate', 'set', '--validate-with', 'metrics')))).toBe(fits);
    const [{ loss }] = jsonLines(
      tfc('eval', 'line.tdsl', '--data', 'set', '--restore', 'validated.safetensors', '--batch', '8', '--json'),
    ) as [{ loss: number }];
    expect(loss).toBe(fits);
    expect(jsonError(train('--json', '--validate', 'set', '--validate-with', 'predict'))).toMatchObject({
      code: 'unknown-entry',
      message: 'predict does not compute the metrics of train: it does not take y',
    });
  });

  it("is of the step's own numbers, without its updates, where no function fits", () => {
    place.file('silent.tdsl', text.replace('export fn metrics', 'fn metrics'));
    const silent = ['train', 'silent.tdsl', ...training.slice(2), '--epochs', '3', '--json', '--validate'];
    const losses = (outcome: Outcome): unknown[] => epochs(outcome).map((record) => [record['loss'], record['validation/loss']]);
    for (const on of ['0.2', 'set']) expect(losses(tfc(...silent, on))).toEqual(losses(train('--json', '--validate', on)));
    // Without what the optimizer keeps.
    const evaluate = (program: string): unknown => jsonLines(tfc('eval', program, 'train', '--data', 'set', '--restore', halves, '--json'));
    expect(evaluate('silent.tdsl')).toEqual(evaluate('line.tdsl'));
    expect(evaluate('silent.tdsl')).toMatchObject([{ rows: 50, loss: expect.any(Number) as number }]);
    // A `let` has the name of a result that is another node.
    place.file('silent.tdsl', text.replace('export fn metrics', 'fn metrics').replace('return { loss }', 'return { loss: 2 * loss }'));
    const none = tfc(...silent, '0.2');
    expect(jsonError(none)).toMatchObject({
      code: 'unknown-entry',
      hint: 'Export a function of the same data that returns the same numbers: export fn metrics<B>(x: …, y: …): { loss: f32 }.',
    });
  });
});

describe('checkpoints', () => {
  it('are written at intervals; the newest and the best stay', () => {
    epochs(train('--json', '--checkpoint', 'steps', '--every', '4', '--keep', '2'));
    expect(names('steps')).toEqual(['step-000020.safetensors', 'step-000021.safetensors']);
    epochs(train('--json', '--checkpoint', 'best', '--keep', '1', '--best', 'max:loss'));
    expect(names('best')).toEqual(['step-000007.safetensors', 'step-000021.safetensors']);
    using file = new SafetensorsFile(join(directory, 'best/step-000021.safetensors'));
    expect([...file.tensors.keys()].sort()).toEqual(['b', 'train/momentum/b/v', 'train/momentum/w/v', 'w']);
  });

  it('are gone on with, to the same bits, from another directory and cache', () => {
    epochs(train('--json', '--save', 'whole.safetensors'));
    epochs(tfc(...training, '--epochs', '2', '--json', '--checkpoint', 'part'));
    const moved = workplace();
    for (const name of ['line.tdsl', 'set.csv']) copyFileSync(join(directory, name), join(moved.directory, name));
    // Comments are no other program.
    moved.file('line.tdsl', `// A remark.\n${text}`);
    mkdirSync(join(moved.directory, 'part'));
    for (const name of names('part')) copyFileSync(join(directory, 'part', name), join(moved.directory, 'part', name));
    const rest = epochs(
      moved.tfc(...training, '--epochs', '3', '--json', '--checkpoint', 'part', '--resume', '--threads', '2', '--save', 'w.safetensors'),
    );
    expect(rest).toMatchObject([
      { resumed: 'part/step-000014.safetensors', epoch: 3, steps: 14 },
      { epoch: 3, steps: 21 },
    ]);
    expect(readFileSync(join(moved.directory, 'w.safetensors')).equals(readFileSync(join(directory, 'whole.safetensors')))).toBe(true);
  });

  it.each([
    ['no --resume', [], 'invalid-value', 'own has checkpoints of a run already.'],
    ['another batch', ['--resume', '--batch', '9'], 'other-run', 'batch was 8 and is 9'],
    ['another seed', ['--resume', '--seed', '1'], 'other-run', 'seed was 0 and is 1'],
    ['another order', ['--resume', '--no-shuffle'], 'other-run', 'shuffle was true and is false'],
    ['another rest', ['--resume', '--drop-rest'], 'other-run', 'rows that fill no batch was keep and is drop'],
    ['another argument', ['--resume', '--lr', '0.5'], 'other-run', 'argument lr was 0.05 and is 0.5'],
    ['other data', ['--resume', '--data', 'set'], 'other-run', 'the data is other data'],
    ['less data', ['--resume', '--validate', '0.1'], 'other-run', 'validate was not given and is 0.1'],
  ])('are refused with %s', (_, args, code, said) => {
    if (!existsSync(join(directory, 'own'))) epochs(train('--json', '--checkpoint', 'own'));
    const before = names('own');
    const outcome = train('--json', '--checkpoint', 'own', ...args);
    expect(outcome.status).toBe(1);
    expect(jsonError(outcome)).toMatchObject({ code, message: expect.stringContaining(said) as string });
    expect(names('own')).toEqual(before);
  });

  it('are refused with another program', () => {
    epochs(train('--json', '--checkpoint', 'first'));
    place.file('other.tdsl', text.replace('momentum(lr)', 'momentum(lr, beta: 0.8)'));
    mkdirSync(join(directory, 'elsewhere'));
    writeFileSync(join(directory, 'elsewhere/line.tdsl'), text.replace('momentum(lr)', 'momentum(lr, beta: 0.8)'));
    const outcome = tfc(
      'train',
      'elsewhere/line.tdsl',
      ...training.slice(2),
      '--epochs',
      '3',
      '--json',
      '--checkpoint',
      'first',
      '--resume',
    );
    expect(jsonError(outcome)).toMatchObject({
      code: 'other-run',
      message: 'first/step-000021.safetensors is of another run: the program is another one.',
    });
  });

  it('stop early by what validates', () => {
    const outcome = train('--json', '--lr', '0', '--validate', '0.2', '--early-stop', 'validation/loss:1', '--checkpoint', 'early');
    expect(epochs(outcome).at(-1)).toEqual({ stopped: 'early', epoch: 2 });
    expect(names('early').at(-1)).toBe('step-000010.safetensors');
  });
});

describe('signals', () => {
  const start = (...more: readonly string[]): ChildProcess =>
    spawn(process.execPath, [cli, ...training, '--epochs', '1000000', ...more], {
      cwd: directory,
      env: { ...process.env, TFC_CACHE: place.cache, NO_COLOR: '1' },
    });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s finishes the step, saves, and ends with %i', async (signal, status) => {
    const child = start('--checkpoint', `at-${signal}`, '--every', '1000000epochs');
    let out = '';
    child.stdout?.on('data', (piece) => (out += String(piece)));
    while (!out.includes('epoch 3:')) await sleep(20);
    const ended = once(child, 'close');
    child.kill(signal);
    expect(await ended).toEqual([status, null]);
    const [, steps = '', path = ''] = /stopped by \w+ after (\d+) steps: (\S+) has them; --resume goes on\n$/.exec(out) ?? [];
    expect(path).toBe(`at-${signal}/step-${steps.padStart(6, '0')}.safetensors`);
    expect(existsSync(join(directory, path))).toBe(true);
  });

  it('end at once when there are two, even while something computes that never rests', async () => {
    const module = join(root, 'dist', 'src', 'driver', 'commands', 'interrupts.js');
    const script = `const { Interrupts } = await import(${JSON.stringify(module)});
      const interrupts = new Interrupts((by) => process.stdout.write('heard ' + by));
      interrupts.signal.addEventListener('abort', () => { for (;;); });
      setInterval(() => {}, 1000);
      process.stdout.write('ready ');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    let out = '';
    child.stdout.on('data', (piece) => (out += String(piece)));
    const ended = once(child, 'close');
    for (const [said, signal] of [
      ['ready ', 'SIGTERM'],
      ['heard SIGTERM', 'SIGINT'],
    ] as const) {
      while (!out.endsWith(said)) await sleep(20);
      child.kill(signal);
    }
    expect(await ended).toEqual([null, 'SIGINT']);
  });

  it('say what is not saved', async () => {
    const child = start('--json');
    let out = '';
    child.stdout?.on('data', (piece) => (out += String(piece)));
    while (!out.includes('"epoch":3')) await sleep(20);
    const ended = once(child, 'close');
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    const last = JSON.parse(out.trim().split('\n').at(-1) ?? '') as object;
    expect(last).toEqual({ stopped: 'SIGINT', steps: expect.any(Number) as number });
  });
});

describe('--restore', () => {
  it('starts training with variables of other writers, slots at their beginning', () => {
    const w = safetensors('plain.safetensors', { w: ['F32', [2, 1], Float32Array.of(2, -1)], b: ['F32', [], Float32Array.of(3)] });
    const [first] = epochs(train('--json', '--restore', w));
    expect(first?.['loss']).toBeLessThan(1e-10);
    const [begun] = epochs(train('--json', '--restore', w, '--checkpoint', 'restored', '--resume'));
    expect(begun?.['loss']).toBe(first?.['loss']);
  });

  it('takes what loses nothing, and says what does not fit', () => {
    expect(jsonLines(tfc('run', 'line.tdsl', 'predict', '--feed', 'x=[[1, 1]]', '--restore', halves))).toEqual([[[4]]]);
    expect(jsonError(tfc('run', 'line.tdsl', 'predict', '--feed', 'x=[[1, 1]]', '--restore', solved, '--json'))).toMatchObject({
      code: 'dtype-mismatch',
      message: 'solved.safetensors does not fit the variables: b is f32, and it holds f64.',
    });
    expect(jsonError(tfc('run', 'line.tdsl', 'predict', '--restore', 'nowhere', '--json'))).toMatchObject({ code: 'file-not-found' });
  });

  it('gives variables to entries whose ranks only a call knows', () => {
    place.file('open.tdsl', 'param b: f32 = 0\nexport fn shifted<...S>(x: f32[...S]): f32[...S] = x + b\n');
    expect(jsonLines(tfc('run', 'open.tdsl', 'shifted', '--feed', 'x=[[1, 2]]', '--restore', halves))).toEqual([[[4, 5]]]);
  });

  it('knows the latest and the best of a directory', () => {
    epochs(train('--json', '--checkpoint', 'chosen', '--best', 'max:loss', '--validate', 'set'));
    const lossOf = (path: string): number =>
      (jsonLines(tfc('eval', 'line.tdsl', '--data', 'set', '--restore', path, '--json')) as [{ loss: number }])[0].loss;
    const [latest, best] = [lossOf('chosen'), lossOf('chosen/best')];
    expect(lossOf('chosen/latest')).toBe(latest);
    expect(best).toBeGreaterThan(latest);
  });
});

describe('tfc eval', () => {
  it('is the mean over all rows, whatever the batch', () => {
    const outcomes = ['1', '7', '50', '1000'].map((batch) =>
      tfc('eval', 'line.tdsl', 'metrics', '--data', 'set.csv', '--restore', halves, '--batch', batch, '--json'),
    );
    for (const outcome of outcomes) {
      const [record] = epochs(outcome);
      expect(record?.['rows']).toBe(50);
      expect(record?.['loss']).toBeLessThan(1e-12);
    }
    expect(tfc('eval', 'line.tdsl', '--data', 'set.csv', '--restore', halves)).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^loss \S+ \(50 rows\)\n$/) as string,
    });
    expect(jsonError(tfc('eval', 'line.tdsl', 'predict', '--data', 'set', '--restore', halves, '--json'))).toMatchObject({
      code: 'unknown-entry',
      message: 'predict returns no numbers that have a mean',
    });
    expect(jsonError(tfc('eval', 'line.tdsl', 'metric', '--data', 'set', '--restore', halves, '--json'))).toMatchObject({
      code: 'unknown-entry',
      hint: 'Did you mean metrics?',
    });
  });
});

describe('tfc predict', () => {
  const predict = (entry: string, out: string, ...more: readonly string[]): Outcome =>
    tfc('predict', 'line.tdsl', entry, '--data', 'set.csv', '--restore', halves, '--out', out, '--batch', '7', ...more);
  const close = (values: ArrayLike<number>, scale = 1): void => {
    expect(values).toHaveLength(50);
    for (const [at, label] of labels.entries()) expect(values[at]).toBeCloseTo(scale * label, 4);
  };

  it('writes what NumPy reads', () => {
    expect(predict('predict', 'y.npy')).toEqual({ status: 0, out: '50 rows written to y.npy\n', err: '' });
    const { dtype, shape, data } = readNpy(join(directory, 'y.npy'));
    expect({ dtype, shape }).toEqual({ dtype: 'f32', shape: [50, 1] });
    close(data as Float32Array);
    const bytes = readFileSync(join(directory, 'y.npy'));
    expect(bytes.subarray(0, 128).toString('latin1')).toBe(
      `\x93NUMPY\x01\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (50, 1), }${' '.repeat(57)}\n`,
    );
  });

  it('writes several results to one archive, uncompressed', () => {
    expect(predict('several', 'both.npz', '--scale', '2', '--json').out).toBe(
      '{"out":"both.npz","rows":50,"results":["scaled","larger"]}\n',
    );
    const bytes = readFileSync(join(directory, 'both.npz'));
    const members = ['scaled.npy', 'larger.npy'].map((name) => {
      const at = bytes.indexOf(name);
      const [size, nameLength, extra] = [bytes.readUInt32LE(at - 8), bytes.readUInt16LE(at - 4), bytes.readUInt16LE(at - 2)];
      place.file(name, bytes.subarray(at + nameLength + extra, at + nameLength + extra + size));
      return readNpy(join(directory, name));
    });
    expect(members.map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ['f32', [50, 1]],
      ['i32', [50]],
    ]);
    close(members[0]?.data as Float32Array, 2);
  });

  it('writes text that is read back the same', () => {
    expect(predict('several', 'both.csv', '--scale', '1').status).toBe(0);
    const lines = readFileSync(join(directory, 'both.csv'), 'utf8').trim().split('\n');
    expect(lines[0]).toBe('scaled_0,larger');
    close(lines.slice(1).map((line) => Number(line.split(',')[0])));
    expect(predict('several', 'both.json', '--scale', '1').status).toBe(0);
    const { scaled, larger } = JSON.parse(readFileSync(join(directory, 'both.json'), 'utf8')) as { scaled: number[][]; larger: number[] };
    close(scaled.flat());
    expect(larger).toEqual(rows.map(([a, b]) => (b > a ? 1 : 0)));
  });

  it.each([
    ['predict', 'y.txt', [], 2, 'usage', '--out takes a path that ends in .npy, .npz, .csv, .json; got "y.txt"'],
    ['several', 'y.npy.npy', ['--scale', '1'], 2, 'usage', 'a .npy file has one result, and several returns 2: scaled, larger'],
    ['several', 'no.csv', ['--scales', '1'], 2, 'usage', "unknown option '--scales'"],
    ['metrics', 'no.npy', [], 1, 'bad-data', 'metrics returns loss, which has no row per row of the data'],
    ['train', 'no.npy', [], 1, 'unknown-entry', 'line.tdsl exports no function train'],
    ['predict', 'nowhere/y.npy', [], 1, 'file-not-written', 'nowhere/y.npy: no such file or directory'],
  ])('%s to %s %j is refused', (entry, out, more, status, code, message) => {
    const outcome = predict(entry, out, ...more, '--json');
    expect(outcome.status).toBe(status);
    expect(jsonError(outcome)).toMatchObject({ code, message });
    expect(existsSync(join(directory, out))).toBe(false);
  });
});
