// The way from a checked module to programs, read aloud. In: what the checker made, and a target. Out: the simplified module and one
// program per entry.
// Holds: the runner in `src/passes/pass.ts` times, dumps and verifies every step.

import type { ModuleGraph } from '../../graph/index.js';
import type { Program } from '../../kernel/index.js';
import { printProgram, verifyProgram, type VerifyOptions } from '../../kernel/index.js';
import {
  describeFused,
  describeGrouped,
  formEntry,
  type FormedEntry,
  type FusedEntry,
  type FusedGraph,
  flashEntry,
  fuseEntry,
  type GroupedEntry,
  indexPreconditions,
  KernelClasses,
  type Lowered,
  orderEntry,
  planEntry,
  printFormedGraph,
  printFused,
  scalarExpander,
  scheduleEntry,
  splitEntry,
  vectorizer,
  verifyFormedGraph,
  describeFormed,
  verifyFused,
} from '../../lower/index.js';
import { checks, differentiate, type Form, type Pass, Pipeline, simplify, strip } from '../../passes/index.js';
import type { ProgramPass, Target } from '../../target/index.js';

/** A module whose entries are kernels. */
export interface LoweredModule {
  readonly module: ModuleGraph;
  /** In the order of `module.entries`. */
  readonly entries: readonly Lowered[];
}

export const programsOf = (lowered: LoweredModule): Program[] => lowered.entries.map((entry) => entry.program);

type Stage = Pick<VerifyOptions, 'expanded' | 'vectorized'>;

const kernels = (name: string, stage: Stage): Form<LoweredModule> => ({
  name,
  print: (lowered) =>
    programsOf(lowered)
      .map((program) => printProgram(program))
      .join('\n\n'),
  count: (lowered) => programsOf(lowered).reduce((sum, program) => sum + program.kernels.length, 0),
  verify: (lowered, pass) => {
    for (const program of programsOf(lowered)) verifyProgram(program, { pass, ...stage });
  },
});

/** A module whose entries are on the way to kernels. */
interface Planned<PlannedEntry> {
  readonly module: ModuleGraph;
  readonly entries: readonly PlannedEntry[];
  /** Kernels that the entries share. */
  readonly classes: KernelClasses;
}

/** Counts materialized nodes. */
const formed: Form<Planned<FormedEntry>> = {
  name: 'formed graph',
  print: ({ entries }) => entries.map(({ entry, block }) => printFormedGraph(describeFormed(entry.name, block))).join('\n'),
  count: ({ entries }) => entries.reduce((sum, { block }) => sum + block.materialized.size, 0),
  verify: ({ entries }, pass) => {
    for (const { entry, block } of entries) verifyFormedGraph(describeFormed(entry.name, block), pass);
  },
};

/** Counts groups. `planOf`: what is verified; a pass that keeps a plan has nothing more to answer for. */
const groups = <PlannedEntry>(
  name: string,
  describe: (entry: PlannedEntry) => FusedGraph,
  count: (entry: PlannedEntry) => number,
  planOf: (entry: PlannedEntry) => object,
): Form<Planned<PlannedEntry>> => {
  const sound = new WeakSet<object>();
  return {
    name,
    print: ({ entries }) => entries.map((entry) => printFused(describe(entry))).join('\n'),
    count: ({ entries }) => entries.reduce((sum, entry) => sum + count(entry), 0),
    verify: ({ entries }, pass) => {
      for (const entry of entries) {
        if (sound.has(planOf(entry))) continue;
        verifyFused(describe(entry), pass);
        sound.add(planOf(entry));
      }
    },
  };
};

const grouped = groups<GroupedEntry>(
  'grouped graph',
  describeGrouped,
  ({ block }) => block.fusion.groups.length,
  ({ block }) => block,
);
const fused = groups<FusedEntry>(
  'fused graph',
  describeFused,
  ({ order }) => order.groups.length,
  ({ order }) => order,
);

const formFor = (target: Target): Pass<ModuleGraph, Planned<FormedEntry>> => ({
  name: 'form',
  doc: 'Says of every node how it is computed, which ones are stored, and what sizes indices need.',
  to: formed,
  run: (module) => {
    const classes = new KernelClasses();
    return { module: guarded(module), classes, entries: module.entries.map((entry) => formEntry(entry, target, classes)) };
  },
});

const fuse: Pass<Planned<FormedEntry>, Planned<GroupedEntry>> = {
  name: 'fuse',
  doc: 'Chooses which ops share a kernel.',
  to: grouped,
  run: ({ entries, ...rest }) => ({ ...rest, entries: entries.map(fuseEntry) }),
};

const split: Pass<Planned<GroupedEntry>, Planned<GroupedEntry>> = {
  name: 'split',
  doc: 'Does long reductions by partial results where that costs less.',
  to: grouped,
  run: ({ entries, ...rest }) => ({ ...rest, entries: entries.map(splitEntry) }),
};

const flash: Pass<Planned<GroupedEntry>, Planned<GroupedEntry>> = {
  name: 'flash',
  doc: 'Joins two products and the softmax between them, and what their derivative is made of, where schedules keep scores in registers.',
  to: grouped,
  run: ({ entries, ...rest }) => ({ ...rest, entries: entries.map(flashEntry) }),
};

const order: Pass<Planned<GroupedEntry>, Planned<FusedEntry>> = {
  name: 'order',
  doc: 'Puts kernels in order, and says where values are kept.',
  to: fused,
  run: ({ entries, ...rest }) => ({ ...rest, entries: entries.map((entry) => orderEntry(entry, rest.module.variables)) }),
};

const schedule: Pass<Planned<FusedEntry>, LoweredModule> = {
  name: 'schedule',
  doc: 'Writes each kind of group as loops.',
  to: kernels('scheduled kernels', {}),
  run: ({ module, classes, entries }, { build }) => ({ module, entries: entries.map((entry) => scheduleEntry(entry, build, classes)) }),
};

const planMemory: Pass<LoweredModule, LoweredModule> = {
  name: 'plan-memory',
  doc: 'Gives temporaries their places in the arena.',
  to: kernels('kernels', {}),
  run: ({ module, entries }) => ({ module, entries: entries.map(planEntry) }),
};

/** Callers must also fulfil what keeps every index inside of its buffer. */
const guarded = (module: ModuleGraph): ModuleGraph => ({
  ...module,
  entries: module.entries.map((entry) => ({ ...entry, facts: [...entry.facts, ...indexPreconditions(entry)] })),
});

const expandFor = (target: Target): Pass<LoweredModule, LoweredModule> => ({
  name: 'expand',
  doc: 'Writes scalar functions as machine ops.',
  to: kernels('expanded kernels', { expanded: true }),
  run: (lowered) => {
    const expanded = scalarExpander(target);
    return { ...lowered, entries: lowered.entries.map((entry) => ({ ...entry, program: expanded(entry.program) })) };
  },
});

/** What code generators, and passes of their own, take. */
const runnable = kernels('kernels of machine ops', { expanded: true, vectorized: true });

const vectorizeFor = (target: Target): Pass<LoweredModule, LoweredModule> => ({
  name: 'vectorize',
  doc: 'Writes on loops how the target runs them.',
  to: runnable,
  run: (lowered) => {
    const vectorized = vectorizer(target);
    return { ...lowered, entries: lowered.entries.map((entry) => ({ ...entry, program: vectorized(entry.program) })) };
  },
});

/** What may be done to a module beside what is always done. */
export type GraphPass = Pass<ModuleGraph, ModuleGraph>;

/** Derivatives and clean-up, then `more`. */
export const toSimplified = (more: readonly GraphPass[] = []): Pipeline<ModuleGraph, ModuleGraph> =>
  more.reduce((pipeline, pass) => pipeline.then(pass), Pipeline.of(differentiate).then(strip).then(checks).then(simplify));

const grouping = (target: Target): Pipeline<ModuleGraph, Planned<FusedEntry>> =>
  Pipeline.of(formFor(target)).then(fuse).then(split).then(flash).then(order);

/** A simplified module as kernels. */
export const lowering = (target: Target): Pipeline<ModuleGraph, LoweredModule> => grouping(target).then(schedule).then(planMemory);

/** A checked one as groups in order. */
export const toFused = (target: Target, more: readonly GraphPass[] = []): Pipeline<ModuleGraph, Planned<FusedEntry>> =>
  toSimplified(more).append(grouping(target));

/** A checked one as kernels. */
export const toKernels = (target: Target, more: readonly GraphPass[] = []): Pipeline<ModuleGraph, LoweredModule> =>
  toSimplified(more).append(lowering(target));

const onPrograms = ({ name, doc, run }: ProgramPass, target: Target): Pass<LoweredModule, LoweredModule> => ({
  name,
  doc,
  to: runnable,
  run: (lowered) => ({ ...lowered, entries: lowered.entries.map((entry) => ({ ...entry, program: run(entry.program, target) })) }),
});

/** A simplified module as what code generators take. */
export const machineFor = (target: Target): Pipeline<ModuleGraph, LoweredModule> =>
  lowering(target).then(expandFor(target)).then(vectorizeFor(target));

/** What code generators take; `passes` are those of the back end, `more` those of the graph. */
export const toMachine = (
  target: Target,
  passes: readonly ProgramPass[] = [],
  more: readonly GraphPass[] = [],
): Pipeline<ModuleGraph, LoweredModule> =>
  passes.reduce((pipeline, pass) => pipeline.then(onPrograms(pass, target)), toSimplified(more).append(machineFor(target)));
