// The fused graph: groups of nodes that become kernels, as data. In: numbers, names and sizes. Out: its text.
// Holds: `parse-fused.ts` reads the text back to a graph that prints the same, and `verify-fused.ts` has its rules. Nodes go by their place
// in the text, buffers by their names. Before groups have an order and values their places, it says `grouped` in the place of `fused`.

import { type Shape, shapeToString } from '../../base/index.js';
import { type Node, printGraph, type Type, typeToString } from '../../graph/index.js';
import type { Member, Mode } from './groups.js';

export interface FusedGraph {
  readonly name: string;
  /** Whether groups stand in the order in which they run, and values have places. */
  readonly placed: boolean;
  /** Arguments before users. */
  readonly nodes: readonly Node[];
  readonly splits: readonly FusedSplit[];
  readonly required: readonly FusedRequirement[];
  readonly groups: readonly FusedGroup[];
  /** Of whole buffers, after all groups. */
  readonly copies: readonly FusedCopy[];
}

/** A reduction that is done by partial results, one for each block of its points. */
export interface FusedSplit {
  readonly number: number;
  readonly points: Shape;
}

/** What the block must deliver. */
export interface FusedRequirement {
  readonly number: number;
  readonly to: string | undefined;
}

export interface FusedGroup {
  readonly id: number;
  readonly mode: Mode;
  readonly outer: Shape;
  readonly reads: readonly FusedValue[];
  readonly members: readonly FusedMember[];
}

/** The node of this number, or the partial results of that reduction. */
export interface FusedValue {
  readonly number: number;
  readonly partial: boolean;
}

export interface FusedMember extends FusedValue {
  readonly role: Member['role'];
  readonly type: Type;
  /** Where the value goes; of a loop or tuple one for each result, undefined for one that nothing reads. */
  readonly to: readonly (string | undefined)[];
}

export interface FusedCopy {
  readonly from: string;
  readonly to: string;
}

/** Stands for the place of a result that nothing reads. */
export const unread = 'unread';

export function printFused({ name, placed, nodes, splits, required, groups, copies }: FusedGraph): string {
  const lines = [`${placed ? 'fused' : 'grouped'} ${JSON.stringify(name)} {`];
  printGraph(lines, nodes, '  ');
  for (const { number, points } of splits) lines.push(`  split %${number} over ${shapeToString(points)}`);
  for (const { number, to } of required) lines.push(`  require %${number}${to === undefined ? '' : ` to ${to}`}`);
  for (const { id, mode, outer, reads, members } of groups) {
    lines.push(`  group ${id} ${mode} ${shapeToString(outer)} reads ${reads.map(valueText).join(', ') || 'nothing'}`);
    for (const member of members) {
      const to = member.to.length === 0 ? '' : ` to ${member.to.map((place) => place ?? unread).join(', ')}`;
      lines.push(`    ${member.role} ${valueText(member)}: ${typeToString(member.type)}${to}`);
    }
  }
  for (const { from, to } of copies) lines.push(`  copy ${from} to ${to}`);
  return `${lines.join('\n')}\n}\n`;
}

export const valueText = ({ number, partial }: FusedValue): string => `${partial ? 'partials of ' : ''}%${number}`;
