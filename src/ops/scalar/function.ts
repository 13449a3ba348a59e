// What a scalar function is. In: one row per function. Out: everything that elementwise ops, interpreters, lowering and tests ask of it.
// Holds: evaluation is the meaning; `slopes` multiply a direction by the partial derivative, which serves both modes because an elementwise
// Jacobian is diagonal.

import type { BinaryOperator, Expression, UnaryOperator } from '../../../grammar/index.js';
import type { Dim, DType, Fraction } from '../../base/index.js';
import type { TensorNode } from '../../graph/index.js';
import type { Bounds, FmaPart } from '../define.js';

/** Element types that a function takes; all its arguments have the same one. */
export type Takes = 'float' | 'number' | 'bool' | 'any';

/** The functions that derivative rules are written with, over nodes of equal type. */
export interface Algebra {
  /** A value of the direction's dtype and shape. */
  constant(value: number): TensorNode;
  neg(x: TensorNode): TensorNode;
  add(x: TensorNode, y: TensorNode): TensorNode;
  sub(x: TensorNode, y: TensorNode): TensorNode;
  mul(x: TensorNode, y: TensorNode): TensorNode;
  div(x: TensorNode, y: TensorNode): TensorNode;
  pow(x: TensorNode, y: TensorNode): TensorNode;
  sqrt(x: TensorNode): TensorNode;
  rsqrt(x: TensorNode): TensorNode;
  square(x: TensorNode): TensorNode;
  exp(x: TensorNode): TensorNode;
  log(x: TensorNode): TensorNode;
  sin(x: TensorNode): TensorNode;
  cos(x: TensorNode): TensorNode;
  sinh(x: TensorNode): TensorNode;
  cosh(x: TensorNode): TensorNode;
  sign(x: TensorNode): TensorNode;
  floor(x: TensorNode): TensorNode;
  ge(x: TensorNode, y: TensorNode): TensorNode;
  le(x: TensorNode, y: TensorNode): TensorNode;
  eq(x: TensorNode, y: TensorNode): TensorNode;
  select(c: TensorNode, x: TensorNode, y: TensorNode): TensorNode;
}

/** direction × ∂result/∂argument, from the direction, the result and the arguments. */
export type Slope = (m: Algebra, direction: TensorNode, result: TensorNode, ...args: TensorNode[]) => TensorNode;

export interface ScalarFunction {
  /** One sentence for people: what it is, and what it does at the edges. */
  readonly doc: string;
  readonly arity: 1 | 2 | 3;
  readonly takes: Takes;
  /** Comparisons and tests give bool; everything else the dtype that it takes. */
  readonly result: 'same' | 'bool';
  /** Only `select`: argument 0 is bool whatever the others are. */
  readonly conditional?: true;
  /** The name in kernel IR. Where it is a machine op's name, both mean the same for every dtype that the function takes. */
  readonly kernel: string;
  /** The meaning in doubles, for floats and bool. */
  readonly evaluate: (...args: number[]) => number;
  /** The meaning for integers, before wrapping to their width. */
  readonly integer?: (...args: bigint[]) => bigint;
  /** The meaning for numbers that are known exactly, where the result is exact as well; undefined where it is none, or too long. */
  readonly exact?: (...args: Fraction[]) => Fraction | undefined;
  /** One per argument; undefined: nothing flows through it. 'zero': through none. */
  readonly slopes: readonly (Slope | undefined)[] | 'zero';
  /** Per argument, an interval where the function is smooth, for tests. */
  readonly domain: readonly (readonly [low: number, high: number])[];
  /**
   * Largest error of the f32 expansion in units in the last place, over all of f32; 0.5 = correctly rounded. Where a processor has no fused
   * multiply-add, and `muladd` rounds twice, up to a quarter of a unit more.
   */
  readonly ulp: number;
  /** FLOPs of one f32 evaluation, for cost models. */
  readonly cost: number;
  /** The name by which programs call it; operators, and what has a builtin of its own, have none. */
  readonly builtin?: string;
  /** How programs write it where that is no call of `builtin`: between its arguments or before the only one, or as something else. */
  readonly operator?: BinaryOperator | UnaryOperator;
  readonly spelled?: (args: readonly Expression[], dtype: DType) => Expression;
  readonly fma?: FmaPart;
  /** Between which sizes integers lie, from the arguments' bounds; `isNatural` knows which sizes are certainly at least 0. */
  readonly bounds?: (isNatural: (dim: Dim) => boolean, ...args: (Bounds | undefined)[]) => Bounds | undefined;
  /** Finite arguments have a finite result, in every dtype. */
  readonly keepsFinite?: true;
}

/** Keeps the names of a table while checking its rows. */
export const scalarFunctions = <K extends string>(table: Readonly<Record<K, ScalarFunction>>): Readonly<Record<K, ScalarFunction>> => table;
