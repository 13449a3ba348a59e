// Whole programs on the emulated device: every kernel of an entry, launch after launch. In: the programs of the chain. Out: what they mean.
// Holds: graph interpreter ≈ the device, step by step; accesses, waits and races are checked.

import { join } from 'node:path';
import { describe, it } from 'vitest';
import { buildModule } from '../../codegen/cuda/index.js';
import { cudaTarget } from '../../src/target/index.js';
import { machineOf, programOf, runMachine } from '../chain/chain.js';
import { programList } from '../chain/program-list.js';
import { runOnDevice } from './device-program.js';

const root = join(import.meta.dirname, '..', '..');
const target = cudaTarget();

describe('the device', () => {
  for (const [path, list] of Object.entries(programList)) {
    for (const one of list)
      it(`runs ${path} ${one.entry} ${JSON.stringify(one.dims ?? {})}`, () => {
        const links = machineOf(join(root, path), one, target);
        const module = buildModule([programOf(links, one.entry)], target);
        runMachine(links, one, (_, inputs) => runOnDevice(module, 0, inputs));
      }, 60_000);
  }
});
