// What a workload is. In: nothing. Out: types, and help to fill arrays. Holds: one seed, so that every peer of every run sees the same
// numbers.

import type { Random } from '../../../examples/random.js';

export interface ArraySpec {
  readonly name: string;
  readonly dtype: 'f32' | 'i32';
  readonly shape: readonly number[];
  /** A feed of every step, or a variable's value before the first. */
  readonly role: 'feed' | 'initial';
}

/** What is computed; peers choose their code by it. */
export type Family =
  'linear' | 'logistic' | 'perceptron' | 'chain' | 'chain-derivative' | 'norm' | 'product' | 'product-left' | 'product-right';
/** What operands of products are rounded to. */
export type Precision = 'tf32' | 'bf16';
export type Rule = 'none' | 'sgd' | 'momentum' | 'adam';

export interface Workload {
  readonly name: string;
  readonly family: Family;
  /** `none` for a function, which gives results instead of changing variables. */
  readonly rule: Rule;
  readonly rate: number;
  /** A training step's rows; an array's rows and columns; a product's M, K and N. */
  readonly sizes: readonly number[];
  /** File in `programs`; it has one entry: `train` or, for a function, `compute`. */
  readonly program: string;
  /** Where it is not f32. */
  readonly precision?: Precision;
  /** Sizes that are known when the program is compiled. */
  readonly set: Readonly<Record<string, number>>;
  readonly arrays: readonly ArraySpec[];
  /** Elements of all arrays, in their order. */
  readonly fill: (random: Random) => readonly ArrayLike<number>[];
  /** A function's results, in the order in which peers give them. */
  readonly outputs: readonly string[];
  /**
   * Floating-point operations of one step, a fused multiply-add counting two; transcendental functions by the length of their polynomials.
   */
  readonly flops: number;
  /** Bytes that one step has to read and write at least: feeds, variables, the optimizer's state, results; nothing in between. */
  readonly bytes: number;
  /** Bytes that a step goes through, which decide the level of the memory that its traffic is measured against. */
  readonly workingSet: number;
  /** What its traffic is like: mostly reads, or a stream through main memory that reads and writes. */
  readonly traffic: 'read' | 'stream';
  /**
   * How far checked numbers may lie apart, relative to the largest of them: order of summation is free, and what Adam does with gradients
   * near zero magnifies it.
   */
  readonly tolerance: number;
}

/** Steps whose losses are compared before anything is timed. */
export const comparedSteps = 20;

/** What a function's results are compared by: the root of the mean square, and a mean that knows the order of the elements. */
export function checksOf(values: ArrayLike<number>): readonly [number, number] {
  let [squares, slanted] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    const element = values[at] as number;
    squares += element * element;
    slanted += element * (at % 7);
  }
  return [Math.sqrt(squares / values.length), slanted / values.length];
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, x) => total + x, 0);
export const elementsOf = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);
export const countOf = (array: ArraySpec): number => elementsOf(array.shape);
export const many = (count: number, make: (at: number) => number): Float32Array =>
  Float32Array.from({ length: count }, (_, at) => make(at));

/** Numbers between -1 and 1. */
export function even(count: number, random: Random): Float32Array {
  const values = new Float32Array(count);
  for (let at = 0; at < count; at += 1) values[at] = 2 * random.uniform() - 1;
  return values;
}
