// What a group does, apart from where its data lie. In: a group and its storage. Out: a text, and the buffers that it speaks of.
// Holds: groups with equal texts are scheduled alike, statement by statement, over buffers in the same positions. Nodes are numbered in the
// order in which they are met, from the members down to what is stored; so the text grows with the group and not with the entry.

import type { Node } from '../../graph/index.js';
import type { Buffer } from '../../kernel/index.js';
import type { KernelOrder } from './order.js';
import { tensorOf } from '../form/forms.js';
import type { Group, Member } from '../fuse/groups.js';
import type { EmitContext } from '../schedule/common/emitter.js';
import { roleKey } from '../fuse/reads.js';
import type { Destination } from '../form/storage.js';
import { structureOf } from '../form/structure.js';
import type { Stored } from '../form/values.js';

export interface GroupKey {
  readonly text: string;
  readonly buffers: readonly Buffer[];
  /** What the group computes, members first. */
  readonly computed: readonly Node[];
}

export function groupKey(group: Group, block: KernelOrder, context: EmitContext): GroupKey {
  const { storage, forms } = context;
  const buffers = new Map<Buffer, number>();
  const place = (buffer: Buffer): string => {
    let number = buffers.get(buffer);
    if (number === undefined) buffers.set(buffer, (number = buffers.size));
    return `${number} ${layoutKey(buffer)}`;
  };
  const destination = (to: Destination): string => (to.kind === 'buffer' ? place(to.buffer) : 'register');
  const storedIn = (node: Node): Stored | undefined => (node.type.kind === 'tensor' ? storage.stored(tensorOf(node)) : undefined);
  const members = new Map<Node, Member>(group.members.map((member) => [member.node, member]));
  const isLeaf = (node: Node): boolean => storedIn(node) !== undefined && (!members.has(node) || forms.isStored(node));
  const copy = block.sourceCopies.get(group);
  const head = `${group.mode} [${group.outer.join()}]${copy === undefined ? '' : ` copy to ${destination(copy)}`}`;
  const { text, nodes, leaves } = structureOf([...members.keys()], forms, isLeaf, (node) => {
    const member = members.get(node);
    const stored = storedIn(node);
    const parts = [forms.isPartOfSum(node) ? ' +' : ''];
    if (stored?.kind === 'buffer') parts.push(`in ${place(stored.buffer)}`);
    if (member === undefined) return parts.join(' ');
    parts.push(roleKey(member), 'to', storage.destinations(node).map(destination).join(' and '));
    parts.push(...storage.results(node).map((result) => (result === undefined ? 'unread' : place(result))));
    return parts.join(' ');
  });
  return { text: `${head}; ${text}`, buffers: [...buffers.keys()], computed: nodes.filter((_, at) => leaves[at] !== true) };
}

const layouts = new WeakMap<Buffer, string>();

/** What code depends on of a buffer. */
export function layoutKey(buffer: Buffer): string {
  let key = layouts.get(buffer);
  if (key === undefined) {
    const { dtype, shape, strides, role } = buffer;
    layouts.set(buffer, (key = `${role.kind} ${dtype}[${shape.join()}] by [${strides.join()}]`));
  }
  return key;
}
