// From programs to machine code. In: the programs of a module's entries, the manifest, a target. Out: object code, text, or a shared
// library.
// Holds: the same input gives the same bytes; the library exports tfc_module_table and nothing else.

import { abiVersion } from '../../runtime/abi/manifest.js';
import { pack } from '../../runtime/abi/packed.js';
import { InternalError } from '../../src/base/index.js';
import type { BackendInput, CpuTarget, DeviceCode } from '../../src/target/index.js';
import {
  emitAssembly,
  Emission,
  Link,
  ModuleBuilder,
  optimize,
  setTarget,
  type LlvmConstant,
  type TargetOptions,
} from './builder/index.js';
import { CodegenUnits } from './emit/codegen-units.js';
import { emitDeviceEntry } from './emit/device-entry.js';
import { emitProgram, type EntryFunctions } from './emit/program.js';
import { KernelFunctions } from './emit/deduplicate.js';

/** Milliseconds. */
export interface CompileTimings {
  readonly buildMs: number;
  readonly optimizeMs: number;
  readonly codegenMs: number;
  readonly linkMs: number;
}

export type EmissionKind = 'objects' | 'llvm' | 'llvm-optimized' | 'asm';

export type CompileOutput =
  | { readonly kind: 'objects'; readonly objects: readonly Buffer[]; readonly timings: CompileTimings }
  | { readonly kind: 'text'; readonly text: string; readonly timings: CompileTimings };

/**
 * Clean-up for code that already has its vectors, its unrolling and its registers: merge equal addresses and loads, move what loops do not
 * change out of them. LLVM's vectorizers, its unroller and the heavier redundancy passes find nothing more to do here and would take most
 * of the time.
 */
const inlining = 'always-inline,cgscc(inline),globaldce';
const cleaning = 'function(early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,loop-mssa(licm),early-cse<memssa>,simplifycfg)';

/**
 * The code generator's strength reduction would take two fifths of its time: addresses come with their strides taken apart, and what is
 * left of them fits the processor's addressing. Its own motion of invariants takes constants and splats out of loops that need the
 * registers themselves, and then moves whole register files around to make room; left where they are, most of them are operands in memory.
 * Small steps of the bench are faster without both, large ones as fast within what repeats.
 */
const loopPasses = false;

export interface CompileInput extends BackendInput<CpuTarget> {
  /** Object code (default), LLVM assembly before or after the passes, or machine assembly. */
  readonly emit?: EmissionKind | undefined;
  /** Cleans nothing up, and generates code the fast way: for whoever checks what many programs compute. */
  readonly quick?: boolean;
}

/** Compiles the programs. */
export function compilePrograms(input: CompileInput): CompileOutput {
  const { target, emit = 'objects', quick = false } = input;
  const options: TargetOptions = {
    triple: target.triple,
    cpu: target.cpu,
    features: target.features,
    optLevel: quick ? 0 : 3,
    passes: quick ? '' : `${inlining},${cleaning}`,
    autovectorize: false,
    loopPasses,
  };
  return emit === 'objects' ? objectsOf(input, options) : textOf(input, options, emit);
}

/** Functions that stay by themselves are cleaned and compiled by other threads while the next ones are emitted. */
function objectsOf(input: BackendInput<CpuTarget>, options: TargetOptions): CompileOutput {
  const start = performance.now();
  using emission = new Emission();
  using parts = new CodegenUnits(emission, { ...options, passes: options.passes === '' ? '' : cleaning });
  using main = buildModule(input, options, parts);
  parts.finish();
  emission.add(main, options);
  const buildMs = performance.now() - start;
  const { objects, optimizeMs, codegenMs } = emission.finish();
  // The threads' time is told as their work is shared out.
  const waitedMs = performance.now() - start - buildMs;
  const optimizing = (waitedMs * optimizeMs) / (optimizeMs + codegenMs);
  return { kind: 'objects', objects, timings: { buildMs, optimizeMs: optimizing, codegenMs: waitedMs - optimizing, linkMs: 0 } };
}

function textOf(input: BackendInput<CpuTarget>, options: TargetOptions, emit: Exclude<EmissionKind, 'objects'>): CompileOutput {
  const start = performance.now();
  using module = buildModule(input, options, undefined);
  const buildMs = performance.now() - start;
  switch (emit) {
    case 'llvm': {
      const complaint = module.verify();
      if (complaint !== undefined) throw new InternalError('codegen', complaint);
      return { kind: 'text', text: module.print(), timings: { buildMs, optimizeMs: 0, codegenMs: 0, linkMs: 0 } };
    }
    case 'llvm-optimized': {
      const optimizeMs = optimize(module, options);
      return { kind: 'text', text: module.print(), timings: { buildMs, optimizeMs, codegenMs: 0, linkMs: 0 } };
    }
    case 'asm': {
      const { assembly, optimizeMs, codegenMs } = emitAssembly(module, options);
      return { kind: 'text', text: assembly, timings: { buildMs, optimizeMs, codegenMs, linkMs: 0 } };
    }
  }
}

/** The shared library. Errors: InternalError with the linker's text. */
export function buildArtifact(input: Omit<CompileInput, 'emit'>): { readonly library: Buffer; readonly timings: CompileTimings } {
  // The linker loads itself in the meantime.
  using linking = new Link();
  const output = compilePrograms(input);
  if (output.kind !== 'objects') throw new InternalError('codegen', 'object code was expected');
  const start = performance.now();
  const library = linking.finish(output.objects);
  return { library, timings: { ...output.timings, linkMs: performance.now() - start } };
}

function buildModule(
  { programs, manifest, target, devices = [] }: BackendInput<CpuTarget>,
  options: TargetOptions,
  parts: CodegenUnits | undefined,
): ModuleBuilder {
  const module = new ModuleBuilder('tfc');
  try {
    setTarget(module, options);
    const functions = new KernelFunctions(programs, parts);
    const entries = programs.map((program, at) => emitProgram(module, program, at, target, functions));
    const { types } = module;
    const none = module.zero(types.ptr);
    const names = entries.map((entry, at) => module.string(`name.${at}`, entry.name));
    const table = entryTable(
      module,
      'entries',
      entries.map((entry, at) => [
        names[at] as LlvmConstant,
        entry.arenaBytes,
        entry.run,
        ...sharedFields(module, entry.shared),
        entry.status ?? none,
        module.i64(0),
        none,
      ]),
    );
    const packed = pack(manifest);
    const moduleType = types.struct([types.i32, types.i32, types.ptr, types.ptr, types.i64, types.ptr, types.i32]);
    const description = module.structOf(moduleType, [
      module.i32(abiVersion),
      module.i32(entries.length),
      table,
      module.global({
        name: 'manifest',
        type: types.array(types.i8, packed.length),
        initializer: module.dense(types.i8, packed),
        constant: true,
        align: 1,
      }),
      module.i64(packed.length),
      devices.length === 0 ? none : deviceTable(module, devices, target, names),
      module.i32(devices.length),
    ]);
    const root = module.global({ name: 'module', type: moduleType, initializer: description, constant: true, align: 8 });
    const exported = module.function({ name: 'tfc_module_table', type: types.function(types.ptr, []), attributes: ['nounwind'] });
    module.builder(exported.block('entry')).ret(root);
    // The functions above were made after the first call: this one gives all of them their processor.
    setTarget(module, options);
    return module;
  } catch (error) {
    module.dispose();
    throw error;
  }
}

/** A table of tfc_entry. */
function entryTable(module: ModuleBuilder, name: string, rows: readonly (readonly LlvmConstant[])[]): LlvmConstant {
  const { types } = module;
  const type = types.struct([types.ptr, types.ptr, types.ptr, types.ptr, types.ptr, types.i64, types.ptr, types.i64, types.ptr]);
  const made = rows.map((row) => module.structOf(type, row));
  return module.global({
    name,
    type: types.array(type, made.length),
    initializer: module.arrayOf(type, made),
    constant: true,
    align: 8,
  });
}

/** A table of tfc_device_code. */
function deviceTable(
  module: ModuleBuilder,
  devices: readonly DeviceCode[],
  target: CpuTarget,
  names: readonly LlvmConstant[],
): LlvmConstant {
  const { ptr, i32 } = module.types;
  const type = module.types.struct([ptr, i32, i32, i32, i32, i32, ptr, ptr, ptr]);
  const made = devices.map((device, at) => module.structOf(type, deviceFields(module, device, `device.${at}`, target, names)));
  return module.global({
    name: 'devices',
    type: module.types.array(type, made.length),
    initializer: module.arrayOf(type, made),
    constant: true,
    align: 8,
  });
}

function deviceFields(
  module: ModuleBuilder,
  device: DeviceCode,
  name: string,
  target: CpuTarget,
  names: readonly LlvmConstant[],
): readonly LlvmConstant[] {
  const { types } = module;
  const none = module.zero(types.ptr);
  const rows = device.programs.map((program, at) => {
    const { arenaBytes, run, checked, ioBytes } = emitDeviceEntry(module, program, `${name}.${at}`, target);
    return [names[at] as LlvmConstant, arenaBytes, run, none, none, module.i64(0), none, module.i64(checked), ioBytes];
  });
  const functions = device.functions.map((fn) => module.string(`${name}.${fn.name}`, fn.name));
  const shared = device.functions.map(({ shared: bytes }) => module.i32(bytes));
  const asked = module.global({
    name: `${name}.shared`,
    type: types.array(types.i32, shared.length),
    initializer: module.arrayOf(types.i32, shared),
    constant: true,
    align: 4,
  });
  const list = module.global({
    name: `${name}.functions`,
    type: types.array(types.ptr, functions.length),
    initializer: module.arrayOf(types.ptr, functions),
    constant: true,
    align: 8,
  });
  const { capability, later, driver } = device.runsOn;
  return [
    module.string(`${name}.text`, device.text),
    module.i32(capability),
    module.i32(later ? 1 : 0),
    module.i32(driver),
    module.i32(device.threads),
    module.i32(functions.length),
    list,
    asked,
    entryTable(module, `${name}.entries`, rows),
  ];
}

/** The fields `shares`, `phases` and `phase_count` of a tfc_entry. */
function sharedFields(module: ModuleBuilder, shared: EntryFunctions['shared']): readonly LlvmConstant[] {
  const { ptr } = module.types;
  if (shared === undefined) return [module.zero(ptr), module.zero(ptr), module.i64(0)];
  return [shared.shares, shared.phase, module.i64(shared.count)];
}
