// Numbers that matrix products of a GPU's blocks were tuned with (lower/schedule/cuda/matmul). In: nothing. Out: a number. Holds: what
// `tuning.ts` holds.

/** Threads of a block down and across a tile: each warp has two rows of them, so that it reads both sides with few addresses. */
export const [threadsDown, threadsAcross] = [16, 16];
/** Warps of a block down and across a tile of tensor cores. */
export const [warpsDown, warpsAcross] = [2, 4];
/** Elements side by side that a thread has together: what one access of shared memory moves. */
export const threadRun = 4;
/** Stages of the depth that may be in shared memory together: one is used, the others are on their way. */
export const stagesOfTiles = [3, 4, 5];
/** Cycles from asking memory for a stage until it is there: arithmetic of the stages before takes as long, or a block waits. */
export const copyCycles = 800;
/** Bytes that the second-level cache gives one processor in a cycle, all of them asking. */
export const cacheBytesPerCycle = 32;
/**
 * Bytes behind each line in shared memory, so that lines do not start in the same bank: one access; two where each thread loads four bytes
 * by itself, a warp eight side by side of four lines.
 */
export const [linePadding, linePaddingOfWords] = [16, 32];
/** Steps of the depth whose code is written out. */
export const unrolledDepth = 4;
/**
 * Parts of the depth that have blocks of their own at most, where there are fewer tiles than processors; the steps of one at least, and
 * what they are a multiple of: whole stages of all tiles. Decides the order of summation.
 */
export const [mostSplits, leastPart, leastPartUnit] = [64, 128, 32];
/**
 * Of a depth that a call decides, the gradient of a weight summed over a batch, where it is deep; and what cutting that into parts must
 * gain, as it takes two kernels more, of which sizes leave some without blocks.
 */
export const [assumedDeep, leastDeepGain] = [4096, 1.25];
/** Cycles of a processor until one more kernel has begun and ended, and bytes that all of them move in one: what adding parts costs. */
export const [kernelCycles, bytesPerCycle] = [4000, 2400];
/** A tile of a block: its size, the steps of the depth in a stage, and the cycles of a processor for the arithmetic of a step. */
export interface TileCost {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly cycles: number;
  /** Whether four warps multiply together. */
  readonly isGroup?: true;
}
/** Cycles that a stage takes beside its arithmetic: a barrier, and the addresses of what comes next. */
export const stageCycles = 80;
/**
 * Tiles without tensor cores, by the bytes of an element and the runs of the depth whose totals stand beside the sums: 8 × 8 sums of a
 * thread, 64 multiply-adds for four loads of four elements, leave no room for more than one total each. A processor multiplies and adds 128
 * times in a cycle, and loads 32 elements from shared memory.
 */
export const coreTiles = (bytes: number, runs: number): readonly TileCost[] =>
  [8, 4, 2, 1]
    .filter((each) => each < 8 || (bytes <= 4 && runs <= 2))
    .map((each) => ({
      rows: threadsDown * each,
      columns: threadsAcross * each,
      depth: bytes > 4 ? 8 : 16,
      cycles: Math.max(2 * each * each, 4 * each),
    }));
/**
 * Tiles of tensor cores: matrices of 16 × 8 that a warp has, down and across, in stages of lines of 64 bytes. 32 bytes of the lines of a
 * processor are 1024 multiply-adds of two bytes in a cycle, or 512 of four; a warp loads a matrix of the left side in four cycles, one of
 * the right side in two.
 */
export const tensorTiles = (bytes: number): readonly TileCost[] =>
  [
    { down: 4, across: 8 },
    { down: 4, across: 4 },
    { down: 2, across: 4 },
    { down: 2, across: 2 },
    { down: 1, across: 2 },
  ].map(({ down, across }) => ({
    rows: warpsDown * 16 * down,
    columns: warpsAcross * 8 * across,
    depth: 64 / bytes,
    cycles: (Math.max(16 * down * across, warpsDown * warpsAcross * (4 * down + 2 * across)) / 32) * bytes,
  }));
/** Fours of warps of a block that multiply together, one below the other, and stages in shared memory: two in use, two on their way. */
export const [groupsDown, stagesOfGroups] = [2, 4];
/**
 * Tiles whose products four warps have, of elements of two bytes, in stages of lines of 128 bytes. A processor multiplies and adds 2048
 * times in a cycle, and moves 128 bytes of shared memory: 64 rows and all columns are read for each instruction, and what was copied is
 * written.
 */
export const groupTiles: readonly TileCost[] = [
  [128, 256],
  [256, 128],
  [128, 128],
  [128, 64],
].map(([rows = 0, columns = 0]) => ({
  rows,
  columns,
  depth: 64,
  cycles: Math.max((rows * columns) / 2048, (2 * ((rows / 64) * (64 + columns) + rows + columns)) / 128),
  isGroup: true,
}));
