// What a kernel costs, and what to call it. In: a group and its statements. Out: bytes and FLOPs as sizes of the entry, and a title for
// people.
// Holds: bytes count every element of a buffer once, however often a cache serves it; in a product of matrices each value counts once, and
// buffers as a whole.

import { bytesOf, Dim, elementCount } from '../../base/index.js';
import type { TensorNode, TensorType } from '../../graph/index.js';
import { type Buffer, forEachStatement, type KernelCost, type Stmt } from '../../kernel/index.js';
import { assumed, estimated, flopsOfGroup, mostCounted } from '../fuse/cost-model.js';
import { countStatements, type Touched } from './count.js';
import { tensorOf } from '../form/forms.js';
import { type Group, isTiled, type Member } from '../fuse/groups.js';
import type { Storage } from '../form/storage.js';
import type { EmitContext } from '../schedule/cpu/emitter.js';

const much: KernelCost = { bytesRead: mostCounted, bytesWritten: mostCounted, flops: mostCounted };

export const costOf = (group: Group, context: EmitContext, statements: readonly Stmt[]): KernelCost =>
  estimated(() => countedCost(group, context, statements), much);

function countedCost(group: Group, { storage, forms, tiles }: EmitContext, statements: readonly Stmt[]): KernelCost {
  const once = flopsOfGroup(group, forms);
  if (isTiled(group)) {
    let [bytesRead, bytesWritten] = [Dim.zero, Dim.zero];
    for (const node of group.reads) if (node.type.kind === 'tensor') bytesRead = bytesRead.add(bytesOfType(node.type));
    for (const member of group.members) bytesWritten = bytesWritten.add(writtenBy(member, storage));
    for (const { buffer, read, written } of workspace(group, storage, statements, tiles)) {
      bytesRead = bytesRead.add(read.mul(bytesOf(buffer.dtype)));
      bytesWritten = bytesWritten.add(written.mul(bytesOf(buffer.dtype)));
    }
    return { bytesRead, bytesWritten, flops: once };
  }
  const counted = statementsCost(statements, tiles);
  if (group.mode === 'nest' || group.mode === 'loop') return counted;
  const recomputed = counted.flops.sub(once);
  return assumed(recomputed) > 0 ? { ...counted, recomputed } : counted;
}

export const costOfStatements = (statements: readonly Stmt[], tiles?: EmitContext['tiles']): KernelCost =>
  estimated(() => statementsCost(statements, tiles), much);

function statementsCost(statements: readonly Stmt[], tiles?: EmitContext['tiles']): KernelCost {
  const counted = countStatements(statements, tiles);
  const bytes = (which: 'read' | 'written'): Dim =>
    counted.touched.reduce((sum, { buffer, [which]: count }) => sum.add(count.mul(bytesOf(buffer.dtype))), Dim.zero);
  return { bytesRead: bytes('read'), bytesWritten: bytes('written'), flops: counted.flops };
}

/** Temporaries that a product writes beside its results: running sums of blocks, packed rows. */
function workspace(group: Group, storage: Storage, statements: readonly Stmt[], tiles: EmitContext['tiles']): readonly Touched[] {
  const results = new Set(
    group.members.flatMap(({ node }) => storage.destinations(node).flatMap((to) => (to.kind === 'buffer' ? [to.buffer] : []))),
  );
  const own = new Set<Buffer>();
  forEachStatement(statements, (stmt) => {
    if (stmt.kind === 'store' && stmt.buffer.role.kind === 'temporary' && !results.has(stmt.buffer)) own.add(stmt.buffer);
  });
  return own.size === 0 ? [] : countStatements(statements, tiles).touched.filter(({ buffer }) => own.has(buffer));
}

const bytesOfType = (type: Pick<TensorType, 'dtype' | 'shape'>): Dim => elementCount(type.shape).mul(bytesOf(type.dtype));

function writtenBy(member: Member, storage: Storage): Dim {
  if (member.role === 'loop' || member.node.type.kind === 'tuple')
    return storage.results(member.node).reduce((sum, buffer) => (buffer === undefined ? sum : sum.add(bytesOfType(buffer))), Dim.zero);
  const bytes = bytesOfType(tensorOf(member.node).type);
  return bytes.mul(storage.destinations(member.node).length);
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
