// The threads of a block, or of a warp, as the lanes of a vector. In: values that each thread has. Out: its number; a barrier; what all
// threads combine. Holds: lanes are combined by halves, the upper onto the lower, as everywhere: one order, whatever runs first. All
// threads of the team come here together.

import { type Combiner, warpThreads } from '../../src/kernel/index.js';
import { combined } from '../llvm/emit/combined.js';
import type { MachineOps, Value } from '../llvm/emit/machine.js';
import type { Builder, LlvmType, LlvmValue, ModuleBuilder } from '../llvm/builder/index.js';

const shared = 3;

/** Threads that compute together. */
export abstract class Team {
  protected readonly ops: MachineOps;
  readonly threads: number;
  /** The number of the thread among them: i32 and i64. */
  readonly lane: LlvmValue;
  readonly thread: LlvmValue;

  /** `entry`: appends to the function's first block. */
  protected constructor(ops: MachineOps, entry: Builder, threads: number, lane: LlvmValue) {
    this.ops = ops;
    this.threads = threads;
    this.lane = lane;
    this.thread = entry.zext(lane, ops.module.types.i64);
  }

  /** Until all threads are here; each then sees what the others wrote. */
  abstract barrier(): void;

  /** What the values of all threads combine to, in every thread. */
  abstract combine(how: Combiner, value: Value): Value;

  /** Runs `body` in the first thread. */
  once(body: () => void): void {
    this.when(this.lane, 'eq', 0, body);
  }

  protected when(lane: LlvmValue, how: 'eq' | 'ult', than: number, body: () => void): void {
    const { builder: build, module } = this.ops;
    const [then, end] = [build.newBlock('some'), build.newBlock('all')];
    build.condBr(build.icmp(how, lane, module.i32(than)), then, end);
    build.at(then);
    body();
    build.br(end);
    build.at(end);
  }

  /** The values of a warp by halves, complete in its first thread. */
  protected halved(how: Combiner, value: Value): Value {
    let total = value;
    for (let distance = warpThreads / 2; distance >= 1; distance /= 2)
      total = combined(this.ops, how, total, this.moved(total, 'down', distance));
    return total;
  }

  /** The value of the thread so many numbers on in the same warp, of the one of that number, or of the one whose number differs by it. */
  protected moved(of: Value, how: 'down' | 'idx' | 'bfly', by: number): Value {
    const { builder: build, module } = this.ops;
    const { types } = module;
    const bits = this.ops.toMemory(of);
    const width = bits.type.scalarBits;
    const whole = types.int(width);
    const pattern = bits.type === whole ? bits : build.bitcast(bits, whole);
    const move = (part: LlvmValue): LlvmValue =>
      build.intrinsic(`llvm.nvvm.shfl.sync.${how}.i32`, types.i32, [module.i32(-1), part, module.i32(by), module.i32(warpThreads - 1)]);
    let moved: LlvmValue;
    if (width === 64) {
      const upper = build.zext(move(build.trunc(build.lshr(pattern, module.i64(32)), types.i32)), types.i64);
      moved = build.or(build.shl(upper, module.i64(32)), build.zext(move(build.trunc(pattern, types.i32)), types.i64));
    } else if (width === 32) moved = move(pattern);
    else moved = build.trunc(move(build.zext(pattern, types.i32)), whole);
    return this.ops.fromMemory(bits.type === whole ? moved : build.bitcast(moved, bits.type), of.dtype, 1);
  }
}

/** The threads of a warp. */
export class Warp extends Team {
  /** Its number in the block: i64. */
  readonly number: LlvmValue;

  constructor(ops: MachineOps, entry: Builder, block: Block) {
    const { module } = ops;
    super(ops, entry, warpThreads, entry.and(block.lane, module.i32(warpThreads - 1)));
    this.number = entry.lshr(block.thread, module.i64(Math.log2(warpThreads)));
  }

  barrier(): void {
    const { builder: build, module } = this.ops;
    build.intrinsic('llvm.nvvm.bar.warp.sync', module.types.void, [module.i32(-1)]);
  }

  combine(how: Combiner, value: Value): Value {
    return this.moved(this.halved(how, value), 'idx', 0);
  }

  /** What the values of every `lanes` threads side by side combine to, in each of them. */
  exchanged(how: Combiner, value: Value, lanes: number): Value {
    let total = value;
    for (let distance = lanes / 2; distance >= 1; distance /= 2)
      total = combined(this.ops, how, total, this.moved(total, 'bfly', distance));
    return total;
  }
}

/** All threads of a block. */
export class Block extends Team {
  constructor(ops: MachineOps, entry: Builder, threads: number) {
    super(ops, entry, threads, entry.intrinsic('llvm.nvvm.read.ptx.sreg.tid.x', ops.module.types.i32, []));
  }

  barrier(): void {
    this.ops.builder.intrinsic('llvm.nvvm.barrier0', this.ops.module.types.void, []);
  }

  combine(how: Combiner, value: Value): Value {
    const { builder: build, module } = this.ops;
    const type = this.ops.memoryType(value.dtype);
    const cells = this.#cells(module, type);
    const at = (index: LlvmValue): LlvmValue => build.gep(type, cells, [index]);
    const result = at(module.i32(this.threads));
    build.store(this.ops.toMemory(value), at(this.lane));
    this.barrier();
    this.when(this.lane, 'ult', warpThreads, () => {
      let values = Array.from({ length: this.threads / warpThreads }, (_, part) =>
        this.ops.fromMemory(build.load(type, at(build.add(this.lane, module.i32(part * warpThreads)))), value.dtype, 1),
      );
      while (values.length > 1) {
        const half = values.length / 2;
        values = values.slice(0, half).map((one, index) => combined(this.ops, how, one, values[index + half] as Value));
      }
      const total = this.halved(how, values[0] as Value);
      this.once(() => build.store(this.ops.toMemory(total), result));
    });
    this.barrier();
    return this.ops.fromMemory(build.load(type, result), value.dtype, 1);
  }

  /** A value of each thread, and one of all. */
  #cells(module: ModuleBuilder, type: LlvmType): LlvmValue {
    const name = `lanes.${type.scalarBits}${type === module.types.f32 || type === module.types.f64 ? 'f' : ''}`;
    const known = module.find(name);
    if (known !== undefined) return known;
    const array = module.types.array(type, this.threads + 1);
    return module.global({ name, type: array, initializer: module.poison(array), linkage: 'internal', addressSpace: shared, align: 16 });
  }
}
