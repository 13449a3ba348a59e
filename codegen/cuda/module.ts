// Programs as PTX. In: programs of machine ops whose loops say how the target runs them. Out: the text of one module, and how each program
// launches its functions. Holds: kernels that are the same code are one function; the same input gives the same text.

import type { Buffer, Expr, Kernel, KernelCode, Program } from '../../src/kernel/index.js';
import type { CudaTarget } from '../../src/target/index.js';
import { type ArenaLayout, layArena } from '../analysis/arena.js';
import { memoryOf, type MemoryPlace } from '../analysis/plan.js';
import { emitPtx, ModuleBuilder } from '../llvm/builder/index.js';
import { emitKernel, parallelLoop } from './kernel.js';

/** One kernel of a program: blocks of `threads`, with its memory and then the program's sizes as arguments. */
export interface Launch {
  readonly kernel: Kernel;
  readonly fn: string;
  readonly memory: readonly MemoryPlace[];
  /** How many; undefined: one. None where the extent is not positive. */
  readonly blocks: Expr | undefined;
}

export interface ProgramLaunches {
  readonly program: Program;
  readonly arena: ArenaLayout;
  readonly launches: readonly Launch[];
}

export interface CudaModule {
  readonly ptx: string;
  readonly threads: number;
  readonly programs: readonly ProgramLaunches[];
}

/** Errors: what `emitPtx` throws. */
export function buildModule(programs: readonly Program[], target: CudaTarget): CudaModule {
  using module = new ModuleBuilder('tfc');
  const known = new Map<KernelCode, Map<string, string>>();
  let count = 0;
  const functionOf = (code: KernelCode, dims: readonly string[]): string => {
    let names = known.get(code);
    if (names === undefined) known.set(code, (names = new Map()));
    const key = dims.join();
    let name = names.get(key);
    if (name === undefined) {
      names.set(key, (name = `kernel${count++}`));
      emitKernel(module, name, code, dims, target);
    }
    return name;
  };
  const made = programs.map((program) => ({
    program,
    arena: layArena(program.arena),
    launches: program.kernels.map((kernel) => ({
      kernel,
      fn: functionOf(kernel.code, program.dims),
      memory: kernel.buffers.map((buffer: Buffer) => memoryOf(buffer, program.arena)),
      blocks: parallelLoop(kernel.code)?.extent,
    })),
  }));
  const { ptx } = emitPtx(module, { cpu: target.gpu, features: target.features });
  return { ptx, threads: target.threads, programs: made };
}
