// One kernel as one LLVM function. In: the kernel, its program's sizes and arena. Out: a function of (memory…, sizes…[, begin, end]).
// Holds: pointer parameters do not overlap; a kernel that is one parallel loop runs the iterations [begin, end) of it.

import { InternalError } from '../../src/base/index.js';
import type { Expr, For, Kernel, Program } from '../../src/loop/index.js';
import { largeKernel, smallKernel, streamedBytes, type Target } from '../../src/target/index.js';
import { AccumulatorFile } from './accumulators.js';
import { emittedStatements } from './emitted.js';
import { Expressions } from './expressions.js';
import { Flow } from './flow.js';
import { LinearForms } from './linear.js';
import type { Attribute, FunctionHandle, FunctionSpec, LlvmType, LlvmValue, ModuleBuilder } from './llvm/index.js';
import { MachineOps } from './machine.js';
import { Memory } from './memory.js';
import { type KernelPlan, memoryKey, planKernel, type MemoryObject } from './plan.js';
import { emptyScope, withIndex } from './scope.js';
import { ScalarMath, Sizes } from './sizes.js';
import { Statements } from './statements.js';
import { findStreaming } from './streaming.js';
import type { KernelFunctions } from './same-kernel.js';
import { levelOf } from './target.js';

export interface KernelFunction {
  readonly kernel: Kernel;
  readonly fn: FunctionHandle;
  readonly memory: readonly MemoryObject[];
  /** Iterations of the parallel loop that the kernel consists of. */
  readonly blocks: Expr | undefined;
}

/** `name`: of the function, if it has to be made: an earlier kernel may have the same code. */
export function emitKernel(
  module: ModuleBuilder,
  program: Program,
  kernel: Kernel,
  name: string,
  target: Target,
  functions: KernelFunctions,
): KernelFunction {
  const plan = planKernel(kernel, program.arena, target.vectorBytes);
  const statements = emittedStatements(kernel.body, plan.lanes);
  const fn = functions.of(kernel, plan, program, statements, () => {
    const attributes = [...commonAttributes(target), ...inlining(statements)];
    const { parts } = functions;
    if (parts === undefined || statements <= largeKernel)
      return emitFunction(module, program, kernel, plan, { name, linkage: 'internal', attributes }, target);
    const spec = { name, visibility: 'hidden', attributes } as const;
    parts.place(statements, (part) => emitFunction(part, program, kernel, plan, spec, target));
    return module.declare(name, signatureOf(module, program, kernel, plan), spec);
  });
  return { kernel, fn, memory: plan.memory, blocks: parallelLoop(kernel)?.extent };
}

function emitFunction(
  module: ModuleBuilder,
  program: Program,
  kernel: Kernel,
  plan: KernelPlan,
  spec: Omit<FunctionSpec, 'type' | 'params'>,
  target: Target,
): FunctionHandle {
  const { types } = module;
  const cpu = levelOf(target);
  const loop = parallelLoop(kernel);
  const params = [
    ...plan.memory.map((memory) => ({ name: memory.key, attributes: pointerAttributes(memory) })),
    ...program.dims.map((dim) => ({ name: dim, attributes: [] })),
    ...(loop === undefined
      ? []
      : [
          { name: 'begin', attributes: [] },
          { name: 'end', attributes: [] },
        ]),
  ];
  const fn = module.function({
    ...spec,
    type: signatureOf(module, program, kernel, plan),
    params,
  });
  const entry = module.builder(fn.block('entry'));
  const body = fn.block('body');
  const build = module.builder(body);
  const pointers = new Map(plan.memory.map((memory, at) => [memory.key, fn.param(at)]));
  const sizes = new Sizes(module, entry, new Map(program.dims.map((dim, at) => [dim, fn.param(plan.memory.length + at)])));
  const math = new ScalarMath(module, build);
  const expressions = new Expressions(
    new MachineOps(module, build, cpu),
    new MachineOps(module, entry, cpu),
    new LinearForms(plan.definitions),
    sizes,
    math,
  );
  const written = new Set(plan.memory.flatMap((one) => (one.written ? [one.key] : [])));
  const memory = new Memory(
    expressions,
    (buffer) => {
      const pointer = pointers.get(memoryKey(buffer, program.arena).key);
      if (pointer === undefined) throw new InternalError('codegen', `the kernel ${kernel.name} has no memory for ${buffer.name}`);
      return pointer;
    },
    (buffer) => written.has(memoryKey(buffer, program.arena).key),
  );
  const accumulators = new AccumulatorFile(expressions, plan);
  expressions.connect(memory, accumulators);
  const flow = new Flow(expressions, accumulators, plan);
  const statements = new Statements(expressions, memory, accumulators, flow, plan, cpu);
  const emit = (): void => {
    if (loop === undefined) return statements.emit(kernel.body, emptyScope());
    const [begin, end] = [fn.param(params.length - 2), fn.param(params.length - 1)];
    flow.count(begin, end, 1, loop.index, [], (index) => statements.emit(loop.body, withIndex(emptyScope(), loop.index, index)));
  };
  const { storeFence } = cpu;
  const streaming =
    storeFence === undefined ? undefined : findStreaming(kernel, plan, target, (buffer) => memoryKey(buffer, program.arena).key);
  if (storeFence !== undefined && streaming !== undefined) {
    const starts = streaming.buffers.map((buffer) =>
      build.ptrtoint(pointers.get(memoryKey(buffer, program.arena).key) as LlvmValue, types.i64),
    );
    const rest = build.and(
      starts.reduce((all, start) => build.or(all, start)),
      module.i64(streaming.align - 1),
    );
    const large = build.icmp('sge', math.value(sizes.of(streaming.bytes)), module.i64(streamedBytes(target)));
    const [past, usual] = [build.newBlock('past'), build.newBlock('usual')];
    build.condBr(build.and(large, build.icmp('eq', rest, module.i64(0))), past, usual);
    build.at(past);
    memory.streaming = streaming;
    emit();
    memory.streaming = undefined;
    // Such stores keep no order with others: whoever reads the results next must see them.
    build.intrinsic(storeFence, types.void, []);
    build.retVoid();
    build.at(usual);
  }
  emit();
  build.retVoid();
  entry.br(body);
  return fn;
}

/** Memory, sizes, and the blocks to run where they can be divided. */
function signatureOf({ types }: ModuleBuilder, program: Program, kernel: Kernel, plan: KernelPlan): LlvmType {
  const numbers = program.dims.length + (parallelLoop(kernel) === undefined ? 0 : 2);
  return types.function(types.void, [...plan.memory.map(() => types.ptr), ...Array<LlvmType>(numbers).fill(types.i64)]);
}

/** What every function of an artifact has. */
export const commonAttributes = (target: Target): readonly Attribute[] => [
  'nounwind',
  ['prefer-vector-width', `${target.vectorBytes * 8}`],
];

function parallelLoop(kernel: Kernel): For | undefined {
  const only = kernel.body.length === 1 ? kernel.body[0] : undefined;
  return only !== undefined && only.kind === 'for' && only.axis === 'parallel' ? only : undefined;
}

const pointerAttributes = (memory: MemoryObject): readonly Attribute[] => [
  'noalias',
  'nocapture',
  ['align', memory.align],
  ...(memory.written ? [] : ['readonly']),
];

const inlining = (statements: number): readonly Attribute[] =>
  statements <= smallKernel ? ['alwaysinline'] : statements > largeKernel ? ['noinline'] : [];
