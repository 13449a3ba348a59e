// What tests of attention and of its derivative share. In: a program with an entry. Out: its groups; its results by the kernel interpreter
// and by the emulated device, each held to the meaning.

import { buildModule } from '../../codegen/cuda/index.js';
import { check } from '../../src/driver/build/front.js';
import { toFused } from '../../src/driver/build/pipeline.js';
import { runProgram } from '../../src/eval/index.js';
import type { Program } from '../../src/kernel/index.js';
import { describeFused, printFused } from '../../src/lower/index.js';
import { tensorValue, type TensorValue } from '../../src/ops/index.js';
import { type ChainCase, type machineOf, type ProgramRunner, runMachine } from '../chain/chain.js';
import { target } from './device-chain.js';
import { runOnDevice } from './device-program.js';

/** The groups of an entry. */
export function groupsText(path: string, name: string): string {
  const { module, build } = check({ path, set: {}, open: undefined }, new Map());
  const { entries } = toFused(target).run(module, { build }).output;
  const fused = entries.find(({ entry }) => entry.name === name);
  return printFused(describeFused(fused as NonNullable<typeof fused>));
}

/** All elements that the kernel interpreter gives, and those of the device; throws where either differs from the meaning. */
export function resultsOf(
  links: ReturnType<typeof machineOf>,
  program: Program,
  one: ChainCase,
): readonly [interpreted: readonly number[], found: readonly number[]] {
  const module = buildModule([program], target);
  const by = (run: ProgramRunner): readonly number[] => {
    const numbers: number[] = [];
    runMachine(links, one, (which, inputs) => {
      const result = run(which, inputs);
      for (const { data } of result.outputs) numbers.push(...Array.from(data, Number));
      return result;
    });
    return numbers;
  };
  return [by((_, inputs) => runProgram(program, inputs, { arena: true })), by((_, inputs) => runOnDevice(module, 0, inputs))];
}

/** sin(0), sin(1), … */
export const sines = (shape: readonly number[]): TensorValue =>
  tensorValue(
    'f32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at)),
  );
