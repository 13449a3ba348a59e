// The way from a checked module to programs, read aloud. In: what the checker made, and a target. Out: the simplified module and one
// program per entry.
// Holds: the runner in `src/passes/pass.ts` times, dumps and verifies every step.

import type { ModuleGraph } from '../graph/index.js';
import type { Program } from '../loop/index.js';
import { printProgram, verifyProgram, type VerifyOptions } from '../loop/index.js';
import { indexFacts, KernelClasses, lowerEntry, type Lowered, scalarExpander, vectorizer } from '../lower/index.js';
import { differentiate, type Form, type Pass, Pipeline, simplify, strip } from '../passes/index.js';
import type { ProgramPass, Target } from '../target/index.js';

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

const lowerTo = (target: Target): Pass<ModuleGraph, LoweredModule> => ({
  name: 'lower',
  doc: 'Fuses ops into kernels, chooses their schedules, plans the arena, and states what sizes their indices need.',
  to: kernels('kernels', {}),
  run: (module, { build }) => {
    const classes = new KernelClasses();
    return { module: guarded(module), entries: module.entries.map((entry) => lowerEntry(entry, module.variables, target, build, classes)) };
  },
});

/** Callers must also fulfil what keeps every index inside of its buffer. */
const guarded = (module: ModuleGraph): ModuleGraph => ({
  ...module,
  entries: module.entries.map((entry) => ({ ...entry, facts: [...entry.facts, ...indexFacts(entry)] })),
});

const expand: Pass<LoweredModule, LoweredModule> = {
  name: 'expand',
  doc: 'Writes scalar functions as machine ops.',
  to: kernels('expanded kernels', { expanded: true }),
  run: (lowered) => {
    const expanded = scalarExpander();
    return { ...lowered, entries: lowered.entries.map((entry) => ({ ...entry, program: expanded(entry.program) })) };
  },
};

/** What code generators, and passes of their own, take. */
const scheduled = kernels('kernels of machine ops', { expanded: true, vectorized: true });

const vectorizeFor = (target: Target): Pass<LoweredModule, LoweredModule> => ({
  name: 'vectorize',
  doc: 'Writes on loops how the target runs them.',
  to: scheduled,
  run: (lowered) => {
    const vectorized = vectorizer(target);
    return { ...lowered, entries: lowered.entries.map((entry) => ({ ...entry, program: vectorized(entry.program) })) };
  },
});

/** Derivatives, clean-up, kernels. */
export const toKernels = (target: Target): Pipeline<ModuleGraph, LoweredModule> =>
  Pipeline.of(differentiate).then(strip).then(simplify).then(lowerTo(target));

const onPrograms = ({ name, doc, run }: ProgramPass, target: Target): Pass<LoweredModule, LoweredModule> => ({
  name,
  doc,
  to: scheduled,
  run: (lowered) => ({ ...lowered, entries: lowered.entries.map((entry) => ({ ...entry, program: run(entry.program, target) })) }),
});

/** What code generators take; `passes` are those of the back end. */
export const toMachine = (target: Target, passes: readonly ProgramPass[] = []): Pipeline<ModuleGraph, LoweredModule> =>
  passes.reduce((pipeline, pass) => pipeline.then(onPrograms(pass, target)), toKernels(target).then(expand).then(vectorizeFor(target)));
