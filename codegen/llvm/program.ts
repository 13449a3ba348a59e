// One entry: its kernels in order, behind the C interface. In: a program. Out: two functions, `run(const tfc_call *)` and `arena_bytes(const int64_t *)`.
// Holds: the fields and their order are those of runtime/abi/tfc.h; without a pool, or below the threshold, a kernel runs on the calling thread.

import { InternalError } from '../../src/base/index.js';
import type { Program, Target } from '../../src/loop/index.js';
import { parallelThreshold, workOf } from './cost.js';
import { argumentsOf, commonAttributes, emitKernel, type KernelFunction } from './kernel.js';
import type { Builder, FunctionHandle, LlvmType, LlvmValue, ModuleBuilder } from './llvm/index.js';
import type { MemoryObject } from './plan.js';
import { type Scalar, emptyScope } from './scope.js';
import { ScalarMath, Sizes } from './sizes.js';
import { Expressions } from './expressions.js';
import { LinearForms } from './linear.js';
import { MachineOps } from './machine.js';
import type { KernelFunctions } from './same-kernel.js';
import { levelOf } from './target.js';

export interface EntryFunctions {
  readonly name: string;
  readonly run: FunctionHandle;
  readonly arenaBytes: FunctionHandle;
}

/** Positions in tfc_call. */
const field = { feed: 0, output: 1, variable: 2, dims: 3, arena: 4, pool: 5 } as const;

export function emitProgram(module: ModuleBuilder, program: Program, at: number, target: Target, functions: KernelFunctions): EntryFunctions {
  const name = `${at}.${program.entry}`;
  const kernels = program.kernels.map((kernel, position) => emitKernel(module, program, kernel, `kernel.${name}.${position}.${kernel.name}`, target, functions));
  return { name: program.entry, run: new RunFunction(module, program, name, target, functions).emit(kernels), arenaBytes: emitArenaBytes(module, program, name, target) };
}

function loadDims(module: ModuleBuilder, build: Builder, program: Program, from: LlvmValue): readonly LlvmValue[] {
  const { i64 } = module.types;
  return program.dims.map((dim, at) => build.load(i64, build.gep(i64, from, [at])).named(dim));
}

/** Offsets of the arena's slots, and its size behind the last one. */
function arenaOffsets(module: ModuleBuilder, build: Builder, sizes: Sizes, program: Program): readonly Scalar[] {
  const math = new ScalarMath(module, build);
  const offsets: Scalar[] = [0];
  for (const slot of program.arena.slots) {
    let largest: Scalar = 0;
    for (const bytes of slot.bytes) {
      const size = sizes.of(bytes);
      if (typeof size === 'number' && typeof largest === 'number') largest = Math.max(size, largest);
      else largest = build.intBinary('smax', math.value(largest), math.value(size));
    }
    const rounded = typeof largest === 'number' ? Math.ceil(largest / 64) * 64 : build.and(build.add(largest, module.i64(63)), module.i64(-64));
    offsets.push(math.add(offsets.at(-1) ?? 0, rounded));
  }
  return offsets;
}

function emitArenaBytes(module: ModuleBuilder, program: Program, name: string, target: Target): FunctionHandle {
  const { types } = module;
  const fn = module.function({ name: `arena.${name}`, type: types.function(types.i64, [types.ptr]), linkage: 'internal', attributes: commonAttributes(target) });
  const build = module.builder(fn.block('entry'));
  const dims = loadDims(module, build, program, fn.param(0));
  const sizes = new Sizes(module, build, new Map(program.dims.map((dim, at) => [dim, dims[at] as LlvmValue])));
  const offsets = arenaOffsets(module, build, sizes, program);
  build.ret(new ScalarMath(module, build).value(offsets.at(-1) ?? 0));
  return fn;
}

class RunFunction {
  private readonly callType: LlvmType;
  private readonly fn: FunctionHandle;
  private readonly build: Builder;
  private readonly math: ScalarMath;
  private readonly tables = new Map<string, LlvmValue>();
  private readonly pointers = new Map<string, LlvmValue>();

  private readonly module: ModuleBuilder;
  private readonly program: Program;
  private readonly name: string;
  private readonly target: Target;
  private readonly functions: KernelFunctions;

  constructor(module: ModuleBuilder, program: Program, name: string, target: Target, functions: KernelFunctions) {
    this.module = module;
    this.program = program;
    this.name = name;
    this.target = target;
    this.functions = functions;
    const { types } = module;
    this.callType = types.struct(Array.from({ length: 6 }, () => types.ptr));
    this.fn = module.function({ name: `run.${name}`, type: types.function(types.i32, [types.ptr]), linkage: 'internal', attributes: commonAttributes(target) });
    this.build = module.builder(this.fn.block('entry'));
    this.math = new ScalarMath(module, this.build);
  }

  emit(kernels: readonly KernelFunction[]): FunctionHandle {
    const { module, build, program } = this;
    const dims = program.dims.length === 0 ? [] : loadDims(module, build, program, this.table('dims'));
    const sizes = new Sizes(module, build, new Map(program.dims.map((dim, at) => [dim, dims[at] as LlvmValue])));
    const offsets = arenaOffsets(module, build, sizes, program);
    // All pointers are loaded before the first kernel runs, so that no store can be taken to change them.
    for (const kernel of kernels) for (const memory of kernel.memory) this.pointer(memory, offsets);
    const parallel = kernels.map((kernel) => (kernel.blocks === undefined ? undefined : { kernel, work: sizes.of(workOf(kernel.kernel)) }));
    const pool = parallel.some((entry) => entry !== undefined && this.mayPay(entry.work)) ? this.table('pool') : undefined;
    // The same for the sizes of work and loops: they are computed in the entry block.
    const blocks = kernels.map((kernel) => (kernel.blocks === undefined ? undefined : this.blocks(kernel, sizes)));
    kernels.forEach((kernel, at) => {
      const args = argumentsOf(kernel, (memory) => this.pointer(memory, offsets), dims);
      const count = blocks[at];
      const work = parallel[at]?.work;
      if (count === undefined || work === undefined) build.call(kernel.fn, args);
      else this.dispatch(kernel, args, count, work, pool);
    });
    build.ret(module.i32(0));
    return this.fn;
  }

  private mayPay(work: Scalar): boolean {
    return typeof work !== 'number' || work > parallelThreshold;
  }

  private blocks(kernel: KernelFunction, sizes: Sizes): LlvmValue {
    if (kernel.blocks === undefined) throw new InternalError('codegen', 'no parallel loop');
    const ops = new MachineOps(this.module, this.build, levelOf(this.target));
    const expressions = new Expressions(ops, new LinearForms(new Map()), sizes, this.math);
    return this.math.value(expressions.scalar(kernel.blocks, emptyScope()));
  }

  private dispatch(kernel: KernelFunction, args: readonly LlvmValue[], count: LlvmValue, work: Scalar, pool: LlvmValue | undefined): void {
    const { module, build } = this;
    const { types } = module;
    const direct = (): void => {
      build.call(kernel.fn, [...args, module.i64(0), count]);
    };
    if (pool === undefined || !this.mayPay(work)) {
      direct();
      return;
    }
    const [many, few, end] = [build.newBlock('many'), build.newBlock('few'), build.newBlock('end')];
    const several = build.and(build.icmp('ne', pool, module.zero(types.ptr)), build.icmp('sgt', count, module.i64(1)));
    build.condBr(typeof work === 'number' ? several : build.and(several, build.icmp('sgt', work, module.i64(parallelThreshold))), many, few);
    build.at(many);
    const context = build.alloca(types.struct(args.map((arg) => arg.type)), { align: 8 });
    const contextType = types.struct(args.map((arg) => arg.type));
    args.forEach((arg, at) => build.store(arg, build.structGep(contextType, context, at)));
    const poolType = types.struct([types.ptr, types.ptr]);
    const self = build.load(types.ptr, build.structGep(poolType, pool, 0));
    const run = build.load(types.ptr, build.structGep(poolType, pool, 1));
    const task = this.trampoline(kernel, contextType);
    build.callIndirect(types.function(types.void, [types.ptr, types.ptr, types.ptr, types.i64]), run, [self, task, context, count]);
    build.br(end);
    build.at(few);
    direct();
    build.br(end);
    build.at(end);
  }

  private trampoline(kernel: KernelFunction, contextType: LlvmType): FunctionHandle {
    const { tasks } = this.functions;
    let task = tasks.get(kernel.fn);
    if (task === undefined) tasks.set(kernel.fn, (task = this.makeTrampoline(kernel, contextType)));
    return task;
  }

  /** void task(void *context, int64_t begin, int64_t end): takes the kernel's arguments out of the context. */
  private makeTrampoline(kernel: KernelFunction, contextType: LlvmType): FunctionHandle {
    const { module } = this;
    const { types } = module;
    const fn = module.function({
      name: `task.${kernel.fn.name}`,
      type: types.function(types.void, [types.ptr, types.i64, types.i64]),
      linkage: 'internal',
      attributes: commonAttributes(this.target),
    });
    const build = module.builder(fn.block('entry'));
    const shape = contextType.shape;
    const fields = shape.kind === 'struct' ? shape.fields : [];
    const args = fields.map((type, at) => build.load(type, build.structGep(contextType, fn.param(0), at)));
    build.call(kernel.fn, [...args, fn.param(1), fn.param(2)]);
    build.retVoid();
    return fn;
  }

  private table(name: keyof typeof field): LlvmValue {
    let value = this.tables.get(name);
    if (value === undefined) {
      const { ptr } = this.module.types;
      value = this.build.load(ptr, this.build.structGep(this.callType, this.fn.param(0), field[name])).named(name);
      this.tables.set(name, value);
    }
    return value;
  }

  private pointer(memory: MemoryObject, offsets: readonly Scalar[]): LlvmValue {
    let value = this.pointers.get(memory.key);
    if (value === undefined) {
      const { types } = this.module;
      const { kind, index } = memory.place;
      if (kind === 'slot') {
        const offset = offsets[index];
        if (offset === undefined || index >= this.program.arena.slots.length) throw new InternalError('codegen', `the arena of ${this.name} has no slot ${index}`);
        value = this.build.gep(types.i8, this.table('arena'), [this.math.value(offset)]);
      } else value = this.build.load(types.ptr, this.build.gep(types.ptr, this.table(kind), [index]));
      this.pointers.set(memory.key, value.named(memory.key));
    }
    return value;
  }
}
