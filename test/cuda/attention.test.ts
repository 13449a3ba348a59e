// Attention in one kernel, from programs to the emulated device. In: programs with products, softmaxes and masks between them. Out: what
// the meaning says. Holds: meaning ≈ kernel interpreter = the device, bit by bit where tensor cores multiply; scores are in no memory.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/eval/index.js';
import { forEachStatement, type Kernel, type KernelCode } from '../../src/kernel/index.js';
import { type ChainCase, machineOf, programOf, runMachine } from '../chain/chain.js';
import { groupsText, resultsOf, sines } from './attention-runs.js';
import { target } from './device-chain.js';
import { statementsOf, withoutNth } from './statements.js';

const path = join(import.meta.dirname, 'attention.tdsl');

/** Values that do not cancel: what rounding does to them is small beside each of them. */
const ranges = { v: [0.5, 1.5], w: [0.5, 1], seen: [0, 1] } as const;

const cases: readonly (readonly [one: ChainCase, kernels: number])[] = [
  [{ entry: 'plain', dims: { H: 2, T: 20, N: 37 } }, 1],
  [{ entry: 'plain', dims: { H: 1, T: 1, N: 1 } }, 1],
  [{ entry: 'plain', dims: { H: 1, T: 130, N: 300 } }, 1],
  [{ entry: 'plain', dims: { H: 3, T: 0, N: 4 } }, 1],
  [{ entry: 'single', dims: { H: 2, T: 75 }, tolerance: 2e-4 }, 1],
  // Queries and keys fill all of the shared memory.
  [{ entry: 'tall', dims: { T: 20, N: 33 } }, 1],
  // Operands are rounded to 16 bits by kernels of their own.
  [{ entry: 'halves', dims: { H: 2, T: 70 }, tolerance: 1e-2 }, 4],
  [{ entry: 'small', dims: { T: 45 }, tolerance: 4e-3 }, 1],
  [{ entry: 'causal', dims: { H: 2, T: 140 } }, 1],
  [{ entry: 'causal', dims: { H: 1, T: 1 } }, 1],
  [{ entry: 'faint', dims: { H: 1, T: 150 } }, 1],
  [{ entry: 'masked', dims: { H: 2, T: 21, N: 40 } }, 1],
  // Some rows see nothing.
  [{ entry: 'masked', dims: { H: 1, T: 18, N: 3 } }, 1],
  [{ entry: 'biased', dims: { B: 1, T: 50 } }, 1],
  [{ entry: 'layers', dims: { B: 2, T: 33 }, tolerance: 6e-2 }, 6],
];

const textOf = (entry: string): string => groupsText(path, entry);

describe('attention in one kernel', () => {
  it.each(cases)('is that of the meaning: $entry of $dims', (one, kernels) => {
    const links = machineOf(path, one, target);
    const program = programOf(links, one.entry);
    expect(program.kernels.length).toBe(kernels);
    const [interpreted, found] = resultsOf(links, program, { tolerance: 2e-3, ranges, ...one, steps: 1 });
    // Threads that multiply and add for themselves round once where the kernel interpreter rounds twice.
    if (one.entry === 'single') found.forEach((value, at) => expect(Math.abs(value - (interpreted[at] ?? NaN))).toBeLessThan(1e-6));
    else expect(found).toEqual(interpreted);
  });

  it.each(['barrier', 'wait', 'combine'] as const)('needs each %s', (kind) => {
    const program = programOf(machineOf(path, { entry: 'plain' }, target), 'plain');
    const [kernel] = program.kernels as readonly [Kernel];
    const count = statementsOf(kernel).filter((stmt) => stmt.kind === kind).length;
    // The last wait ends what nobody reads.
    const needed = kind === 'wait' ? count - 1 : count;
    expect(needed).toBeGreaterThan(0);
    const feeds = [sines([1, 70, 32]), sines([1, 70, 32]), sines([1, 70, 24])];
    const run = (code: KernelCode): readonly number[] => {
      const { outputs } = runProgram({ ...program, kernels: [{ ...kernel, code }] }, { feeds, variables: [], dims: new Map() });
      return Array.from(outputs[0]?.data ?? [], Number);
    };
    const right = run(kernel.code);
    for (let which = 0; which < needed; which++) {
      const code = withoutNth(kernel.code, kind, which);
      // Without a barrier or a wait there is a race; without its row a thread has another result.
      if (kind === 'combine') expect(run(code)).not.toEqual(right);
      else expect(() => run(code)).toThrow(/another iteration|nothing wrote/);
    }
  });

  it('is a group that says so', () => {
    const text = textOf('masked');
    expect(text.slice(text.indexOf('  group'))).toBe(`  group 2 flash [H, T, 16] reads %2, %4, %0, %22
    matmul %7: f32[H, T, N]
    reduce %14: f32[H, T]
    reduce %18: f32[H, T]
    matmul %24: f32[H, T, 16] to out_result
}
`);
  });

  it.each(['read', 'scaled', 'squared'])('stays apart where something else takes weights or their sums: %s', (entry) => {
    const links = machineOf(path, { entry }, target);
    const program = programOf(links, entry);
    expect(textOf(entry)).not.toContain(' flash ');
    const one = { entry, dims: { T: 20 }, tolerance: 5e-2, ranges };
    runMachine(links, one, (_, inputs) => runProgram(program, inputs, { arena: true }));
  });

  it('leaves out tiles of keys that a mask hides', () => {
    const extents = (entry: string): string[] => {
      const { kernels } = programOf(machineOf(path, { entry }, target), entry);
      const found: string[] = [];
      for (const { code } of kernels)
        forEachStatement(code.body, (stmt) => {
          if (stmt.kind !== 'for' || stmt.axis !== 'serial') return;
          found.push(`${stmt.extent.kind}${stmt.while === undefined ? '' : ' while'}`);
        });
      return found;
    };
    // Of −∞ a row has nothing, so how far it goes is decided; of −1e30 it is asked for.
    expect(extents('layers')).toContain('name');
    expect(extents('causal')).toEqual(['apply while']);
    expect(extents('plain')).toEqual(['apply']);
  });
});
