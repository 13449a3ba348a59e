// tfc as a peer of its own bench. In: a workload file. Out: answers on standard output. Holds: `loop` runs many steps within one call of native code, `call` crosses once per step through the session's API, as its users do.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type BoundEntry, type Feeds, type Session, compileSync } from '../../src/driver/index.js';
import type { WorkloadFile } from './data.js';

export type TfcMode = 'loop' | 'call';

type Numbers = Float32Array | Int32Array;

interface Loaded {
  readonly session: Session;
  readonly entry: BoundEntry;
  readonly feeds: Feeds;
  readonly initial: ReadonlyMap<string, Numbers>;
}

export function serveTfc(mode: TfcMode, file: string, threads: number): void {
  const loaded = load(JSON.parse(readFileSync(file, 'utf8')) as WorkloadFile, threads);
  reset(loaded);
  run(mode, loaded, 1);
  answer({ ready: true, system: 'tfc' });
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [word, count] = line.split(' ');
    reset(loaded);
    const start = process.hrtime.bigint();
    const losses = run(mode, loaded, Number(count));
    const ns = Number(process.hrtime.bigint() - start);
    answer(word === 'losses' ? { losses: [...losses] } : { ns });
  });
}

/** Milliseconds that compiling a program takes in this process, or finding it in the cache. */
export function timeCompile(program: string): void {
  const start = performance.now();
  compileSync(program);
  answer({ ms: performance.now() - start });
}

function load(spec: WorkloadFile, threads: number): Loaded {
  const bytes = readFileSync(spec.data);
  const numbers = new Map<string, Numbers>();
  for (const { name, dtype, offset, count } of spec.arrays) {
    const part = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * count);
    numbers.set(name, dtype === 'f32' ? new Float32Array(part) : new Int32Array(part));
  }
  const named = (role: 'feed' | 'initial'): [string, Numbers][] =>
    spec.arrays.filter((array) => array.role === role).map(({ name }) => [name, numbers.get(name) ?? new Float32Array()]);
  const session = compileSync(spec.program).session({ threads });
  return { session, entry: session.entry('train', { reuse: true }), feeds: Object.fromEntries(named('feed')), initial: new Map(named('initial')) };
}

function reset({ session, initial }: Loaded): void {
  session.initialize();
  for (const [name, value] of initial) session.set(name, value);
}

function run(mode: TfcMode, { session, entry, feeds }: Loaded, count: number): Float64Array {
  switch (mode) {
    case 'loop':
      return entry.runSteps(feeds, { steps: count }).series['loss'] ?? new Float64Array();
    case 'call': {
      const losses = new Float64Array(count);
      for (let step = 0; step < count; step += 1) losses[step] = lossOf(session.run('train', feeds));
      return losses;
    }
  }
}

function lossOf(result: unknown): number {
  return (result as { readonly loss: number }).loss;
}

const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
