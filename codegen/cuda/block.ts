// The threads of a block as the lanes of a vector. In: values that each thread has. Out: its number; a barrier; what all threads combine.
// Holds: lanes are combined by halves, the upper onto the lower, as everywhere: one order, whatever runs first. All threads of the block
// come here together.

import type { Combiner } from '../../src/kernel/index.js';
import { combined } from '../llvm/emit/combined.js';
import type { MachineOps, Value } from '../llvm/emit/machine.js';
import type { Builder, LlvmType, LlvmValue, ModuleBuilder } from '../llvm/builder/index.js';

const warp = 32;
const shared = 3;

export class Block {
  readonly #ops: MachineOps;
  readonly #threads: number;
  /** The number of the thread in its block: i32 and i64. */
  readonly lane: LlvmValue;
  readonly thread: LlvmValue;

  /** `entry`: appends to the function's first block. */
  constructor(ops: MachineOps, entry: Builder, threads: number) {
    this.#ops = ops;
    this.#threads = threads;
    const { types } = ops.module;
    this.lane = entry.intrinsic('llvm.nvvm.read.ptx.sreg.tid.x', types.i32, []);
    this.thread = entry.zext(this.lane, types.i64);
  }

  /** Until all threads are here; each then sees what the others wrote. */
  barrier(): void {
    this.#ops.builder.intrinsic('llvm.nvvm.barrier0', this.#ops.module.types.void, []);
  }

  /** Runs `body` in the first thread. */
  once(body: () => void): void {
    this.#when(this.lane, 'eq', 0, body);
  }

  /** What the values of all threads combine to, in every thread. */
  combine(how: Combiner, value: Value): Value {
    const { builder: build, module } = this.#ops;
    const type = this.#ops.memoryType(value.dtype);
    const cells = this.#cells(module, type);
    const at = (index: LlvmValue): LlvmValue => build.gep(type, cells, [index]);
    const result = at(module.i32(this.#threads));
    build.store(this.#ops.toMemory(value), at(this.lane));
    this.barrier();
    this.#when(this.lane, 'ult', warp, () => {
      let values = Array.from({ length: this.#threads / warp }, (_, part) =>
        this.#ops.fromMemory(build.load(type, at(build.add(this.lane, module.i32(part * warp)))), value.dtype, 1),
      );
      while (values.length > 1) {
        const half = values.length / 2;
        values = values.slice(0, half).map((one, index) => combined(this.#ops, how, one, values[index + half] as Value));
      }
      let total = values[0] as Value;
      for (let distance = warp / 2; distance >= 1; distance /= 2) total = combined(this.#ops, how, total, this.#below(total, distance));
      this.once(() => build.store(this.#ops.toMemory(total), result));
    });
    this.barrier();
    return this.#ops.fromMemory(build.load(type, result), value.dtype, 1);
  }

  /** The value of the thread so many numbers on, in the same warp. */
  #below(of: Value, distance: number): Value {
    const { builder: build, module } = this.#ops;
    const { types } = module;
    const bits = this.#ops.toMemory(of);
    const width = bits.type.scalarBits;
    const whole = types.int(width);
    const pattern = bits.type === whole ? bits : build.bitcast(bits, whole);
    const move = (part: LlvmValue): LlvmValue =>
      build.intrinsic('llvm.nvvm.shfl.sync.down.i32', types.i32, [module.i32(-1), part, module.i32(distance), module.i32(warp - 1)]);
    let moved: LlvmValue;
    if (width === 64) {
      const upper = build.zext(move(build.trunc(build.lshr(pattern, module.i64(32)), types.i32)), types.i64);
      moved = build.or(build.shl(upper, module.i64(32)), build.zext(move(build.trunc(pattern, types.i32)), types.i64));
    } else if (width === 32) moved = move(pattern);
    else moved = build.trunc(move(build.zext(pattern, types.i32)), whole);
    return this.#ops.fromMemory(bits.type === whole ? moved : build.bitcast(moved, bits.type), of.dtype, 1);
  }

  #when(lane: LlvmValue, how: 'eq' | 'ult', than: number, body: () => void): void {
    const { builder: build, module } = this.#ops;
    const [then, end] = [build.newBlock('some'), build.newBlock('all')];
    build.condBr(build.icmp(how, lane, module.i32(than)), then, end);
    build.at(then);
    body();
    build.br(end);
    build.at(end);
  }

  /** A value of each thread, and one of all. */
  #cells(module: ModuleBuilder, type: LlvmType): LlvmValue {
    const name = `lanes.${type.scalarBits}${type === module.types.f32 || type === module.types.f64 ? 'f' : ''}`;
    const known = module.find(name);
    if (known !== undefined) return known;
    const array = module.types.array(type, this.#threads + 1);
    return module.global({ name, type: array, initializer: module.poison(array), linkage: 'internal', addressSpace: shared, align: 16 });
  }
}
