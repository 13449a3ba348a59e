// One kernel as one PTX function. In: the kernel's code, the sizes of its program, a target. Out: a function of (memory…, sizes…), where it
// is guarded followed by (status), and the shared memory that it is launched with.
// Holds: memory parameters do not overlap; a kernel that is one parallel loop runs one iteration of it in each block, any other runs in a
// single block; one that is guarded does nothing where the i32 at its status is not 0.

import { InternalError } from '../../src/base/index.js';
import { type Buffer, type KernelCode, LinearForms, parallelLoop } from '../../src/kernel/index.js';
import type { CudaTarget, DeviceFunction } from '../../src/target/index.js';
import { planKernel } from '../analysis/plan.js';
import type { LlvmValue, ModuleBuilder } from '../llvm/builder/index.js';
import { Flow } from '../llvm/emit/control-flow.js';
import { Expressions } from '../llvm/emit/expressions.js';
import { MachineOps } from '../llvm/emit/machine.js';
import { Memory } from '../llvm/emit/memory.js';
import { emptyScope, withIndex } from '../llvm/emit/scope.js';
import { ScalarMath, Sizes } from '../llvm/emit/sizes.js';
import { nvptx } from '../llvm/isa/nvptx.js';
import { ThreadAccumulators } from './accumulators.js';
import { Block, Warp } from './block.js';
import { SharedMemory } from './shared.js';
import { layoutShared } from './shared-layout.js';
import { ThreadStatements } from './statements.js';

/** Of memory on the device, and what all of it that a kernel is given starts on. */
const [global, alignment] = [1, 64];

/** `dims`: the sizes that the program is called with; `guarded`: whether checks of the program are decided before it runs. */
export function emitKernel(
  module: ModuleBuilder,
  name: string,
  code: KernelCode,
  dims: readonly string[],
  guarded: boolean,
  { threads, sharedBytes, groups }: CudaTarget,
): DeviceFunction {
  const { types } = module;
  const plan = planKernel(code);
  const fn = module.function({
    name,
    type: types.function(types.void, [
      ...code.params.map(() => types.pointer(global)),
      ...dims.map(() => types.i64),
      ...(guarded ? [types.pointer(global)] : []),
    ]),
    convention: 'ptx-kernel',
    attributes: ['nounwind'],
    params: [
      ...code.params.map((param) => ({
        attributes: ['noalias', ['align', alignment] as const, ...(plan.written.has(param.name) ? [] : (['readonly'] as const))],
      })),
      ...dims.map(() => ({})),
      ...(guarded ? [{ attributes: ['readonly'] as const }] : []),
    ],
  });
  fn.annotate('maxntidx', threads);
  const entry = module.builder(fn.block('entry'));
  const body = fn.block('body');
  const build = module.builder(body);
  const pointers = new Map(code.params.map((param, at) => [param.name, fn.param(at)]));
  const sizes = new Sizes(module, entry, new Map(dims.map((dim, at) => [dim, fn.param(code.params.length + at)])));
  const ops = new MachineOps(module, build, nvptx);
  const forms = new LinearForms(plan.definitions, { joins: true });
  const expressions = new Expressions(ops, new MachineOps(module, entry, nvptx), forms, sizes, new ScalarMath(module, build));
  const block = new Block(ops, entry, threads);
  const warp = new Warp(ops, entry, block);
  const room = new SharedMemory(expressions, name, layoutShared(code.body, plan.cache), groups?.sharedBytes ?? sharedBytes);
  const pointerOf = (buffer: Buffer): LlvmValue => {
    if (buffer.role.kind === 'shared') return room.pointerOf(buffer);
    const pointer = pointers.get(buffer.name);
    if (pointer === undefined) throw new InternalError('codegen', `a kernel has no memory for ${buffer.name}`);
    return pointer;
  };
  const isWritten = ({ name: buffer }: Buffer): boolean => plan.written.has(buffer);
  const memory = new Memory(expressions, pointerOf, isWritten, (buffer, pointer) => room.lies(buffer, pointer));
  const accumulators = new ThreadAccumulators(expressions, plan, block);
  expressions.connect(memory, accumulators);
  const flow = new Flow(expressions, accumulators, plan);
  const statements = new ThreadStatements(expressions, memory, accumulators, flow, plan, block, warp, room, code.body);
  const loop = parallelLoop(code);
  if (loop === undefined) statements.emit(code.body, emptyScope());
  else {
    const number = entry.zext(entry.intrinsic('llvm.nvvm.read.ptx.sreg.ctaid.x', types.i32, []), types.i64);
    statements.emit(loop.body, withIndex(emptyScope(), loop.index, number));
  }
  build.retVoid();
  if (guarded) {
    const end = fn.block('end');
    const status = entry.load(types.i32, fn.param(code.params.length + dims.length));
    entry.condBr(entry.icmp('eq', status, module.i32(0)), body, end);
    module.builder(end).retVoid();
  } else entry.br(body);
  return { name: fn.name, shared: room.asked };
}
