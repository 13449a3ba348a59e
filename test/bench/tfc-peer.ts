// tfc as a peer of its own bench. In: a workload file. Out: answers on standard output. Holds: `loop` runs many steps within one call of
// native code, `call` crosses once per step through the session's API, as its users do.

import { type BoundEntry, type Feeds, type Session, type Tensor, compileSync, zeros } from '@tdsl/tfc';
import type { WorkloadFile } from './data.js';
import { checksOf } from './workloads/workload.js';

// Not imported: a module that imports it is shown all of it, streams included, for which Node takes 2 ms.
const { closeSync, openSync, readFileSync, readSync, writeSync } = process.getBuiltinModule('node:fs');

export type TfcMode = 'loop' | 'call';

type Numbers = Float32Array | Int32Array;

interface Loaded {
  readonly session: Session;
  readonly name: string;
  readonly entry: BoundEntry;
  readonly feeds: Feeds;
  readonly initial: ReadonlyMap<string, Numbers>;
  /** A function's results; a training step has a loss. */
  readonly outputs: readonly string[];
}

export async function serveTfc(mode: TfcMode, file: string, threads: number): Promise<void> {
  const loaded = load(JSON.parse(readFileSync(file, 'utf8')) as WorkloadFile, threads);
  reset(loaded);
  run(mode, loaded, 1);
  answer({ ready: true, system: 'tfc' });
  // Only now: a program that trains needs no lines of input.
  const { createInterface } = await import('node:readline');
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [word, count] = line.split(' ');
    reset(loaded);
    if (word === 'check') {
      answer({ checks: check(mode, loaded, Number(count)) });
      return;
    }
    const start = process.hrtime.bigint();
    run(mode, loaded, Number(count));
    answer({ ns: Number(process.hrtime.bigint() - start) });
  });
}

/** Milliseconds that compiling a workload's program takes in this process, or finding it in the cache. */
export function timeCompile(file: string): void {
  const spec = JSON.parse(readFileSync(file, 'utf8')) as WorkloadFile;
  const start = performance.now();
  compileSync(spec.program, { set: spec.set, cpu: spec.cpu });
  answer({ ms: performance.now() - start });
}

function load(spec: WorkloadFile, threads: number): Loaded {
  const file = openSync(spec.data, 'r');
  const named = (role: 'feed' | 'initial'): [string, Numbers][] =>
    spec.arrays
      .filter((array) => array.role === role)
      .map(({ name, dtype, shape, offset }) => {
        const numbers = zeros(shape, dtype).data;
        readSync(file, numbers, 0, numbers.byteLength, offset);
        return [name, numbers];
      });
  const feeds = Object.fromEntries(named('feed'));
  const initial = new Map(named('initial'));
  closeSync(file);
  const session = compileSync(spec.program, { set: spec.set, cpu: spec.cpu }).session({ threads, initialize: false });
  const name = spec.rule === 'none' ? 'compute' : 'train';
  return { session, name, entry: session.entry(name, { reuse: true }), feeds, initial, outputs: spec.outputs };
}

function reset({ session, initial }: Loaded): void {
  if (initial.size === 0) return;
  session.initialize(session.variables.flatMap(({ path }) => (initial.has(path) ? [] : [path])));
  for (const [path, value] of initial) session.set(path, value);
}

/** The losses of all steps, where there are such. */
function run(mode: TfcMode, { session, name, entry, feeds, outputs }: Loaded, count: number): Float64Array {
  switch (mode) {
    case 'loop':
      return entry.runSteps(feeds, { steps: count }).series['loss'] ?? new Float64Array();
    case 'call': {
      const losses = new Float64Array(outputs.length === 0 ? count : 0);
      for (let step = 0; step < count; step += 1) {
        const result = session.run(name, feeds) as { readonly loss: number };
        if (outputs.length === 0) losses[step] = result.loss;
      }
      return losses;
    }
  }
}

/**
 * What is compared with peers: losses of so many steps in one group, or two numbers per result of a function: the root of its mean square,
 * and a mean that knows the order of its elements.
 */
function check(mode: TfcMode, loaded: Loaded, count: number): number[][] {
  if (loaded.outputs.length === 0) return [[...run(mode, loaded, count)]];
  const result = loaded.entry.run(loaded.feeds) as unknown as Readonly<Record<string, number | Tensor>>;
  return loaded.outputs.map((name) => {
    const value = result[name];
    return [...checksOf(typeof value === 'number' ? Float64Array.of(value) : (value?.data as Float32Array))];
  });
}

/** Without the streams of `process.stdout`, which are not there yet. */
const answer = (value: object): void => void writeSync(1, `${JSON.stringify(value)}\n`);
