// What a machine is, as a value. In: nothing. Out: the kinds of machines that there are schedules for. Holds: a target is plain data;
// whoever makes one, a back end or a test, says all that decides the code; passes ask for what is here, and never for a kind.

import type { CpuTarget } from './cpu.js';
import type { CudaTarget } from './cuda.js';

/** One member for each kind of machine. */
export type Target = CpuTarget | CudaTarget;

/** Kinds of machines that stand beside a processor, whose code launches theirs. */
export type DeviceKind = Exclude<Target['kind'], 'cpu'>;
export const deviceKinds: readonly DeviceKind[] = ['cuda'];

/** What targets of every kind say. */
export interface Machine {
  /** As compilers write it: `x86_64-pc-linux-gnu`. */
  readonly triple: string;
  /** LLVM's name of the processor: `sapphirerapids`, `x86-64-v3`, `sm_80`, … */
  readonly cpu: string;
  /** LLVM's feature string, or ''. */
  readonly features: string;
  /** What a processor must have to run code for it, in LLVM's words. */
  readonly requires: readonly string[];
  /** Whether code may call the C library's functions. */
  readonly libm: boolean;
  /** Whether there are so many processors that loops over points are divided as one loop, and not only the outermost one. */
  readonly dividesPoints: boolean;
  /** Whether products of matrices read a right side whose columns do not lie side by side. */
  readonly stridedColumns: boolean;
  /** Whether products of matrices round what they read where the program says so: nobody has to store it rounded before. */
  readonly roundsOperands: boolean;
  /** Whether memory keeps elements in the narrower format that ops know of them, and what reads them widens them. */
  readonly keepsFormats: boolean;
}

/** Bytes of a line of the caches, of every CPU that there is code for. How variables lie depends on it, so no target varies it. */
export const lineBytes = 64;
