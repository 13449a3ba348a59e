// What compiling a model costs tfc. In: a model. Out: figures of the command in processes of its own, and its artifact. Holds: nothing is
// cached: `tfc compile -o` looks for nothing in a cache and leaves nothing there.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { libraryFile } from '../../../runtime/artifact.js';
import { at, scratch } from '../place.js';
import { median } from '../statistics.js';
import type { ScaleModel } from './models.js';
import type { Cost } from './processes.js';

export interface Compiling extends Cost {
  readonly wallSeconds: number;
}

export interface Compiled {
  readonly compiling: Compiling;
  readonly artifactBytes: number;
  /** Directory of the artifact. */
  readonly directory: string;
}

/** Milliseconds that nobody waits longer than. */
const limit = 600_000;

/** Throws an Error with what the command said. */
export function compileModel(model: ScaleModel, cpu: string, rounds: number): Compiled {
  const file = scratch('scale', `${model.name}.tdsl`);
  const directory = scratch('scale', model.name);
  mkdirSync(scratch('scale'), { recursive: true });
  writeFileSync(file, model.text);
  const runs = Array.from({ length: rounds }, () => {
    rmSync(directory, { recursive: true, force: true });
    return timeCommand(['compile', file, '-o', directory, '--cpu', cpu]);
  });
  const middle = (pick: (run: Compiling) => number): number => median(runs.map(pick));
  return {
    compiling: {
      processorSeconds: middle((run) => run.processorSeconds),
      wallSeconds: middle((run) => run.wallSeconds),
      peakBytes: middle((run) => run.peakBytes),
    },
    artifactBytes: statSync(join(directory, libraryFile)).size,
    directory,
  };
}

/** What a process of the command costs that does nothing. */
export const idleCommand = (): Compiling => timeCommand(['--version']);

function timeCommand(args: readonly string[]): Compiling {
  const [teller, command] = [at('dist', 'test', 'bench', 'scale', 'tell-cost.js'), at('dist', 'bundle', 'cli.cjs')];
  const start = performance.now();
  const { status, signal, output, stderr } = spawnSync(process.execPath, ['--import', teller, command, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    timeout: limit,
  });
  const wallSeconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`tfc ended with ${signal ?? `exit code ${status}`}: ${stderr.trim().split('\n')[0]}`);
  return { ...(JSON.parse(output[3] ?? '') as Cost), wallSeconds };
}
