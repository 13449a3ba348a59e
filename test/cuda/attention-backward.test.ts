// The derivative of attention, from programs to the emulated device. In: programs with products, softmaxes and masks between them, and
// gradients. Out: what the meaning says. Holds: meaning ≈ kernel interpreter = the device, bit by bit where tensor cores multiply; neither
// scores nor their cotangents are in memory.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/eval/index.js';
import { GraphBuilder } from '../../src/graph/index.js';
import type { Kernel } from '../../src/kernel/index.js';
import { parseFused, printFused } from '../../src/lower/index.js';
import { registry } from '../../src/ops/index.js';
import { type ChainCase, machineOf, programOf, runMachine } from '../chain/chain.js';
import { groupsText, resultsOf, sines } from './attention-runs.js';
import { target } from './device-chain.js';
import { statementsOf, withoutNth } from './statements.js';

const path = join(import.meta.dirname, 'attention-backward.tdsl');

const cases: readonly (readonly [one: ChainCase, kernels: number])[] = [
  [{ entry: 'plain', dims: { H: 2, T: 20, N: 37 } }, 3],
  [{ entry: 'plain', dims: { H: 1, T: 140, N: 150 } }, 3],
  [{ entry: 'plain', dims: { H: 2, T: 0, N: 3 } }, 3],
  // Four kernels see whether anything goes through the mask.
  [{ entry: 'causal', dims: { H: 1, T: 140 } }, 7],
  [{ entry: 'single', dims: { H: 1, T: 75 }, tolerance: 2e-4 }, 5],
  [{ entry: 'faint', dims: { H: 1, T: 150 } }, 7],
  [{ entry: 'hidden', dims: { H: 1, T: 150 } }, 7],
  // Operands are rounded to 16 bits by kernels of their own.
  [{ entry: 'halves', dims: { H: 1, T: 70 }, tolerance: 2e-2 }, 6],
  [{ entry: 'tall', dims: { T: 33 }, tolerance: 4e-3 }, 4],
  [{ entry: 'small', dims: { T: 45 }, tolerance: 1e-2 }, 3],
  [{ entry: 'biased', dims: { B: 1, T: 50 } }, 3],
  [{ entry: 'twice', dims: { T: 40 } }, 2],
  // No row sees anything.
  [{ entry: 'summed', dims: { T: 3 }, ranges: { seen: [0, 0] } }, 1],
  [{ entry: 'train', dims: { B: 1, T: 20 }, tolerance: 6e-2 }, 33],
];

const textOf = (entry: string): string => groupsText(path, entry);

describe('the derivative of attention', () => {
  it.each(cases)('is that of the meaning: $entry of $dims', (one, kernels) => {
    const links = machineOf(path, one, target);
    const program = programOf(links, one.entry);
    const [interpreted, found] = resultsOf(links, program, { tolerance: 2e-3, cancels: true, ...one, steps: 1 });
    if (one.entry === 'single') found.forEach((value, at) => expect(Math.abs(value - (interpreted[at] ?? NaN))).toBeLessThan(1e-5));
    else expect(found).toEqual(interpreted);
    expect(program.kernels.length).toBe(kernels);
  });

  it.each(['barrier', 'wait', 'combine'] as const)('needs each %s', (kind) => {
    const program = programOf(machineOf(path, { entry: 'plain' }, target), 'plain');
    const feeds = [sines([1, 40, 32]), sines([1, 40, 32]), sines([1, 40, 24]), sines([1, 40, 24])];
    const run = (kernels: readonly Kernel[]): readonly number[] => {
      const { outputs } = runProgram({ ...program, kernels }, { feeds, variables: [], dims: new Map() });
      return outputs.flatMap(({ data }) => Array.from(data, Number));
    };
    const right = run(program.kernels);
    let needed = 0;
    for (const [at, kernel] of program.kernels.entries()) {
      if (at === 0) continue;
      const count = statementsOf(kernel).filter((stmt) => stmt.kind === kind).length;
      // The last wait ends what nobody reads.
      for (let which = 0; which < (kind === 'wait' ? count - 1 : count); which++) {
        needed++;
        const kernels = program.kernels.with(at, { ...kernel, code: withoutNth(kernel.code, kind, which) });
        // Without a barrier or a wait there is a race; without its row a thread has another result.
        if (kind === 'combine') expect(run(kernels)).not.toEqual(right);
        else expect(() => run(kernels)).toThrow(/another iteration|nothing wrote/);
      }
    }
    expect(needed).toBeGreaterThan(0);
  });

  it('is a group that says so', () => {
    const text = textOf('plain');
    expect(text.slice(text.indexOf('  group'))).toBe(`  group 2 flash [H, T, 24] reads %0, %2, %17, %20
    matmul %5: f32[H, T, N]
    reduce %9: f32[H, T] to t0
    reduce %13: f32[H, T] to t1
    matmul %19: f32[H, T, 24] to out_y
    elementwise %22: f32[H, T, 24] to t2
  group 8 flash-backward [H, N, 24] reads %0, %2, %22, %17, %9, %13, %19
    again %5: f32[H, T, N]
    matmul %25: f32[H, T, N]
    reduce %29: f32[H, T]
    matmul %42: f32[H, N, 24] to out_dv
    matmul %37: f32[H, T, 32] to out_dq
    matmul %39: f32[H, 32, N]
    elementwise %40: f32[H, N, 32] to out_dk
}
`);
  });

  it('is one of the layer of the library as well', () => {
    expect(textOf('train')).toContain(' flash-backward ');
  });

  it('is read back from its text', () => {
    const text = textOf('train');
    const graphs = parseFused(text, { build: new GraphBuilder(), op: (name) => registry.get(name) });
    expect(graphs.map(printFused).join('')).toBe(text);
  });

  it.each(['wanted', 'slanted'])('stays apart where something else takes what lies between: %s', (entry) => {
    const links = machineOf(path, { entry }, target);
    const program = programOf(links, entry);
    expect(textOf(entry)).not.toContain(' flash');
    const one = { entry, dims: { T: 20 }, tolerance: 4e-3, cancels: true };
    runMachine(links, one, (_, inputs) => runProgram(program, inputs, { arena: true }));
  });

  it('leaves out tiles that a mask hides', () => {
    const extents = (entry: string): string[] =>
      programOf(machineOf(path, { entry }, target), entry)
        .kernels.map(statementsOf)
        .filter((statements) => statements.some(({ kind }) => kind === 'multiply'))
        .flatMap((statements) => statements.flatMap((stmt) => (stmt.kind === 'for' && stmt.axis === 'serial' ? [stmt.extent.kind] : [])));
    expect(extents('causal')).toEqual(['name', 'name', 'name']);
    expect(extents('hidden')).toEqual(['apply', 'name', 'name']);
    expect(extents('plain')).toEqual(['apply', 'apply', 'apply']);
  });
});
