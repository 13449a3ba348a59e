// The one door to the native addon. In: nothing. Out: llvm-bindings' classes and our extension beside them, typed.
// Holds: nothing but this folder imports it; it is loaded on first use, in the main thread only, because LLVM's wrappers
// keep one table of classes per process.

import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type llvm from 'llvm-bindings';
import { addonFile, platform } from '../../../runtime/addon-file.js';
import { DiagnosticsError, InternalError } from '../../../src/base/index.js';
import { fault } from './fault.js';

export type RawContext = llvm.LLVMContext;
export type RawModule = llvm.Module;
export type RawType = llvm.Type;
export type RawValue = llvm.Value;
export type RawFunction = llvm.Function;

/** A module's tape: opaque, freed with the object. */
export interface RawTape {
  readonly rawTape: never;
}

/** A linker that waits for what it shall link; ended with the object. */
export interface RawLinker {
  readonly rawLinker: never;
}

export interface RawTarget {
  readonly triple: string;
  readonly cpu: string;
  readonly features: string;
  readonly optLevel: number;
  readonly loopPasses: boolean;
}

/** Parts that are being compiled; ended with the object. */
export interface RawEmission {
  readonly rawEmission: never;
}

export interface RawAssembly {
  readonly assembly: string;
  readonly verifyMs: number;
  readonly optimizeMs: number;
  readonly codegenMs: number;
}

export interface RawParts {
  readonly objects: readonly Buffer[];
  readonly optimizeMs: number;
  readonly codegenMs: number;
}

/** What llvm-bindings lacks; see `../native`. Every function checks the class of its arguments and throws a TypeError. */
export interface Extension {
  vectorType(element: RawType, count: number): RawType;
  pointerType(context: RawContext, space: number): RawType;
  structType(context: RawContext, fields: readonly RawType[], packed: boolean): RawType;
  constData(element: RawType, bytes: Uint8Array): RawValue;
  global(
    module: RawModule,
    type: RawType,
    constant: boolean,
    linkage: number,
    initializer: RawValue | null,
    name: string,
    space: number,
    align: number,
    section: string,
  ): RawValue;

  createTape(module: RawModule): RawTape;
  tapeOperations(): readonly string[];
  playTape(tape: RawTape, words: Int32Array, count: number, strings: readonly string[]): number;
  tapeType(tape: RawTape, type: RawType): number;
  tapeValue(tape: RawTape, value: RawValue): number;
  tapeObject(tape: RawTape, value: number): RawValue;
  tapeIntrinsic(tape: RawTape, name: string, signature: RawType): { readonly callee: number; readonly constants: readonly number[] };

  functionAttribute(fn: RawFunction, name: string, value?: number | string): void;
  parameterAttribute(fn: RawFunction, index: number, name: string, value?: number | string): void;
  memoryEffects(fn: RawFunction, effect: string): void;
  createFunction(module: RawModule, type: RawType, linkage: number, name: string, convention: string): RawFunction;
  conventionId(name: string): number;
  setVisibility(global: RawValue, visibility: string): void;
  setUnnamedAddress(global: RawValue): void;
  functionAnnotation(module: RawModule, fn: RawFunction, key: string, value: number): void;

  verify(module: RawModule): string;
  setTarget(module: RawModule, target: RawTarget): void;
  optimize(module: RawModule, target: RawTarget, passes: string, autovectorize: boolean): number;
  emitAssembly(module: RawModule, target: RawTarget, passes: string, autovectorize: boolean): RawAssembly;
  startEmission(): RawEmission;
  addPart(emission: RawEmission, context: RawContext, module: RawModule, target: RawTarget, passes: string, autovectorize: boolean): void;
  finishEmission(emission: RawEmission): RawParts;
  abandonEmission(emission: RawEmission): void;
  host(): { readonly llvm: string; readonly triple: string; readonly cpu: string; readonly features: string };
  startLinker(command: string, args: readonly string[]): RawLinker;
  finishLinker(linker: RawLinker, input: Buffer): { readonly status: number; readonly output: Buffer; readonly said: string };
  abandonLinker(linker: RawLinker): void;
  featuresOf(target: RawTarget): readonly string[];
  dispose(context: RawContext, module: RawModule): void;
}

export type Addon = typeof llvm & { readonly tfc: Extension };

/** A machine without LLVM's library or its linker: what is packed for it, or comes with the system, was not installed. */
export const withoutLlvm = (message: string): DiagnosticsError =>
  new DiagnosticsError([
    {
      code: 'toolchain-missing',
      message,
      hint: `Install @tdsl/llvm-${platform}, or LLVM 19 of the system: apt-get install libllvm19 lld-19.`,
    },
  ]);

/** Loads the addon, or says what is missing. Node keeps a loaded addon, so later calls cost a map look-up. */
export function loadAddon(): Addon {
  if (!isMainThread) fault('LLVM must be used from the main thread of a process');
  const path = addonFile('llvm') ?? fault('the LLVM addon is not there; run `npm run setup` first');
  try {
    const addon = createRequire(import.meta.url)(path) as Addon;
    if (addon.tfc.emitAssembly === undefined) fault(`the LLVM addon is older than its sources (${path}); run \`npm run setup\` again`);
    return addon;
  } catch (error) {
    if (error instanceof InternalError) throw error;
    if (error instanceof Error && error.message.includes('libLLVM')) throw withoutLlvm(error.message);
    return fault(`the LLVM addon does not load (${error instanceof Error ? error.message : String(error)}); run \`npm run setup\` again`);
  }
}
