// Whole programs on the emulated device: every kernel of an entry, launch after launch. In: the programs of the chain. Out: what they mean.
// Holds: graph interpreter ≈ the device, step by step; accesses, waits and races are checked. One entry of each program; the others are
// tried by `programs.long.test.ts`.

import { describe, it } from 'vitest';
import { programList } from '../chain/program-list.js';
import { runProgramOnDevice } from './device-chain.js';

describe('the device', () => {
  for (const [path, [one]] of Object.entries(programList))
    if (one !== undefined) it(`runs ${path} ${one.entry} ${JSON.stringify(one.dims ?? {})}`, () => runProgramOnDevice(path, one));
});
