// Kernel IR: an ordered tree of loops over scalar expressions. In: nothing but sizes and dtypes. Out: the types that schedules, the kernel
// interpreter and code generators share.
// Holds: what `verify.ts` lists. Loops carry their schedule, in their axis kind and in what they say of themselves, so the same tree runs
// in the interpreter and on every target.

import { bytesOf, type Dim, type DType, type Shape, type Span } from '../base/index.js';

// ---- Expressions -------------------------------------------------------------------------------------------------------------------

/**
 * A value per point of the loops around it. Expressions are pure; sharing an object only says that it may be computed once per statement.
 * Indices and sizes have dtype i64.
 */
export type Expr =
  | { readonly kind: 'const'; readonly dtype: DType; readonly value: number | bigint }
  /** The variable of a loop around. */
  | { readonly kind: 'index'; readonly name: string }
  /** A size known when the entry is called. */
  | { readonly kind: 'size'; readonly dim: Dim }
  /** One element of a buffer; as many indices as the buffer has axes. */
  | { readonly kind: 'load'; readonly buffer: Buffer; readonly index: readonly Expr[] }
  /** A `let` in scope. */
  | { readonly kind: 'name'; readonly name: string; readonly dtype: DType }
  /** An accumulator in scope, with one index per axis of it. */
  | { readonly kind: 'read'; readonly accumulator: Accumulator; readonly index: readonly Expr[] }
  /**
   * A scalar function: a machine op (`machine.ts`), or one of the scalar table in `src/ops`, which the expand pass turns into machine ops.
   */
  | { readonly kind: 'apply'; readonly fn: string; readonly args: readonly Expr[]; readonly dtype: DType };

// ---- Storage -----------------------------------------------------------------------------------------------------------------------

export type BufferRole =
  /** Read only; laid out row-major by the caller. */
  | { readonly kind: 'feed'; readonly index: number }
  /** Written by the entry; row-major. */
  | { readonly kind: 'output'; readonly index: number }
  /** Lives in the session: read, and updated in place. Rows may have something behind them, which is nobody's. */
  | { readonly kind: 'variable'; readonly index: number }
  /** In the arena, for the time between its first write and its last read. */
  | { readonly kind: 'temporary' }
  /**
   * Beside the threads of a block, which share it: declared by `share`, of constant sizes, and none of the program's buffers. `swizzled`:
   * its last axis is a line of 128 bytes, and part p of the eight parts of line l lies where part p ^ (l % 8) would.
   */
  | { readonly kind: 'shared'; readonly swizzled?: true };

export interface Buffer {
  /** Unique in its program. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Elements (not bytes) from one index to the next, per axis. Row-major without padding unless a schedule chose otherwise. */
  readonly strides: Shape;
  readonly role: BufferRole;
}

export type Combiner = 'sum' | 'product' | 'max' | 'min' | 'any' | 'all';

/** Registers: a scalar (`shape` []), or a small array with constant sizes. */
export interface Accumulator {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

// ---- Statements --------------------------------------------------------------------------------------------------------------------

/**
 * serial: in order. parallel: iterations are independent and may run on several threads (outermost statement of a kernel only). vector:
 * iterations are independent but for `accumulate`, whose order over the lanes is the target's; runs in chunks of its lanes, with a masked
 * tail. unroll: constant extent, repeated in the code.
 */
export type Axis = 'serial' | 'parallel' | 'vector' | 'unroll';

export type Stmt =
  | For
  /** Names a value for the statements that follow in this body. */
  | { readonly kind: 'let'; readonly name: string; readonly value: Expr }
  /** Declares registers for the statements that follow, every element set to `initial`. */
  | { readonly kind: 'declare'; readonly accumulator: Accumulator; readonly initial: Expr }
  /** accumulator[index] = combine(accumulator[index], value). */
  | {
      readonly kind: 'accumulate';
      readonly accumulator: Accumulator;
      readonly index: readonly Expr[];
      readonly combine: Combiner;
      readonly value: Expr;
    }
  /** accumulator[index] = value; never under a vector axis that the index does not use. */
  | { readonly kind: 'assign'; readonly accumulator: Accumulator; readonly index: readonly Expr[]; readonly value: Expr }
  | {
      readonly kind: 'store';
      readonly buffer: Buffer;
      readonly index: readonly Expr[];
      readonly value: Expr;
      /** Whole vectors pass the caches by where the results are large; the pass `vectorize` writes it. */
      readonly nontemporal?: boolean;
    }
  /**
   * Asks for an element that is soon read, or written (and perhaps read before that), or read later, for which the second-level cache will
   * do. It changes no value, and the index may lie outside of the buffer.
   */
  | { readonly kind: 'fetch'; readonly to: FetchUse; readonly buffer: Buffer; readonly index: readonly Expr[] }
  /** `condition` (bool) does not depend on a vector axis around it, but where `lanes` says that each lane asks for itself. */
  | {
      readonly kind: 'if';
      readonly condition: Expr;
      readonly lanes?: boolean;
      readonly then: readonly Stmt[];
      readonly otherwise?: readonly Stmt[];
    }
  | BlockStmt;

/**
 * What only blocks of threads do, whose threads are the lanes of vector loops: outside of vector loops but for `copy`, which is inside of
 * one. Between two barriers an element of shared memory that one iteration of a vector loop writes belongs to it alone.
 */
export type BlockStmt =
  /** Declares shared memory for the statements that follow; its elements have no value yet. */
  | { readonly kind: 'share'; readonly buffer: Buffer }
  /** All threads of the block wait for each other; each then sees what the others wrote. */
  | { readonly kind: 'barrier' }
  | CopyStmt
  | MultiplyStmt
  | CombineStmt
  /** The copies since the last `commit` become a group. */
  | { readonly kind: 'commit' }
  /** Until all groups but the `open` last ones are there: for those who copied, and behind a barrier for others. */
  | { readonly kind: 'wait'; readonly open: number }
  /**
   * Products of four warps since the last one become a group. Then until all groups but the `open` last ones are done: what those multiply
   * nobody changes before it and a barrier. Their sums nobody touches before all are done, `settle 0`.
   */
  | { readonly kind: 'settle'; readonly open: number };

/**
 * to[at] = when ? from[index] : 0, for `count` elements one after the other along both last axes, while other statements run: what is
 * copied is there behind the `wait` for its group. Where `when` is false nothing is read, and `index` may lie anywhere. The copy is one
 * access: both places are multiples of its bytes, which are 4, 8 or 16.
 */
export interface CopyStmt {
  readonly kind: 'copy';
  readonly to: Buffer;
  readonly at: readonly Expr[];
  readonly from: Buffer;
  readonly index: readonly Expr[];
  readonly count: number;
  readonly when: Expr;
}

/**
 * Each warp (32 threads), or every four of them, adds the product of two matrices in shared memory, of bf16, f16 or f32, to sums in
 * registers; f32 is rounded to TF32 first (`Precision`). `warp` names their number, which both places may use: those of the first element
 * of their rows, and of their columns. `along` says what the last axis of the buffer runs over; the one before runs over the other. With W
 * warps the sums are f32[2·I, 2·J, threads] for 16·W·I rows and 8·J columns: as its element [i, j], thread 32·w + l of their warp w has
 * row 16·W·(i / 2) + 16·w + 8·(i % 2) + l / 4 and column 8·(j / 2) + 2·(l % 4) + j % 2. Each becomes the sum of itself and of the exact
 * products of `multiplyDepth` steps, added up in f64 one after the other before it is added and rounded once; hardware may cut bits off on
 * the way. The left matrix of one warp may be sums of the same rows that another product left in registers, whose columns are the steps.
 *
 * Four warps multiply while other statements run, until they `settle`. Their matrices have 16 bits and are swizzled; where the last axis
 * runs over lines, the one before the steps runs over parts of as many lines as that has elements.
 */
export interface MultiplyStmt {
  readonly kind: 'multiply';
  readonly warps: 1 | 4;
  readonly warp: string;
  readonly sums: Accumulator;
  readonly left: Fragment | SumsFragment;
  readonly right: Fragment;
}

export interface Fragment {
  readonly buffer: Buffer;
  readonly index: readonly Expr[];
  readonly along: 'depth' | 'lines';
}

/** Sums of a `multiply`, from a column on that is a multiple of the steps, rounded as the right side is. */
export interface SumsFragment {
  readonly sums: Accumulator;
  readonly index: readonly [column: Expr];
}

/**
 * Every `lanes` threads side by side, a power of two and at most a warp, combine what each has of an accumulator whose last axis numbers
 * the threads, element by element; each of them then has the result. Thread l combines its own with that of thread l ^ (lanes / 2), what
 * comes out with that of thread l ^ (lanes / 4), and so on down to its neighbour.
 */
export interface CombineStmt {
  readonly kind: 'combine';
  readonly accumulator: Accumulator;
  readonly combine: Combiner;
  readonly lanes: number;
}

/** Threads that multiply together. */
export const warpThreads = 32;
/** Bytes of a line of swizzled memory, and lines after which its parts lie as in the first one. */
export const [swizzledBytes, swizzledLines] = [128, 8];
/** The steps that they take at once: 32 bytes of a line. */
export const multiplyDepth = (dtype: DType): number => 32 / bytesOf(dtype);

export type FetchUse = 'read' | 'later' | 'write';

/**
 * An accumulator that lanes combine into, and nothing else in the loop touches: `chains` vectors of `lanes` results of its own, combined
 * behind the loop.
 */
export interface PartialResult {
  readonly accumulator: Accumulator;
  readonly combine: Combiner;
  readonly lanes: number;
  readonly chains: number;
}

/** Whole vectors of these buffers are asked for so many bytes before they are loaded. */
export interface Ahead {
  readonly bytes: number;
  readonly buffers: readonly Buffer[];
}

export interface For {
  readonly kind: 'for';
  /** Unique in its kernel; counts 0, 1, … extent − 1. */
  readonly index: string;
  readonly extent: Expr;
  /** serial or parallel: a bool of sizes alone; where it is false, the loop does not run at all. */
  readonly when?: Expr;
  readonly axis: Axis;
  /**
   * vector: constant upper bound of `extent`, given when the body indexes accumulators with this axis (register tiles); the chunks are then
   * unrolled. Without it, a vector loop has any extent and is strip-mined.
   */
  readonly limit?: number;
  /** With `limit`: constant lower bound of `extent`. Chunks below it need no masks. */
  readonly least?: number;
  /** Its iterations are the blocks of an axis of so many points. */
  readonly blocks?: Dim;
  /** Runs over the points of one block: of the loop around of this name, which says `blocks`. */
  readonly part?: string;
  /** Constant upper bound of an extent that depends on sizes. */
  readonly most?: number;
  /**
   * FLOPs of all its iterations together, said where the loops inside do not say how often they run, as those of register tiles: what they
   * compute is counted with it.
   */
  readonly flops?: Dim;
  /** serial: a bool without axes, declared around the loop; before each iteration it is asked, and the loop ends where it is false. */
  readonly while?: Accumulator;
  /**
   * serial, in a parallel loop: each warp of a block has an iteration of its own, of which there are at most as many as warps; they are
   * independent, and vector loops inside run over the threads of the warp.
   */
  readonly warps?: boolean;
  /** unroll, in a vector loop: its copies read as columns what lanes read as rows; such squares are transposed in registers. */
  readonly transpose?: boolean;
  // What follows says how a target runs the loop; the pass `vectorize` writes it.
  /** vector: iterations that one vector computes, a power of two. */
  readonly lanes?: number;
  /** Results that each lane keeps for itself across this loop. */
  readonly partials?: readonly PartialResult[];
  /** vector without limit: so many vectors in one turn; an accumulator with several chains takes them in turns. */
  readonly interleave?: number;
  /** With `interleave`: operation by operation, not vector by vector. */
  readonly jam?: boolean;
  /** vector without limit: where stores pass the caches by, what is loaded ahead of its use. */
  readonly ahead?: Ahead;
  /** vector without limit: its few whole vectors follow one another without a counter. */
  readonly straight?: boolean;
  /** unroll: counted after all, over a copy of the registers in memory. */
  readonly rolled?: boolean;
  readonly body: readonly Stmt[];
}

/** What a kernel does to memory and arithmetic units, as sizes of the entry: for cost models and `tfc explain`. */
export interface KernelCost {
  readonly bytesRead: Dim;
  readonly bytesWritten: Dim;
  readonly flops: Dim;
  /** Those of `flops` that compute a value again; absent when there are none. */
  readonly recomputed?: Dim;
}

/** Statements over buffers that each kernel binds: kernels that do the same to memory of their own share one object. */
export interface KernelCode {
  /** Every buffer that the body touches, once. */
  readonly params: readonly Buffer[];
  readonly body: readonly Stmt[];
}

/** A unit of dispatch. If its body is one `parallel` loop, its iterations may be spread over threads. */
export interface Kernel {
  readonly name: string;
  readonly code: KernelCode;
  /** What stands for each of the code's parameters: a buffer of its dtype, shape, strides and kind of role. */
  readonly buffers: readonly Buffer[];
  readonly cost: KernelCost;
  /** Source places that it computes. */
  readonly origins: readonly KernelOrigin[];
  /** What it is, for people: `matmul 50×784×300 + bias + relu`. */
  readonly title: string;
}

export interface KernelOrigin {
  readonly span: Span;
  readonly scope: string;
  readonly backward: boolean;
}

/** A place in the arena that temporaries with disjoint lifetimes share; its size is the largest of `bytes`, rounded up to 64. */
export interface ArenaSlot {
  readonly bytes: readonly Dim[];
}

export interface ArenaPlan {
  readonly slots: readonly ArenaSlot[];
  /** Name of a temporary → its slot. */
  readonly slotOf: ReadonlyMap<string, number>;
}

/** One entry, ready for a code generator: kernels run in order. */
export interface Program {
  readonly entry: string;
  /** Sizes that the caller passes, in the entry's order. */
  readonly dims: readonly string[];
  readonly buffers: readonly Buffer[];
  readonly kernels: readonly Kernel[];
  readonly arena: ArenaPlan;
  /**
   * Where the entry ends early: behind the kernel of that position, unless the output (i32, a scalar) of that number is 0. No kernel up to
   * there changes a variable.
   */
  readonly check?: { readonly output: number; readonly behind: number };
}
