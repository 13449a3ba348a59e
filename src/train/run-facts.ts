// What is known of a run before its first step. In: the command, the program, this process. Out: plain data for its log and its report.
// Holds: nothing here is a number of the training itself.

import { availableParallelism, cpus, totalmem } from 'node:os';
import type { HyperParameter, RecordedGraph } from './recorder.js';

export interface RunFacts {
  /** As it was typed. */
  readonly command: string;
  readonly options: Readonly<Record<string, HyperParameter>>;
  /** Processor, threads, versions: what another run would need to be the same. */
  readonly environment: Readonly<Record<string, HyperParameter>>;
  readonly variables: readonly VariableFact[];
  /** Those of the step, in the order in which they run. */
  readonly kernels: readonly KernelFact[];
}

/** What is known of the program. */
export interface ProgramFacts extends Pick<RunFacts, 'variables' | 'kernels'> {
  readonly graph: RecordedGraph;
}

export interface VariableFact {
  readonly path: string;
  /** `param`, `state`, `slot`. */
  readonly kind: string;
  /** `f32[784, 300]` */
  readonly type: string;
  /** With sizes that are known only when a session begins, undefined. */
  readonly elements?: number;
}

/** Costs are expressions in the free sizes. */
export interface KernelFact {
  readonly name: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly bytesRead: string;
  readonly bytesWritten: string;
  readonly flops: string;
}

/** `threads`: those of the session; `version`: that of tfc. */
export const environmentOf = (threads: number, version: string): RunFacts['environment'] => ({
  processor: cpus()[0]?.model.trim() || process.arch,
  cores: availableParallelism(),
  threads,
  memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
  system: `${process.platform} ${process.arch}`,
  node: process.version,
  tfc: version,
});
