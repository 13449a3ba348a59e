// One entry on a device: the launches of its kernels, as code of the processor. In: a program, its launches. Out: the functions of a
// tfc_entry whose memory lies on the device (runtime/abi/tfc.h).
// Holds: kernels are launched in order, all of them: those behind a check look themselves whether it holds.

import { bytesOf, elementCount } from '../../../src/base/index.js';
import type { Program } from '../../../src/kernel/index.js';
import type { CpuTarget, DeviceProgram, Launch } from '../../../src/target/index.js';
import { type ArenaLayout, layArena } from '../../analysis/arena.js';
import { memoryOf } from '../../analysis/plan.js';
import type { Builder, FunctionHandle, LlvmType, LlvmValue, ModuleBuilder } from '../builder/index.js';
import { callField, CallFrame, callType, DimFrame } from './call-frame.js';
import { commonAttributes } from './kernel.js';

export interface DeviceEntryFunctions {
  readonly run: FunctionHandle;
  readonly arenaBytes: FunctionHandle;
  /** The output that says whether checks hold; -1: there are none. */
  readonly checked: number;
  readonly ioBytes: FunctionHandle;
}

/** `name`: begins those of its functions, and is no other entry's. */
export function emitDeviceEntry(
  module: ModuleBuilder,
  { program, launches }: DeviceProgram,
  name: string,
  target: CpuTarget,
): DeviceEntryFunctions {
  const entry = new DeviceEntry(module, program, `${name}.${program.entry}`, target);
  return {
    run: entry.run(launches),
    arenaBytes: entry.arenaBytes(),
    checked: program.check?.output ?? -1,
    ioBytes: entry.ioBytes(),
  };
}

class DeviceEntry {
  readonly #module: ModuleBuilder;
  readonly #program: Program;
  readonly #name: string;
  readonly #target: CpuTarget;
  readonly #arena: ArenaLayout;

  constructor(module: ModuleBuilder, program: Program, name: string, target: CpuTarget) {
    this.#module = module;
    this.#program = program;
    this.#name = name;
    this.#target = target;
    this.#arena = layArena(program.arena);
  }

  /** int32_t run(const tfc_call *) */
  run(launches: readonly Launch[]): FunctionHandle {
    const { types } = this.#module;
    const { kernels, check, arena } = this.#program;
    const { fn, build } = this.#function('run', types.i32, [types.ptr]);
    const frame = new CallFrame(this.#module, this.#program, this.#arena, this.#target, fn, build);
    const device = frame.device();
    const most = Math.max(0, ...kernels.map(({ buffers }) => buffers.length)) + frame.dims.length + 1;
    const room = build.alloca(types.i64, { count: most });
    const table = build.alloca(types.ptr, { count: most });
    for (let argument = 0; argument < most; argument++)
      build.store(build.gep(types.i64, room, [argument]), build.gep(types.ptr, table, [argument]));
    const outputs = build.load(types.ptr, build.structGep(callType(this.#module), fn.param(0), callField.output));
    const status = check === undefined ? [] : [build.load(types.ptr, build.gep(types.ptr, outputs, [check.output]))];
    const calls = kernels.map(({ buffers }, position) => {
      const launch = launches[position] as Launch;
      const memory = buffers.map((buffer) => memoryOf(buffer, arena));
      return {
        launch,
        args: [...frame.argumentsOf({ memory }), ...(launch.guarded ? status : [])],
        blocks: launch.blocks === undefined ? undefined : frame.blocks(launch),
      };
    });
    for (const { launch, args, blocks } of calls) {
      args.forEach((value, argument) => build.store(value, build.gep(types.i64, room, [argument])));
      this.#launch(build, device, [this.#module.i32(launch.fn), blocks ?? this.#module.i64(1), table]);
    }
    build.ret(this.#module.i32(0));
    return fn;
  }

  /** The first member of tfc_device. */
  #launch(build: Builder, device: LlvmValue, args: readonly LlvmValue[]): void {
    const { types } = this.#module;
    const type = types.function(types.void, [types.ptr, ...args.map((one) => one.type)]);
    build.callIndirect(type, build.load(types.ptr, device), [device, ...args]);
  }

  /** int64_t arena_bytes(const int64_t *dims): -1 when a size of the entry cannot be counted. */
  arenaBytes(): FunctionHandle {
    const { types } = this.#module;
    const { fn, build } = this.#function('arena', types.i64, [types.ptr]);
    new DimFrame(this.#module, this.#program, this.#arena, this.#target, build, () => fn.param(0)).returnArenaBytes();
    return fn;
  }

  /** void io_bytes(const int64_t *dims, int64_t *feeds, int64_t *outputs) */
  ioBytes(): FunctionHandle {
    const { types } = this.#module;
    const { fn, build } = this.#function('io', types.void, [types.ptr, types.ptr, types.ptr]);
    const frame = new DimFrame(this.#module, this.#program, this.#arena, this.#target, build, () => fn.param(0));
    for (const { role, shape, dtype } of this.#program.buffers) {
      if (role.kind !== 'feed' && role.kind !== 'output') continue;
      const bytes = frame.math.mul(frame.sizes.of(elementCount(shape)), bytesOf(dtype));
      build.store(frame.math.value(bytes), build.gep(types.i64, fn.param(role.kind === 'feed' ? 1 : 2), [role.index]));
    }
    build.retVoid();
    return fn;
  }

  #function(what: string, result: LlvmType, params: readonly LlvmType[]): { readonly fn: FunctionHandle; readonly build: Builder } {
    const module = this.#module;
    const attributes = commonAttributes(this.#target);
    const fn = module.function({
      name: `${what}.${this.#name}`,
      type: module.types.function(result, params),
      linkage: 'internal',
      attributes,
    });
    return { fn, build: module.builder(fn.block('entry')) };
  }
}
