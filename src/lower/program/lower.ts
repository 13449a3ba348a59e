// The last steps of an entry: groups in order become a program of kernels. In: a fused entry. Out: kernels in order, buffers and a memory
// plan, and why neighbours were not fused. Holds: what `src/kernel/verify.ts` lists.

import type { Entry, GraphBuilder, Node, Origin } from '../../graph/index.js';
import { type Buffer, type Kernel, type KernelOrigin, type Program } from '../../kernel/index.js';
import { emitBufferCopy } from '../schedule/common/copy.js';
import { type KernelOrder, emitGroup } from './order.js';
import { costOf, costOfStatements, titleOf } from './cost-report.js';
import type { FusedEntry } from './entry.js';
import { groupKey, layoutKey } from './group-key.js';
import type { Group } from '../fuse/groups.js';
import type { KernelClasses } from './kernel-classes.js';
import { type Call, type Scheduled } from './kernel-classes.js';
import { planMemory } from './memory-plan.js';
import type { Ahead, EmitContext } from '../schedule/common/emitter.js';
import type { Forms } from '../form/materialize.js';
import { Names, Scope } from '../form/scope.js';

export interface FusionNote {
  /** Op that started a kernel of its own, and the one whose kernel it did not join. */
  readonly op: string;
  readonly neighbour: string;
  readonly reason: string;
  readonly origins: readonly Origin[];
}

export interface Lowered {
  readonly program: Program;
  readonly notes: readonly FusionNote[];
}

/** The kernels of every group; their temporaries have no place yet. `classes`: kernels of the module's other entries, which are shared. */
export function scheduleEntry({ entry, context, order }: FusedEntry, builder: GraphBuilder, classes: KernelClasses): Lowered {
  const { forms, storage } = context;
  const { pool } = storage;
  const kernels: Kernel[] = [];
  const add = (calls: readonly Call[], origins: readonly KernelOrigin[]): void => {
    for (const call of calls) kernels.push({ name: `k${kernels.length}`, ...call, origins });
  };
  // Initial values are evaluated under the path of their variable.
  const owner = (entry.kind === 'init' ? entry.updates[0]?.variable : undefined) ?? entry.name;
  for (const group of order.groups) {
    const calls = classes.of(groupKey(group, order, context), pool, () => schedule(group, order, context));
    if (calls.length > 0) add(calls, originsOf(group, forms, builder, owner));
  }
  for (const { from, to } of order.copies) {
    const key = { text: `copy ${layoutKey(from)} to ${layoutKey(to)}`, buffers: [from, to] };
    const calls = classes.of(key, pool, () => scheduleCopy(from, to));
    add(
      calls.map((call) => ({ ...call, title: `copy ${to.name}` })),
      [],
    );
  }
  const program: Program = {
    entry: entry.name,
    dims: entry.dims,
    buffers: pool.all,
    kernels,
    arena: { slots: [], slotOf: new Map() },
    ...checkOf(entry, kernels),
  };
  const notes = order.fusion.notes.map(({ node, neighbour, reason }): FusionNote => ({
    op: node.op.name,
    neighbour: neighbour.op.name,
    reason,
    origins: builder.originsOf(node),
  }));
  return { program, notes };
}

/** Behind which kernel all is known that checks say. */
function checkOf({ checks }: Entry, kernels: readonly Kernel[]): Pick<Program, 'check'> {
  if (checks === undefined) return {};
  const says = ({ role }: Buffer): boolean => role.kind === 'output' && (role.index === checks.status || role.index === checks.said);
  return { check: { output: checks.status, behind: kernels.findLastIndex(({ buffers }) => buffers.some(says)) } };
}

/** Gives temporaries their places. */
export function planEntry({ program, notes }: Lowered): Lowered {
  const arena = planMemory(program.kernels);
  // A temporary without a slot is touched by no kernel.
  const buffers = program.buffers.filter(({ role, name }) => role.kind !== 'temporary' || arena.slotOf.has(name));
  return { program: { ...program, buffers, arena }, notes };
}

/** The kernels of a group: what is done ahead, or as kernels of its own, and the group itself. Nothing where there is nothing to do. */
function schedule(group: Group, order: KernelOrder, context: EmitContext): Scheduled[] {
  const scope = Scope.root(new Names());
  const before: { readonly makes: Ahead | undefined; readonly scope: Scope }[] = [];
  const ahead = (makes?: Ahead): Scope => {
    const opened = Scope.root(new Names());
    before.push({ makes, scope: opened });
    return opened;
  };
  emitGroup(order, group, scope, { ...context, ahead });
  if (scope.statements.length === 0 && before.length === 0) return [];
  const title = titleOf(group);
  // Where partial results are there already, what the group computes once is not what is left to do.
  const isLess = before.some(({ makes }) => makes === 'partial results');
  const cost = isLess ? costOfStatements(scope.statements) : costOf(group, context.forms, scope.statements);
  return [
    ...before.map(({ makes, scope: { statements } }): Scheduled => ({
      title: makes === undefined ? title : `${makes} of ${title}`,
      statements,
      cost: costOfStatements(statements),
    })),
    // A branch is nothing but the kernels of its sides.
    ...(scope.statements.length === 0 ? [] : [{ title, statements: scope.statements, cost }]),
  ];
}

function scheduleCopy(from: Buffer, to: Buffer): Scheduled[] {
  const scope = Scope.root(new Names());
  emitBufferCopy(from, to, scope);
  const { statements } = scope;
  return statements.length === 0 ? [] : [{ title: 'copy', statements, cost: costOfStatements(statements) }];
}

/**
 * Source places of everything that the group computes, each once, in source order. A node that other entries compute too has places of its
 * own in each.
 */
function originsOf(group: Group, forms: Forms, builder: GraphBuilder, entry: string): KernelOrigin[] {
  const found = new Map<string, KernelOrigin>();
  // Nodes that passes made of each other have one list.
  const lists = new Set<readonly Origin[]>();
  const seen = new Set<Node>(group.members.map((member) => member.node));
  // A set's iteration also visits what is added meanwhile.
  for (const node of seen) {
    if (group.reads.has(node) || forms.isStored(node)) continue;
    const origins = builder.originsOf(node);
    // Constants are shared by everything that mentions their number.
    if (node.args.length > 0 && !lists.has(origins)) {
      lists.add(origins);
      for (const origin of placesIn(entry, origins))
        found.set(`${origin.span.start}:${origin.span.end}:${origin.backward}:${origin.scope}`, origin);
    }
    for (const argument of forms.argsOf(node)) seen.add(argument);
  }
  return [...found.values()].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
}

/** Those of this entry, or all when none says so: what a pass made of shared nodes keeps the place of the first. */
function placesIn(entry: string, origins: readonly Origin[]): readonly Origin[] {
  const own = origins.filter((origin) => origin.entry === entry);
  return own.length > 0 ? own : origins;
}
