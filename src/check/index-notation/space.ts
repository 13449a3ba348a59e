// What a body of index notation is made of while it is evaluated. In: indices, reads, reductions as they are met. Out: the scalar graph of
// the body: placeholders stand for indices, elements and reductions, and this says what each of them stands for.
// Holds: a node with an id below `mark` depends on no index. Placeholders are made after what they depend on.

import type { ReductionName, Span } from '../../../grammar/index.js';
import type { Dim, DType, Shape } from '../../base/index.js';
import { type Node, tensor, type TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Context, Frame } from '../context.js';
import type { Value } from '../values.js';
import type { Affine } from './affine.js';

/** An index of a body. */
export interface BodyIndex {
  readonly name: string;
  readonly span: Span;
  /** The index as an i32. */
  readonly placeholder: TensorNode;
  /** As it was written behind `in`. */
  readonly written: IndexRange | undefined;
  /** What was written behind `in`, where it depends on other indices or on data. */
  readonly bounds: IndexBounds | undefined;
}

/** From `start` to `stop`, which is not included, as i32; both may stand for something else for each element. */
export interface IndexBounds {
  readonly start: TensorNode;
  readonly stop: TensorNode;
  readonly span: Span;
  readonly context: Context;
  /** Whether the index is between them. */
  readonly isInside: TensorNode;
}

/** From `start` to `stop`, which is not included. */
export interface IndexRange {
  readonly start: Dim;
  readonly stop: Dim;
}

/** A subscript: a position counted from the front, or a scalar that is computed. */
export interface Subscript {
  readonly at: Dim | TensorNode;
  readonly span: Span;
}

/** `x[i, j + 1] ?? v`. */
export interface ElementRead {
  readonly placeholder: TensorNode;
  readonly tensor: TensorNode;
  /** What was subscripted, for messages. */
  readonly object: Value;
  readonly objectSpan: Span;
  readonly subscripts: readonly Subscript[];
  /** What stands outside of the tensor, behind `??`. */
  readonly outside: TensorNode | undefined;
  /** What conditions around it say. */
  readonly known: readonly Affine[];
  /** Where it is taken at all; undefined: everywhere. */
  readonly guard: TensorNode | undefined;
  readonly span: Span;
  readonly context: Context;
}

export interface IndexReduction {
  readonly placeholder: TensorNode;
  readonly how: ReductionName;
  readonly indices: readonly BodyIndex[];
  readonly body: TensorNode;
}

/** A loop of a body, whose rounds may read elements at places that the round decides. */
export interface OpenLoop {
  /** The number of the round, and the carries. */
  readonly params: readonly TensorNode[];
  /** The carries of the next round, and what is stacked. */
  readonly results: readonly TensorNode[];
  /** Whether there is another round; undefined where a size counts them. */
  readonly condition: TensorNode | undefined;
}

/** Index notation inside of a body: a tensor for each element. */
export interface InnerNotation {
  readonly placeholder: TensorNode;
  readonly indices: readonly BodyIndex[];
  readonly body: TensorNode;
}

export class IndexSpace {
  /** In the order in which they were met: those of the result first. */
  readonly indices: BodyIndex[] = [];
  readonly reads = new Map<TensorNode, ElementRead>();
  readonly reductions = new Map<TensorNode, IndexReduction>();
  readonly inner = new Map<TensorNode, InnerNotation>();
  readonly loops = new Map<Node, OpenLoop>();
  readonly mark: number;
  readonly #byPlaceholder = new Map<TensorNode, BodyIndex>();

  constructor(context: Context) {
    this.mark = context.checker.build.size;
  }

  /** A scalar that equals no other. */
  placeholder(context: Context, dtype: DType, shape: Shape = []): TensorNode {
    return ops.placeholder(context.checker.build, tensor(dtype, shape));
  }

  addIndex(index: BodyIndex): void {
    this.indices.push(index);
    this.#byPlaceholder.set(index.placeholder, index);
  }

  /** Runs an attempt, of which nothing is kept: what it has met is met again. */
  tentatively<T>(attempt: () => T): T {
    const indices = this.indices.length;
    const counts = [this.reads.size, this.reductions.size, this.inner.size, this.loops.size];
    try {
      return attempt();
    } finally {
      for (const { placeholder } of this.indices.splice(indices)) this.#byPlaceholder.delete(placeholder);
      for (const [at, met] of [this.reads, this.reductions, this.inner, this.loops].entries())
        for (const one of [...met.keys()].slice(counts[at])) (met as Map<Node, unknown>).delete(one);
    }
  }

  indexOf(node: TensorNode): BodyIndex | undefined {
    return this.#byPlaceholder.get(node);
  }
}

/** Where in a body an expression is evaluated. */
export interface BodyPlace {
  readonly space: IndexSpace;
  /** The call whose text the body stands in: functions that it calls are not the body itself. */
  readonly frame: Frame | undefined;
  /** What conditions of enclosing choices say of indices. */
  readonly known: readonly Affine[];
  /** All of these conditions together. */
  readonly guard: TensorNode | undefined;
  /** Inside of what is subscripted, or asked for its shape: a tensor may stand there as a whole. */
  readonly whole: boolean;
}

/** The place where a tensor may stand as a whole. */
export const wholeTensors = (context: Context): Context =>
  context.body === undefined || context.body.whole ? context : { ...context, body: { ...context.body, whole: true } };
