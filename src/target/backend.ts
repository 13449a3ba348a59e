// What a back end is: all that the driver knows of a code generator. In: a processor's name; programs of machine ops, and a manifest. Out:
// a target; an artifact, or text on the way to it; of one for a device, the code that an artifact carries for it.
// Holds: the same input gives the same bytes; what takes long to load is loaded when a target is first asked for.

import type { Expr, Program } from '../kernel/index.js';
import type { Devices } from './cuda.js';
import type { DeviceKind, Target } from './target.js';

/** One row of `--time-passes`. */
export interface Stage {
  readonly name: string;
  readonly milliseconds: number;
  /** What the stage made, counted: `52 nodes`. */
  readonly made?: string;
}

/** A step between machine ops and code, for one program: what comes out must verify. */
export interface ProgramPass {
  /** A verb. */
  readonly name: string;
  /** One line for people. */
  readonly doc: string;
  run(program: Program, target: Target): Program;
}

/** Kernels for a device beside the processor, and how each entry launches them. */
export interface DeviceCode {
  /** What the device's driver compiles: PTX. */
  readonly text: string;
  readonly runsOn: Devices;
  /** Threads of a block. */
  readonly threads: number;
  /** Of memory and then of the program's sizes. */
  readonly functions: readonly DeviceFunction[];
  /** One per entry, in the order of the manifest's entries. */
  readonly programs: readonly DeviceProgram[];
}

export interface DeviceFunction {
  readonly name: string;
  /** Bytes of shared memory that a block is launched with, beside what the text says. */
  readonly shared: number;
}

export interface DeviceProgram {
  readonly program: Program;
  /** One per kernel of the program. */
  readonly launches: readonly Launch[];
}

/** A kernel in blocks of threads. */
export interface Launch {
  /** Position in the functions. */
  readonly fn: number;
  /** How many, which sizes decide; undefined: one. None where it is not positive. */
  readonly blocks: Expr | undefined;
  /** The function takes the place of the program's check behind its other arguments, and does nothing where the check failed. */
  readonly guarded: boolean;
}

export interface BackendInput<T extends Target = Target> {
  /** One per entry, in the order of the manifest's entries: of machine ops, with loops that say how the target runs them. */
  readonly programs: readonly Program[];
  /** JSON that the artifact carries. */
  readonly manifest: string;
  readonly target: T;
  /** What runs on a device instead, if the artifact is for one as well: the more special the later. */
  readonly devices?: readonly DeviceCode[] | undefined;
}

export interface BackendOutput {
  /** What the runtime opens. */
  readonly library: Uint8Array;
  /** For C programs that call the artifact. */
  readonly header: string;
  readonly stages: readonly Stage[];
}

export interface Backend {
  /** What requests and stages call it: `llvm`. */
  readonly name: string;
  /** Where the native part is without which it cannot work, and what it is called; undefined: it needs none. */
  readonly toolchain: { readonly name: string; find(): string | undefined } | undefined;
  /** Texts on the way from programs to code: levels of `--emit`, in the order of the way. */
  readonly levels: readonly string[];
  /** Between machine ops and code. */
  readonly passes: readonly ProgramPass[];
  /** Errors: invalid-value (DiagnosticsError) for a name of no processor that it makes code for. */
  requireCpu(name: string): void;
  /** `cpu`: a name that `requireCpu` lets pass; `native` is the machine that compiles. */
  targetOf(cpu: string): Target;
  build(input: BackendInput): BackendOutput;
  /** `level`: one of `levels`. */
  print(input: BackendInput, level: string): string;
}

/** A back end for what stands beside the processor. */
export interface DeviceBackend {
  /** What requests call it. */
  readonly name: DeviceKind;
  /** Level of `--emit` that is its code: what the device's driver compiles. */
  readonly level: string;
  /** What most devices run code for. */
  target(): Target;
  /**
   * `programsFor`: one program per entry, of machine ops, with loops that say how the target runs them; each target that is asked for is
   * lowered anew. For the first one there is code that most devices run; the more special the later.
   */
  build(programsFor: (target: Target) => readonly Program[]): readonly DeviceCode[];
}
