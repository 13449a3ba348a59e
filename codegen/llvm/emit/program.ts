// One entry: its kernels behind the C interface. In: a program. Out: the functions of a tfc_entry: everything on one thread; the same in
// phases that are cut into shares; and the sizes of both.
// Holds: both ways give the same bits, because a kernel's blocks do not depend on who runs them.

import type { KernelCode, Program } from '../../../src/kernel/index.js';
import { cutThreshold, mostWrittenOut, type CpuTarget, workPerShare } from '../../../src/target/index.js';
import { type ArenaLayout, layArena } from '../../analysis/arena.js';
import { callField, CallFrame, callType, DimFrame } from './call-frame.js';
import { workOf } from '../../analysis/work.js';
import { commonAttributes, emitKernel, type KernelFunction } from './kernel.js';
import { KernelTable } from './kernel-table.js';
import type { Builder, FunctionHandle, LlvmType, LlvmValue, ModuleBuilder } from '../builder/index.js';
import { type Phase, phasesOf } from '../../analysis/phases.js';
import type { KernelFunctions } from './deduplicate.js';
import { onlyIn, rangeOf } from './shares.js';
import type { Scalar } from './scope.js';

export interface EntryFunctions {
  readonly name: string;
  readonly run: FunctionHandle;
  readonly arenaBytes: FunctionHandle;
  /** Undefined when no kernel is worth several threads, whatever the sizes. */
  readonly shared: { readonly shares: FunctionHandle; readonly phase: FunctionHandle; readonly count: number } | undefined;
  /** What checks say; undefined when there are none. */
  readonly status: FunctionHandle | undefined;
}

export function emitProgram(
  module: ModuleBuilder,
  program: Program,
  at: number,
  target: CpuTarget,
  functions: KernelFunctions,
): EntryFunctions {
  const name = `${at}.${program.entry}`;
  const kernels = program.kernels.map((kernel, position) =>
    emitKernel(module, program, kernel, `kernel.${name}.${position}.${kernel.name}`, target, functions),
  );
  const entry = new Entry(module, program, name, target);
  const cut = new Set(kernels.filter(mayPay));
  const { check } = program;
  const status = check === undefined ? undefined : entry.status(check.output);
  if (cut.size === 0 && kernels.length <= mostWrittenOut)
    return { name: program.entry, run: entry.run(kernels), arenaBytes: entry.arenaBytes(), shared: undefined, status };
  const { phases, decided } = phasesOf(
    kernels,
    (kernel) => cut.has(kernel),
    ({ kernel }) => workOf(kernel).constant ?? 0,
    check === undefined ? undefined : { behind: check.behind, waits: changesVariable },
  );
  const ways = kernels.length <= mostWrittenOut ? entry.written(phases, decided) : entry.tabled(phases, decided);
  const shared = cut.size === 0 ? undefined : { shares: entry.shares([...cut]), phase: ways.phase(), count: phases.length };
  return { name: program.entry, run: ways.run, arenaBytes: entry.arenaBytes(), shared, status };
}

const changesVariable = ({ memory }: KernelFunction): boolean => memory.some(({ kind, written }) => kind === 'variable' && written);

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
  private readonly target: CpuTarget;
  private readonly arena: ArenaLayout;

  constructor(module: ModuleBuilder, program: Program, name: string, target: CpuTarget) {
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
    for (const [at, { kernel, args, blocks }] of calls.entries()) {
      build.call(kernel.fn, blocks === undefined ? args : [...args, module.i64(0), blocks]);
      if (at === this.program.check?.behind) this.endUnlessHolds(build, fn.param(0));
    }
    build.ret(module.i32(0));
    return fn;
  }

  /** Every call of a kernel in the code. */
  written(phases: readonly Phase<KernelFunction>[], decided: number | undefined): Ways {
    const functions = phases.map((phase, position) => this.phase(phase, position));
    return { run: this.runPhases(functions, decided), phase: () => this.anyOf(functions, decided) };
  }

  /** Calls as rows of a table. */
  tabled(phases: readonly Phase<KernelFunction>[], decided: number | undefined): Ways {
    const { module } = this;
    const { types } = module;
    const table = new KernelTable(module, this.program, this.arena, this.name, this.target, phases);
    const run = this.function('run', types.i32, [types.ptr]);
    const [call, last] = [run.fn.param(0), phases.length];
    table.emitAll(run.build, call, 0, decided === undefined ? last : decided + 1);
    if (decided !== undefined) {
      this.endUnlessHolds(run.build, call);
      table.emitAll(run.build, call, decided + 1, last);
    }
    run.build.ret(module.i32(0));
    const phase = (): FunctionHandle => {
      const { fn, build } = this.function('phase', types.void, [types.ptr, types.i64, types.i64, types.i64]);
      this.leaveUnlessHolds(build, fn.param(0), fn.param(1), decided);
      table.emitPhase(build, fn.param(0), fn.param(1), fn.param(2), fn.param(3));
      build.retVoid();
      return fn;
    };
    return { run: run.fn, phase };
  }

  /** void phase(const tfc_call *, int64_t phase, int64_t share, int64_t shares) */
  private anyOf(phases: readonly FunctionHandle[], decided: number | undefined): FunctionHandle {
    const { types } = this.module;
    const { fn, build } = this.function('phase', types.void, [types.ptr, types.i64, types.i64, types.i64]);
    this.leaveUnlessHolds(build, fn.param(0), fn.param(1), decided);
    const done = build.newBlock('done');
    const cases = phases.map((_, at) => [at, build.newBlock(`phase.${at}`)] as const);
    build.switch(fn.param(1), done, cases);
    for (const [at, block] of cases) {
      build.at(block);
      build.call(phases[at] as FunctionHandle, [fn.param(0), fn.param(2), fn.param(3)]);
      build.br(done);
    }
    build.at(done);
    build.retVoid();
    return fn;
  }

  /** The same as one share of every phase. */
  private runPhases(phases: readonly FunctionHandle[], decided: number | undefined): FunctionHandle {
    const { module } = this;
    const { types } = module;
    const { fn, build } = this.function('run', types.i32, [types.ptr]);
    for (const [at, phase] of phases.entries()) {
      build.call(phase, [fn.param(0), module.i64(0), module.i64(1)]);
      if (at === decided) this.endUnlessHolds(build, fn.param(0));
    }
    build.ret(module.i32(0));
    return fn;
  }

  /** void phase(const tfc_call *, int64_t share, int64_t shares) */
  private phase(phase: Phase<KernelFunction>, at: number): FunctionHandle {
    const { module } = this;
    const { types } = module;
    const { fn, build } = this.function(`phase.${at}`, types.void, [types.ptr, types.i64, types.i64]);
    const frame = new CallFrame(module, this.program, this.arena, this.target, fn, build);
    const [share, shares] = [fn.param(1).named('share'), fn.param(2).named('shares')];
    const calls = phase.map(({ kernel, strand }) => {
      const args = frame.argumentsOf(kernel);
      if (kernel.blocks === undefined) return { kernel, args, strand };
      const count = frame.blocks(kernel);
      return {
        kernel,
        strand,
        args: strand === undefined ? [...args, ...rangeOf(frame, kernel, count, share, shares)] : [...args, module.i64(0), count],
      };
    });
    for (const { kernel, args, strand } of calls) {
      if (strand === undefined) build.call(kernel.fn, args);
      else onlyIn(build, strand, share, shares, () => build.call(kernel.fn, args));
    }
    build.retVoid();
    return fn;
  }

  /** int32_t status(const tfc_call *): what the output of that number says. */
  status(output: number): FunctionHandle {
    const { types } = this.module;
    const { fn, build } = this.function('status', types.i32, [types.ptr]);
    build.ret(this.loadStatus(build, fn.param(0), output));
    return fn;
  }

  private loadStatus(build: Builder, call: LlvmValue, output: number): LlvmValue {
    const { i32, ptr } = this.module.types;
    const outputs = build.load(ptr, build.structGep(callType(this.module), call, callField.output));
    return build.load(i32, build.load(ptr, build.gep(ptr, outputs, [output])));
  }

  /** Returns what checks say where they do not hold; what follows is for where they do. */
  private endUnlessHolds(build: Builder, call: LlvmValue): void {
    const { check } = this.program;
    if (check === undefined) return;
    const [fails, holds] = [build.newBlock('fails'), build.newBlock('holds')];
    const status = this.loadStatus(build, call, check.output);
    build.condBr(build.icmp('eq', status, this.module.i32(0)), holds, fails);
    build.at(fails);
    build.ret(status);
    build.at(holds);
  }

  /** The same for a phase behind the one that decides: every share of it finds the same. */
  private leaveUnlessHolds(build: Builder, call: LlvmValue, phase: LlvmValue, decided: number | undefined): void {
    const { check } = this.program;
    if (check === undefined || decided === undefined) return;
    const [known, fails, holds] = [build.newBlock('known'), build.newBlock('fails'), build.newBlock('holds')];
    build.condBr(build.icmp('sgt', phase, this.module.i64(decided)), known, holds);
    build.at(known);
    build.condBr(build.icmp('eq', this.loadStatus(build, call, check.output), this.module.i32(0)), holds, fails);
    build.at(fails);
    build.retVoid();
    build.at(holds);
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
    new DimFrame(this.module, this.program, this.arena, this.target, build, () => fn.param(0)).returnArenaBytes();
    return fn;
  }

  private function(what: string, result: LlvmType, params: readonly LlvmType[]): { readonly fn: FunctionHandle; readonly build: Builder } {
    const { module } = this;
    const type = module.types.function(result, params);
    const fn = module.function({ name: `${what}.${this.name}`, type, linkage: 'internal', attributes: commonAttributes(this.target) });
    return { fn, build: module.builder(fn.block('entry')) };
  }
}

/** How an entry is run: on the calling thread, and in phases. */
interface Ways {
  readonly run: FunctionHandle;
  readonly phase: () => FunctionHandle;
}
