// The emulated device as the last link of the chain of oracles. In: cases, programs. Out: what `runGraphs` says; a failed expectation.
// Holds: every case is a module of its own, so what another one holds cannot hide a fault.

import { join } from 'node:path';
import { buildModule } from '../../codegen/cuda/index.js';
import { cudaTarget, type CudaTarget, hopperTarget } from '../../src/target/index.js';
import { type ChainCase, machineOf, programOf, runMachine } from '../chain/chain.js';
import type { ChainOptions } from '../chain/graphs.js';
import { runOnDevice } from './device-program.js';

const root = join(import.meta.dirname, '..', '..');
export const target = cudaTarget();
/** What the emulated device is when it is told nothing else. */
export const hopper = hopperTarget();

export const deviceOf =
  (machine: CudaTarget): NonNullable<ChainOptions['device']> =>
  (programs) => {
    const module = buildModule(programs, machine);
    return (which, dims) => (inputs) => runOnDevice(module, which, { ...inputs, dims });
  };
export const device = deviceOf(target);

/** `path`: from the root of the repository. */
export function runProgramOnDevice(path: string, one: ChainCase): void {
  const links = machineOf(join(root, path), one, target);
  const module = buildModule([programOf(links, one.entry)], target);
  runMachine(links, one, (_, inputs) => runOnDevice(module, 0, inputs));
}
