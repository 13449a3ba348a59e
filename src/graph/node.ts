// The tensor graph: nodes, attributes, regions. In: ops, which are their own tags. Out: an immutable, hash-consed DAG.
// Holds: a node's id is unique in its builder, and larger than the ids of its arguments.

import type { Dim, Shape, Span } from '../base/index.js';
import type { TensorType, Type } from './type.js';

/** What the graph knows of an op; the whole definition is in `src/ops`. */
export interface OpTag {
  readonly name: string;
  /** Of an op without arguments whose value is there before anything is computed: which value it is. */
  source?(attrs: Attrs): Source;
}

/** What is there before anything is computed: a feed of the entry, a variable, a parameter of the innermost region. */
export type Source =
  | { readonly kind: 'feed'; readonly name: string }
  | { readonly kind: 'variable'; readonly path: string }
  | { readonly kind: 'argument'; readonly index: number };

export type AttrValue = string | number | bigint | boolean | Dim | Region | readonly AttrValue[];
export type Attrs = { readonly [name: string]: AttrValue };

export interface Node<A extends Attrs = Attrs> {
  readonly id: number;
  readonly op: OpTag;
  readonly args: readonly Node[];
  readonly attrs: A;
  readonly type: Type;
}

/** A node whose value is one tensor. */
export interface TensorNode<A extends Attrs = Attrs> extends Node<A> {
  readonly type: TensorType;
}

/**
 * A closed sub-graph: everything from outside comes in through its parameters, which are `argument` nodes that count from 0
 * (an argument belongs to the innermost region around it, so equal regions are the same nodes).
 */
export interface Region {
  readonly kind: 'region';
  readonly params: readonly TensorType[];
  readonly results: readonly TensorNode[];
}

/** Where a node comes from. Nodes that were merged keep the origins of all, the first ones of each entry. */
export interface Origin {
  readonly span: Span;
  /** Scope path at that place, e.g. `loss/error`, or ''. */
  readonly scope: string;
  /** True for a node that a derivative added. */
  readonly backward: boolean;
  /** The entry that was being evaluated; absent outside of entries. Equal nodes of several entries are one. */
  readonly entry?: string;
}

/** Feeds of initializers. Nothing in a program can be called so: an argument `seed` is another feed. */
export const seedName = '0seed';
export const streamName = (index: number): string => `0stream${index}`;
/** The index of a stream by its name; −1 for other names. */
export const streamIndex = (name: string): number => Number(/^0stream(\d+)$/.exec(name)?.[1] ?? -1);

/** What opened a scope of an entry. */
export interface ScopeInfo {
  readonly entry: string;
  /** Unique in its entry. */
  readonly path: string;
  /** The path of the scope around it, or ''. */
  readonly parent: string;
  /** A call of an instance, a call of a function, all updates of one `minimize`, one of them, a loop, a `scope` statement. */
  readonly kind: 'instance' | 'function' | 'optimizer' | 'update' | 'loop' | 'scope';
  /** The model, function, optimizer or loop by its name; of an update and a `scope`, what it is called. */
  readonly name: string;
  /** The path of the instance that is called, or of the param that is updated. */
  readonly of?: string;
  readonly span: Span;
}

/** A variable of the module: a trainable `param`, a `state`, or an optimizer's slot. */
export interface Variable {
  readonly path: string;
  readonly type: TensorType;
  readonly kind: 'param' | 'state' | 'slot';
  /**
   * Value of the initializer, which may read the feeds `0seed` (i64) and `0stream0`, `0stream1`, … (i32); undefined: starts uninitialized.
   * Like variables have the same node: streams alone tell them apart.
   */
  readonly initial: TensorNode | undefined;
  /** What is fed as the streams of the initializer. */
  readonly streams: readonly number[];
  readonly span: Span | undefined;
  readonly doc: string | undefined;
}

export interface Feed {
  /** An argument's name; a field of a record is `batch/x`. */
  readonly name: string;
  readonly type: TensorType;
  /** Of a scalar that may be left out. */
  readonly initial?: number | bigint | boolean;
  /** The shape over the names that callers know, where it is another one than the type's. */
  readonly declared?: Shape;
  readonly span: Span | undefined;
}

/** How an entry's result is built of its outputs. */
export type ResultTree =
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'record'; readonly fields: readonly (readonly [name: string, tree: ResultTree])[] }
  | { readonly kind: 'tuple'; readonly items: readonly ResultTree[] };

export interface Output {
  /** `loss`, `point/0`, or '' for a single unnamed result. */
  readonly path: string;
  readonly node: TensorNode;
}

export interface Update {
  readonly variable: string;
  readonly node: TensorNode;
}

export interface Summary {
  readonly kind: 'scalar' | 'histogram';
  readonly name: string;
  readonly node: TensorNode;
}

/** A fact about sizes that callers must fulfil: `left relation right`. */
export interface SizeFact {
  readonly left: Dim;
  readonly relation: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'divides';
  readonly right: Dim;
  readonly span: Span | undefined;
  /** The expression that it follows from, where nobody declared it. */
  readonly inferred?: Span;
}

/** A size that has a value where a fact holds: dividend / divisor. */
export interface Quotient {
  readonly name: string;
  readonly dividend: Dim;
  readonly divisor: Dim;
}

/** Sizes as callers know them, where facts say more of them: names that the entry itself does without. */
export interface DeclaredSizes {
  readonly names: readonly string[];
  readonly facts: readonly SizeFact[];
  readonly quotients: readonly Quotient[];
}

/** What an entry says of NaNs and infinities: a scalar output (i32) beside its result. */
export interface Trap {
  readonly output: number;
  /** Twice a position here says that this node made an infinity, one more that it made a NaN; the largest number says nothing. */
  readonly places: readonly TensorNode[];
}

/** A place of the text where something is checked when the entry runs, and what its message says. */
export interface CheckedPlace {
  readonly code: string;
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly size: Dim;
  readonly length: Dim;
}

/** What an entry says of its checks: two scalar outputs beside its result. */
export interface Checks {
  /** The output (i32) that is 0 where all hold, else the position in `places`, counted from 1, of the first that does not. */
  readonly status: number;
  /** The output (i64) that has the number which does not fit. */
  readonly said: number;
  /** In the order of the text. */
  readonly places: readonly CheckedPlace[];
}

export interface Entry {
  readonly name: string;
  readonly kind: 'fn' | 'step' | 'init';
  readonly doc: string | undefined;
  /** Sizes that callers choose, in order of first use. */
  readonly dims: readonly string[];
  /** Ranks chosen for open-rank arguments (`...S`): pack name → rank; empty for most entries. */
  readonly ranks: Readonly<Record<string, number>>;
  readonly facts: readonly SizeFact[];
  /** Beside `dims` and `facts`. */
  readonly declared?: DeclaredSizes;
  readonly feeds: readonly Feed[];
  readonly outputs: readonly Output[];
  readonly result: ResultTree;
  readonly updates: readonly Update[];
  readonly summaries: readonly Summary[];
  /** Every named node by its unique path (`loss/error`). */
  readonly names: ReadonlyMap<string, TensorNode>;
  /** Paths of what can be neither fetched nor fed, and where it stands. */
  readonly hidden?: ReadonlyMap<string, string>;
  readonly span: Span | undefined;
  /** Written by the pass `checks`. */
  readonly checks?: Checks;
  /** Written by the pass `trap`. */
  readonly trap?: Trap;
}

export interface ModuleGraph {
  /** The file that was compiled. */
  readonly path: string;
  readonly variables: readonly Variable[];
  readonly entries: readonly Entry[];
}

export const isTensorNode = (node: Node): node is TensorNode => node.type.kind === 'tensor';
/** The value that a node stands for, if it is computed from none. */
export const sourceOf = (node: Node): Source | undefined => node.op.source?.(node.attrs);
