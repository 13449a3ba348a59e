// What a kernel costs, and what to call it. In: a group. Out: bytes and FLOPs as sizes of the entry, and a title for people.
// Holds: bytes count every stored tensor once, however often a cache serves it.

import { bytesOf, Dim, elementCount } from '../base/index.js';
import type { Node, TensorNode, TensorType } from '../graph/index.js';
import type { KernelCost } from '../loop/index.js';
import { tensorOf } from './forms.js';
import type { Group, Member } from './fuse.js';
import type { Forms } from './roots.js';
import type { Storage } from './storage.js';

const bytesOfType = (type: Pick<TensorType, 'dtype' | 'shape'>): Dim => elementCount(type.shape).mul(bytesOf(type.dtype));

export function costOf(group: Group, storage: Storage, forms: Forms): KernelCost {
  let [bytesRead, bytesWritten, flops] = [Dim.zero, Dim.zero, Dim.zero];
  for (const node of group.reads) if (node.type.kind === 'tensor') bytesRead = bytesRead.add(bytesOfType(node.type));
  const seen = new Set<Node>();
  const add = (node: Node): void => {
    if (seen.has(node) || forms.isStored(node) || group.reads.has(node)) return;
    seen.add(node);
    const form = forms.of(node);
    if (form.kind === 'element') flops = flops.add(elementCount(form.node.type.shape).mul(form.cost));
    if (form.kind === 'reduce') flops = flops.add(elementCount([...form.node.type.shape, ...form.reduced]).mul(2));
    if (form.kind === 'tile') flops = flops.add(elementCount([...form.node.type.shape, form.depth]).mul(2));
    for (const argument of node.args) add(argument);
  };
  for (const member of group.members) {
    add(member.node);
    bytesWritten = bytesWritten.add(writtenBy(member, storage));
  }
  return { bytesRead, bytesWritten, flops };
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
