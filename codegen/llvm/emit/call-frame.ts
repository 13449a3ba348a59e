// What a function finds in a tfc_call. In: a function whose first parameter is one. Out: sizes, memory, numbers of blocks as values. Holds:
// the fields and their order are those of runtime/abi/tfc.h; everything is computed once, in the function's entry block, so that no store
// can be taken to change it.

import { InternalError } from '../../../src/base/index.js';
import { type Expr, LinearForms, type Program } from '../../../src/kernel/index.js';
import type { CpuTarget } from '../../../src/target/index.js';
import type { ArenaLayout, SlotKind } from '../../analysis/arena.js';
import { uncountable } from './countable.js';
import { Expressions } from './expressions.js';
import type { Builder, FunctionHandle, LlvmType, LlvmValue, ModuleBuilder } from '../builder/index.js';
import { MachineOps } from './machine.js';
import type { MemoryPlace } from '../../analysis/plan.js';
import { type Scalar, emptyScope } from './scope.js';
import { ScalarMath, Sizes } from './sizes.js';
import { levelOf } from '../target.js';

/** Positions in tfc_call; the last one is that of tfc_device_call, which begins with one. */
export const callField = { feed: 0, output: 1, variable: 2, dims: 3, arena: 4, device: 5 } as const;

export const callType = (module: ModuleBuilder): LlvmType => module.types.struct(Object.keys(callField).map(() => module.types.ptr));

/** The free sizes of an entry, from an array of them. */
export class DimFrame {
  readonly build: Builder;
  readonly dims: readonly LlvmValue[];
  readonly sizes: Sizes;
  readonly math: ScalarMath;
  protected readonly module: ModuleBuilder;
  protected readonly program: Program;
  private readonly expressions: Expressions;
  protected readonly arena: ArenaLayout;
  readonly #offsets: Scalar[] = [0];
  readonly #kindSizes = new Map<number, Scalar>();

  /** `from` gives the array's address; it is not asked when there are no free sizes. */
  constructor(module: ModuleBuilder, program: Program, arena: ArenaLayout, target: CpuTarget, build: Builder, from: () => LlvmValue) {
    const { i64 } = module.types;
    this.module = module;
    this.program = program;
    this.arena = arena;
    this.build = build;
    const table = program.dims.length === 0 ? undefined : from();
    this.dims = table === undefined ? [] : program.dims.map((dim, at) => build.load(i64, build.gep(i64, table, [at])).named(dim));
    this.sizes = new Sizes(module, build, new Map(program.dims.map((dim, at) => [dim, this.dims[at] as LlvmValue])));
    this.math = new ScalarMath(module, build);
    const ops = new MachineOps(module, build, levelOf(target));
    this.expressions = new Expressions(ops, ops, new LinearForms(new Map(), { joins: true }), this.sizes, this.math);
  }

  /** Ends the function with the bytes of the arena: -1 when a size of the entry cannot be counted. */
  returnArenaBytes(): void {
    const { module, build } = this;
    const tooLarge = uncountable(module, build, this.program, this.dims);
    if (tooLarge === true) build.ret(module.i64(-1));
    else {
      const bytes = this.math.value(this.#kindOffset(this.arena.kinds.length));
      build.ret(tooLarge === false ? bytes : build.select(tooLarge, module.i64(-1), bytes));
    }
  }

  /** Where the slots of a kind begin, and the size of each. */
  slots(kind: number): { readonly offset: Scalar; readonly size: Scalar } {
    return { offset: this.#kindOffset(kind), size: this.#kindSize(kind) };
  }

  /** Where a slot begins. */
  protected slotOffset(slot: number): Scalar {
    const place = this.arena.slots[slot];
    if (place === undefined) throw new InternalError('codegen', `the arena of ${this.program.entry} has no slot ${slot}`);
    return this.math.add(this.#kindOffset(place.kind), this.math.mul(this.#kindSize(place.kind), place.number));
  }

  /** Where the slots of a kind begin: behind those of the kinds before it. */
  #kindOffset(kind: number): Scalar {
    for (let next = this.#offsets.length; next <= kind; next++) {
      const { count } = this.arena.kinds[next - 1] as SlotKind;
      this.#offsets.push(this.math.add(this.#offsets.at(-1) ?? 0, this.math.mul(this.#kindSize(next - 1), count)));
    }
    return this.#offsets[kind] as Scalar;
  }

  #kindSize(kind: number): Scalar {
    const known = this.#kindSizes.get(kind);
    if (known !== undefined) return known;
    const { build, math, module } = this;
    let largest: Scalar = 0;
    for (const bytes of (this.arena.kinds[kind] as SlotKind).bytes) {
      const size = this.sizes.of(bytes);
      if (typeof size === 'number' && typeof largest === 'number') largest = Math.max(size, largest);
      else largest = build.intBinary('smax', math.value(largest), math.value(size));
    }
    const rounded =
      typeof largest === 'number' ? Math.ceil(largest / 64) * 64 : build.and(build.add(largest, module.i64(63)), module.i64(-64));
    this.#kindSizes.set(kind, rounded);
    return rounded;
  }

  /** Iterations of the parallel loop that a kernel is. */
  blocks(kernel: { readonly blocks: Expr | undefined }): LlvmValue {
    if (kernel.blocks === undefined) throw new InternalError('codegen', 'no parallel loop');
    return this.math.value(this.expressions.scalar(kernel.blocks, emptyScope()));
  }
}

/** The whole call: also the arguments of kernels. */
export class CallFrame extends DimFrame {
  private readonly table: (name: keyof typeof callField) => LlvmValue;
  private readonly pointers = new Map<string, LlvmValue>();

  constructor(module: ModuleBuilder, program: Program, arena: ArenaLayout, target: CpuTarget, fn: FunctionHandle, build: Builder) {
    const { ptr } = module.types;
    const type = callType(module);
    const tables = new Map<string, LlvmValue>();
    const table = (name: keyof typeof callField): LlvmValue => {
      let value = tables.get(name);
      if (value === undefined) tables.set(name, (value = build.load(ptr, build.structGep(type, fn.param(0), callField[name])).named(name)));
      return value;
    };
    super(module, program, arena, target, build, () => table('dims'));
    this.table = table;
  }

  /** Without the range of a parallel loop. Asked before the first kernel runs. */
  argumentsOf(kernel: { readonly memory: readonly MemoryPlace[] }): readonly LlvmValue[] {
    return [...kernel.memory.map((memory) => this.pointer(memory)), ...this.dims];
  }

  /** What runs kernels of entries for a GPU. */
  device(): LlvmValue {
    return this.table('device');
  }

  private pointer(memory: MemoryPlace): LlvmValue {
    let value = this.pointers.get(memory.key);
    if (value === undefined) {
      const { types } = this.module;
      const { kind, index } = memory;
      if (kind === 'slot') {
        value = this.build.gep(types.i8, this.table('arena'), [this.math.value(this.slotOffset(index))]);
      } else value = this.build.load(types.ptr, this.build.gep(types.ptr, this.table(kind), [index]));
      this.pointers.set(memory.key, value.named(memory.key));
    }
    return value;
  }
}
