// Values, constants, blocks, branches and loop-carried values as handles. In: the addon's objects. Out: typed handles.
// Holds: a handle knows its type and its module, so every use can be checked before the addon sees it.

import type { RawValue } from './addon.js';
import { fault } from './fault.js';
import type { FunctionHandle } from './function.js';
import type { ModuleBuilder } from './module.js';
import { raw, ref } from './raw.js';
import type { LlvmType } from './types.js';

/** Something an instruction can use. */
export class LlvmValue {
  readonly module: ModuleBuilder;
  readonly type: LlvmType;
  readonly [ref]: number;

  /** `number`: on the module's tape. */
  constructor(module: ModuleBuilder, type: LlvmType, number: number) {
    this.module = module;
    this.type = type;
    this[ref] = number;
  }

  get [raw](): RawValue {
    return this.module.tape.object(this[ref]);
  }

  /** Names the value in the printed module; returns it. Constants keep no name. */
  named(name: string): this {
    this.module.alive();
    const { tape } = this.module;
    if (!(this instanceof LlvmConstant)) tape.note('name', 0, [this[ref], tape.text(name)]);
    return this;
  }
}

/** A value known while compiling; initialisers and lane numbers must be constants. */
export class LlvmConstant extends LlvmValue {}

/** A global variable: a constant pointer to memory of `valueType`. */
export class GlobalHandle extends LlvmConstant {
  readonly name: string;
  readonly valueType: LlvmType;

  constructor(module: ModuleBuilder, type: LlvmType, rawValue: RawValue, name: string, valueType: LlvmType) {
    super(module, type, module.tape.given(rawValue));
    this.name = name;
    this.valueType = valueType;
  }
}

/** A straight run of instructions that ends in one terminator. Made by `FunctionHandle.block`. */
export class BasicBlock {
  readonly fn: FunctionHandle;
  readonly name: string;
  readonly [ref]: number;
  /** Set once the block has its terminator; nothing may follow it. */
  terminated = false;

  constructor(fn: FunctionHandle, name: string) {
    this.fn = fn;
    this.name = name;
    this[ref] = fn.module.tape.newBlock(fn[ref], name);
  }
}

/** A value that depends on which block control came from. Every predecessor must be given with `add` before the module is verified. */
export class Phi extends LlvmValue {
  readonly #fn: FunctionHandle;

  constructor(fn: FunctionHandle, type: LlvmType, number: number) {
    super(fn.module, type, number);
    this.#fn = fn;
  }

  /** The value when control comes from `from`; it has the phi's type. Returns the phi. */
  add(value: LlvmValue, from: BasicBlock): this {
    this.module.operand(value, 'phi', 'incoming value');
    if (value.type !== this.type) fault(`phi: a ${value.type} cannot come into a ${this.type}`);
    if (!(from instanceof BasicBlock)) fault('phi: the source of a value must be a block');
    if (from.fn !== this.#fn) fault(`phi: the block ${from.name} belongs to another function`);
    this.module.tape.note('incoming', 0, [this[ref], value[ref], from[ref]]);
    return this;
  }
}

/** Hints on the loop that a branch closes; what is left out is LLVM's own choice. */
export interface LoopHints {
  /** false: leave the loop scalar; a number: that many lanes. */
  readonly vectorize?: boolean | number;
  readonly interleave?: number;
  /** false: do not unroll; true: fully; a number: that many copies. */
  readonly unroll?: boolean | number;
  readonly mustProgress?: boolean;
  readonly distribute?: boolean;
}

/** A block's last instruction. */
export class Terminator {
  readonly module: ModuleBuilder;
  readonly [ref]: number;

  constructor(module: ModuleBuilder, number: number) {
    this.module = module;
    this[ref] = number;
  }

  /** Attaches loop hints; call it on the branch back to the loop's head. */
  loop(hints: LoopHints): this {
    this.module.alive();
    const list: [string, number | boolean | null][] = [];
    const { vectorize, interleave, unroll } = hints;
    if (typeof vectorize === 'number') list.push(['llvm.loop.vectorize.width', vectorize]);
    if (vectorize !== undefined) list.push(['llvm.loop.vectorize.enable', vectorize !== false]);
    if (interleave !== undefined) list.push(['llvm.loop.interleave.count', interleave]);
    if (typeof unroll === 'number') list.push(['llvm.loop.unroll.count', unroll]);
    if (typeof unroll === 'boolean') list.push([unroll ? 'llvm.loop.unroll.full' : 'llvm.loop.unroll.disable', null]);
    if (hints.mustProgress === true) list.push(['llvm.loop.mustprogress', null]);
    if (hints.distribute !== undefined) list.push(['llvm.loop.distribute.enable', hints.distribute]);
    const { tape } = this.module;
    tape.note('loopHints', 0, [
      this[ref],
      list.length,
      ...list.flatMap(([name, value]) => [tape.text(name), value === null ? 0 : typeof value === 'number' ? 1 : 2, Number(value)]),
    ]);
    return this;
  }

  /** How often each successor is taken, relative to the others, in the order they were given. */
  weights(...counts: number[]): this {
    this.module.alive();
    if (counts.length < 2 || counts.some((n) => !Number.isInteger(n) || n < 0)) fault('branch weights are two or more counts');
    this.module.tape.note('branchWeights', 0, [this[ref], counts.length, ...counts]);
    return this;
  }
}
