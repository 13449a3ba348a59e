// Data for peers. In: a workload. Out: a description and one file of raw numbers that every peer reads. Holds: little-endian, row-major,
// every array at a multiple of 64 bytes, in the workload's order.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { random } from '../../examples/random.js';
import { at, scratch } from './place.js';
import { type ArraySpec, type Workload, countOf } from './workloads/workload.js';

/** What a peer reads first, as JSON. */
export interface WorkloadFile extends Pick<Workload, 'name' | 'family' | 'rule' | 'rate' | 'sizes' | 'set' | 'outputs'> {
  /** Path of the TDSL program, and the CPU that tfc compiles it for. */
  readonly program: string;
  readonly cpu: string;
  /** Path of the numbers. */
  readonly data: string;
  readonly arrays: readonly (ArraySpec & { readonly offset: number; readonly count: number })[];
}

export interface Prepared {
  readonly workload: Workload;
  /** Path of a WorkloadFile. */
  readonly file: string;
  readonly data: string;
}

const seed = 20;

export function prepare(workload: Workload, cpu: string): Prepared {
  const values = workload.fill(random(seed));
  let size = 0;
  const arrays = workload.arrays.map((array) => {
    const placed = { ...array, offset: size, count: countOf(array) };
    size += Math.ceil((4 * placed.count) / 64) * 64;
    return placed;
  });
  const bytes = new ArrayBuffer(size);
  arrays.forEach((array, position) => {
    const view =
      array.dtype === 'f32' ? new Float32Array(bytes, array.offset, array.count) : new Int32Array(bytes, array.offset, array.count);
    view.set(values[position] ?? []);
  });
  const data = scratch('data', `${workload.name}.bin`);
  const file = scratch('data', `${workload.name}.json`);
  const { name, family, rule, rate, sizes, set, outputs } = workload;
  const description: WorkloadFile = {
    name,
    family,
    rule,
    rate,
    sizes,
    program: at('test', 'bench', 'programs', workload.program),
    set,
    cpu,
    data,
    arrays,
    outputs,
  };
  mkdirSync(scratch('data'), { recursive: true });
  writeFileSync(data, new Uint8Array(bytes));
  writeFileSync(file, JSON.stringify(description));
  return { workload, file, data };
}

/** Removes the numbers, which can be many. */
export function discard({ data }: Prepared): void {
  rmSync(data, { force: true });
}
