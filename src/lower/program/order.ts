// A block: the kernels that compute some demands from some sources, in order. In: a block in groups, where its results must go (an entry's
// outputs and updates, or a loop's results), and storage. Out: groups in order, and their statements.
// Holds: whoever reads the old value of a variable, or of a loop's carry, runs before whoever overwrites it; where that is impossible, the
// new value waits in a temporary.

import { InternalError } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import { type Buffer, build, type Expr, exprKey } from '../../kernel/index.js';
import { element, isNodeOf } from '../../ops/index.js';
import { formBlock } from '../form/formed.js';
import { keptAs, opOf, space, spread, tensorOf } from '../form/forms.js';
import type { Forms } from '../form/materialize.js';
import { fuse } from '../fuse/fuse.js';
import type { Fusion, Group } from '../fuse/groups.js';
import type { Precedence } from '../fuse/precedence.js';
import { memberReads, producer } from '../fuse/reads.js';
import { overPoints } from '../schedule/common/copy.js';
import type { EmitContext } from '../schedule/common/emitter.js';
import { schedulesOf } from '../schedule/index.js';
import type { Scope } from '../form/scope.js';
import { splitReductions } from '../fuse/split-reductions.js';
import type { RequiredOutput, Destination } from '../form/storage.js';
import { emitLoop } from './loops.js';

export interface KernelOrder {
  /** Of the block: arguments before users. */
  readonly nodes: readonly Node[];
  readonly demands: readonly RequiredOutput[];
  readonly fusion: Fusion;
  /** In the order in which they must run. */
  readonly groups: readonly Group[];
  /** Groups that only copy a source (a feed, a variable's old value), and where to. */
  readonly sourceCopies: ReadonlyMap<Group, Destination>;
  /** Updates that could not be done in place: copied from a temporary after everything else. */
  readonly copies: readonly { readonly from: Buffer; readonly to: Buffer }[];
}

/** All steps from demands to an order, for what is no entry: the body of a loop. */
export function planBlock(
  asked: readonly RequiredOutput[],
  forms: Forms,
  contextOf: (forms: Forms) => EmitContext,
): { readonly order: KernelOrder; readonly context: EmitContext } {
  const formed = formBlock(
    asked.map(({ node }) => node),
    forms,
  );
  const { formed: split, fusion } = splitReductions({ formed, fusion: fuse(formed) });
  const context = contextOf(split.forms);
  return { context, order: planOrder(fusion, split.order, asked, context) };
}

/**
 * Puts the groups of these nodes in order and gives values their places; nothing of `fusion` changes. `first`: what must be known before
 * any variable changes.
 */
export function planOrder(
  fusion: Fusion,
  nodes: readonly Node[],
  asked: readonly RequiredOutput[],
  context: EmitContext,
  first: ReadonlySet<Node> = none,
): KernelOrder {
  const { storage, forms } = context;
  const demands = placeLoopResults(asked, nodes, context);
  const sourceCopies = new Map<Group, Destination>();
  const copyOf = new Map<RequiredOutput, Group>();
  for (const demand of demands)
    if (forms.isStored(demand.node)) copyOf.set(demand, copyGroup(fusion.groups.length + copyOf.size, demand.node));
  const groups: Group[] = [...fusion.groups, ...copyOf.values()];
  const groupOf = (demand: RequiredOutput): Group => {
    const group = copyOf.get(demand) ?? fusion.groupOf.get(demand.node);
    if (group === undefined) throw new InternalError('lower', `no kernel computes ${demand.node.op.name} (%${demand.node.id})`);
    return group;
  };

  const order = fusion.order.copy();
  // Fusion has put its own groups in order; a copy comes after the loop whose result it copies.
  for (const group of copyOf.values()) {
    order.add(group);
    for (const read of group.reads) {
      const other = fusion.groupOf.get(producer(read, forms));
      if (other !== undefined) order.put(other, group);
    }
  }
  const readers = new Map<Buffer, Set<Group>>();
  for (const group of groups) {
    for (const read of group.reads) {
      const buffer = bufferOfSource(read, context);
      if (buffer === undefined) continue;
      const known = readers.get(buffer);
      if (known === undefined) readers.set(buffer, new Set([group]));
      else known.add(group);
    }
  }
  const found = new Map<Group, Reads>();
  const readsIn = (group: Group): Reads => {
    let reads = found.get(group);
    if (reads === undefined) {
      reads = group.members.flatMap((member) => [...memberReads(member, group, fusion.materialized, forms)]);
      found.set(group, reads);
    }
    return reads;
  };
  const checks = new Set(demands.flatMap((demand) => (first.has(demand.node) ? [groupOf(demand)] : [])));
  for (const { node } of asked) {
    const group = first.has(node) ? fusion.groupOf.get(producer(node, forms)) : undefined;
    if (group !== undefined) checks.add(group);
  }
  const copies: { from: Buffer; to: Buffer }[] = [];
  const destinations = new Map<Node, Destination[]>();
  for (const demand of demands) {
    const group = groupOf(demand);
    const to = destinationOf(demand, group);
    if (copyOf.has(demand)) sourceCopies.set(group, to);
    const known = destinations.get(demand.node);
    if (known === undefined) destinations.set(demand.node, [to]);
    else known.push(to);
  }

  const readOutside = new Set<Node>();
  for (const group of groups) {
    for (const read of group.reads)
      if (fusion.groupOf.get(producer(read, forms)) !== group) readOutside.add(producer(read, forms)).add(read);
  }
  // What reads elements takes them in the format in which they are kept; nests and loops take buffers as they are.
  const takenWhole: ReadonlySet<Node> = new Set(
    context.target.keepsFormats
      ? nodes.filter((node) => ['nest', 'loop'].includes(forms.of(node).kind)).flatMap(({ args }) => args)
      : nodes,
  );
  for (const group of fusion.groups) {
    for (const member of group.members) {
      if (member.role === 'loop' || member.node.type.kind === 'tuple') continue;
      const node = tensorOf(member.node);
      // A nest writes whole buffers: what goes to a register, or below an index, is copied from one.
      const isRead = member.role === 'nest' || readOutside.has(node);
      storage.place(node, destinations.get(node) ?? [], isRead, takenWhole.has(node) ? node.type.dtype : keptAs(node));
    }
  }
  return { nodes, demands: asked, fusion, groups: sorted(groups, order), sourceCopies, copies };

  /** Where a demand goes at first: reads of a variable's old value, and checks, come before its update, or the new value waits. */
  function destinationOf({ node, to }: RequiredOutput, group: Group): Destination {
    if (to.kind !== 'buffer') return to;
    const readBy = readers.get(to.buffer);
    const checkedBy = to.buffer.role.kind === 'variable' && checks.size > 0 ? checks : undefined;
    if (readBy === undefined && checkedBy === undefined) return to;
    const others = [...(readBy ?? []), ...(checkedBy ?? [])].filter((one) => one !== group);
    const inPlace =
      checkedBy?.has(group) !== true &&
      others.every((reader) => !order.follows(reader, group)) &&
      (readBy === undefined || readsOwnPoint(group, node, to.buffer, readsIn(group), context));
    if (inPlace) {
      for (const reader of others) order.put(reader, group);
      return to;
    }
    const from = storage.pool.temporary(node.type);
    copies.push({ from, to: to.buffer });
    return { kind: 'buffer', buffer: from, prefix: [] };
  }
}

const none: ReadonlySet<Node> = new Set();

/** What the members of a group read, and where. */
type Reads = readonly (readonly [node: Node, accesses: readonly Expr[][]])[];

/**
 * Loops leave wanted results in an output where they can; what is left to do is returned. A carry of the loop around may lie in an output:
 * there only the loop that starts from its old value may leave the new one.
 */
function placeLoopResults(demands: readonly RequiredOutput[], order: readonly Node[], context: EmitContext): RequiredOutput[] {
  const { storage } = context;
  const wanted = new Map<Node, (Buffer | undefined)[]>();
  for (const node of order) {
    if (!isNodeOf(node, element)) continue;
    const loop = node.args[0] as Node;
    const places = wanted.get(loop) ?? [];
    wanted.set(loop, places);
    places[node.attrs.index] = undefined;
  }
  if (wanted.size === 0) return [...demands];
  const reads = new Map<Buffer, { readonly reader: Node | undefined; readonly at: number }[]>();
  const addRead = (read: Node, reader: Node | undefined, at: number): void => {
    const buffer = bufferOfSource(read, context);
    if (buffer === undefined) return;
    const known = reads.get(buffer);
    if (known === undefined) reads.set(buffer, [{ reader, at }]);
    else known.push({ reader, at });
  };
  if (demands.some(({ to }) => to.kind === 'buffer' && to.buffer.role.kind === 'output')) {
    for (const { node } of demands) addRead(node, undefined, 0);
    for (const node of order) for (const [at, arg] of node.args.entries()) addRead(arg, node, at);
  }
  const isReadBesides = (buffer: Buffer, loop: Node, index: number): boolean =>
    (reads.get(buffer) ?? []).some(({ reader, at }) => reader !== loop || at !== index);
  const left = demands.filter(({ node, to }) => {
    const loop = node.args[0] as Node;
    const places = wanted.get(loop);
    if (!isNodeOf(node, element) || places === undefined) return true;
    const { index } = node.attrs;
    if (places[index] !== undefined || to.kind !== 'buffer' || to.prefix.length > 0 || to.buffer.role.kind !== 'output') return true;
    if (isReadBesides(to.buffer, loop, index)) return true;
    places[index] = to.buffer;
    return false;
  });
  for (const [loop, places] of wanted) storage.placeResults(loop, places);
  return left;
}

const copyGroup = (id: number, node: TensorNode): Group => ({
  id,
  mode: 'elementwise',
  outer: space(node.type.shape),
  members: [{ role: 'elementwise', node }],
  reads: new Set([node]),
  along: new Set([node]),
});

function bufferOfSource(node: Node, context: EmitContext): Buffer | undefined {
  if (context.forms.of(node).kind !== 'source') return undefined;
  const stored = context.storage.stored(tensorOf(node));
  return stored?.kind === 'buffer' ? stored.buffer : undefined;
}

/** Whether a group that overwrites `buffer` reads it nowhere but at the element that it is about to write. */
function readsOwnPoint(group: Group, written: TensorNode, buffer: Buffer, reads: Reads, context: EmitContext): boolean {
  if (group.mode === 'full-reduction' || (group.mode === 'elementwise' && group.outer.length === 0)) return true;
  const loops = space(written.type.shape).map((_, axis) => build.index(`o${axis}`));
  const own = spread(written.type.shape, loops).map(exprKey).join();
  return reads.every(
    ([node, accesses]) => bufferOfSource(node, context) !== buffer || accesses.every((index) => index.map(exprKey).join() === own),
  );
}

function sorted(groups: readonly Group[], precedence: Precedence<Group>): Group[] {
  const order: Group[] = [];
  const seen = new Set<Group>();
  const waiting: { readonly group: Group; readonly others: Iterator<Group> }[] = [];
  const open = (group: Group): void => {
    if (seen.has(group)) return;
    seen.add(group);
    waiting.push({
      group,
      others: precedence
        .earlier(group)
        .sort((a, b) => a.id - b.id)
        .values(),
    });
  };
  const visit = (group: Group): void => {
    open(group);
    for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
      const { done, value } = last.others.next();
      if (done !== true) {
        open(value);
        continue;
      }
      waiting.pop();
      order.push(last.group);
    }
  };
  // What variables alone decide can be computed while threads wait for nothing else yet, so it comes first.
  for (const group of groups)
    if ([...group.reads].every((node) => opOf(node).lowering.kind === 'source' && 'path' in node.attrs)) visit(group);
  for (const group of groups) visit(group);
  return order;
}

export function emitGroup(block: KernelOrder, group: Group, scope: Scope, context: EmitContext): void {
  const copy = block.sourceCopies.get(group);
  if (copy !== undefined) return emitCopy(group, copy, scope, context);
  const { mode } = group;
  // What a region computes is a block again, with groups of its own.
  if (mode === 'loop') return emitLoop(group, scope, context);
  schedulesOf(context.target)[mode](group, scope, context, block.fusion);
}

function emitCopy(group: Group, to: Destination, scope: Scope, context: EmitContext): void {
  const node = (group.members[0] as { readonly node: TensorNode }).node;
  overPoints(group.outer, scope, (body, point) => {
    const stored = context.storage.stored(node);
    const index = spread(node.type.shape, point);
    const value = stored?.kind === 'value' ? stored.value : build.load(context.storage.bufferOf(node), index);
    body.emit(
      to.kind === 'buffer'
        ? { kind: 'store', buffer: to.buffer, index: [...to.prefix, ...index], value }
        : { kind: 'assign', accumulator: to.accumulator, index: [], value },
    );
  });
}
