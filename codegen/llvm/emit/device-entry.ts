// One entry on a device: the launches of its kernels, as code of the processor. In: a program, its launches. Out: the functions of a
// tfc_entry whose memory lies on the device (runtime/abi/tfc.h).
// Holds: kernels are launched in order; behind the one that decides whether checks hold the device is asked, and nothing more is launched
// where one does not.

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
  /** How often `run` asks the device. */
  readonly asks: number;
  readonly ioBytes: FunctionHandle;
}

/** Positions in tfc_device. */
const deviceField = { launch: 0, look: 1 } as const;

export function emitDeviceEntry(
  module: ModuleBuilder,
  { program, launches }: DeviceProgram,
  at: number,
  target: CpuTarget,
): DeviceEntryFunctions {
  const entry = new DeviceEntry(module, program, `device.${at}.${program.entry}`, target);
  return {
    run: entry.run(launches),
    arenaBytes: entry.arenaBytes(),
    asks: program.check === undefined ? 0 : 1,
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
    const most = Math.max(0, ...kernels.map(({ buffers }) => buffers.length)) + frame.dims.length;
    const room = build.alloca(types.i64, { count: Math.max(1, most) });
    const table = build.alloca(types.ptr, { count: Math.max(1, most) });
    for (let argument = 0; argument < most; argument++)
      build.store(build.gep(types.i64, room, [argument]), build.gep(types.ptr, table, [argument]));
    const calls = kernels.map(({ buffers }, position) => {
      const launch = launches[position] as Launch;
      const memory = buffers.map((buffer) => memoryOf(buffer, arena));
      return { launch, args: frame.argumentsOf({ memory }), blocks: launch.blocks === undefined ? undefined : frame.blocks(launch) };
    });
    for (const [position, { launch, args, blocks }] of calls.entries()) {
      args.forEach((value, argument) => build.store(value, build.gep(types.i64, room, [argument])));
      this.#ask(build, device, deviceField.launch, types.void, [this.#module.i32(launch.fn), blocks ?? this.#module.i64(1), table]);
      if (position === check?.behind) this.#endUnlessHolds(build, fn.param(0), device, check.output);
    }
    build.ret(this.#module.i32(0));
    return fn;
  }

  /** Calls a function of the device. */
  #ask(build: Builder, device: LlvmValue, field: number, result: LlvmType, args: readonly LlvmValue[]): LlvmValue {
    const { types } = this.#module;
    const callee = build.load(types.ptr, build.gep(types.ptr, device, [field]));
    return build.callIndirect(types.function(result, [types.ptr, ...args.map((one) => one.type)]), callee, [device, ...args]);
  }

  #endUnlessHolds(build: Builder, call: LlvmValue, device: LlvmValue, output: number): void {
    const { types } = this.#module;
    const outputs = build.load(types.ptr, build.structGep(callType(this.#module), call, callField.output));
    const place = build.load(types.ptr, build.gep(types.ptr, outputs, [output]));
    const status = this.#ask(build, device, deviceField.look, types.i32, [place]);
    const [fails, holds] = [build.newBlock('fails'), build.newBlock('holds')];
    build.condBr(build.icmp('eq', status, this.#module.i32(0)), holds, fails);
    build.at(fails);
    build.ret(status);
    build.at(holds);
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
