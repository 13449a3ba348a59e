// Training that is killed and goes on. In: a seed, how many kills. Out: the bits of the variables at the end, and the last epoch. Holds:
// the same seed gives the same numbers of threads and the same delays; where a kill falls depends on the machine, so what is claimed is
// claimed of every place.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cli, type Workplace } from '../driver/tfc.js';
import { Random } from '../fuzz/random.js';

/** A step with an optimizer that counts, and random numbers that go on from a state. */
export const program = `import { adam } from "std/optim"
import { dropout } from "std/nn"
param w: f32[3, 1] = uniform(-1, 1)
param b: f32 = 0
state calls: i64 = 0
export step train<B>(x: f32[B, 3], y: f32[B, 1], lr: f32): { loss: f32 } {
  let loss = mean(square(dropout(x, 0.1, calls) @ w + b - y))
  minimize loss with adam(lr)
  calls <- calls + 1
  return { loss }
}
export fn metrics<B>(x: f32[B, 3], y: f32[B, 1]): { loss: f32 } {
  return { loss: mean(square(x @ w + b - y)) }
}
`;

export const table = (rows: number): string =>
  `a,b,c,target\n${Array.from({ length: rows }, (_, at) => `${Math.sin(at)},${Math.cos(3 * at)},${Math.sin(7 * at)},${Math.sin(at) - 2}`).join('\n')}\n`;

export interface Ending {
  /** Of the file that was saved. */
  readonly bits: string;
  readonly last: { readonly epoch: number; readonly steps: number; readonly loss: number; readonly 'validation/loss': number };
  readonly kills: number;
  /** Kills that fell into the middle of a save. */
  readonly halves: number;
}

/** Trains to the end, and is killed on the way as often as `kills` says, if it does not end before. */
export async function train(place: Workplace, name: string, seed: number, kills: number, epochs: number): Promise<Ending> {
  const random = new Random(seed);
  let [killed, halves] = [0, 0];
  // A run that is killed behind its last epoch has none to print when it goes on.
  let last: Ending['last'] | undefined;
  for (;;) {
    const args = ['train', 'model.tdsl', '--data', 'set.csv', '--batch', '3', '--epochs', String(epochs), '--lr', '0.05', '--seed', '5'];
    const child = spawn(
      process.execPath,
      [
        cli,
        ...args,
        ...['--validate', '0.2', '--checkpoint', name, '--every', '1steps', '--keep', '2', '--best', 'validation/loss', '--resume'],
        ...['--threads', String(1 + random.int(3)), '--save', `${name}.safetensors`, '--json'],
      ],
      { cwd: place.directory, env: { ...process.env, TFC_CACHE: place.cache, NO_COLOR: '1' } },
    );
    let [out, err] = ['', ''];
    child.stdout.on('data', (piece) => (out += String(piece)));
    child.stderr.on('data', (piece) => (err += String(piece)));
    const ended = once(child, 'close');
    const wait = new AbortController();
    if (killed < kills)
      void sleep(120 + random.int(600), undefined, { signal: wait.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      );
    const [status, signal] = (await ended) as [number | null, string | null];
    wait.abort();
    last = lastOf(out) ?? last;
    if (signal === 'SIGKILL') {
      killed += 1;
      halves += halfWritten(join(place.directory, name)) ? 1 : 0;
      continue;
    }
    if (status !== 0 || err !== '') throw new Error(`${name}: exit code ${status}: ${out}${err}`);
    if (last === undefined) throw new Error(`${name}: no epoch was printed`);
    const bits = readFileSync(join(place.directory, `${name}.safetensors`)).toString('hex');
    return { bits, last, kills: killed, halves };
  }
}

/** The last epoch among whole lines. */
const lastOf = (out: string): Ending['last'] | undefined =>
  out
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.includes('"epoch"') && line.includes('"loss"'))
    .map((line) => JSON.parse(line) as Ending['last'])
    .at(-1);

function halfWritten(directory: string): boolean {
  try {
    return readdirSync(directory).some((name) => name.endsWith('.part'));
  } catch {
    // It was killed before it made the directory.
    return false;
  }
}

export const told = ({ bits, last }: Ending): unknown => ({
  bits,
  epoch: last.epoch,
  steps: last.steps,
  loss: last.loss,
  validation: last['validation/loss'],
});
