// What a pass is, and the one runner. In: passes in order, and an input. Out: the last output, and one record per pass.
// Holds: the runner times, counts, dumps and verifies; no pass does any of it. A failure names the pass that caused it.

import { type Diagnostic, DiagnosticsError, InternalError, limits, TooLarge } from '../base/index.js';
import type { GraphBuilder } from '../graph/index.js';

/** One kind of intermediate representation: how to show, count and verify it. */
export interface Form<T> {
  readonly name: string;
  print(value: T): string;
  /** Nodes, kernels, or whatever its size is counted in. */
  count(value: T): number;
  /** Throws an InternalError that blames `pass`; `build` is what makes the nodes. */
  verify(value: T, pass: string, build: GraphBuilder): void;
}

export interface PassContext {
  readonly build: GraphBuilder;
  /** The user's mistake; the runner stops after this pass. */
  report(diagnostic: Diagnostic): void;
  /** One line for `--explain` and logs. */
  note(text: string): void;
}

export interface Pass<In, Out> {
  /** A verb. */
  readonly name: string;
  /** One line for people. */
  readonly doc: string;
  /** What comes out. */
  readonly to: Form<Out>;
  run(input: In, context: PassContext): Out;
}

export interface PassRecord {
  readonly name: string;
  readonly milliseconds: number;
  /** How long the runner took to verify what came out. */
  readonly verifyMilliseconds: number;
  /** Size of the output, counted by its form. */
  readonly count: number;
  readonly form: string;
  readonly notes: readonly string[];
}

export interface RunOptions {
  readonly build: GraphBuilder;
  /** Default true. */
  readonly verify?: boolean;
  /** Names of passes; `dump` gets their outputs as text. */
  readonly dumpAfter?: ReadonlySet<string>;
  dump?(pass: string, text: string): void;
  /** Called before each pass. */
  begin?(pass: string): void;
  /** Milliseconds from any start; default: the date. */
  now?(): number;
}

export interface RunResult<T> {
  readonly output: T;
  readonly records: readonly PassRecord[];
}

export interface PassInfo {
  readonly name: string;
  readonly doc: string;
  readonly form: string;
}

type Step<In, Out> = (input: In, options: RunOptions, records: PassRecord[]) => Out;

/** Passes in order, each taking what the one before makes. */
export class Pipeline<In, Out> {
  readonly #step: Step<In, Out>;
  readonly passes: readonly PassInfo[];

  private constructor(step: Step<In, Out>, passes: readonly PassInfo[]) {
    this.#step = step;
    this.passes = passes;
  }

  static of<In, Out>(pass: Pass<In, Out>): Pipeline<In, Out> {
    return new Pipeline((input, options, records) => runPass(pass, input, options, records), [infoOf(pass)]);
  }

  then<Next>(pass: Pass<Out, Next>): Pipeline<In, Next> {
    const before = this.#step;
    return new Pipeline(
      (input, options, records) => runPass(pass, before(input, options, records), options, records),
      [...this.passes, infoOf(pass)],
    );
  }

  /** All of `next` behind it. */
  append<Next>(next: Pipeline<Out, Next>): Pipeline<In, Next> {
    const before = this.#step;
    return new Pipeline(
      (input, options, records) => next.#step(before(input, options, records), options, records),
      [...this.passes, ...next.passes],
    );
  }

  /** Throws a DiagnosticsError when a pass reported mistakes, an InternalError when one failed or its output does not verify. */
  run(input: In, options: RunOptions): RunResult<Out> {
    const records: PassRecord[] = [];
    return { output: this.#step(input, options, records), records };
  }
}

const infoOf = <In, Out>(pass: Pass<In, Out>): PassInfo => ({ name: pass.name, doc: pass.doc, form: pass.to.name });

function runPass<In, Out>(pass: Pass<In, Out>, input: In, options: RunOptions, records: PassRecord[]): Out {
  const diagnostics: Diagnostic[] = [];
  const notes: string[] = [];
  options.begin?.(pass.name);
  const now = options.now ?? Date.now;
  const start = now();
  options.build.meter.allow(limits.pass + limits.passPerNode * options.build.size);
  const output = blaming(pass.name, () =>
    pass.run(input, { build: options.build, report: (one) => diagnostics.push(one), note: (text) => notes.push(text) }),
  );
  const milliseconds = now() - start;
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics);
  if (options.dumpAfter?.has(pass.name)) options.dump?.(pass.name, pass.to.print(output));
  const verifying = now();
  if (options.verify !== false) pass.to.verify(output, pass.name, options.build);
  records.push({
    name: pass.name,
    milliseconds,
    verifyMilliseconds: now() - verifying,
    get count() {
      return pass.to.count(output);
    },
    form: pass.to.name,
    notes,
  });
  return output;
}

/** Whatever is thrown inside names the pass; the user's mistakes go through as they are, and a program that grows too large is one. */
function blaming<T>(pass: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof DiagnosticsError) throw error;
    if (error instanceof TooLarge)
      throw new DiagnosticsError([
        {
          code: 'too-large',
          message: `the program becomes too large in the pass \`${pass}\`: ${error.of === 'work' ? 'it multiplies in it' : error.message}`,
          hint: 'what grows so are derivatives of derivatives, above all of loops, and values at many shifted indices',
        },
      ]);
    if (error instanceof InternalError && error.pass === pass) throw error;
    const blamed = new InternalError(pass, error instanceof Error ? error.message : String(error));
    blamed.cause = error;
    throw blamed;
  }
}
