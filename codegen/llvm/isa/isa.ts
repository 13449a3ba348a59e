// What differs between instruction sets, as tables. In: nothing. Out: what every table says: which CPUs can be named, their vectors, and by
// which instructions ops are spelled. Holds: code generation asks these tables and never for a processor by name.

import type { CpuTarget } from '../../../src/target/index.js';

/** Instructions that decide how an op is spelled. */
export interface CpuLevel {
  /** Multiply-add with one rounding. */
  readonly fma: boolean;
  /** Conversions of 16-bit floats. */
  readonly f16c: boolean;
  /** Conversions between f32 and bf16, rounding to nearest; else they are made of the bits. */
  readonly bf16?: true;
  /** Loads and stores of some lanes only: without them a loop's tail runs lane by lane. */
  readonly masks: boolean;
  /** Masks cost nothing: they live in registers of their own. */
  readonly maskRegisters: boolean;
  /** Exponents and mantissas of floats, and powers of two from whole floats: undefined where they are computed from the bits. */
  readonly exponents: ExponentInstructions | undefined;
  /** The intrinsic behind which stores past the caches are seen by others; undefined: there are no such stores. */
  readonly storeFence: string | undefined;
  /** Calls of the C library's functions. */
  readonly libm: boolean;
}

/** LLVM's intrinsics for so many lanes of f32; all take a vector to merge with and a mask, and with `rounds` lanes a rounding mode. */
export interface ExponentInstructions {
  readonly lanes: readonly number[];
  readonly rounds: number;
  scale(lanes: number): string;
  exponent(lanes: number): string;
  mantissa(lanes: number): string;
}

export interface InstructionSet {
  readonly name: CpuTarget['isa'];
  /** Whether it is that of a triple. */
  isOf(triple: string): boolean;
  /** What Node calls it. */
  readonly arch: NodeJS.Architecture;
  /** CPUs that can be compiled for by name. */
  readonly cpus: readonly string[];
  /** Vectors of one of `cpus`. */
  vectorsOfCpu(cpu: string): Vectors;
  /** Vectors of a machine with these features. */
  vectorsOf(features: ReadonlySet<string>): Vectors;
  /** `features`: what the target has beyond its CPU's name. */
  levelOf(target: CpuTarget, features: ReadonlySet<string>): CpuLevel;
}

export type Vectors = Pick<CpuTarget, 'vectorBytes' | 'vectorRegisters'>;
