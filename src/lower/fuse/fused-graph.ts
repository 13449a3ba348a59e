// The fused graph: groups of nodes that become kernels, in the order in which they run. In: an entry after fusion. Out: its text; nothing,
// or an InternalError that names the broken rule.
// The rules:
//   members   a group has members, a node is a member of one group, and a group of a product, a nest or a loop has exactly one of these
//   order     what a group reads was computed by a group before it, comes from outside, or is its own
//   storage   what another group reads has storage
//   demands   every output and every update is computed, or copied from where it is

import { InternalError, shapeToString } from '../../base/index.js';
import { calledRoots, type Entry, type Node, printGraph, typeToString } from '../../graph/index.js';
import type { KernelOrder } from '../program/order.js';
import { tensorOf } from '../form/forms.js';
import type { Group, Member } from './groups.js';
import type { EmitContext } from '../schedule/cpu/emitter.js';
import { producer } from './reads.js';
import type { Destination } from '../form/storage.js';

export interface FusedEntry {
  readonly entry: Entry;
  readonly context: EmitContext;
  readonly order: KernelOrder;
}

/** The nodes of the entry, then its groups: what each reads and computes, how, and where results go. */
export function printFused({ entry, context, order: block }: FusedEntry): string {
  const { forms, storage } = context;
  const lines = [`fused ${JSON.stringify(entry.name)} {`];
  const numbers = printGraph(lines, calledRoots(entry), '  ');
  const nameOf = (node: Node): string => {
    const number = numbers.get(node);
    if (number !== undefined) return `%${number}`;
    // Partial results of a sum are no node of the graph.
    const whole = [...numbers.keys()].find((one) => forms.splitOf(one)?.partial.node === node);
    return `partials of ${whole === undefined ? node.op.name : nameOf(whole)}`;
  };
  const placeOf = (to: Destination): string => (to.kind === 'buffer' ? to.buffer.name : to.accumulator.name);
  for (const group of block.groups) {
    lines.push(
      `  group ${group.id} ${group.mode} ${shapeToString(group.outer)} reads ${[...group.reads].map(nameOf).join(', ') || 'nothing'}`,
    );
    const copy = block.sourceCopies.get(group);
    for (const member of group.members) {
      const { node } = member;
      const to = copy === undefined ? storage.destinations(node).map(placeOf) : [placeOf(copy)];
      lines.push(`    ${member.role} ${nameOf(node)}: ${typeToString(node.type)}${to.length === 0 ? '' : ` to ${to.join(', ')}`}`);
    }
  }
  for (const { from, to } of block.copies) lines.push(`  copy ${from.name} to ${to.name}`);
  return `${lines.join('\n')}\n}\n`;
}

export function verifyFused(fused: FusedEntry, pass: string): void {
  new Verifier(fused, pass).run();
}

class Verifier {
  readonly #fused: FusedEntry;
  readonly #pass: string;
  readonly #groupOf = new Map<Node, Group>();

  constructor(fused: FusedEntry, pass: string) {
    this.#fused = fused;
    this.#pass = pass;
  }

  run(): void {
    const { entry, order: block, context } = this.#fused;
    for (const group of block.groups) this.#members(group);
    const done = new Set<Group>();
    for (const group of block.groups) {
      for (const read of group.reads) this.#read(read, group, done);
      done.add(group);
    }
    for (const node of calledRoots(entry)) {
      if (!this.#groupOf.has(producer(node, context.forms)) && !context.forms.isStored(node))
        this.#fail('demands', `nothing computes %${node.id}`);
    }
  }

  #members(group: Group): void {
    const { order: block, context } = this.#fused;
    if (group.members.length === 0) this.#fail('members', `group ${group.id} has none`);
    for (const member of group.members) {
      // Copies of a source are groups of their own, and a source is nobody's.
      if (block.sourceCopies.has(group) && context.forms.isStored(member.node)) continue;
      const other = this.#groupOf.get(member.node);
      if (other !== undefined) this.#fail('members', `%${member.node.id} belongs to the groups ${other.id} and ${group.id}`);
      this.#groupOf.set(member.node, group);
    }
    const single = (['matmul', 'nest', 'loop'] as const).find((role) => role === group.mode);
    const count = (role: Member['role']): number => group.members.filter((member) => member.role === role).length;
    if (single !== undefined && count(single) !== 1) this.#fail('members', `the ${single} group ${group.id} has ${count(single)} of them`);
  }

  #read(read: Node, group: Group, done: ReadonlySet<Group>): void {
    const { context } = this.#fused;
    const from = this.#groupOf.get(producer(read, context.forms));
    if (from === group) return;
    if (from === undefined) {
      if (!context.forms.isStored(read)) this.#fail('order', `group ${group.id} reads %${read.id}, which nothing computes`);
      return;
    }
    if (!done.has(from)) this.#fail('order', `group ${group.id} reads from group ${from.id}, which runs later`);
    if (read.type.kind === 'tensor' && context.storage.stored(tensorOf(read)) === undefined)
      this.#fail('storage', `group ${group.id} reads %${read.id}, which is not stored`);
  }

  #fail(rule: string, message: string): never {
    throw new InternalError(this.#pass, `rule ${rule} of the fused graph broken in ${JSON.stringify(this.#fused.entry.name)}: ${message}`);
  }
}
