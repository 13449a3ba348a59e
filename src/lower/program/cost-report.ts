// What a kernel costs, and what to call it. In: a group and its statements. Out: bytes and FLOPs as sizes of the entry, and a title for
// people.
// Holds: bytes count every element of a buffer once, however often a cache serves it; statements alone say what is done, and the group how
// much of that it does again.

import { bytesOf, Dim } from '../../base/index.js';
import type { TensorNode } from '../../graph/index.js';
import type { KernelCost, Stmt } from '../../kernel/index.js';
import { assumed, estimated, flopsOfGroup, mostCounted } from '../fuse/cost-model.js';
import { countStatements } from './count.js';
import type { Forms } from '../form/materialize.js';
import type { Group } from '../fuse/groups.js';

const much: KernelCost = { bytesRead: mostCounted, bytesWritten: mostCounted, flops: mostCounted };

export const costOf = (group: Group, forms: Forms, statements: readonly Stmt[]): KernelCost =>
  estimated(() => countedCost(group, forms, statements), much);

function countedCost(group: Group, forms: Forms, statements: readonly Stmt[]): KernelCost {
  const counted = statementsCost(statements);
  if (group.mode === 'nest' || group.mode === 'loop') return counted;
  const recomputed = counted.flops.sub(flopsOfGroup(group, forms));
  return assumed(recomputed) > 0 ? { ...counted, recomputed } : counted;
}

export const costOfStatements = (statements: readonly Stmt[]): KernelCost => estimated(() => statementsCost(statements), much);

function statementsCost(statements: readonly Stmt[]): KernelCost {
  const counted = countStatements(statements);
  const bytes = (which: 'read' | 'written'): Dim =>
    counted.touched.reduce((sum, { buffer, [which]: count }) => sum.add(count.mul(bytesOf(buffer.dtype))), Dim.zero);
  return { bytesRead: bytes('read'), bytesWritten: bytes('written'), flops: counted.flops };
}

/** `matmul [B, 300] + max`, from the ops whose results it stores. */
export function titleOf(group: Group): string {
  const shape = (node: TensorNode): string => (node.type.shape.length === 0 ? '' : ` [${node.type.shape.join(', ')}]`);
  const names = group.members.map((member) => {
    if (member.role === 'partial') return `${member.node.op.name}${shape(member.form.of.node)} by partial results`;
    return `${member.node.op.name}${member.node.type.kind === 'tensor' ? shape(member.node as TensorNode) : ''}`;
  });
  const head = names.slice(0, 4).join(' + ');
  return names.length > 4 ? `${head} + ${names.length - 4} more` : head;
}
