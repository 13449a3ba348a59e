// The one door to the native addon. In: nothing. Out: llvm-bindings' classes and our extension beside them, typed.
// Holds: nothing but this folder imports it; it is loaded on first use, in the main thread only, because LLVM's wrappers
// keep one table of classes per process.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import type llvm from 'llvm-bindings';
import { fault } from './fault.js';

export type RawContext = llvm.LLVMContext;
export type RawModule = llvm.Module;
export type RawBuilder = llvm.IRBuilder;
export type RawType = llvm.Type;
export type RawValue = llvm.Value;
export type RawBlock = llvm.BasicBlock;
export type RawFunction = llvm.Function;

/** Metadata as the addon hands it out: opaque, owned by its context. */
export interface RawMetadata {
  readonly rawMetadata: never;
}

export interface RawTarget {
  readonly triple: string;
  readonly cpu: string;
  readonly features: string;
  readonly optLevel: number;
  readonly loopPasses: boolean;
}

export interface RawEmission {
  readonly bytes: Buffer;
  readonly verifyMs: number;
  readonly optimizeMs: number;
  readonly codegenMs: number;
}

/** What llvm-bindings lacks; see `../native`. Every function checks the class of its arguments and throws a TypeError. */
export interface Extension {
  vectorType(element: RawType, count: number): RawType;
  pointerType(context: RawContext, space: number): RawType;
  structType(context: RawContext, fields: readonly RawType[], packed: boolean): RawType;
  constInt(type: RawType, value: bigint): RawValue;
  constFloat(type: RawType, valueOrBits: number | bigint): RawValue;
  constVector(values: readonly RawValue[]): RawValue;
  constArray(type: RawType, values: readonly RawValue[]): RawValue;
  constStruct(type: RawType, values: readonly RawValue[]): RawValue;
  constData(element: RawType, bytes: Uint8Array): RawValue;
  constNull(type: RawType): RawValue;
  constOnes(type: RawType): RawValue;
  undef(type: RawType): RawValue;
  poison(type: RawType): RawValue;
  constGep(type: RawType, base: RawValue, indices: readonly RawValue[]): RawValue;
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
  inlineAsm(type: RawType, text: string, constraints: string, sideEffects: boolean, alignStack: boolean): RawValue;

  setFastMath(builder: RawBuilder, bits: number): void;
  setWrap(value: RawValue, nuw: boolean, nsw: boolean): void;
  setName(value: RawValue, name: string): void;
  phi(block: RawBlock, type: RawType): llvm.PHINode;
  splat(builder: RawBuilder, count: number, value: RawValue): RawValue;
  insertElement(builder: RawBuilder, vector: RawValue, value: RawValue, index: RawValue): RawValue;
  extractElement(builder: RawBuilder, vector: RawValue, index: RawValue): RawValue;
  shuffle(builder: RawBuilder, left: RawValue, right: RawValue, mask: readonly number[]): RawValue;
  freeze(builder: RawBuilder, value: RawValue): RawValue;
  fcmp(builder: RawBuilder, predicate: string, left: RawValue, right: RawValue): RawValue;
  intrinsic(builder: RawBuilder, module: RawModule, name: string, result: RawType, args: readonly RawValue[]): RawValue;
  call(builder: RawBuilder, type: RawType, callee: RawValue, args: readonly RawValue[], convention: number): RawValue;

  load(builder: RawBuilder, type: RawType, pointer: RawValue, align: number, volatile: boolean): RawValue;
  store(builder: RawBuilder, value: RawValue, pointer: RawValue, align: number, volatile: boolean): RawValue;
  mark(instruction: RawValue, name: string): void;
  maskedLoad(builder: RawBuilder, type: RawType, pointer: RawValue, align: number, mask: RawValue, passThrough: RawValue): RawValue;
  maskedStore(builder: RawBuilder, value: RawValue, pointer: RawValue, align: number, mask: RawValue): RawValue;
  gather(builder: RawBuilder, type: RawType, pointers: RawValue, align: number, mask: RawValue, passThrough: RawValue): RawValue;
  scatter(builder: RawBuilder, value: RawValue, pointers: RawValue, align: number, mask: RawValue): RawValue;
  slot(fn: RawFunction, type: RawType, count: number, align: number): RawValue;
  structGep(builder: RawBuilder, type: RawType, pointer: RawValue, index: number): RawValue;
  atomicLoad(builder: RawBuilder, type: RawType, pointer: RawValue, align: number, ordering: string): RawValue;
  atomicStore(builder: RawBuilder, value: RawValue, pointer: RawValue, align: number, ordering: string): RawValue;
  atomicRmw(builder: RawBuilder, op: string, pointer: RawValue, value: RawValue, ordering: string): RawValue;
  compareExchange(builder: RawBuilder, pointer: RawValue, expected: RawValue, desired: RawValue, onSuccess: string, onFailure: string): RawValue;
  fence(builder: RawBuilder, ordering: string): RawValue;
  aliasDomain(context: RawContext, name: string): RawMetadata;
  aliasScope(context: RawContext, domain: RawMetadata, name: string): RawMetadata;
  setAlias(instruction: RawValue, scopes: readonly RawMetadata[], noalias: readonly RawMetadata[]): void;

  functionAttribute(fn: RawFunction, name: string, value?: number | string): void;
  parameterAttribute(fn: RawFunction, index: number, name: string, value?: number | string): void;
  memoryEffects(fn: RawFunction, effect: string): void;
  createFunction(module: RawModule, type: RawType, linkage: number, name: string, convention: string): RawFunction;
  conventionId(name: string): number;
  setVisibility(global: RawValue, visibility: string): void;
  setUnnamedAddress(global: RawValue): void;
  loopMetadata(branch: RawValue, hints: readonly (readonly [string, number | boolean | null])[]): void;
  branchWeights(branch: RawValue, weights: readonly number[]): void;
  functionAnnotation(module: RawModule, fn: RawFunction, key: string, value: number): void;

  verify(module: RawModule): string;
  setTarget(module: RawModule, target: RawTarget): void;
  optimize(module: RawModule, target: RawTarget, passes: string, autovectorize: boolean): number;
  emit(module: RawModule, target: RawTarget, passes: string, autovectorize: boolean, kind: 'object' | 'assembly'): RawEmission;
  typeSize(module: RawModule, type: RawType): number;
  host(): { readonly llvm: string; readonly triple: string; readonly cpu: string; readonly features: string };
  dispose(context: RawContext, module: RawModule, builders: readonly RawBuilder[]): void;
}

export type Addon = typeof llvm & { readonly tfc: Extension };

/** Where the set-up leaves the addon: `build/llvm.node` beside the package's own package.json. */
export function addonPath(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const up = dirname(folder);
    if (up === folder) fault('no package.json above this file');
    folder = up;
  }
  return join(folder, 'build', 'llvm.node');
}

/** Loads the addon, or says what is missing. Node keeps a loaded addon, so later calls cost a map look-up. */
export function loadAddon(): Addon {
  if (!isMainThread) fault('LLVM must be used from the main thread of a process');
  const path = addonPath();
  if (!existsSync(path)) fault(`the LLVM addon is not built (${path}); run \`npm run setup\` first`);
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    return fault(`the LLVM addon does not load (${error instanceof Error ? error.message : String(error)}); run \`npm run setup\` again`);
  }
}
