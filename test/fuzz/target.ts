// What the fuzzer attacks. In: nothing. Out: the form that every target has. Holds: an input is a file, so that what was found can be kept,
// replayed and read; drawing one depends on its seed alone.

import type { Random } from './random.js';

export interface Input {
  /** Of its file, without a dot: says to a target with inputs of several kinds which one it is. */
  readonly extension: string;
  readonly bytes: Uint8Array;
}

export const faults = [
  'internal-error',
  'exception',
  'stack',
  'wrong',
  'accepted',
  'refused',
  'unstable',
  'hang',
  'crash',
  'memory',
] as const;

/**
 * What must never happen: our own failure; an exception without a code; a stack that overflows; a wrong value; acceptance of what the
 * format's rules refuse; refusal of what they accept; two answers for one input; too much processor time; death of the process; too much
 * memory.
 */
export type Fault = (typeof faults)[number];

export interface Finding {
  readonly kind: 'found';
  readonly fault: Fault;
  /** What happened, for people; its first line says which fault it is. */
  readonly text: string;
}

/** `size` says how many times as long as a usual input this one may take, since it asks for so much more. */
export type Verdict = { readonly kind: 'fine'; readonly size?: number } | { readonly kind: 'refused'; readonly code: string } | Finding;

export interface Target {
  /** Seconds of processor time above which an input of up to 64 KB hangs. */
  readonly seconds: number;
  /** How many inputs a process is given at a time. */
  readonly batch: number;
  draw(random: Random): Input;
  /** Throws what the product throws. `thorough` leaves nothing out; otherwise costly questions are asked of some inputs only. */
  check(input: Input, thorough: boolean): Verdict | Promise<Verdict>;
  /** The parts of an input, coarse ones first, that may be left out to find a smaller one. */
  readonly grains: readonly Grain[];
}

/** One way to cut an input into parts; `join` of some of them is an input again, not always one that makes sense. */
export interface Grain {
  split(bytes: Uint8Array): readonly Uint8Array[];
  join(parts: readonly Uint8Array[]): Uint8Array;
}

export const targetNames = ['front', 'programs', 'loaders', 'artifacts', 'runtime'] as const;
export type TargetName = (typeof targetNames)[number];

/** Loaded by name: some bring LLVM with them. */
/**
 * With $TFC_FUZZ_SLACK an input may take so many times as long: tests are not held to the clock of a machine that does other things as
 * well.
 */
export async function targetOf(name: TargetName): Promise<Target> {
  const target = await load(name);
  return { ...target, seconds: target.seconds * Number(process.env['TFC_FUZZ_SLACK'] ?? 1) };
}

async function load(name: TargetName): Promise<Target> {
  switch (name) {
    case 'front':
      return (await import('./front.js')).front;
    case 'programs':
      return (await import('./programs.js')).programs;
    case 'loaders':
      return (await import('./loaders.js')).loaders;
    case 'artifacts':
      return (await import('./artifacts.js')).artifacts;
    case 'runtime':
      return (await import('./runtime.js')).runtime;
  }
}

export const fine: Verdict = { kind: 'fine' };
export const found = (fault: Fault, text: string): Finding => ({ kind: 'found', fault, text });
