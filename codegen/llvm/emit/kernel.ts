// One kernel as one LLVM function. In: the kernel, its program's sizes and arena. Out: a function of (memory…, sizes…[, begin, end]).
// Holds: pointer parameters do not overlap; a kernel that is one parallel loop runs the iterations [begin, end) of it.

import { InternalError } from '../../../src/base/index.js';
import {
  type Buffer,
  emittedStatements,
  type Expr,
  iterationsOf,
  type Kernel,
  type KernelCode,
  LinearForms,
  parallelLoop,
  type Program,
} from '../../../src/kernel/index.js';
import { largeKernel, mostMerged, smallKernel, nontemporalBytes, type CpuTarget } from '../../../src/target/index.js';
import { AccumulatorFile } from './accumulators.js';
import { Expressions } from './expressions.js';
import { Flow } from './control-flow.js';
import type { Attribute, FunctionHandle, FunctionSpec, LlvmType, LlvmValue, ModuleBuilder } from '../builder/index.js';
import { MachineOps } from './machine.js';
import { Memory } from './memory.js';
import { alignOf, type KernelPlan, memoryOf, type MemoryPlace } from '../../analysis/plan.js';
import { emptyScope, withIndex } from './scope.js';
import { ScalarMath, Sizes } from './sizes.js';
import { Statements } from './statements.js';
import { findNontemporal } from '../../analysis/nontemporal.js';
import type { KernelFunctions } from './deduplicate.js';
import { levelOf } from '../target.js';

export interface KernelFunction {
  readonly kernel: Kernel;
  readonly fn: FunctionHandle;
  /** What its parameters stand for, in their order. */
  readonly memory: readonly Touched[];
  /** Iterations of the parallel loop that the kernel consists of. */
  readonly blocks: Expr | undefined;
}

/** Memory that a kernel touches. */
export interface Touched extends MemoryPlace {
  readonly written: boolean;
}

/** `name`: of the function, if it has to be made: an earlier kernel may have the same code. */
export function emitKernel(
  module: ModuleBuilder,
  { dims, arena }: Program,
  kernel: Kernel,
  name: string,
  target: CpuTarget,
  functions: KernelFunctions,
): KernelFunction {
  const { code, buffers } = kernel;
  const plan = functions.planOf(code);
  const statements = emittedStatements(code.body);
  const fn = functions.of(code, dims, statements, () => {
    const attributes = [...commonAttributes(target), ...inlining(statements, functions.callsOf(code))];
    const { parts } = functions;
    if (parts === undefined || statements <= largeKernel)
      return emitFunction(module, dims, code, plan, { name, linkage: 'internal', attributes }, target);
    const spec = { name, visibility: 'hidden', attributes } as const;
    parts.place(statements, (part) => emitFunction(part, dims, code, plan, spec, target));
    return module.declare(name, signatureOf(module, dims, code), spec);
  });
  const memory = code.params.map((param, at) => ({ ...memoryOf(buffers[at] as Buffer, arena), written: plan.written.has(param.name) }));
  const blocks = parallelLoop(code);
  return { kernel, fn, memory, blocks: blocks === undefined ? undefined : iterationsOf(blocks) };
}

function emitFunction(
  module: ModuleBuilder,
  dims: readonly string[],
  code: KernelCode,
  plan: KernelPlan,
  spec: Omit<FunctionSpec, 'type' | 'params'>,
  target: CpuTarget,
): FunctionHandle {
  const { types } = module;
  const cpu = levelOf(target);
  const loop = parallelLoop(code);
  const params = [
    ...code.params.map((param) => ({ name: param.name, attributes: pointerAttributes(param, plan.written) })),
    ...dims.map((dim) => ({ name: dim, attributes: [] })),
    ...(loop === undefined
      ? []
      : [
          { name: 'begin', attributes: [] },
          { name: 'end', attributes: [] },
        ]),
  ];
  const fn = module.function({
    ...spec,
    type: signatureOf(module, dims, code),
    params,
  });
  const entry = module.builder(fn.block('entry'));
  const body = fn.block('body');
  const build = module.builder(body);
  const pointers = new Map(code.params.map(({ name }, at) => [name, fn.param(at)]));
  const pointerOf = ({ name }: Buffer): LlvmValue => {
    const pointer = pointers.get(name);
    if (pointer === undefined) throw new InternalError('codegen', `a kernel has no memory for ${name}`);
    return pointer;
  };
  const sizes = new Sizes(module, entry, new Map(dims.map((dim, at) => [dim, fn.param(code.params.length + at)])));
  const math = new ScalarMath(module, build);
  const expressions = new Expressions(
    new MachineOps(module, build, cpu),
    new MachineOps(module, entry, cpu),
    new LinearForms(plan.definitions, { joins: true }),
    sizes,
    math,
  );
  const memory = new Memory(expressions, pointerOf, ({ name }) => plan.written.has(name));
  const accumulators = new AccumulatorFile(expressions, plan);
  expressions.connect(memory, accumulators);
  const flow = new Flow(expressions, accumulators, plan);
  const statements = new Statements(expressions, memory, accumulators, flow, plan, cpu);
  const emit = (): void => {
    if (loop === undefined) return statements.emit(code.body, emptyScope());
    const [begin, end] = [fn.param(params.length - 2), fn.param(params.length - 1)];
    flow.count(begin, end, 1, loop.index, [], (index) => statements.emit(loop.body, withIndex(emptyScope(), loop.index, index)));
  };
  const { storeFence } = cpu;
  const streaming = storeFence === undefined ? undefined : findNontemporal(plan);
  if (storeFence !== undefined && streaming !== undefined) {
    const starts = streaming.buffers.map((buffer) => build.ptrtoint(pointerOf(buffer), types.i64));
    const rest = build.and(
      starts.reduce((all, start) => build.or(all, start)),
      module.i64(streaming.align - 1),
    );
    const large = build.icmp('sge', math.value(sizes.of(streaming.bytes)), module.i64(nontemporalBytes(target)));
    const [past, usual] = [build.newBlock('past'), build.newBlock('usual')];
    build.condBr(build.and(large, build.icmp('eq', rest, module.i64(0))), past, usual);
    build.at(past);
    memory.pastCaches = true;
    emit();
    memory.pastCaches = false;
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
function signatureOf({ types }: ModuleBuilder, dims: readonly string[], code: KernelCode): LlvmType {
  const numbers = dims.length + (parallelLoop(code) === undefined ? 0 : 2);
  return types.function(types.void, [...code.params.map(() => types.ptr), ...Array<LlvmType>(numbers).fill(types.i64)]);
}

/** What every function of an artifact has. */
export const commonAttributes = (target: CpuTarget): readonly Attribute[] => [
  'nounwind',
  ['prefer-vector-width', `${target.vectorBytes * 8}`],
];

const pointerAttributes = (param: Buffer, written: ReadonlySet<string>): readonly Attribute[] => [
  'noalias',
  'nocapture',
  ['align', alignOf(param)],
  ...(written.has(param.name) ? [] : (['readonly'] as const)),
];

const inlining = (statements: number, calls: number): readonly Attribute[] => {
  if (calls > mostMerged || statements > largeKernel) return ['noinline'];
  return statements <= smallKernel ? ['alwaysinline'] : [];
};
