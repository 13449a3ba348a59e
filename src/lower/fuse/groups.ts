// What a group of materialized nodes is. In: nothing but nodes and forms. Out: types that fusion, block planning and the emitters share.
// Holds: a node is a member of at most one group; `outer` has no unit sizes.

import type { Shape } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import type { Expr } from '../../kernel/index.js';
import { smallCount } from '../../target/index.js';
import type { Precedence } from './precedence.js';
import type { FormedBlock } from '../form/formed.js';
import { constants, type Form, type PartialForm, type ReduceForm, space, type MatmulForm } from '../form/forms.js';

/**
 * elementwise: every point of `outer` by itself. row-reduction: loops over `outer`, lanes along what is reduced. column-reduction: lanes
 * along the last axis of `outer`, reductions in order. full-reduction: a few results, lanes along what is reduced. fused-rows: row
 * reductions in blocks of points, each of which also leaves its partial result of sums over all points. matmul: matrix product with an
 * epilogue. flash: two matrix products and the softmax between them, tile of columns by tile of columns (`flash.ts`).
 */
export const modes = [
  'elementwise',
  'row-reduction',
  'column-reduction',
  'full-reduction',
  'fused-rows',
  'matmul',
  'flash',
  'nest',
  'loop',
] as const;
export type Mode = (typeof modes)[number];

export type Member =
  | { readonly role: 'elementwise'; readonly node: TensorNode }
  | { readonly role: 'reduce'; readonly node: TensorNode; readonly form: ReduceForm }
  | { readonly role: 'partial'; readonly node: TensorNode; readonly form: PartialForm }
  | { readonly role: 'matmul'; readonly node: TensorNode; readonly form: MatmulForm }
  | { readonly role: 'nest'; readonly node: Node }
  | { readonly role: 'loop'; readonly node: Node };

export const roles = ['elementwise', 'reduce', 'partial', 'matmul', 'nest', 'loop'] as const satisfies readonly Member['role'][];

export interface Group {
  readonly id: number;
  mode: Mode;
  /** Non-unit sizes of the points that the group computes one by one. */
  outer: Shape;
  readonly members: Member[];
  /** Stored nodes of other groups, and sources, that it reads. */
  readonly reads: Set<Node>;
  /** Those that it reads in the order in which it loops. */
  readonly along: Set<Node>;
}

/** A materialized node, as the first member of a group of its own would be. */
export interface Described {
  readonly member: Member;
  readonly mode: Mode;
  readonly outer: Shape;
}

/** Why a materialized node did not join the group that it reads from: shown by `tfc explain`. */
export interface ApartNote {
  readonly node: Node;
  readonly neighbour: Node;
  readonly reason: string;
}

export interface Fusion {
  readonly groups: readonly Group[];
  readonly groupOf: ReadonlyMap<Node, Group>;
  readonly materialized: ReadonlySet<Node>;
  readonly notes: readonly ApartNote[];
  /** Groups after those that they read from. */
  readonly order: Precedence<Group>;
  /** How members came into their groups. */
  readonly placements: ReadonlyMap<Node, Placement>;
}

/** What became of asking a group for a member. */
export interface Attempt extends Verdict {
  readonly group: Group;
  /** How many members it had. */
  readonly size: number;
}

export interface Verdict {
  /** 'joined', 'unrelated' (nothing to gain), or the reason why not. */
  readonly verdict: string;
  /** What the member would read there, if all but the order of kernels allows it. */
  readonly reads: ReadonlyMap<Node, readonly Expr[][]> | undefined;
  /** How the group computes when it has taken the member. */
  readonly fits: Pick<Group, 'mode' | 'outer'> | undefined;
}

/** Where a member is to go, and what that was decided by. */
export interface Decision {
  readonly form: Form;
  /** Whether so many are like it that little in common brings none of them together. */
  readonly isOneOfMany: boolean;
  /** Whether it puts so many pieces together that it is computed once. */
  readonly copies: boolean;
  /** Stored nodes that it needs: groups that have to do with these are asked. */
  readonly needs: readonly Node[];
  /** The groups that were asked, the last of which has taken it if one has. */
  readonly attempts: readonly Attempt[];
  /** What it reads in a group of its own. */
  readonly reads: ReadonlyMap<Node, readonly Expr[][]>;
}

export interface Placement {
  readonly decision: Decision;
  readonly group: Group;
  /** So many members were there before. */
  readonly at: number;
}

/** The nodes of a block in groups, which have no order yet. */
export interface GroupedBlock {
  readonly formed: FormedBlock;
  readonly fusion: Fusion;
}

export const isSmall = (outer: Shape): boolean => {
  const sizes = constants(outer);
  return sizes !== undefined && sizes.reduce((product, size) => product * size, 1) <= smallCount;
};

export const isAllSmall = (group: Group): boolean =>
  group.members.every((member) => member.role === 'elementwise' && isSmall(space(member.node.type.shape)));
