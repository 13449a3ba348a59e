// What a kernel costs, and what to call it. In: a group. Out: bytes and FLOPs as sizes of the entry, and a title for people.
// Holds: bytes count every stored tensor once, however often a cache serves it.

import { bytesOf, Dim, elementCount } from '../base/index.js';
import type { TensorNode, TensorType } from '../graph/index.js';
import type { KernelCost } from '../loop/index.js';
import { flopsOfGroup } from './cost-model.js';
import { tensorOf } from './forms.js';
import type { Group, Member } from './groups.js';
import type { Forms } from './roots.js';
import type { Storage } from './storage.js';

const bytesOfType = (type: Pick<TensorType, 'dtype' | 'shape'>): Dim => elementCount(type.shape).mul(bytesOf(type.dtype));

export function costOf(group: Group, storage: Storage, forms: Forms): KernelCost {
  let [bytesRead, bytesWritten] = [Dim.zero, Dim.zero];
  for (const node of group.reads) if (node.type.kind === 'tensor') bytesRead = bytesRead.add(bytesOfType(node.type));
  for (const member of group.members) bytesWritten = bytesWritten.add(writtenBy(member, storage));
  return { bytesRead, bytesWritten, flops: flopsOfGroup(group, forms) };
}

function writtenBy(member: Member, storage: Storage): Dim {
  if (member.role === 'loop') return storage.results(member.node).reduce((sum, buffer) => (buffer === undefined ? sum : sum.add(bytesOfType(buffer))), Dim.zero);
  const bytes = bytesOfType(tensorOf(member.node).type);
  return bytes.mul(storage.destinations(member.node).length);
}

/** `matmul [B, 300] + max`, from the ops whose results it stores. */
export function titleOf(group: Group): string {
  const shape = (node: TensorNode): string => (node.type.shape.length === 0 ? '' : ` [${node.type.shape.join(', ')}]`);
  const names = group.members.map((member) => `${member.node.op.name}${member.node.type.kind === 'tensor' ? shape(member.node as TensorNode) : ''}`);
  const head = names.slice(0, 4).join(' + ');
  return names.length > 4 ? `${head} + ${names.length - 4} more` : head;
}
