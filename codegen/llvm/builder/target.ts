// From a finished module to text. In: a module and a description of the target. Out: assembly or PTX, and how long
// each part took. Holds: emission works on a copy; the same module, target and LLVM version give the same bytes.

import { type Addon, loadAddon, type RawTarget } from './addon.js';
import { fault, guarded } from './fault.js';
import type { ModuleBuilder } from './module.js';
import { raw } from './raw.js';

/** What this machine is, in LLVM's words. */
export interface Host {
  /** LLVM's version, `19.1.7`. */
  readonly llvm: string;
  /** `x86_64-pc-linux-gnu` */
  readonly triple: string;
  /** `znver4` */
  readonly cpu: string;
  /** `+avx512f,-amx-tile,…`, sorted by name. */
  readonly features: string;
}

export type OptLevel = 0 | 1 | 2 | 3;

export interface TargetOptions {
  /** Default: the host's. */
  readonly triple?: string;
  /** Default: the host's, or for another triple LLVM's plainest. */
  readonly cpu?: string;
  readonly features?: string;
  /** Of the code generator, and of the pipeline unless `passes` says otherwise. Default 3. */
  readonly optLevel?: OptLevel;
  /** A pass pipeline in LLVM's notation; default `default<O3>` by level; `''` runs none. */
  readonly passes?: string;
  /** Whether LLVM may vectorize loops and straight-line code on its own. Default true. */
  readonly autovectorize?: boolean;
  /**
   * Whether the code generator works on loops of its own accord: chooses their induction variables anew, and moves what they do not change,
   * constants too, out of them. Default true.
   */
  readonly loopPasses?: boolean;
}

export interface Timings {
  readonly verifyMs: number;
  readonly optimizeMs: number;
  readonly codegenMs: number;
}

/** Describes this machine. */
export function hostInfo(): Host {
  return loadAddon().tfc.host();
}

/** All that the target's processor has, in LLVM's words: of its name, and of its features. */
export function enabledFeatures(options: TargetOptions): readonly string[] {
  const addon = loadAddon();
  return guarded('features', () => addon.tfc.featuresOf(addonTarget(addon, options)));
}

/** Gives the module its triple, data layout and the functions their CPU; sizes and alignments are right from then on. */
export function setTarget(module: ModuleBuilder, options: TargetOptions = {}): void {
  module.alive();
  guarded('setTarget', () => module.addon.tfc.setTarget(module[raw], addonTarget(module.addon, options)));
}

/** Verifies the module and runs the pass pipeline on it, in place; returns milliseconds. */
export function optimize(module: ModuleBuilder, options: TargetOptions = {}): number {
  module.alive();
  return guarded('optimize', () =>
    module.addon.tfc.optimize(module[raw], addonTarget(module.addon, options), passesOf(options), options.autovectorize ?? true),
  );
}

/**
 * Verifies, optimizes and compiles a copy of the module into assembly text; for an NVPTX triple this is PTX.
 * Errors: InternalError with LLVM's text when the module is broken or the target is unknown.
 */
export function emitAssembly(module: ModuleBuilder, options: TargetOptions = {}): Timings & { readonly assembly: string } {
  module.alive();
  return guarded('emit assembly', () =>
    module.addon.tfc.emitAssembly(module[raw], addonTarget(module.addon, options), passesOf(options), options.autovectorize ?? true),
  );
}

/** PTX for the NVIDIA architecture `cpu` (`sm_90`) and PTX version `features` (`+ptx83`). */
export function emitPtx(
  module: ModuleBuilder,
  options: Omit<TargetOptions, 'triple'> & { readonly cpu: string },
): Timings & { readonly ptx: string } {
  const { assembly, ...timings } = emitAssembly(module, { ...options, triple: 'nvptx64-nvidia-cuda' });
  return { ptx: assembly, ...timings };
}

/** A description with what it leaves out. */
export function addonTarget(addon: Addon, options: TargetOptions): RawTarget {
  const host = addon.tfc.host();
  const native = options.triple === undefined || options.triple === host.triple;
  const optLevel = options.optLevel ?? 3;
  if (![0, 1, 2, 3].includes(optLevel)) fault(`no optimization level ${String(optLevel)}`);
  const cpu = options.cpu ?? (native ? host.cpu : '');
  // The host's features describe the host's CPU only: with another CPU they would claim instructions it lacks.
  const features = options.features ?? (native && options.cpu === undefined ? host.features : '');
  return { triple: options.triple ?? host.triple, cpu, features, optLevel, loopPasses: options.loopPasses ?? true };
}

export function passesOf(options: TargetOptions): string {
  return options.passes ?? `default<O${options.optLevel ?? 3}>`;
}
