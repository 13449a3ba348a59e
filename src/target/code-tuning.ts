// The other numbers that were tuned: those by which code is written for threads, functions and modules, vectors, loads and stores. In:
// nothing, or a target. Out: a number. Holds: what `tuning.ts` says of its own.

import type { CpuTarget } from './cpu.js';
import { lineBytes } from './target.js';

// ---- threads (codegen/analysis/work.ts) -------------------------------------------------------------------------------------------------

/**
 * Below so many operations and bytes together (some microseconds of one core), moving data between cores costs more than sharing a kernel
 * gains. Measured against 250,000: 50×100·(300×100)ᵀ 39.5 → 28 µs on two threads, because its transposed copy is cut as well.
 */
export const cutThreshold = 200_000;
/**
 * For every so many operations and bytes in kernels that are cut, one more thread pays: some microseconds of one core, beside which
 * entering and leaving costs little.
 */
export const workPerShare = 100_000;

// ---- functions and modules (codegen/llvm/emit: kernel.ts, codegen-units.ts) -------------------------------------------------------------

/** Kernels that emit at most so many statements are merged into the entry's function: the call would cost more than the code. */
export const smallKernel = 24;
/** Where more calls than this have the same code, it is not repeated in each: a deep model's artifact would grow with every layer. */
export const mostMerged = 4;
/** Entries of more kernels call them by a table: see the note in codegen/llvm/emit/kernel-table.ts. */
export const mostWrittenOut = 64;
/**
 * Kernels that emit more stay functions of their own, in modules of their own if there are such: merging them would only make the passes
 * slower.
 */
export const largeKernel = 160;
/**
 * Statements that make a module of its own: a code generator and its passes cost as much as some of them. Measured with such modules:
 * compiling a perceptron 460 → 448 ms.
 */
export const partStatements = 300;

// ---- loops over vectors (lower/schedule/cpu/vectorize, codegen/llvm/emit/statements.ts) -------------------------------------------------

/** Vector loops with so few whole vectors are written out. */
export const fullUnrollVectors = 4;
/** Tile extents that one kernel distinguishes: every one doubles the code. */
export const extentVariants = 2;
/**
 * Vectors that a loop computes operation by operation, side by side; the note in interleave.ts says why. Measured: a chain with
 * derivatives takes 0.86 of the time, 0.92 with two vectors.
 */
export const jammedVectors = 4;
/**
 * Operations from which on the processor no longer looks far enough ahead, and beyond which several vectors would not find room in
 * registers. Measured: from 13 operations on, the normalization's last pass is no faster.
 */
export const [jamFrom, jamTo] = [24, 160];
/** Arithmetic that still leaves room for interleaved copies in registers; beyond it, the processor overlaps iterations by itself. */
export const simpleOperations = 12;
/**
 * Chains of accumulators that a loop reduces over lanes, by how many there are of them, so that one addition need not wait for
 * the one before: up to eight sums at once. Decides the order of summation.
 */
export const chainsOfSums = (count: number): number => (count <= 2 ? 4 : count <= 4 ? 2 : 1);
/**
 * An unrolled loop that would emit more statements than this, and changes no registers, is counted instead, over a copy of the registers in
 * memory.
 */
export const unrolledStatements = 60;

/**
 * Multiples of the variable of an innermost loop that are kept from round to round, in a register each; others are multiplied in each. The
 * note in multiples.ts says why. Measured with AVX2: (784×50)ᵀ·50×300 1.19, 24×784×300 1.22 of the speed, perceptrons 1.15 to 1.2.
 */
export const keptMultiples = 4;

// ---- loads and stores (codegen/llvm/emit: memory.ts, kernel.ts, lower/schedule/cpu/vectorize) -------------------------------------------

/**
 * Elements so far apart are still read as whole vectors; and so far where the rows between them belong to the buffer, so that all columns
 * come from the same vectors. Measured: linear regression from rows of nine features 30 → 18 to 22 µs.
 */
export const [widestStride, widestRow] = [4, 16];
/**
 * So many bytes before they are needed, lines of large arrays are asked for: sixteen of the widest vectors, whose arithmetic takes about as
 * long as memory does. Measured: forward chain 13.4 → 12.0 ms; 512 bytes gain half of that, 4 KB lose on the normalization.
 */
export const fetchedAhead = 16 * lineBytes;
/**
 * What the caches of one core and its neighbours hardly hold: results that together are larger are not kept there. Measured: normalization
 * of 16,384 rows 34.1 → 28.9 ms.
 */
export const nontemporalBytes = ({ caches }: CpuTarget): number => 2 * caches.l3Bytes;
/** What is known to be smaller is left where it is read again soon, and read from where it is: half of the second-level cache. */
export const cachedBytes = ({ caches }: CpuTarget): number => caches.l2Bytes / 2;

// ---- ways back through loops (lower/program/unwind.ts) ----------------------------------------------------------------------------------

/** Bytes that carries recorded for the way back through a loop may take before rounds are rather computed again. */
export const recordedBytes = 2 ** 24;
/** Bytes of carries whose sizes are free. */
export const assumedCarryBytes = 2 ** 16;
/** How often a round is computed again at most: with eight levels, 113 records serve every number of rounds that an i32 counts. */
export const mostRecordLevels = 8;
