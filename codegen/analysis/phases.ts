// Which kernels of an entry run at the same time: each goes into the earliest phase that has all it needs behind it (see the note at the
// end). In: kernels in the program's order, each with the memory that it touches, and which of them several threads may share. Out:
// phases, and behind which of them it is decided whether the rest runs.
// Holds: kernels of one phase that touch the same memory either only read it or run in one strand, in the program's order; a kernel comes
// after all that it depends on.

export interface Touching {
  /** Equal keys mean the same memory. */
  readonly memory: readonly { readonly key: string; readonly written: boolean }[];
}

export interface Placed<Kernel> {
  readonly kernel: Kernel;
  /**
   * Kernels that are not cut run whole in one share of the phase: those of one strand in the same, those of different strands in different
   * ones where there are enough.
   */
  readonly strand: number | undefined;
}

export type Phase<Kernel> = readonly Placed<Kernel>[];

/** Behind the phase of the kernel at `behind` it is decided whether those that `waits` names run. */
export interface Decision<Kernel> {
  readonly behind: number;
  readonly waits: (kernel: Kernel) => boolean;
}

/** Every kernel goes into the earliest phase that it may, so that there are few places where threads wait for each other. */
export function phasesOf<Kernel extends Touching>(
  kernels: readonly Kernel[],
  isCut: (kernel: Kernel) => boolean,
  workOf: (kernel: Kernel) => number,
  decision?: Decision<Kernel>,
): { readonly phases: readonly Phase<Kernel>[]; readonly decided: number | undefined } {
  const phases: Placed<Kernel>[][] = [];
  const strands: number[] = [];
  const touched = new Map<string, { readonly writers: Latest; readonly readers: Latest }>();
  let decided: number | undefined;
  for (const [position, kernel] of kernels.entries()) {
    const cut = isCut(kernel);
    const needed = kernel.memory.flatMap(({ key, written }) => {
      const { writers, readers } = touched.get(key) ?? {};
      return [...(writers === undefined ? [] : [writers]), ...(readers === undefined || !written ? [] : [readers])];
    });
    const earliest = decided !== undefined && decision?.waits(kernel) === true ? decided + 1 : 0;
    let at = Math.max(earliest, ...needed.map(({ phase }) => phase));
    let strand: number | undefined;
    const before = new Set(needed.flatMap(({ phase, strands: its }) => (phase === at ? [...its] : [])));
    const [only] = before;
    if (before.size === 1 && only !== undefined && !cut) strand = only;
    else if (before.size > 0) at += 1;
    if (!cut && strand === undefined) {
      strand = strands[at] ?? 0;
      strands[at] = strand + 1;
    }
    (phases[at] ??= []).push({ kernel, strand });
    if (position === decision?.behind) decided = at;
    for (const { key, written } of kernel.memory) {
      let known = touched.get(key);
      if (known === undefined) touched.set(key, (known = { writers: new Latest(), readers: new Latest() }));
      (written ? known.writers : known.readers).note(at, strand);
    }
  }
  return { phases: phases.map((phase) => byWork(phase, workOf)), decided };
}

/** In which phase memory was touched last, and by which strands. */
class Latest {
  phase = -1;
  strands = new Set<number | undefined>();

  note(phase: number, strand: number | undefined): void {
    if (phase > this.phase) this.strands = new Set();
    if (phase < this.phase) return;
    this.phase = phase;
    this.strands.add(strand);
  }
}

/** Lanes are numbered from the one with most work on: the first shares have least of what is cut. */
function byWork<Kernel>(phase: Phase<Kernel>, workOf: (kernel: Kernel) => number): Phase<Kernel> {
  const work = new Map<number, number>();
  for (const { kernel, strand } of phase) if (strand !== undefined) work.set(strand, (work.get(strand) ?? 0) + workOf(kernel));
  const order = new Map([...work].sort(([, a], [, b]) => b - a).map(([strand], at) => [strand, at]));
  return phase.map(({ kernel, strand }) => ({ kernel, strand: strand === undefined ? undefined : order.get(strand) }));
}

/* Note: phases and strands.
   Four kernels with what they read and write, of which d is cut into shares, and their phases:

     a: x > y    b: y > z    c: u > v    d: u > w

     phase 0: strand 0 is a, then b; strand 1 is c; all threads share d

   Between two phases all threads wait for each other, half a microsecond and what is uneven in their shares, so there are as few as
   dependencies allow: the levels of the graph of dependencies, as in E. Anderson and Y. Saad, "Solving Sparse Triangular Linear Systems
   on Parallel Computers", International Journal of High Speed Computing 1(1), 1989. Small kernels that follow each other stay with one
   thread, which needs no wait for that. Shown by test/codegen/phases.test.ts. */
