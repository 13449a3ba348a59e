// What the compiler decided, for people. In: a lowered module. Out: kernels with their instances, source lines, bytes and FLOPs, the arena,
// why neighbours were not fused, and sums of all that.

import { lineOf, type Texts } from '../../../grammar/index.js';
import { Dim } from '../../base/index.js';
import type { Entry, GraphBuilder } from '../../graph/index.js';
import type { Kernel, KernelCode, KernelOrigin, Program } from '../../kernel/index.js';
import type { Lowered } from '../../lower/index.js';
import type { LoweredModule } from '../build/pipeline.js';

interface KernelReport {
  readonly name: string;
  readonly title: string;
  /** Instances whose calls it computes by their paths, and optimizers with the params that they update; backward ones marked. */
  readonly instances: readonly string[];
  /** Places as `file:line`, backward ones marked. */
  readonly lines: readonly string[];
  readonly bytesRead: string;
  readonly bytesWritten: string;
  readonly flops: string;
  /** Of them, those that compute a value again. */
  readonly recomputed?: string;
}

export interface EntryReport {
  readonly entry: string;
  readonly kernels: readonly KernelReport[];
  readonly arena: readonly string[];
  readonly apart: readonly string[];
  readonly totals: Totals;
}

/** Sums over an entry. */
interface Totals {
  readonly kernels: number;
  /** Of them, those whose code another one has as well. */
  readonly sharingCode: number;
  readonly bytesRead: string;
  readonly bytesWritten: string;
  readonly flops: string;
  /** Bytes of the arena. */
  readonly arena: string;
}

export const explain = ({ module, entries }: LoweredModule, build: GraphBuilder, texts: Texts): EntryReport[] =>
  entries.map((lowered, at) => entryReport(lowered, instancesIn(module.entries[at] as Entry, build), texts));

function entryReport({ program, notes }: Lowered, instanceOf: InstanceOf, texts: Texts): EntryReport {
  return {
    entry: program.entry,
    kernels: program.kernels.map((kernel) => kernelReport(kernel, instanceOf, texts)),
    arena: arenaOf(program),
    apart: [...new Set(notes.map((note) => `${note.op} did not join ${note.neighbour}: ${note.reason}`))],
    totals: totalsOf([program]),
  };
}

type InstanceOf = (origin: KernelOrigin) => string | undefined;

/** What names the innermost instance or update around a place. */
const instancesIn = (entry: Entry, build: GraphBuilder): InstanceOf => {
  return ({ scope }) => {
    for (let path = scope; path !== '';) {
      const info = build.scopeAt(entry.name, path);
      if (info === undefined) return undefined;
      if (info.kind === 'instance') return info.of;
      if (info.kind === 'update') return `${build.scopeAt(entry.name, info.parent)?.name} of ${info.of}`;
      path = info.parent;
    }
    return undefined;
  };
};

function kernelReport(kernel: Kernel, instanceOf: InstanceOf, texts: Texts): KernelReport {
  const lines = new Set<string>();
  const instances = new Set<string>();
  for (const origin of kernel.origins) {
    const { span, backward } = origin;
    const mark = backward ? ' (backward)' : '';
    lines.add(`${lineOf(span, texts)}${mark}`);
    const instance = instanceOf(origin);
    if (instance !== undefined) instances.add(`${instance}${mark}`);
  }
  const { bytesRead, bytesWritten, flops, recomputed } = kernel.cost;
  return {
    name: kernel.name,
    title: kernel.title,
    instances: [...instances],
    lines: [...lines],
    bytesRead: String(bytesRead),
    bytesWritten: String(bytesWritten),
    flops: String(flops),
    ...(recomputed === undefined ? {} : { recomputed: String(recomputed) }),
  };
}

/** One size per slot of the arena. */
function arenaOf(program: Program): string[] {
  const names = new Map<number, string[]>();
  for (const [name, slot] of program.arena.slotOf) names.set(slot, [...(names.get(slot) ?? []), name]);
  return program.arena.slots.map(
    (slot, at) =>
      `${slot.bytes.length === 1 ? String(slot.bytes[0] as Dim) : `max(${slot.bytes.join(', ')})`} bytes for ${(names.get(at) ?? []).join(', ')}`,
  );
}

/** Sums over programs, which run one after the other: they need one arena, of the size of the largest. */
function totalsOf(programs: readonly Program[]): Totals {
  const kernels = programs.flatMap((program) => program.kernels);
  const sum = (of: (cost: Kernel['cost']) => Dim): string => String(Dim.sum(kernels.map(({ cost }) => of(cost))));
  const arenas = new Set(programs.map(arenaBytes));
  return {
    kernels: kernels.length,
    sharingCode: sharingCode(kernels),
    bytesRead: sum((cost) => cost.bytesRead),
    bytesWritten: sum((cost) => cost.bytesWritten),
    flops: sum((cost) => cost.flops),
    arena: arenas.size === 1 ? ([...arenas][0] as string) : `max(${[...arenas].join(', ')})`,
  };
}

/** Kernels that do what another one does, to other memory. */
function sharingCode(kernels: readonly Kernel[]): number {
  const counts = new Map<KernelCode, number>();
  for (const { code } of kernels) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => (count > 1 ? sum + count : sum), 0);
}

function arenaBytes({ arena: { slots } }: Program): string {
  const fixed = Dim.sum(slots.flatMap(({ bytes }) => (bytes.length === 1 ? bytes : [])));
  const counts = new Map<string, number>();
  for (const { bytes } of slots) {
    const text = `max(${bytes.join(', ')})`;
    if (bytes.length > 1) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const shared = [...counts].map(([text, count]) => (count === 1 ? text : `${count} · ${text}`));
  return (fixed.constant === 0 && shared.length > 0 ? shared : [String(fixed), ...shared]).join(' + ');
}

/** So many instances and lines of a kernel are written out. */
const listed = 8;

const list = (texts: readonly string[]): string =>
  texts.length > listed ? `${texts.slice(0, listed).join(', ')} and ${texts.length - listed} more` : texts.join(', ');

const kernelCount = (count: number): string => `${count} kernel${count === 1 ? '' : 's'}`;

export function explainText(lowered: LoweredModule, build: GraphBuilder, texts: Texts): string {
  const reports = explain(lowered, build, texts).map(({ entry, kernels, arena, apart }) =>
    [
      `entry ${entry}: ${kernelCount(kernels.length)}`,
      ...kernels.flatMap((kernel) => [
        `  ${kernel.name}  ${kernel.title}`,
        `      reads ${kernel.bytesRead} bytes, writes ${kernel.bytesWritten} bytes, ${kernel.flops} FLOPs${kernel.recomputed === undefined ? '' : `, of which ${kernel.recomputed} again`}`,
        ...(kernel.instances.length === 0 ? [] : [`      in ${list(kernel.instances)}`]),
        ...(kernel.lines.length === 0 ? [] : [`      from ${list(kernel.lines)}`]),
      ]),
      arena.length === 0 ? '  no arena' : `  arena: ${arena.join('; ')}`,
      ...(apart.length === 0 ? [] : ['  kept apart:', ...apart.map((reason) => `      ${reason}`)]),
    ].join('\n'),
  );
  return [...reports, totalsText(lowered)].join('\n\n');
}

/** A line per entry; what initializes variables is one. */
function totalsText({ module, entries }: LoweredModule): string {
  const programs = (init: boolean): Program[] =>
    entries.flatMap(({ program }, at) => ((module.entries[at]?.kind === 'init') === init ? [program] : []));
  const shared = (count: number): string => (count === 0 ? '' : `, ${count} of which share code with another`);
  const line = (name: string, { kernels, sharingCode, bytesRead, bytesWritten, flops, arena }: Totals): string =>
    `  ${name}: ${kernelCount(kernels)}${shared(sharingCode)}, reads ${bytesRead} bytes, writes ${bytesWritten} bytes, ${flops} FLOPs, arena of ${arena} bytes`;
  const inits = programs(true);
  return [
    'in all:',
    ...programs(false).map((program) => line(program.entry, totalsOf([program]))),
    ...(inits.length === 0 ? [] : [line('initial values', totalsOf(inits))]),
  ].join('\n');
}
