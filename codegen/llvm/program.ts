// One entry: its kernels behind the C interface. In: a program. Out: the functions of a tfc_entry: everything on one thread; the same in
// phases that are cut into shares; and the sizes of both.
// Holds: both ways give the same bits, because a kernel's blocks do not depend on who runs them.

import type { KernelCode, Program } from '../../src/loop/index.js';
import { cutThreshold, type Target, workPerShare } from '../../src/target/index.js';
import { type ArenaLayout, layArena } from './arena.js';
import { CallFrame, DimFrame } from './call-frame.js';
import { uncountable } from './countable.js';
import { workOf } from './cost.js';
import { commonAttributes, emitKernel, type KernelFunction } from './kernel.js';
import type { Builder, FunctionHandle, LlvmType, LlvmValue, ModuleBuilder } from './llvm/index.js';
import { type Phase, phasesOf } from './phases.js';
import type { KernelFunctions } from './same-kernel.js';
import type { Scalar } from './scope.js';

export interface EntryFunctions {
  readonly name: string;
  readonly run: FunctionHandle;
  readonly arenaBytes: FunctionHandle;
  /** Undefined when no kernel is worth several threads, whatever the sizes. */
  readonly shared: { readonly shares: FunctionHandle; readonly phases: readonly FunctionHandle[] } | undefined;
}

export function emitProgram(
  module: ModuleBuilder,
  program: Program,
  at: number,
  target: Target,
  functions: KernelFunctions,
): EntryFunctions {
  const name = `${at}.${program.entry}`;
  const kernels = program.kernels.map((kernel, position) =>
    emitKernel(module, program, kernel, `kernel.${name}.${position}.${kernel.name}`, target, functions),
  );
  const entry = new Entry(module, program, name, target);
  const cut = new Set(kernels.filter(mayPay));
  if (cut.size === 0) return { name: program.entry, run: entry.run(kernels), arenaBytes: entry.arenaBytes(), shared: undefined };
  const phases = phasesOf(
    kernels,
    (kernel) => cut.has(kernel),
    ({ kernel }) => workOf(kernel).constant ?? 0,
  ).map((phase, position) => entry.phase(phase, position));
  return {
    name: program.entry,
    run: entry.runPhases(phases),
    arenaBytes: entry.arenaBytes(),
    shared: { shares: entry.shares([...cut]), phases },
  };
}

const mayPay = (kernel: KernelFunction): boolean => {
  const work = workOf(kernel.kernel).constant;
  return kernel.blocks !== undefined && (work === undefined || work > cutThreshold);
};

/** Kernels of one code do the same work in as many blocks. */
function alike(kernels: readonly KernelFunction[]): Iterable<{ readonly kernel: KernelFunction; times: number }> {
  const found = new Map<KernelCode, { readonly kernel: KernelFunction; times: number }>();
  for (const kernel of kernels) {
    const known = found.get(kernel.kernel.code);
    if (known === undefined) found.set(kernel.kernel.code, { kernel, times: 1 });
    else known.times++;
  }
  return found.values();
}

class Entry {
  private readonly module: ModuleBuilder;
  private readonly program: Program;
  private readonly name: string;
  private readonly target: Target;
  private readonly arena: ArenaLayout;

  constructor(module: ModuleBuilder, program: Program, name: string, target: Target) {
    this.module = module;
    this.program = program;
    this.name = name;
    this.target = target;
    this.arena = layArena(program.arena);
  }

  /** int32_t run(const tfc_call *) */
  run(kernels: readonly KernelFunction[]): FunctionHandle {
    const { module } = this;
    const { types } = module;
    const { fn, build } = this.function('run', types.i32, [types.ptr]);
    const frame = new CallFrame(module, this.program, this.arena, this.target, fn, build);
    const calls = kernels.map((kernel) => ({
      kernel,
      args: frame.argumentsOf(kernel),
      blocks: kernel.blocks === undefined ? undefined : frame.blocks(kernel),
    }));
    for (const { kernel, args, blocks } of calls) build.call(kernel.fn, blocks === undefined ? args : [...args, module.i64(0), blocks]);
    build.ret(module.i32(0));
    return fn;
  }

  /** The same as one share of every phase. */
  runPhases(phases: readonly FunctionHandle[]): FunctionHandle {
    const { module } = this;
    const { types } = module;
    const { fn, build } = this.function('run', types.i32, [types.ptr]);
    for (const phase of phases) build.call(phase, [fn.param(0), module.i64(0), module.i64(1)]);
    build.ret(module.i32(0));
    return fn;
  }

  /** void phase(const tfc_call *, int64_t share, int64_t shares) */
  phase(phase: Phase<KernelFunction>, at: number): FunctionHandle {
    const { module } = this;
    const { types } = module;
    const { fn, build } = this.function(`phase.${at}`, types.void, [types.ptr, types.i64, types.i64]);
    const frame = new CallFrame(module, this.program, this.arena, this.target, fn, build);
    const [share, shares] = [fn.param(1).named('share'), fn.param(2).named('shares')];
    const calls = phase.map(({ kernel, lane }) => {
      const args = frame.argumentsOf(kernel);
      if (kernel.blocks === undefined) return { kernel, args, lane };
      const count = frame.blocks(kernel);
      return {
        kernel,
        lane,
        args: lane === undefined ? [...args, ...this.range(frame, kernel, count, share, shares)] : [...args, module.i64(0), count],
      };
    });
    for (const { kernel, args, lane } of calls) {
      if (lane === undefined) build.call(kernel.fn, args);
      else this.onlyIn(build, lane, share, shares, () => build.call(kernel.fn, args));
    }
    build.retVoid();
    return fn;
  }

  /** The blocks of one share: a contiguous range; all of them in the first share when there is too little work to cut. */
  private range(frame: DimFrame, kernel: KernelFunction, count: LlvmValue, share: LlvmValue, shares: LlvmValue): readonly LlvmValue[] {
    const { module } = this;
    const { build } = frame;
    const next = build.add(share, module.i64(1), { nsw: true });
    const bounds = [share, next].map((part) => build.udiv(build.mul(count, part, { nsw: true }), shares));
    const work = frame.sizes.of(workOf(kernel.kernel));
    if (typeof work === 'number') return bounds;
    const whole = build.icmp('sle', work, module.i64(cutThreshold));
    const first = build.icmp('eq', share, module.i64(0));
    const [begin, end] = bounds as [LlvmValue, LlvmValue];
    return [build.select(whole, module.i64(0), begin), build.select(whole, build.select(first, count, module.i64(0)), end)];
  }

  /** Lanes are dealt from the first share upwards: it is the last that gets more blocks of what is cut. */
  private onlyIn(build: Builder, lane: number, share: LlvmValue, shares: LlvmValue, body: () => void): void {
    const { module } = this;
    const [mine, after] = [build.newBlock(`lane.${lane}`), build.newBlock('after')];
    build.condBr(build.icmp('eq', lane === 0 ? module.i64(0) : build.urem(module.i64(lane), shares), share), mine, after);
    build.at(mine);
    body();
    build.br(after);
    build.at(after);
  }

  /** int64_t shares(const int64_t *dims): of kernels that have work enough and can be cut at these sizes. */
  shares(kernels: readonly KernelFunction[]): FunctionHandle {
    const { module } = this;
    const { types } = module;
    const { fn, build } = this.function('shares', types.i64, [types.ptr]);
    const frame = new DimFrame(module, this.program, this.arena, this.target, build, () => fn.param(0));
    let sum: Scalar = 0;
    for (const { kernel, times } of alike(kernels)) {
      const work = frame.math.value(frame.sizes.of(workOf(kernel.kernel)));
      const pays = build.and(build.icmp('sgt', frame.blocks(kernel), module.i64(1)), build.icmp('sgt', work, module.i64(cutThreshold)));
      sum = frame.math.add(sum, frame.math.mul(build.select(pays, work, module.i64(0)), times));
    }
    build.ret(build.add(build.udiv(frame.math.value(sum), module.i64(workPerShare)), module.i64(1)));
    return fn;
  }

  /** int64_t arena_bytes(const int64_t *dims): -1 when a size of the entry cannot be counted. */
  arenaBytes(): FunctionHandle {
    const { types } = this.module;
    const { fn, build } = this.function('arena', types.i64, [types.ptr]);
    const frame = new DimFrame(this.module, this.program, this.arena, this.target, build, () => fn.param(0));
    const tooLarge = uncountable(this.module, build, this.program, frame.dims);
    if (tooLarge === true) build.ret(this.module.i64(-1));
    else {
      const bytes = frame.math.value(frame.arenaBytes());
      build.ret(tooLarge === false ? bytes : build.select(tooLarge, this.module.i64(-1), bytes));
    }
    return fn;
  }

  private function(what: string, result: LlvmType, params: readonly LlvmType[]): { readonly fn: FunctionHandle; readonly build: Builder } {
    const { module } = this;
    const fn = module.function({
      name: `${what}.${this.name}`,
      type: module.types.function(result, params),
      linkage: 'internal',
      attributes: commonAttributes(this.target),
    });
    return { fn, build: module.builder(fn.block('entry')) };
  }
}
