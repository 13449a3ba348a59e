// `tfc sweep`. In: lists and ranges of options. Out: a run for every combination, a table with the best first, a page of all of them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { combinationsOf } from '../../src/driver/commands/sweep-axes.js';
import { jsonLines, workplace } from '../driver/tfc.js';

const place = workplace();
place.file(
  'line.tdsl',
  `dim Width = 1
param w: f32[1, Width] = zeros()
export step train<B>(x: f32[B, 1], y: f32[B, 1], lr: f32): { loss: f32 } {
  let loss = mean(square(sum(x @ w, axis: 1, keepDims: true) - y))
  let slope = grad(loss, w)
  w <- w - lr * slope
  return { loss }
}
`,
);
place.file('set.csv', `x,y\n${Array.from({ length: 20 }, (_, at) => `${at / 20},${at / 10}`).join('\n')}\n`);
const sweep = (...args: string[]) => place.tfc('sweep', 'line.tdsl', '--data', 'set.csv', '--epochs', '3', ...args);

describe('axes', () => {
  it.each([
    [
      ['--lr', '0.1,0.2'],
      [{ lr: '0.1' }, { lr: '0.2' }],
    ],
    [['--lr=0..1:3'], [{ lr: '0' }, { lr: '0.5' }, { lr: '1' }]],
    [
      ['--lr', '1e-4..1e-2:log:3'],
      [{ lr: '0.0001' }, { lr: '0.001' }, { lr: '0.01' }],
    ],
    [['--lr', '0.1..0.5'], ['0.1', '0.2', '0.3', '0.4', '0.5'].map((lr) => ({ lr }))],
    [
      ['--set', 'Width=1,2', '--drop-rest', '--batch', '5'],
      [{ Width: '1' }, { Width: '2' }],
    ],
    [
      ['--batch', '4,8', '--lr', '1,2', '--data', 'a,b.csv', '--feed', 'k=[1,2]'],
      [
        { batch: '4', lr: '1' },
        { batch: '4', lr: '2' },
        { batch: '8', lr: '1' },
        { batch: '8', lr: '2' },
      ],
    ],
  ])('of %j', (words, values) => {
    const all = combinationsOf(['m.tdsl', ...words]);
    expect(all.map((one) => one.values)).toEqual(values);
    expect(new Set(all.map(({ name }) => name)).size).toBe(values.length);
  });

  it('leave all other words as they are', () => {
    const [first] = combinationsOf(['m.tdsl', '--set', 'Width=1,2', '--data', 'a,b.csv', '--lr=3,4']);
    expect(first?.words).toEqual(['m.tdsl', '--set', 'Width=1', '--data', 'a,b.csv', '--lr=3']);
    expect(first?.name).toBe('Width=1,lr=3');
  });

  it.each([[['--lr', '1']], [['--lr', '0..1:log']], [['--lr', '1..x']], [['--lr', '0..1:1']], [['--lr', '0..1:2000']]])(
    'refuse %j',
    (words) => {
      expect(() => combinationsOf(['m.tdsl', ...words])).toThrow();
    },
  );
});

it('trains each, has the best first and a page with all, and goes on after a run that fails', () => {
  const { out, err, status } = sweep('--batch', '5', '--lr', '0.01,0.5,1e30', '--validate', '0.2', '--jobs', '2');
  expect(err).toBe('');
  // One of them came to an infinity.
  expect(status).toBe(1);
  const lines = out.split('\n');
  const rows = lines.slice(lines.findIndex((line) => /^\s*lr /.test(line)) + 1).map((line) => line.trim().split(/ {2,}/)[0]);
  expect(rows.slice(0, 3)).toEqual(['0.5', '0.01', '1e30']);
  expect(out).toMatch(/1e30\s+loss is Infinity in step/);
  expect(readdirSync(join(place.directory, 'runs')).filter((name) => name.startsWith('lr='))).toHaveLength(3);
  const page = readFileSync(join(place.directory, 'runs', 'sweep.html'), 'utf8');
  for (const name of ['lr=0.01', 'lr=0.5']) expect(page).toContain(name);
});

it('says the same as JSON, keeps checkpoints apart, and sweeps sizes', () => {
  const outcome = sweep('--batch', '5', '--lr', '0.1', '--set', 'Width=1,2', '--checkpoint', 'kept', '--logdir', 'logs', '--json');
  expect(outcome).toMatchObject({ status: 0, err: '' });
  const records = jsonLines(outcome) as Readonly<Record<string, unknown>>[];
  expect(
    records
      .slice(0, 2)
      .map(({ Width }) => Width)
      .sort(),
  ).toEqual(['1', '2']);
  for (const { loss, directory } of records.slice(0, 2)) {
    expect(loss).toBeTypeOf('number');
    expect(existsSync(join(place.directory, directory as string, 'run.jsonl'))).toBe(true);
  }
  expect(records.at(-1)).toEqual({ report: join('logs', 'sweep.html') });
  expect(readdirSync(join(place.directory, 'kept')).sort()).toEqual(['Width=1', 'Width=2']);
});

it('refuses what makes no sense', () => {
  expect(sweep('--batch', '5', '--lr', '1')).toMatchObject({ status: 2 });
  expect(sweep('--batch', '5,10', '--lr', '1', '--save', 'x.safetensors')).toMatchObject({ status: 2 });
  expect(sweep('--batch', '5,10', '--lr', '1', '-o', 'x.pdf')).toMatchObject({ status: 2 });
});
