// A block: the kernels that compute some demands from some sources, in order. In: demands (an entry's outputs and updates, or a loop's
// results) and storage. Out: groups in order, and their statements.
// Holds: whoever reads the old value of a variable, or of a loop's carry, runs before whoever overwrites it; where that is impossible, the
// new value waits in a temporary.

import { InternalError } from '../base/index.js';
import { type Node, type TensorNode, topological } from '../graph/index.js';
import { type Buffer, build, type Expr, exprKey } from '../loop/index.js';
import { element, isNodeOf } from '../ops/index.js';
import { acrossOf, emitAcross } from './across.js';
import { opOf, space, spread, tensorOf } from './forms.js';
import type { Fusion, Group } from './groups.js';
import { emitInner } from './inner.js';
import { emitLoop } from './loops.js';
import { emitMap } from './map.js';
import { emitNest } from './nests.js';
import { RowEmitter } from './rows.js';
import { memberReads, producer } from './reads.js';
import { emitOuter } from './outer.js';
import { type EmitContext, PointEmitter } from './points.js';
import type { Scope } from './scope.js';
import { emitSmall } from './small.js';
import { fuse } from './splits.js';
import type { Demand, Destination } from './storage.js';
import { TileEmitter } from './tile.js';

export interface Block {
  readonly fusion: Fusion;
  /** In the order in which they must run. */
  readonly groups: readonly Group[];
  /** Groups that only copy a source (a feed, a variable's old value), and where to. */
  readonly sourceCopies: ReadonlyMap<Group, Destination>;
  /** Updates that could not be done in place: copied from a temporary after everything else. */
  readonly copies: readonly { readonly from: Buffer; readonly to: Buffer }[];
}

export function planBlock(asked: readonly Demand[], context: EmitContext): Block {
  const { storage, forms } = context;
  const nodes = asked.map((demand) => demand.node);
  const demands = placeLoopResults(asked, topological(nodes), context);
  forms.settleProducts(nodes);
  const fusion = fuse(nodes, forms);
  const copiesOfSources = demands.filter((demand) => forms.isStored(demand.node));
  const groups: Group[] = [...fusion.groups, ...copiesOfSources.map((demand, at) => copyGroup(fusion.groups.length + at, demand.node))];
  const groupOf = (demand: Demand): Group => {
    const source = copiesOfSources.indexOf(demand);
    const group = source >= 0 ? groups[fusion.groups.length + source] : fusion.groupOf.get(demand.node);
    if (group === undefined) throw new InternalError('lower', `no kernel computes ${demand.node.op.name} (%${demand.node.id})`);
    return group;
  };

  // Reads of a variable's old value come before its update.
  const before = new Map<Group, Set<Group>>(groups.map((group) => [group, new Set<Group>()]));
  for (const group of groups) {
    for (const read of group.reads) {
      const other = fusion.groupOf.get(producer(read, forms));
      if (other !== undefined && other !== group) before.get(group)?.add(other);
    }
  }
  const mustFollow = (group: Group, other: Group): boolean => reaches(group, other, before);
  const copies: { from: Buffer; to: Buffer }[] = [];
  const destinations = new Map<Demand, Destination>();
  const read = new Set(groups.flatMap((group) => [...group.reads].flatMap((node) => bufferOfSource(node, context) ?? [])));
  for (const demand of demands) {
    const { to } = demand;
    if (to.kind !== 'buffer' || !read.has(to.buffer)) continue;
    const group = groupOf(demand);
    const readers = groups.filter((one) => one !== group && [...one.reads].some((node) => readsBuffer(node, to.buffer, context)));
    const inPlace = readers.every((reader) => !mustFollow(reader, group)) && readsOwnPoint(group, demand, to.buffer, fusion, context);
    if (inPlace) for (const reader of readers) before.get(group)?.add(reader);
    else {
      const from = storage.pool.temporary(demand.node.type);
      copies.push({ from, to: to.buffer });
      destinations.set(demand, { kind: 'buffer', buffer: from, prefix: [] });
    }
  }

  const readOutside = new Set<Node>();
  for (const group of groups) {
    for (const read of group.reads)
      if (fusion.groupOf.get(producer(read, forms)) !== group) readOutside.add(producer(read, forms)).add(read);
  }
  for (const group of fusion.groups) {
    for (const member of group.members) {
      if (member.role === 'loop') continue;
      const node = tensorOf(member.node);
      const own = demands.filter((demand) => demand.node === node).map((demand) => destinations.get(demand) ?? demand.to);
      // A nest writes whole buffers: what goes to a register, or below an index, is copied from one.
      storage.place(node, own, member.role === 'nest' || readOutside.has(node));
    }
  }
  const sourceCopies = new Map(
    copiesOfSources.map((demand, at) => [groups[fusion.groups.length + at] as Group, destinations.get(demand) ?? demand.to]),
  );
  return { fusion, groups: sorted(groups, before), sourceCopies, copies };
}

/** Loops leave wanted results in an output where they can; what is left to do is returned. */
function placeLoopResults(demands: readonly Demand[], order: readonly Node[], { storage }: EmitContext): Demand[] {
  const wanted = new Map<Node, (Buffer | undefined)[]>();
  for (const node of order) {
    if (!isNodeOf(node, element)) continue;
    const loop = node.args[0] as Node;
    const places = wanted.get(loop) ?? [];
    wanted.set(loop, places);
    places[node.attrs.index] = undefined;
  }
  const left = demands.filter(({ node, to }) => {
    const places = wanted.get(node.args[0] as Node);
    if (!isNodeOf(node, element) || places === undefined) return true;
    const { index } = node.attrs;
    if (places[index] !== undefined || to.kind !== 'buffer' || to.prefix.length > 0 || to.buffer.role.kind !== 'output') return true;
    places[index] = to.buffer;
    return false;
  });
  for (const [loop, places] of wanted) storage.placeResults(loop, places);
  return left;
}

const copyGroup = (id: number, node: TensorNode): Group => ({
  id,
  mode: 'map',
  outer: space(node.type.shape),
  members: [{ role: 'map', node }],
  reads: new Set([node]),
  along: new Set([node]),
});

function bufferOfSource(node: Node, context: EmitContext): Buffer | undefined {
  if (context.forms.of(node).kind !== 'source') return undefined;
  const stored = context.storage.stored(tensorOf(node));
  return stored?.kind === 'buffer' ? stored.buffer : undefined;
}

const readsBuffer = (node: Node, buffer: Buffer, context: EmitContext): boolean => bufferOfSource(node, context) === buffer;

/** Whether a group that overwrites `buffer` reads it nowhere but at the element that it is about to write. */
function readsOwnPoint(group: Group, demand: Demand, buffer: Buffer, fusion: Fusion, context: EmitContext): boolean {
  if (group.mode === 'small' || (group.mode === 'map' && group.outer.length === 0)) return true;
  const loops = space(demand.node.type.shape).map((_, axis) => build.index(`o${axis}`));
  const own = spread(demand.node.type.shape, loops).map(exprKey).join();
  for (const member of group.members) {
    for (const [node, accesses] of memberReads(member, group, fusion.roots, context.forms)) {
      if (readsBuffer(node, buffer, context) && !accesses.every((index) => index.map(exprKey).join() === own)) return false;
    }
  }
  return true;
}

function reaches(from: Group, to: Group, before: ReadonlyMap<Group, ReadonlySet<Group>>): boolean {
  const seen = new Set<Group>([from]);
  for (const group of seen) {
    if (group === to) return true;
    // A set's iteration also visits what is added meanwhile.
    for (const next of before.get(group) ?? []) seen.add(next);
  }
  return false;
}

function sorted(groups: readonly Group[], before: ReadonlyMap<Group, ReadonlySet<Group>>): Group[] {
  const order: Group[] = [];
  const state = new Map<Group, 'open' | 'done'>();
  const waiting: { readonly group: Group; readonly others: Iterator<Group> }[] = [];
  const open = (group: Group): void => {
    const known = state.get(group);
    if (known === 'done') return;
    if (known === 'open') throw new InternalError('lower', 'kernels wait for each other');
    state.set(group, 'open');
    waiting.push({ group, others: [...(before.get(group) ?? [])].sort((a, b) => a.id - b.id).values() });
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
      state.set(last.group, 'done');
      order.push(last.group);
    }
  };
  // What variables alone decide can be computed while threads wait for nothing else yet, so it comes first.
  for (const group of groups)
    if ([...group.reads].every((node) => opOf(node).lowering.kind === 'source' && 'path' in node.attrs)) visit(group);
  for (const group of groups) visit(group);
  return order;
}

export function emitGroup(block: Block, group: Group, scope: Scope, context: EmitContext): void {
  const copy = block.sourceCopies.get(group);
  if (copy !== undefined) return emitCopy(group, copy, scope, context);
  switch (group.mode) {
    case 'map': {
      const across = acrossOf(group, block.fusion, context);
      const points = new PointEmitter(group, context);
      return across === undefined ? emitMap(points, scope) : emitAcross(points, scope, across);
    }
    case 'inner':
      return emitInner(new PointEmitter(group, context), scope);
    case 'outer':
      return emitOuter(new PointEmitter(group, context), scope);
    case 'small':
      return emitSmall(new PointEmitter(group, context), scope);
    case 'rows':
      return new RowEmitter(group, context).emit(scope);
    case 'tile':
      return new TileEmitter(group, context).emit(scope);
    case 'nest':
      return emitNest(group, scope, context);
    case 'loop':
      return emitLoop(group, scope, context);
  }
}

function emitCopy(group: Group, to: Destination, scope: Scope, context: EmitContext): void {
  const node = (group.members[0] as { readonly node: TensorNode }).node;
  copyLoops(group, scope, (body, point) => {
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

type Point = ReturnType<typeof build.index>;

function copyLoops(group: Group, scope: Scope, fill: (body: Scope, point: readonly Point[]) => void): void {
  const nest = (body: Scope, point: readonly Point[]): void => {
    const dim = group.outer[point.length];
    if (dim === undefined) fill(body, point);
    else
      body.loop('o', build.size(dim), point.length === group.outer.length - 1 ? 'vector' : 'serial', (o, inner) =>
        nest(inner, [...point, o]),
      );
  };
  nest(scope, []);
}

/** Copies a whole buffer, to below the leading indices `prefix` of the other one. */
export function emitBufferCopy(from: Buffer, to: Buffer, scope: Scope, prefix: readonly Expr[] = []): void {
  const nest = (body: Scope, point: readonly Point[]): void => {
    const dim = from.shape[point.length];
    if (dim === undefined) body.emit({ kind: 'store', buffer: to, index: [...prefix, ...point], value: build.load(from, point) });
    else
      body.loop('o', build.size(dim), point.length === from.shape.length - 1 ? 'vector' : 'serial', (o, inner) =>
        nest(inner, [...point, o]),
      );
  };
  nest(scope, []);
}
