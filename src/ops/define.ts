// What an op is. In: one definition per primitive. Out: everything that passes, interpreters, lowering and tests ask of it.
// Holds: passes never list ops; they ask these fields. Elementwise ops take equal shapes: broadcasting is an op of its own, inserted by the
// checker.

import type { DiagnosticCode, Dim, Precision, Shape } from '../base/index.js';
import type { Attrs, GraphBuilder, Node, OpTag, Region, Source, TensorNode, TensorType, Type } from '../graph/index.js';
import type { Buffer, Combiner, Expr, Stmt } from '../kernel/index.js';
import type { Writer, Written } from './writing.js';

/** Why a type rule refuses; the checker adds spans. */
export interface TypeProblem {
  readonly kind: 'problem';
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string;
  /** Arguments at fault, by position. */
  readonly operands?: readonly number[];
}

/**
 * A concrete tensor of the reference interpreters. i64 is held in bigints, everything else in doubles (bool: 0 or 1; f32 is not rounded).
 */
export interface TensorValue {
  readonly dtype: TensorType['dtype'];
  readonly shape: readonly number[];
  readonly data: Float64Array | BigInt64Array | BigUint64Array;
}

export type Value = TensorValue | readonly TensorValue[];

export interface EvaluateContext<A extends Attrs> {
  readonly attrs: A;
  /** The node's type. */
  readonly type: Type;
  /** A size under the current environment. */
  size(dim: Dim): number;
  shape(type: TensorType): number[];
  region(region: Region, args: readonly TensorValue[]): TensorValue[];
  /** Notes that a check of the program does not hold; the value goes on as it is. */
  fails(failure: CheckFailure): void;
}

/** A check of the program that does not hold: its code, where the text says it, and numbers for the message (src/ops/checks.ts). */
export interface CheckFailure {
  readonly code: string;
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly size: number;
  readonly length: number;
  readonly said: number;
}

/** A check as nodes. */
export interface CheckParts {
  readonly code: string;
  /** bool: where it does not hold. */
  readonly failing: TensorNode;
  /** i32 or i64 of the same shape: the number that the message says. */
  readonly said: TensorNode;
  readonly size: Dim;
  readonly length: Dim;
}

/** Whole numbers, none below `low` and none above `high`, as far as those are known. */
export interface Bounds {
  readonly low?: Dim | undefined;
  readonly high?: Dim | undefined;
}

/** The two modes over nodes, for ops whose rule differentiates a region (loops, custom rules). Undefined stands for zero. */
export interface Modes {
  vjp(
    results: readonly TensorNode[],
    cotangents: readonly (TensorNode | undefined)[],
    inputs: readonly TensorNode[],
  ): readonly (TensorNode | undefined)[];
  jvp(
    results: readonly TensorNode[],
    inputs: readonly TensorNode[],
    tangents: readonly (TensorNode | undefined)[],
  ): readonly (TensorNode | undefined)[];
}

/**
 * Cotangents of the arguments, undefined where none flows. `cotangents` has one entry per result (one for a tensor), undefined where
 * nothing flows in.
 */
export type VjpRule<A extends Attrs> = (
  node: Node<A>,
  cotangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
) => readonly (TensorNode | undefined)[];

/** Tangents of the results, one per result. `tangents` has one entry per argument, undefined for a constant. At least one is defined. */
export type JvpRule<A extends Attrs> = (
  node: Node<A>,
  tangents: readonly (TensorNode | undefined)[],
  build: GraphBuilder,
  modes: Modes,
) => readonly (TensorNode | undefined)[];

/**
 * Where a flow may be other than 0, as a mask: bool, of the flow's shape, false where it is 0 because a branch was not taken. Undefined:
 * anywhere. `which` is the argument that the flow goes to, or comes from; without a mask, the op may still be what makes one.
 */
export type ReachRule<A extends Attrs> = (
  node: TensorNode<A>,
  which: number,
  mask: TensorNode | undefined,
  build: GraphBuilder,
) => TensorNode | undefined;

/** How far masks go with flows through an op. An op that does not say: what comes of a flow is 0 only where all of the flow is. */
export type Reach<A extends Attrs> =
  /** The rules move elements, repeat them and add them up: they give 0 for 0, whatever the arguments are. */
  | { readonly kind: 'moves' }
  /**
   * `exact`: the rules give 0 for 0, whatever the arguments are; others may make NaN of it (0 · ∞), which is then left out. `chooses`:
   * masks begin here.
   */
  | { readonly kind: 'rule'; readonly exact: boolean; readonly chooses?: true; readonly vjp: ReachRule<A>; readonly jvp: ReachRule<A> };

export type Derivative<A extends Attrs> =
  | {
      readonly kind: 'rules';
      readonly vjp: VjpRule<A>;
      readonly jvp: JvpRule<A>;
      readonly reach?: Reach<A>;
      /** Why reverse mode cannot pass this node, if it cannot: asking for it is the user's mistake. */
      readonly irreversible?: (node: Node<A>) => { readonly reason: string; readonly hint: string } | undefined;
    }
  /** Nothing flows through: integer results, comparisons, stopGradient, sources. */
  | { readonly kind: 'zero' }
  /** Asking for it is the user's mistake. */
  | { readonly kind: 'none'; readonly reason: string };

/** Reads element `index` of argument `which`. */
export type ReadArgument = (which: number, index: readonly Expr[]) => Expr;

export interface NestContext {
  /** Storage of arguments and results. A result may lie where the argument of the same position does. */
  readonly args: readonly Buffer[];
  readonly results: readonly Buffer[];
  /** A temporary for the time of this nest. */
  temporary(dtype: TensorType['dtype'], shape: TensorType['shape']): Buffer;
  /** A name that nothing else in the kernel has. */
  fresh(stem: string): string;
}

export type Lowering<A extends Attrs> =
  /**
   * The value at one index as an expression of argument values: can be computed wherever it is needed. `cost` in FLOPs per element; 0 =
   * only moves data. `ownNest` says of a node that no index of an argument may be readable where the value needs none: it gets a loop nest
   * of its own.
   */
  | {
      readonly kind: 'element';
      readonly at: (node: TensorNode<A>, index: readonly Expr[], arg: ReadArgument) => Expr;
      readonly cost: number;
      /** A float format that holds every value of the result as it is, where that is not the result's own. */
      readonly holds?: (node: TensorNode<A>) => Precision | undefined;
      readonly ownNest?: {
        readonly when: (node: TensorNode<A>) => boolean;
        readonly build: (node: TensorNode<A>, context: NestContext) => readonly Stmt[];
      };
    }
  /** Combines the one argument over `axes`, which its result no longer has. */
  | {
      readonly kind: 'reduce';
      readonly axes: (node: TensorNode<A>) => readonly number[];
      readonly combine: (node: TensorNode<A>) => Combiner;
    }
  /**
   * [batch…, rows…, inner…] × [batch…, inner…, columns] → [batch…, rows…, columns]. `groups` says how many axes are which, by default
   * those of a matrix product; `left` how an element of the left side is read, by default as it stands.
   */
  | {
      readonly kind: 'contract';
      readonly groups?: (node: TensorNode<A>) => { readonly batch: number; readonly rows: number; readonly inner: readonly Dim[] };
      readonly left?: (node: TensorNode<A>, index: readonly Expr[], arg: ReadArgument) => Expr;
    }
  /** A loop nest of its own. */
  | { readonly kind: 'nest'; readonly build: (node: Node<A>, context: NestContext) => readonly Stmt[] }
  /**
   * Blocks of kernels inside of one, made of regions: loops and branches. Tensors come in stored, scalars in registers; with `stored`
   * scalars are stored as well, for kernels of their own that read them.
   */
  | { readonly kind: 'loop'; readonly stored?: true }
  /** Storage that is there before the step: feeds, variables, region arguments. */
  | { readonly kind: 'source' }
  /** Takes result `attrs.index` of a tuple. */
  | { readonly kind: 'element-of' }
  /** Gone before lowering; the text names the pass that removes it. */
  | { readonly kind: 'removed'; readonly by: string };

export interface SampleArgument {
  readonly dtype: TensorType['dtype'];
  readonly shape: readonly number[];
  /** Values are drawn from here (safe domain: away from kinks and poles). Default [-2, 2]; integers: inclusive bounds. */
  readonly range?: readonly [number, number];
  /** Or these. */
  readonly values?: readonly number[];
}

export interface Sample<A extends Attrs> {
  readonly args: readonly SampleArgument[];
  /** What the op is applied to, made of the arguments; by default they themselves. */
  readonly on?: (build: GraphBuilder, args: readonly TensorNode[]) => readonly Node[];
  /** Regions are made with the builder of the graph that the sample stands in. */
  readonly attrs: A | ((build: GraphBuilder) => A);
  /** Relative tolerance of finite differences for this sample when it is not smooth enough for the default 1e-6. */
  readonly tolerance?: number;
}

/** The part of an elementwise op in a fused multiply-add, a · b + c with one rounding. */
export type FmaPart = 'product' | 'sum' | 'difference';

export interface Op<A extends Attrs = Attrs> extends OpTag {
  readonly name: string;
  /** One sentence for people. */
  readonly doc: string;
  type(args: readonly Type[], attrs: A): Type | TypeProblem;
  readonly derivative: Derivative<A>;
  /** The meaning, naive. */
  evaluate(args: readonly Value[], context: EvaluateContext<A>): Value;
  readonly lowering: Lowering<A>;
  /**
   * Attributes of the op for axes `prefix` more, in front of those of every argument and result, for each of which it does the same: what
   * index notation makes of an op in its body. An op without it has no such form.
   */
  batched?(attrs: A, prefix: Shape): A;
  /** A size that must not be 0 where any of `count` elements is computed: an index clamped into it would mean none. */
  needs?(node: Node<A>): { readonly size: Dim; readonly count: Dim };
  /** A size that the op counts in a dtype that may be too narrow for it, and how large it may be. */
  counts?(node: Node<A>): { readonly size: Dim; readonly most: number } | undefined;
  /** What must hold when the node is computed: of an op that is the identity of its first argument. */
  check?(node: Node<A>, build: GraphBuilder): CheckParts;
  /**
   * Between which sizes the result's integers certainly lie; `of` knows those of arguments by position, `isNatural` which sizes are
   * certainly at least 0.
   */
  bounds?(node: TensorNode<A>, of: (which: number) => Bounds | undefined, isNatural: (dim: Dim) => boolean): Bounds | undefined;
  /** The same of one of several results, whatever the arguments are. */
  itemBounds?(node: Node<A>, item: number): Bounds | undefined;
  source?(attrs: A): Source;
  readonly fma?: FmaPart;
  /** The result repeats elements of the arguments: where those are at hand, it costs nothing to have it twice. */
  readonly repeats?: true;
  /** Whether no element is infinite or NaN where none of the arguments' is; an op that does not say may make some. */
  keepsFinite?(node: TensorNode<A>): boolean;
  /**
   * How the node is written as TDSL: a tensor, or the results of several one by one, which are bound already. What an op without it
   * computes cannot be written yet; ops that are gone before anything is computed need none.
   */
  write?(node: Node<A>, writer: Writer): Written | readonly Written[];
  samples(): readonly Sample<A>[];
}

export function defineOp<A extends Attrs>(op: Op<A>): Op<A> {
  return op;
}
