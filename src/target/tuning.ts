// Numbers that fusion and schedules were tuned with, by topic; those of products of a GPU's blocks are in `block-tuning.ts`, those of code
// in `code-tuning.ts`. In: nothing, or a target. Out: a number. Holds: all of them change time or memory, never what a program means; those
// that cut sums, and so decide in which order they are added and their last bits, say so, and ask no target. Where a number was measured
// the measurement stands beside it, in short: docs/optimisations.md says on which machines, with what was tried besides. Others say what
// they are meant for.

import type { CpuTarget } from './cpu.js';
import type { Target } from './target.js';

// ---- what stands for sizes that only a call knows ---------------------------------------------------------------------------------------

/** Of any size, in the cost model and in memory plans: decisions need no more than the order of what they compare. */
export const assumedSize = 512;
/** Of the depth of a matrix product. */
export const assumedDepth = 256;
/** Of its rows. */
export const assumedRows = 240;
/** Of its columns, in vectors. */
export const assumedVectors = 12;
/** Of an axis along which lanes may run. */
export const assumedAxis = 1024;

// ---- the cost model of fusion (lower/fuse/cost-model.ts) --------------------------------------------------------------------------------

/**
 * FLOPs in whose time one byte comes from (or goes to) where data of at most `bytes` bytes lives: half of the second-level cache, because
 * the other operands of a kernel lie there too. The ratios are those of one core with wide vectors, about 100 GFLOP/s of elementwise
 * arithmetic to 200, 100, 30 and 12 GB/s; machines differ less in them than in speed. A GPU has some 60 TFLOP/s beside 6 TB/s from its
 * cache and 4 from its memory.
 */
export function memoryLevels(target: Target): readonly { readonly bytes: number; readonly flopsPerByte: number }[] {
  switch (target.kind) {
    case 'cpu':
      return [
        { bytes: target.caches.l1Bytes, flopsPerByte: 0.5 },
        { bytes: target.caches.l2Bytes / 2, flopsPerByte: 1 },
        { bytes: target.caches.l3Bytes, flopsPerByte: 4 },
        { bytes: Infinity, flopsPerByte: 8 },
      ];
    case 'cuda':
      return [
        { bytes: 16 * 1024 * 1024, flopsPerByte: 8 },
        { bytes: Infinity, flopsPerByte: 16 },
      ];
  }
}
/** Starting a kernel: its loops, and where there are threads a barrier. */
export const flopsPerKernel = 2000;
/** Part of the elements that a kernel reads which it must have in common with another to be worth a pass together. */
export const leastShared = 1 / 8;
/** FLOPs per element up to which a value is computed wherever it is needed: a loop that stored it would cost as much. */
export const cheapFlops = 10;
/** FLOPs above which a scalar is computed once, before the loops that read it. */
export const scalarFlops = 8;
/** FLOPs that a short reduction counts as where it is written out in an expression. */
export const inlineReduceFlops = 16;
/** Counted as a tree, what an expression costs doubles from node to node; beyond this it is much, and counting stops. */
export const mostInlineFlops = 1e6;
/** FLOPs per element above which a pass over a row keeps a value in the nearest cache for later ones: a store, and a load for each. */
export const keptFlops = 8;

/**
 * Materialized nodes that share a kernel. What each of them reads is known through all that is computed before it, so time to compile a
 * kernel grows with the square of their number, while one kernel less saves less and less: of 200 softmax in a row, 12 s become 4.
 */
export const mostMembers = 128;

/** Points for one of a kernel's result at which a value may be computed again rather than stored: a window of windows of three is more. */
export const mostPoints = 8;
/** Kernels that are looked at for that, of each node. */
export const mostKernels = 8;

/**
 * Elements that are read for those of them that cost nothing but code: pieces that are put together again and again. A member of a group
 * that is made of more nodes than that is computed at its own points alone.
 */
export const mostCopies = 64;

// ---- which groups a materialized node is compared with (lower/fuse/neighbours.ts) -------------------------------------------------------

/**
 * Reductions over the same sizes that share a loop although they share no data. Of more than so many each is a kernel by itself: a kernel
 * for the biases of all layers would grow with the depth. The same for scalars, and for readers of the same data.
 */
export const mostAlike = 8;
export const mostScalars = 64;
/** The youngest readers are the nearest. */
export const mostReaders = 32;
/**
 * And the youngest groups of all that a node reads from: others stand between older ones and it. What it reads is found anew for each: of
 * 400 slopes in a row, 18 s become 4.
 */
export const mostNeighbours = 32;

// ---- what is written out (lower/form/values.ts, lower/fuse/groups.ts) -------------------------------------------------------------------

/** Terms up to which a product's sum is written out where it is needed: rows of a small matrix-vector product. */
export const inlineTerms = 16;
/** Terms up to which any other reduction is. */
export const inlineReduceTerms = 4;
/**
 * From so many terms on, what is written out is added to so many values in turn, so that an addition need not wait for the one before;
 * those are added last. Measured: linear regression of nine features takes 0.92 of the time. Decides the order of summation.
 */
export const [leastSplitTerms, splitAccumulators] = [6, 3];
/** Parts of an index up to which it has no name, which analysis does not see through: three reshapes to shapes of two axes. */
export const longestIndex = 64;
/** Results that one group may keep in registers at a time, and elements that count as a few. */
export const smallCount = 16;

// ---- loops over points and long sums (lower/schedule/cpu, lower/form/partial.ts, lower/fuse/split-reductions.ts) ------------------------

/** Elements that one iteration of a parallel elementwise loop takes, and up to which a loop stays on one thread. */
export const mapBlockElements = 4096;
/** Indices from which on the last axis is long enough for lanes; else they run along the longest. */
export const leastLaneAxis = 8;
/**
 * Vectors of points that a column reduction keeps in registers: four sums whose additions do not wait for each other; on a GPU other
 * threads compute meanwhile.
 */
export const columnVectors: Readonly<Record<Target['kind'], number>> = { cpu: 4, cuda: 1 };
/** Elements of the lanes' axis that one iteration of a parallel transpose takes. */
export const transposePiece = 1024;
/**
 * Terms that a long reduction combines before it adds them to the total: the error of a sum grows with the number of blocks, not of terms.
 * Decides the order of summation.
 */
export const sumBlockTerms = 4096;
/**
 * Steps of the depth of a matrix product that one register adds up before its sum goes to a total in memory: some twenty instructions per
 * vector of the result, beside a thousand multiply-adds. Decides the order of summation.
 */
export const depthRun = 1024;
/**
 * Partial results of a long reduction at most: enough for the threads of large machines, and for sums whose errors shall grow with the
 * number of partial results rather than with that of terms. Measured: linear regression 22.9 → 12.5 µs on two threads, 4 to 7 ns more on
 * one. Decides the order of summation.
 */
export const mostPartials = 256;
/**
 * Terms of a partial result at least, and what its indices along the lanes are a multiple of: whole vectors. Decides the order of
 * summation.
 */
export const [leastPartialTerms, partialUnit] = [1024, 16];
/**
 * Blocks of points that leave their partial results of sums over all points: enough for the threads of large machines, few enough that
 * combining their partial results is nothing beside the points. Decides the order of summation.
 */
export const mostPointBlocks = 64;
/** Points of such a block at least. Decides the order of summation. */
export const leastBlockPoints = 8;
/** Points at least of a reduction that is split: fewer are not worth blocks. */
export const leastSplitPoints = 64;
/** Columns at least of one, when they are known: lanes run along them. */
export const leastSplitColumns = 8;

// ---- register tiles of matrix products (lower/schedule/cpu/matmul: tiling.ts, column-tiling.ts) -----------------------------------------

/**
 * Rows and vectors of a tile at most, which keeps its code short where registers would hold more. The cost model seldom takes what is wide
 * and flat: measured, 5×5, 6×4, 10×2 and 12×2 are 3 to 10 % slower than 9×3 and 8×3 where loads cross lines.
 */
export const [mostTileRows, mostTileVectors] = [14, 6];
/**
 * Registers that a tile may fill. Of few one is left free: products need it where nothing multiplies and adds at once, and with none to
 * spare the code generator was seen to spill.
 */
export const tileRegisters = ({ vectorRegisters }: CpuTarget): number => (vectorRegisters === 16 ? 15 : vectorRegisters);
/** Multiply-adds, and loads, of whole vectors that a core starts in a cycle. */
export const vectorsPerCycle = 2;
/** Cycles until one sum can be added to again. */
export const sumLatency = 4;
/** Bytes that come from the second-level cache in a cycle. */
export const l2BytesPerCycle = 40;
/** Cycles that loading a vector of the right side takes beside the arithmetic; measured, mostly loads that cross two lines. */
export const rightLoadCycles = 0.33;
/** The same for an element of the left side, measured: where the tile's rows stay in the nearest cache until the next, and where not. */
export const leftLoadCycles = { near: 0.09, far: 0.15 } as const;
/** Cycles per vector of the result for what comes before and after the depth: zeroing, loads and stores of the epilogue. */
export const cyclesPerResult = 1.5;
/** Cycles per tile: loop starts, and the branch that its end is predicted wrong. */
export const cyclesPerTile = 30;
/**
 * What taller tiles must gain to be the usual ones where the number of rows is not known. Measured where the model says 1.8 % (6×2 for 5×2
 * with AVX2): 50×784×300 1.07, 512³ 1.06 of the speed; where it says 0.8 % (9×3 for 8×3 with AVX-512): a perceptron at batch 512 0.98.
 */
export const leastTallerGain = 0.01;
/** One more body of code is worth so much of the speed: compile time counts. */
export const costOfBody = 0.005;
/**
 * Bytes that stay in the nearest cache until the next tile needs them again: a tile's rows of the left side, or its columns of the right
 * side.
 */
export const nearBytes = ({ caches }: CpuTarget): number => caches.l1Bytes;
/**
 * With so many lines side by side, threads get columns of their own: the thread that updates columns of a weight then multiplies with the
 * same columns in the next step, and they stay in its cache. Measured with two groups of columns: a perceptron's step 419 → 406 µs on two
 * threads; with one group for each tile one thread lost 5 to 8 %.
 */
export const fewestOwnedLines = 10;
/**
 * Elements of a right side up to which threads get columns of their own: of four bytes, a half takes 1 MB, half of the second-level cache
 * that it was measured with. Where that is smaller, what a core updates is still nobody else's, so all products agree about it.
 */
export const mostOwnedElements = 2 ** 19;

// ---- elementwise kernels of a GPU (lower/schedule/cuda/elementwise.ts) ------------------------------------------------------------------

/** Points of a block: four for each of its threads, whose loads wait for memory together. */
export const pointsOfBlock = 1024;

/**
 * Elements of a row up to which a warp reduces it, and a block has as many rows as warps: threads of a warp need no barrier, and with a
 * block for each row most threads would have nothing to do.
 */
export const longestWarpRow = 256;

/**
 * Elements up to which products round f32 that lies in memory to 16 bits themselves, each tile for itself: what starting one more kernel
 * takes (`kernelCycles`) is the time in which the cache gives 16 tiles two bytes more of as many.
 */
export const mostRoundedLater = 2 ** 19;

// ---- attention of a GPU's blocks (lower/schedule/cuda/attention) ------------------------------------------------------------------------

/** Queries of a block, keys and columns together at most, and bytes of lines times lines that a processor multiplies in a cycle. */
export interface AttentionCost {
  readonly rows: number;
  readonly sums: number;
  /** Of derivatives: steps of both products that are made again, and these and columns of all results together. */
  readonly backwardMade: number;
  readonly backwardSums: number;
  readonly products: number;
}
/** 16 rows for each warp; a thread has a half as many sums in registers, of some 200 that it can have; 1024 pairs of two bytes. */
export const tensorAttention: AttentionCost = { rows: 128, sums: 256, backwardMade: 64, backwardSums: 320, products: 2048 };
/** 4 rows for each thread, which has a quarter as many sums, and those of a tile of keys apart; 128 pairs of four bytes. */
export const coreAttention: AttentionCost = { rows: 64, sums: 192, backwardMade: 64, backwardSums: 224, products: 512 };
/** Bytes of shared memory that a block needs beside its tiles: where its lanes combine whether a mask's scores count. */
export const attentionOther = 1024;
/** With fewer queries most of a block would compute nothing, and blocks for keys apart find more processors. */
export const leastAttentionRows = 16;
/**
 * Keys of a tile, and tiles of them in shared memory: one is used while the others come. With 128 keys and tensor cores a thread has 64
 * scores, which leaves registers for a single block on a processor, or spills; of two blocks one multiplies while the other takes
 * exponentials.
 */
export const [attentionKeys, attentionStages] = [
  [64, 32, 16],
  [2, 3],
] as const;
/** Cycles of a processor for a score: some thirty instructions for its exponential, its mask and both maxima, by 128 lanes. */
export const scoreCycles = 30 / 128;

// ---- blocks of tiles and their memory (lower/schedule/cpu/matmul: emit.ts, pack.ts, prefetch.ts) ----------------------------------------

/**
 * Bytes of the left side that the tiles of one block of a parallel loop share: a quarter of the second-level cache. Measured: blocks with
 * twice as many rows have 0.98 of the speed.
 */
export const tileBlockBytes = ({ caches }: CpuTarget): number => caches.l2Bytes / 4;
/** How many tiles below one another share columns of the right side; `assumed` where the depth is not known. */
export const tilesPerBlock = { least: 4, most: 16, assumed: 8 } as const;
/** Blocks that a product has at least if it has so many tiles, for threads to share. */
export const fewestTileBlocks = 8;
/** What competes in a cache: of rows whose addresses are a multiple of `wayBytes` apart it keeps `ways`. */
export interface Ways {
  readonly wayBytes: number;
  readonly ways: number;
}
/**
 * Rows of a right side that caches keep as they lie. Of the ways of the second-level cache the right side takes half at most; those of the
 * nearest cache are counted for the columns of one tile, beside which little is read again. Measured in panels: for the second-level cache
 * 1024³ 42 → 85 % of the limit, 512×1024×512 60 → 90 %; for the nearest one see `leastPackedRows`.
 */
export const competing = ({ caches }: CpuTarget): { readonly near: Ways; readonly second: Ways } => ({
  near: { wayBytes: caches.l1Bytes / caches.l1Ways, ways: caches.l1Ways },
  second: { wayBytes: caches.l2Bytes / caches.l2Ways, ways: caches.l2Ways / 2 },
});
/**
 * Bytes of a right side that is read as it lies by many rows, 1 MB more than the second-level cache has; and by few, which is what
 * address translation and prefetches serve well. Measured in panels: of more than 3 MB 512×1000×1000 has 1.13 of the speed, of less
 * 512×784×768 has 1.02 and 128×784×768 0.9; of more than 8 MB 2048³ went from 35 to 91 % of the limit.
 */
export const mostUnpacked = ({ caches }: CpuTarget): { readonly ofMany: number; readonly ofFew: number } => ({
  ofMany: caches.l2Bytes + 2 ** 20,
  ofFew: 8 * 1024 * 1024,
});
/**
 * Rows from which on panels are read often enough to be worth their copy, which costs as much as ten or twenty rows of the product: where
 * what is read as it lies is somewhat slower, and where much. `near`: where the columns of a tile would stay in the nearest cache but for
 * what competes there. Measured on one / two threads: 1024×128×512 1.02 / 1.1, 1024×128×384 1.05 / 1.15 of the speed; 512 rows of them
 * 1.0 / 1.0, 128×128×128 0.98 / 0.7.
 */
export const leastPackedRows = {
  somewhat: 128,
  much: 16,
  near: 1024,
} as const;
/** Steps of the depth that one iteration copies for all tiles: rows are then read from one end to the other. */
export const packedSteps = 8;
/**
 * Cycles after which a line is there even if another core has it. Measured: asking so far ahead, a perceptron's step takes 309 → 293 µs on
 * two threads and the same on one.
 */
export const lineCycles = 200;
/**
 * Cycles after which a line of what the caller gives is there: it comes from this core's second-level cache, mostly; asked for earlier, the
 * nearest cache has lost it again where rows fall onto few places of it. Measured against 200: with AVX2 50×1000×1000 1.02,
 * (784×512)ᵀ·512×300 1.02, (1024×256)ᵀ·256×1024 1.08 of the speed, with AVX-512 1.06, 1.0 and 1.03; 60 gives the last of them 1.3 and 1.02,
 * and takes 1 % from a perceptron at batch 512. What perceptrons compute themselves costs them 7 % on two threads if asked for so late.
 */
export const fedLineCycles = 100;
/**
 * Vectors of multiply-adds in a step of a tile beside which asking for its results costs nothing. Measured: with AVX-512 (24 vectors) 1.02
 * to 1.2 of the speed, with AVX2 (12 vectors, whose step has nearly as many instructions as the processor takes in its time) 512³ 0.975,
 * 1024×512×128 0.98.
 */
export const roomyStep = 16;

// ---- how variables and temporaries lie (lower/form/layout.ts) ---------------------------------------------------------------------------

/** Part of a row that may be added so that rows start on lines. Artifacts agree about variables by it, so no target varies it. */
export const mostPadding = 1 / 8;
