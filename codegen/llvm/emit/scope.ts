// What names mean where code is being emitted. In: bindings. Out: scopes that inner statements extend without touching the outer ones.
// Holds: loop variables that are unrolled are numbers, so that addresses fold while emitting.

import type { Ahead, Combiner } from '../../../src/kernel/index.js';
import type { Shuffles } from './strided-load.js';
import type { Multiples } from './multiples.js';
import type { RegisterCells } from './register-cells.js';
import type { LlvmType, LlvmValue } from '../builder/index.js';
import type { Value } from './machine.js';
import type { Square } from './transpose-load.js';

/** An i64 that all lanes share: known now, or when the code runs. */
export type Scalar = number | LlvmValue;

export interface IndexBinding {
  readonly value: Scalar;
  /** How many loops are around: sums are built from the outermost variable inwards, so that outer parts leave the loops. */
  readonly depth: number;
  /** Of an innermost loop's. */
  readonly multiples?: Multiples | undefined;
}

/** The vector loop around: statements compute `lanes` iterations at once. */
export interface Lanes {
  readonly index: string;
  readonly lanes: number;
  /** Value of the loop variable in lane 0. */
  readonly base: Scalar;
  readonly depth: number;
  /** Lanes that exist; undefined when all do. */
  readonly mask: LlvmValue | undefined;
  /** How many lanes exist, where the mask stands for a number between none and all of them. */
  readonly active: Scalar | undefined;
  /** Which of the interleaved partial results this copy of the body uses. */
  readonly copy: number;
  /** Splats that the chunks of a straight-line tile loop share. */
  readonly splats: Splats | undefined;
  /** What the loop loads ahead where stores pass the caches by. */
  readonly ahead: Ahead | undefined;
}

export interface Splats {
  readonly values: Map<string, Value>;
  /** Lets from outside of the loop: they mean the same in every chunk. */
  readonly lets: ReadonlySet<string>;
}

/** Registers of an accumulator. */
export interface Registers {
  readonly cells: RegisterCells;
  readonly shape: readonly number[];
  /** Lanes of one register; 1 is a scalar. */
  readonly lanes: number;
  /** The last axis lies across the lanes (`lanes` per register); else each lane has the whole accumulator for itself. */
  readonly across: boolean;
  /** Type of one lane as it is kept. */
  readonly element: LlvmType;
  /** How many registers. */
  readonly count: number;
}

/** Per-lane results of a reduction over a vector loop, combined after the loop that made them. */
export interface Partials {
  readonly cells: RegisterCells;
  readonly lanes: number;
  readonly chains: number;
  readonly combine: Combiner;
}

/** A tile whose last columns are missing: its extent, and which lanes of every chunk exist; undefined when all do. */
export interface PartialTile {
  readonly extent: LlvmValue;
  readonly masks: readonly (LlvmValue | undefined)[];
}

export interface Scope {
  readonly indices: Map<string, IndexBinding>;
  readonly lets: Map<string, { readonly value: Value; readonly depth: number }>;
  /** Sums of index terms whose value is at hand here, by the names of their terms. */
  readonly sums: Map<string, Scalar>;
  /** Addresses made of such a sum and the start of a buffer. */
  readonly addresses: Map<string, LlvmValue>;
  /** Parts of rows of memory that the kernel does not write. */
  readonly halfway: Shuffles;
  readonly registers: Map<string, Registers>;
  readonly partials: Map<string, Partials>;
  /** Extents of tiles that were decided around, by structural key. */
  readonly extents: Map<string, number | PartialTile>;
  readonly lanes: Lanes | undefined;
  /** Around copies of straight code. */
  readonly square: Square | undefined;
  readonly depth: number;
}

export const emptyScope = (): Scope => ({
  indices: new Map(),
  lets: new Map(),
  sums: new Map(),
  addresses: new Map(),
  halfway: new Map(),
  registers: new Map(),
  partials: new Map(),
  extents: new Map(),
  lanes: undefined,
  square: undefined,
  depth: 0,
});

type Change = Partial<Pick<Scope, 'lanes' | 'square' | 'depth'>>;

/** A scope for code that is not always run when the code around is. */
export const inner = (scope: Scope, change: Change = {}): Scope => ({
  ...named(scope, change),
  square: undefined,
  sums: new Map(scope.sums),
  addresses: new Map(scope.addresses),
});

/** A scope for one more copy of straight code: sums that it computes are at hand behind it. */
export const copied = (scope: Scope, change: Change = {}): Scope => ({
  ...named(scope, change),
  sums: scope.sums,
  addresses: scope.addresses,
});

/** Everything that has a name keeps its meaning outside. */
const named = (scope: Scope, change: Change): Omit<Scope, 'sums' | 'addresses'> => ({
  indices: new Map(scope.indices),
  lets: new Map(scope.lets),
  halfway: new Map(scope.halfway),
  registers: new Map(scope.registers),
  partials: new Map(scope.partials),
  extents: new Map(scope.extents),
  lanes: 'lanes' in change ? change.lanes : scope.lanes,
  square: change.square ?? scope.square,
  depth: change.depth ?? scope.depth,
});

export function withIndex(scope: Scope, index: string, value: Scalar, multiples?: Multiples): Scope {
  const depth = scope.depth + 1;
  const next = typeof value === 'number' ? copied(scope, { depth }) : inner(scope, { depth });
  next.indices.set(index, { value, depth, multiples });
  return next;
}
