// Every example, as its readme says. In: the built examples; real data where the folder beside the checkout has it. Out: the numbers that
// they promise.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Fit } from '../../examples/hospital/main.js';
import { expectedVisits, madeUpVisits, noise } from '../../examples/hospital/visits.js';
import { drawDigits, side } from '../../examples/mnist/digits.js';
import { makeHousing, type Part, partsOf, readHousing } from '../../examples/linear-regression/main.js';
import { compile, inMemory, type Tensor, train } from '../../src/driver/index.js';

const root = join(import.meta.dirname, '..', '..');
const data = join(root, '..', 'shared', 'data');
const directory = mkdtempSync(join(tmpdir(), 'tfc-examples-'));
afterAll(() => rmSync(directory, { recursive: true }));

const main = (example: string): string => join(root, 'dist', 'examples', example, 'main.js');

function run(example: string, ...args: readonly string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main(example), ...args], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { status, out: stdout, err: stderr };
}

function lastJson(example: string, ...args: readonly string[]): Readonly<Record<string, number>> {
  const { status, out, err } = run(example, ...args, '--json');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Readonly<Record<string, number>>;
}

describe('first-graph', () => {
  it('is 42, and changes with x', () => {
    expect(run('first-graph')).toEqual({ status: 0, out: 'f(3, 4) = 42\nf(5, 4) = 106\n', err: '' });
    expect(lastJson('first-graph')).toEqual({ before: 42, after: 106 });
  });
});

/** The least mean squared error of any linear function, by Gauss' elimination in double precision. */
function leastError({ rows, X, y }: Part): number {
  const width = X.shape[1] as number;
  const row = (at: number): Float32Array => X.data.subarray(at * width, (at + 1) * width);
  const system = Array.from({ length: width }, () => new Float64Array(width + 1));
  for (let at = 0; at < rows; at += 1)
    for (const [i, a] of row(at).entries()) {
      const equation = system[i] as Float64Array;
      for (const [j, b] of row(at).entries()) equation[j] = (equation[j] as number) + a * b;
      equation[width] = (equation[width] as number) + a * (y.data[at] as number);
    }
  for (const [pivot, equation] of system.entries())
    for (const [i, other] of system.entries()) {
      if (i === pivot) continue;
      const factor = (other[pivot] as number) / (equation[pivot] as number);
      for (let j = 0; j <= width; j += 1) other[j] = (other[j] as number) - factor * (equation[j] as number);
    }
  const weights = system.map((equation, at) => (equation[width] as number) / (equation[at] as number));
  let sum = 0;
  for (let at = 0; at < rows; at += 1)
    sum += (row(at).reduce((value, x, j) => value + x * (weights[j] as number), 0) - (y.data[at] as number)) ** 2;
  return sum / rows;
}

describe('linear-regression', () => {
  it('finds made-up weights in four ways', async () => {
    const { start, normalEquation, byHand, byGrad, byOptimizer, validation } = lastJson('linear-regression', '--out', 'houses');
    expect(start).toBeGreaterThan(2);
    // The noise of the made-up prices has variance 0.5.
    expect(normalEquation).toBeCloseTo(0.5, 1);
    expect(normalEquation).toBeCloseTo(leastError((await partsOf(makeHousing(20640, 7), 42)).training), 5);
    for (const error of [byHand, byGrad, byOptimizer]) expect(error).toBeCloseTo(normalEquation ?? NaN, 3);
    expect(byGrad).toBeCloseTo(byOptimizer ?? NaN, 6);
    expect(validation).toBeCloseTo(0.5, 1);
    expect(readdirSync(join(directory, 'houses')).sort()).toEqual(['checkpoints', 'report.html', 'runs']);
    expect(logOf('houses')).toContain('validation/mse');
    expect(readFileSync(join(directory, 'houses', 'report.html'), 'utf8')).toContain('<svg');
  });

  it.runIf(existsSync(join(data, 'housing.csv')))('reaches about 0.53 on California housing', async () => {
    const { start, normalEquation, validation, ...ways } = lastJson('linear-regression', '--data', join(data, 'housing.csv'));
    expect(start).toBeGreaterThan(2);
    expect(normalEquation).toBeCloseTo(leastError((await partsOf(readHousing(join(data, 'housing.csv')), 42)).training), 3);
    for (const error of [...Object.values(ways), validation]) expect(error).toBeCloseTo(0.53, 1);
  });

  it('goes on after a kill, with the same bits', async () => {
    const { said } = await interrupt('SIGKILL', 'killed', 'linear-regression', '--epochs', '1000000');
    expect(said).toContain('"epoch"');
    const steps = Number(/\d+/.exec(checkpointsOf('killed').at(-1) ?? '')?.[0]);
    const epochs = ['--epochs', String(steps + 150)];
    const parts = run('linear-regression', '--out', 'killed', '--resume', ...epochs, '--json');
    expect(parts).toMatchObject({ status: 0, err: '' });
    expect(parts.out).toMatch(new RegExp(`^\\{"resumed":${steps}\\}\n`));
    expect(JSON.parse(parts.out.trim().split('\n').at(-1) ?? '')).toEqual(lastJson('linear-regression', '--out', 'not killed', ...epochs));
    expect(readdirSync(join(directory, 'killed', 'runs'))).toHaveLength(1);
    // Without being asked it overwrites nothing.
    expect(run('linear-regression', '--out', 'killed')).toMatchObject({
      status: 1,
      err: expect.stringContaining('has checkpoints of a run already') as string,
    });
  });

  it('says what is wrong with its data', () => {
    expect(run('linear-regression', '--data', 'nowhere.csv')).toMatchObject({
      status: 1,
      err: expect.stringContaining('nowhere.csv: no such file') as string,
    });
    writeFileSync(join(directory, 'other.csv'), 'a,b\n1,2\n');
    expect(run('linear-regression', '--data', 'other.csv')).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringContaining('no column of numbers called households') as string,
    });
  });
});

/** Waits for the first checkpoint, and sends a signal. `args`: so many epochs that no machine is through with them before it. */
async function interrupt(
  signal: 'SIGINT' | 'SIGKILL',
  out: string,
  example: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = spawn(process.execPath, [main(example), '--out', out, ...args, '--json'], { cwd: directory });
  const ended = once(child, 'close') as Promise<[code: number | null]>;
  let said = '';
  child.stdout.on('data', (piece) => (said += String(piece)));
  child.stderr.on('data', (piece) => (said += String(piece)));
  while (child.exitCode === null && checkpointsOf(out).length === 0) await sleep(20);
  child.kill(signal);
  const [code] = await ended;
  return { code, said };
}

const checkpointsOf = (out: string): string[] =>
  existsSync(join(directory, out, 'checkpoints'))
    ? readdirSync(join(directory, out, 'checkpoints'))
        .filter((name) => name.endsWith('.safetensors'))
        .sort()
    : [];

/** Of the only run that was recorded there. */
function logOf(out: string): string {
  const [record = ''] = readdirSync(join(directory, out, 'runs'));
  return readFileSync(join(directory, out, 'runs', record, 'run.jsonl'), 'utf8');
}

describe('moons', () => {
  it('separates them as well as a line can, and better with a curve', () => {
    const { loss, accuracy, lineAccuracy } = lastJson('moons', '--out', 'moons');
    expect(loss).toBeLessThan(0.1);
    expect(accuracy).toBeGreaterThan(0.96);
    expect(lineAccuracy).toBeGreaterThan(0.86);
    expect(lineAccuracy).toBeLessThan(accuracy ?? NaN);
  });

  it('writes checkpoints at intervals, records, a report and the variables', () => {
    const { status, out, err } = run('moons', '--out', 'files', '--epochs', '2', '--batch', '100', '--rate', '0.2', '--every', '8');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/^epoch 1: loss \d.*\nepoch 2: .*\ntest accuracy: curve \d+\.\d %, line \d+\.\d %\n/);
    expect(checkpointsOf('files')).toEqual(['step-000008.safetensors', 'step-000016.safetensors', 'step-000020.safetensors']);
    const [record = ''] = readdirSync(join(directory, 'files', 'runs'));
    expect(readdirSync(join(directory, 'files', 'runs', record)).some((name) => name.startsWith('events.out.tfevents'))).toBe(true);
    // With its scopes, for TensorBoard, and drawn for the page.
    const drawing = readFileSync(join(directory, 'files', 'runs', record, 'graph.svg'), 'utf8');
    for (const scope of ['line', 'curve', 'momentum']) expect(drawing).toContain(scope);
    for (const tag of ['train/loss', 'validation/accuracy', 'log loss/line', '"tag":"curve/w"', '"rate":0.2'])
      expect(logOf('files')).toContain(tag);
    expect(readFileSync(join(directory, 'files', 'report.html'), 'utf8')).toContain('<svg');
    expect(existsSync(join(directory, 'files', 'moons.safetensors'))).toBe(true);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('ends with the same bits when %s interrupted it and it goes on', async (signal) => {
    const out = `interrupted by ${signal}`;
    const { code, said } = await interrupt(signal, out, 'moons', '--epochs', '1000000', '--every', '7');
    expect(code).toBe(signal === 'SIGINT' ? 130 : null);
    if (signal === 'SIGINT') expect(said).toMatch(/\{"stopped":\d+,"epoch":\d+\}\n$/);
    // Twenty steps are an epoch.
    const steps = Number(/\d+/.exec(checkpointsOf(out).at(-1) ?? '')?.[0]);
    const epochs = ['--epochs', String(Math.ceil(steps / 20) + 3)];
    const parts = run('moons', '--out', out, ...epochs, '--every', '50', '--json');
    expect(parts).toMatchObject({ status: 0, err: '' });
    expect(parts.out).toMatch(new RegExp(`^\\{"resumed":${steps}\\}\n`));
    const whole = run('moons', '--out', `${out}, whole`, ...epochs, '--json');
    const last = ({ out: lines }: typeof whole): string[] => lines.trim().split('\n').slice(-3);
    expect(last(parts)).toEqual(last(whole));
    const bits = (name: string): Buffer => readFileSync(join(directory, name, 'moons.safetensors'));
    expect(bits(out).equals(bits(`${out}, whole`))).toBe(true);
    // It is recorded as one run.
    expect(readdirSync(join(directory, out, 'runs'))).toHaveLength(1);
  });

  it('says what is wrong with its options and its directory', () => {
    expect(run('moons', '--rate', '0')).toMatchObject({ status: 1, err: expect.stringContaining('a number above 0') as string });
    expect(run('moons', '--out', 'files', '--batch', '100', '--rate', '0.1')).toMatchObject({
      status: 1,
      err: expect.stringContaining('argument lr was 0.2 and is 0.1') as string,
    });
  });
});

describe('hospital', () => {
  it('finds the curve behind the noise, on days that it was not trained on', () => {
    const { status, out, err } = run('hospital', '--json');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Fit & { readonly epoch?: number });
    expect(lines.slice(0, -1).map(({ epoch }) => epoch)).toEqual(Array.from({ length: 10 }, (_, at) => 20 * (at + 1)));
    const [first, last] = [lines[0], lines.at(-1)] as [Fit, Fit];
    // The noise alone has an error of its variance.
    for (const part of ['training', 'validation', 'test'] as const) {
      expect(last[part]).toBeLessThan(1.5 * noise ** 2);
      expect(last[part]).toBeLessThan(first[part]);
    }
    expect(last.grid).toHaveLength(13);
    for (const [day, visits] of last.grid) expect(Math.abs(visits - expectedVisits(day))).toBeLessThan(noise);
  });

  it('reads a table, and says what is wrong with it', () => {
    const { day, visits } = madeUpVisits(1, 3);
    writeFileSync(join(directory, 'visits.csv'), `day,visits\n${[...day].map((one, at) => `${one},${visits[at]}`).join('\n')}\n`);
    const { status, out, err } = run('hospital', '--data', 'visits.csv', '--epochs', '2', '--every', '1');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/^epoch 1: training \d.*, validation \d.*, test \d.*\nepoch 2: .*\nday {3}0: -?\d+ visits\n/);
    expect(run('hospital', '--data', 'nowhere.csv')).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringContaining('nowhere.csv') as string,
    });
    writeFileSync(join(directory, 'short.csv'), 'day,visits\n1,2\n2,3\n');
    expect(run('hospital', '--data', 'short.csv')).toMatchObject({
      status: 1,
      err: expect.stringContaining('none be left for training') as string,
    });
  });
});

const linear = `import { Dense } from "std/nn"
import { softmaxCrossEntropy } from "std/loss"
import { adam } from "std/optim"

layer = Dense<784, 10>()

export fn predict<B>(x: f32[B, 784]): i32[B] = argmax(layer(x), axis: 1)

export step train<B>(x: f32[B, 784], y: i32[B]): f32 {
  let loss = mean(softmaxCrossEntropy(layer(x), y))
  minimize loss with adam(lr: 1e-3)
  return loss
}
`;

describe('mnist', () => {
  it('draws the same digits from the same seed', () => {
    const first = drawDigits(1000, 1);
    const again = drawDigits(100, 1);
    expect(again.images).toEqual(first.images.subarray(0, 100 * side * side));
    expect(again.labels).toEqual(first.labels.subarray(0, 100));
    expect(drawDigits(100, 2).images).not.toEqual(again.images);
    for (const pixel of again.images) expect(pixel >= 0 && pixel <= 1).toBe(true);
    expect(new Set(first.labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });

  it('learns drawn digits that a linear model reads badly', async () => {
    const [training, test] = [drawDigits(8000, 1), drawDigits(2000, 2)];
    const columns = [
      { name: 'x', data: training.images, rows: 8000, rowShape: [784] },
      { name: 'y', data: training.labels, rows: 8000, rowShape: [] },
    ];
    const path = join(directory, 'linear.tdsl');
    writeFileSync(path, linear);
    using model = await compile(path);
    using session = model.session({ seed: 42, threads: 1 });
    let best = 0;
    for await (const epoch of train((feeds) => session.run('train', feeds), { data: inMemory(columns), batch: 50, epochs: 20, seed: 42 })) {
      expect(epoch.steps).toBe(160 * epoch.epoch);
      const { data: predicted } = session.run('predict', { x: { data: test.images, shape: [2000, 784] } }) as Tensor<'i32'>;
      best = Math.max(best, predicted.filter((label, row) => label === test.labels[row]).length / 2000);
    }
    expect(best).toBeLessThan(0.9);
    expect(best).toBeGreaterThan(0.5);
    expect(lastJson('mnist', '--out', 'digits')['testAccuracy']).toBeGreaterThan(0.95);
    for (const tag of ['train/loss', 'validation/accuracy']) expect(logOf('digits')).toContain(tag);
    expect(readdirSync(join(directory, 'digits')).sort()).toEqual(['checkpoints', 'mnist.safetensors', 'report.html', 'runs']);
  });

  it('goes on after a Ctrl-C, with the same bits', async () => {
    const { code, said } = await interrupt('SIGINT', 'stopped', 'mnist', '--epochs', '1000');
    expect(code).toBe(130);
    const epoch = Number(/\{"stopped":\d+,"epoch":(\d+)\}\n$/.exec(said)?.[1]);
    const epochs = ['--epochs', String(epoch + 1)];
    const parts = run('mnist', '--out', 'stopped', '--resume', ...epochs, '--json');
    expect(parts).toMatchObject({ status: 0, err: '' });
    expect(parts.out).toMatch(/^\{"resumed":\d+\}\n/);
    lastJson('mnist', '--out', 'not stopped', ...epochs);
    const bits = (out: string): Buffer => readFileSync(join(directory, out, 'mnist.safetensors'));
    expect(bits('stopped').equals(bits('not stopped'))).toBe(true);
  });

  it('draws a curve and says where things lie', () => {
    const { status, out, err } = run('mnist', '--epochs', '1', '--threads', '2');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    // A second run begins anew.
    expect(run('mnist', '--epochs', '1', '--threads', '2')).toMatchObject({ status: 0, err: '' });
    for (const part of [
      'epoch 1: loss',
      'Loss over 160 steps:',
      '┤',
      'Test accuracy: ',
      'of 2000 digits',
      'module.so',
      'mnist.safetensors',
    ])
      expect(out).toContain(part);
  });

  it.runIf(existsSync(join(data, 't10k-images-idx3-ubyte.gz')))('reads 95 of 100 real digits in under ten epochs', () => {
    expect(lastJson('mnist', '--data', data, '--epochs', '9')['testAccuracy']).toBeGreaterThanOrEqual(0.95);
  });

  it('says what is wrong with its data and options', () => {
    expect(run('mnist', '--data', 'nowhere', '--json')).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringContaining('nowhere: no such file') as string,
    });
    expect(run('mnist', '--data', directory, '--json')).toMatchObject({
      status: 1,
      err: expect.stringContaining('no file *-images-idx3-ubyte') as string,
    });
    expect(run('mnist', '--epochs', '0')).toMatchObject({
      status: 1,
      err: expect.stringContaining('a whole number of at least 1') as string,
    });
  });
});
