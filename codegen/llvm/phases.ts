// Which kernels of an entry run at the same time. In: kernels in the program's order, each with the memory that it touches, and which of
// them several threads may share. Out: phases.
// Holds: kernels of one phase that touch the same memory either only read it or run in one lane, in the program's order; a kernel comes
// after all that it depends on.

import type { MemoryObject } from './plan.js';

export interface Touching {
  readonly memory: readonly MemoryObject[];
}

export interface Placed<Kernel> {
  readonly kernel: Kernel;
  /**
   * Kernels that are not cut run whole in one share of the phase: those of one lane in the same, those of different lanes in different ones
   * where there are enough.
   */
  readonly lane: number | undefined;
}

export type Phase<Kernel> = readonly Placed<Kernel>[];

/** Every kernel goes into the earliest phase that it may, so that there are few places where threads wait for each other. */
export function phasesOf<Kernel extends Touching>(
  kernels: readonly Kernel[],
  isCut: (kernel: Kernel) => boolean,
  workOf: (kernel: Kernel) => number,
): readonly Phase<Kernel>[] {
  const phases: Placed<Kernel>[][] = [];
  const lanes: number[] = [];
  for (const kernel of kernels) {
    const cut = isCut(kernel);
    let at = Math.max(
      0,
      phases.findLastIndex((phase) => phase.some((other) => depends(kernel, other.kernel))),
    );
    let lane: number | undefined;
    const before = new Set((phases[at] ?? []).filter((other) => depends(kernel, other.kernel)).map((other) => other.lane));
    const [only] = before;
    if (before.size === 1 && only !== undefined && !cut) lane = only;
    else if (before.size > 0) at += 1;
    if (!cut && lane === undefined) {
      lane = lanes[at] ?? 0;
      lanes[at] = lane + 1;
    }
    (phases[at] ??= []).push({ kernel, lane });
  }
  return phases.map((phase) => byWork(phase, workOf));
}

/** Lanes are numbered from the one with most work on: the first shares have least of what is cut. */
function byWork<Kernel>(phase: Phase<Kernel>, workOf: (kernel: Kernel) => number): Phase<Kernel> {
  const work = new Map<number, number>();
  for (const { kernel, lane } of phase) if (lane !== undefined) work.set(lane, (work.get(lane) ?? 0) + workOf(kernel));
  const order = [...work].sort(([, a], [, b]) => b - a).map(([lane]) => lane);
  return phase.map(({ kernel, lane }) => ({ kernel, lane: lane === undefined ? undefined : order.indexOf(lane) }));
}

/** Whether two kernels touch the same memory and one of them writes it. */
const depends = (later: Touching, earlier: Touching): boolean =>
  later.memory.some((mine) => earlier.memory.some((its) => its.key === mine.key && (its.written || mine.written)));
