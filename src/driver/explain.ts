// What the compiler decided, for people. In: a lowered module. Out: kernels with their source lines, bytes, FLOPs and arena, and why
// neighbours were not fused.

import { positionAt } from '../../grammar/index.js';
import type { Dim } from '../base/index.js';
import type { Kernel, Program } from '../loop/index.js';
import type { Lowered } from '../lower/index.js';
import type { LoweredModule } from './pipeline.js';
import type { Texts } from './mistakes.js';

interface KernelReport {
  readonly name: string;
  readonly title: string;
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
}

export const explain = (lowered: LoweredModule, texts: Texts): EntryReport[] => lowered.entries.map((entry) => entryReport(entry, texts));

function entryReport({ program, notes }: Lowered, texts: Texts): EntryReport {
  return {
    entry: program.entry,
    kernels: program.kernels.map((kernel) => kernelReport(kernel, texts)),
    arena: arenaOf(program),
    apart: [...new Set(notes.map((note) => `${note.op} did not join ${note.neighbour}: ${note.reason}`))],
  };
}

function kernelReport(kernel: Kernel, texts: Texts): KernelReport {
  const lines = new Set<string>();
  for (const { span, backward } of kernel.origins) {
    const text = texts.get(span.source);
    const place = text === undefined ? span.source : `${span.source}:${positionAt(text, span.start).line}`;
    lines.add(`${place}${backward ? ' (backward)' : ''}`);
  }
  const { bytesRead, bytesWritten, flops, recomputed } = kernel.cost;
  return {
    name: kernel.name,
    title: kernel.title,
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

export function explainText(lowered: LoweredModule, texts: Texts): string {
  return explain(lowered, texts)
    .map(({ entry, kernels, arena, apart }) =>
      [
        `entry ${entry}: ${kernels.length} kernel${kernels.length === 1 ? '' : 's'}`,
        ...kernels.flatMap((kernel) => [
          `  ${kernel.name}  ${kernel.title}`,
          `      reads ${kernel.bytesRead} bytes, writes ${kernel.bytesWritten} bytes, ${kernel.flops} FLOPs${kernel.recomputed === undefined ? '' : `, of which ${kernel.recomputed} again`}`,
          ...(kernel.lines.length === 0 ? [] : [`      from ${kernel.lines.join(', ')}`]),
        ]),
        arena.length === 0 ? '  no arena' : `  arena: ${arena.join('; ')}`,
        ...(apart.length === 0 ? [] : ['  kept apart:', ...apart.map((reason) => `      ${reason}`)]),
      ].join('\n'),
    )
    .join('\n\n');
}
