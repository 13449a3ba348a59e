// Programs as PTX. In: programs of machine ops whose loops say how the target runs them. Out: the text of one module, and how each program
// launches its functions. Holds: kernels that are the same code are one function, or two where some are guarded; the same input gives the
// same text.

import { iterationsOf, type KernelCode, parallelLoop, type Program } from '../../src/kernel/index.js';
import type { CudaTarget, DeviceCode, DeviceFunction } from '../../src/target/index.js';
import { emitPtx, ModuleBuilder } from '../llvm/builder/index.js';
import { emitKernel } from './kernel.js';

/** Errors: what `emitPtx` throws. */
export function buildModule(programs: readonly Program[], target: CudaTarget): DeviceCode {
  using module = new ModuleBuilder('tfc');
  const functions: DeviceFunction[] = [];
  const known = new Map<KernelCode, Map<string, number>>();
  const functionOf = (code: KernelCode, dims: readonly string[], guarded: boolean): number => {
    let numbers = known.get(code);
    if (numbers === undefined) known.set(code, (numbers = new Map()));
    const key = [guarded, ...dims].join();
    let number = numbers.get(key);
    if (number === undefined) {
      numbers.set(key, (number = functions.length));
      functions.push(emitKernel(module, `kernel${number}`, code, dims, guarded, target));
    }
    return number;
  };
  const made = programs.map((program) => ({
    program,
    launches: program.kernels.map(({ code }, at) => {
      const guarded = program.check !== undefined && at > program.check.behind;
      const loop = parallelLoop(code);
      const blocks = loop === undefined ? undefined : iterationsOf(loop);
      return { fn: functionOf(code, program.dims, guarded), blocks, guarded };
    }),
  }));
  const { ptx } = emitPtx(module, { cpu: target.cpu, features: target.features });
  return { text: ptx, runsOn: target.runsOn, threads: target.threads, functions, programs: made };
}
