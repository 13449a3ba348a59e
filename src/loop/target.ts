// What schedules and code generators need to know of the machine. In: a CPU name, as LLVM spells it. Out: widths and counts, no more.

/** Bytes of a line of the caches, of every CPU that there is code for. */
export const lineBytes = 64;

export interface Target {
  /** LLVM's name of the CPU: `sapphirerapids`, `x86-64-v3`, … */
  readonly cpu: string;
  /** LLVM's feature string, or ''. */
  readonly features: string;
  readonly triple: string;
  /** Bytes of the widest vector worth using: 64 (AVX-512), 32 (AVX2), 16. */
  readonly vectorBytes: 64 | 32 | 16;
  /** What a processor must have to run code for it, in LLVM's words. */
  readonly requires: readonly string[];
  /** Architectural vector registers: 32 with AVX-512, else 16. */
  readonly vectorRegisters: 32 | 16;
}
