// The derivative of attention, from programs to the emulated device. In: programs with products, softmaxes and masks between them, and
// gradients. Out: what the meaning says. Holds: meaning ≈ kernel interpreter = the device, bit by bit where tensor cores multiply; neither
// scores nor their cotangents are in memory.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildModule } from '../../codegen/cuda/index.js';
import { runProgram } from '../../src/eval/index.js';
import { type ChainCase, machineOf, type ProgramRunner, programOf, runMachine } from '../chain/chain.js';
import { target } from './device-chain.js';
import { runOnDevice } from './device-program.js';

const path = join(import.meta.dirname, 'attention-backward.tdsl');

const cases: readonly (readonly [one: ChainCase, kernels: number])[] = [
  [{ entry: 'plain', dims: { H: 2, T: 20, N: 37 } }, 3],
  [{ entry: 'plain', dims: { H: 1, T: 140, N: 150 } }, 3],
  [{ entry: 'plain', dims: { H: 2, T: 0, N: 3 } }, 3],
  // Four kernels see whether anything goes through the mask.
  [{ entry: 'causal', dims: { H: 1, T: 140 } }, 7],
  [{ entry: 'single', dims: { H: 2, T: 75 }, tolerance: 2e-4 }, 5],
  [{ entry: 'faint', dims: { H: 1, T: 50 } }, 7],
  // Operands are rounded to 16 bits by kernels of their own.
  [{ entry: 'halves', dims: { H: 1, T: 70 }, tolerance: 2e-2 }, 6],
  [{ entry: 'small', dims: { T: 45 }, tolerance: 1e-2 }, 3],
  [{ entry: 'biased', dims: { B: 1, T: 50 } }, 3],
  [{ entry: 'train', dims: { B: 1, T: 20 }, tolerance: 6e-2 }, 30],
];

describe('the derivative of attention', () => {
  it.each(cases)('is that of the meaning: $entry of $dims', (one, kernels) => {
    const links = machineOf(path, one, target);
    const program = programOf(links, one.entry);
    const module = buildModule([program], target);
    const outputs: ReturnType<ProgramRunner>['outputs'][] = [];
    const kept =
      (run: ProgramRunner): ProgramRunner =>
      (which, inputs) => {
        const result = run(which, inputs);
        outputs.push(result.outputs);
        return result;
      };
    const rounded = { tolerance: 2e-3, cancels: true, ...one, steps: 1 };
    runMachine(
      links,
      rounded,
      kept((_, inputs) => runProgram(program, inputs, { arena: true })),
    );
    runMachine(
      links,
      rounded,
      kept((_, inputs) => runOnDevice(module, 0, inputs)),
    );
    const [interpreted = [], found = []] = outputs.map((all) => all.flatMap(({ data }) => Array.from(data, Number)));
    if (one.entry === 'single') found.forEach((value, at) => expect(Math.abs(value - (interpreted[at] ?? NaN))).toBeLessThan(1e-5));
    else expect(found).toEqual(interpreted);
    expect(program.kernels.length).toBe(kernels);
  });
});
