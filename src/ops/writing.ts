// What an op may ask when it says how it is written as TDSL. In: a node, and whoever writes the graph around it down. Out: expressions.
// Holds: whoever writes decides what gets a name, and what it is called; an op decides nothing but the text of its own.

import type { Block, Expression, Pattern, Statement } from '../../grammar/index.js';
import { type Dim, type DType, isFloat, roundTo, type Shape } from '../base/index.js';
import type { Node, Region } from '../graph/index.js';
import type { Bounds } from './define.js';
import { binary, digits, named, sign, truth } from './tdsl.js';

/** One tensor as text. */
export interface Written {
  /** Says its dtype itself. */
  readonly expression: Expression;
  /** Its shape, where that is another one than the node's, to which it then broadcasts. */
  readonly shape: Shape;
  /** The same as it may stand beside what says the dtype: `2` for `f32(2)`. */
  readonly literal?: Expression;
  /** The same with more or fewer axes of size 1: of a reduction with those that are gone, of a product without those of vectors. */
  readonly other?: { readonly expression: Expression; readonly shape: Shape };
  /** Not worth a name, however often it stands there. */
  readonly isPlain?: true;
  /** Reads best as a statement of its own. */
  readonly isWhole?: true;
  /** Of integers, where they are known: a loop's counter, what its rounds leave. */
  readonly bounds?: Bounds | undefined;
}

export interface Writer {
  written(node: Node): Written;
  /** With exactly the node's dtype and shape. */
  exact(node: Node): Expression;
  /** As a name where statements may stand, so that it costs nothing to have it in several places. */
  shared(node: Node): Written;
  /** The same with exactly the node's shape. */
  named(node: Node): Expression;
  /** What broadcasts to `shape` together; literals stand beside what says the dtype. */
  together(nodes: readonly Node[], shape: Shape): readonly Expression[];
  size(dim: Dim): Expression;
  /** A list of them. */
  sizes(shape: Shape): Expression;
  /** Names for the axes of a shape, which nothing around has. */
  indices(shape: Shape): readonly string[];
  /** A name that nothing else has. */
  fresh(stem: string): string;
  /** Names for the results of a node of several: those that the program has for them, else what they are called by default. */
  results(node: Node, stem: (index: number) => string): readonly string[];
  /** A result of a node of several, which is written already. */
  part(tuple: Node, index: number): Written;
  /** Whether anything reads that result. */
  isRead(tuple: Node, index: number): boolean;
  isNatural(dim: Dim): boolean;
  /** Whether integers certainly are indices of an axis of this size. */
  isInside(node: Node, size: Dim): boolean;
  /** Binds names in the block at hand. */
  bind(pattern: Pattern, value: Expression): void;
  /** The results of a region for these parameters, whose statements go into the block at hand. */
  region(region: Region, params: readonly Written[]): readonly Written[];
  /** A block of its own, with its last statement. */
  block(write: (inside: Writer) => Statement): Block;
  /**
   * A value that is computed only where it stands: as an expression where it needs no statements, else as the call of a function of
   * `params` that is bound before.
   */
  deferred(stem: string, params: readonly string[], write: (inside: Writer) => Expression): Expression;
  /** Refuses a node: `unsupported-feature`. */
  refuse(node: Node, reason: string): never;
}

/** One tensor of exactly the node's shape. */
export const written = (expression: Expression, shape: Shape, more: Pick<Written, 'isPlain' | 'isWhole' | 'literal'> = {}): Written => ({
  expression,
  shape,
  ...more,
});

/** A number of a dtype as a literal: the shortest one that is rounded to it. */
export function literalOf(dtype: DType, value: number | bigint): Expression {
  if (dtype === 'bool') return truth(Number(value) !== 0);
  if (typeof value === 'bigint' || !isFloat(dtype)) return digits(`${value}`);
  if (Number.isNaN(value)) return binary(digits('0.0'), '/', digits('0.0'));
  if (!Number.isFinite(value)) {
    const infinity = binary(digits('1.0'), '/', digits('0.0'));
    return value > 0 ? infinity : sign('-', infinity);
  }
  if (Object.is(value, -0)) return sign('-', digits('0.0'));
  const text = (number: number): string => `${number}`.replace('e+', 'e');
  for (let length = 1; length < 17; length++) {
    const short = Number(value.toPrecision(length));
    if (roundTo(dtype, short) === value) return digits(text(short));
  }
  return digits(text(value));
}

/** What names stand for, with the shapes of these nodes. */
export const namesFor = (names: readonly string[], shapes: readonly Shape[]): readonly Written[] =>
  names.map((name, at) => written(named(name), shapes[at] ?? []));

export const expressionsOf = (values: readonly Written[]): readonly Expression[] => values.map(({ expression }) => expression);

/** The shape that all broadcast to, as NumPy has it. */
export function commonOf(shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.flatMap((shape) => shape[shape.length - rank + axis] ?? []);
    return sizes.find((size) => size.constant !== 1) ?? (sizes[0] as Dim);
  });
}
