// An entry of many kernels as data. In: its phases. Out: one function that runs rows of a table: which kernel, on which memory, in which
// strand. Holds: a kernel more is a row of numbers more, and no code; what a row says is what the calls of `program.ts` would do.
// See the note at the end.

import { InternalError } from '../../../src/base/index.js';
import type { KernelCode, Program } from '../../../src/kernel/index.js';
import type { CpuTarget } from '../../../src/target/index.js';
import type { ArenaLayout } from '../../analysis/arena.js';
import { callField, callType, DimFrame } from './call-frame.js';
import { commonAttributes, type KernelFunction } from './kernel.js';
import type { Builder, FunctionHandle, LlvmConstant, LlvmType, LlvmValue, ModuleBuilder } from '../builder/index.js';
import type { MemoryPlace } from '../../analysis/plan.js';
import type { Phase } from '../../analysis/phases.js';
import { onlyIn, rangeOf } from './shares.js';

/** Numbers of a row before the places of the kernel's memory: its length, its caller, and its strand or `cut`. */
const rowHead = 3;
const cut = -1;

export class KernelTable {
  readonly #module: ModuleBuilder;
  readonly #program: Program;
  readonly #arena: ArenaLayout;
  readonly #target: CpuTarget;
  readonly #name: string;
  readonly #place: FunctionHandle;
  readonly #callers = new Map<KernelCode, { readonly number: number; readonly fn: FunctionHandle }>();
  readonly #rows: number[] = [];
  readonly #word: LlvmType;
  readonly #data: LlvmConstant;
  readonly #starts: number[] = [];
  readonly #run: FunctionHandle;

  constructor(
    module: ModuleBuilder,
    program: Program,
    arena: ArenaLayout,
    name: string,
    target: CpuTarget,
    phases: readonly Phase<KernelFunction>[],
  ) {
    const { types } = module;
    this.#module = module;
    this.#program = program;
    this.#arena = arena;
    this.#name = name;
    this.#target = target;
    const numbers = phases.flatMap((phase) =>
      phase.flatMap(({ kernel, strand = 0 }) => [strand, ...kernel.memory.flatMap((place) => this.#placeOf(place))]),
    );
    // Most of a deep model's artifact are rows, and most numbers are small.
    this.#word = numbers.every((one) => one < 2 ** 15) ? types.i16 : types.i32;
    this.#place = this.#emitPlace();
    for (const phase of phases) {
      this.#starts.push(this.#rows.length);
      for (const { kernel, strand } of phase) this.#rows.push(...this.#row(kernel, strand));
    }
    this.#starts.push(this.#rows.length);
    const rows = this.#word === types.i16 ? Int16Array.from(this.#rows) : Int32Array.from(this.#rows);
    this.#data = module.global({
      name: `table.${name}`,
      type: types.array(this.#word, rows.length),
      initializer: module.dense(this.#word, rows),
      constant: true,
      align: 4,
    });
    this.#run = this.#emitRun();
  }

  /** Runs phases, from one to before another, on the calling thread. */
  emitAll(build: Builder, call: LlvmValue, from: number, to: number): void {
    const module = this.#module;
    const row = (phase: number): LlvmValue => build.gep(this.#word, this.#data, [this.#starts[phase] ?? 0]);
    build.call(this.#run, [call, row(from), row(to), module.i64(0), module.i64(1)]);
  }

  /** Runs one share of a phase. */
  emitPhase(build: Builder, call: LlvmValue, phase: LlvmValue, share: LlvmValue, shares: LlvmValue): void {
    const module = this.#module;
    const { i32, i64 } = module.types;
    const starts = module.global({
      name: `starts.${this.#name}`,
      type: module.types.array(i32, this.#starts.length),
      initializer: module.dense(i32, Int32Array.from(this.#starts)),
      constant: true,
      align: 4,
    });
    const row = (at: LlvmValue): LlvmValue =>
      build.gep(this.#word, this.#data, [build.sext(build.load(i32, build.gep(i32, starts, [at])), i64)]);
    build.call(this.#run, [call, row(phase), row(build.add(phase, module.i64(1))), share, shares]);
  }

  #row(kernel: KernelFunction, strand: number | undefined): number[] {
    const { code } = kernel.kernel;
    let caller = this.#callers.get(code);
    if (caller === undefined)
      this.#callers.set(code, (caller = { number: this.#callers.size, fn: this.#emitCaller(kernel, this.#callers.size) }));
    const places = kernel.memory.flatMap((place) => this.#placeOf(place));
    return [rowHead + places.length, caller.number, strand ?? cut, ...places];
  }

  /** Where memory is: one of the call's tables and the number in it, or behind the tables a kind of slots and the number of the slot. */
  #placeOf({ kind, index }: MemoryPlace): readonly [which: number, index: number] {
    if (kind !== 'slot') return [callField[kind], index];
    const slot = this.#arena.slots[index];
    if (slot === undefined) throw new InternalError('codegen', `the arena of ${this.#program.entry} has no slot ${index}`);
    return [tables + slot.kind, slot.number];
  }

  /** ptr place(const tfc_call *, const int64_t *layout, word which, word index) */
  #emitPlace(): FunctionHandle {
    const module = this.#module;
    const { types } = module;
    const { i64, ptr } = types;
    const fn = this.#function('place', types.function(ptr, [ptr, ptr, this.#word, this.#word]));
    const [call, layout] = [fn.param(0), fn.param(1)];
    const build = module.builder(fn.block('entry'));
    const [which, index] = [build.sext(fn.param(2), i64), build.sext(fn.param(3), i64)];
    const [table, slot] = [build.newBlock('table'), build.newBlock('slot')];
    build.condBr(build.icmp('slt', which, module.i64(tables)), table, slot);
    build.at(table);
    build.ret(build.load(ptr, build.gep(ptr, build.load(ptr, build.gep(ptr, call, [which])), [index])));
    build.at(slot);
    const kind = build.shl(build.sub(which, module.i64(tables)), module.i64(1));
    const [offset, size] = [0, 1].map((at) => build.load(i64, build.gep(i64, layout, [build.add(kind, module.i64(at))]))) as [
      LlvmValue,
      LlvmValue,
    ];
    const arena = build.load(ptr, build.structGep(callType(module), call, callField.arena));
    build.ret(build.gep(types.i8, arena, [build.add(offset, build.mul(size, index))]));
    return fn;
  }

  /** void caller(const tfc_call *, const int64_t *layout, const word *row, int64_t share, int64_t shares): runs one kernel. */
  #emitCaller(kernel: KernelFunction, number: number): FunctionHandle {
    const module = this.#module;
    const { types } = module;
    const fn = this.#function(`caller.${number}`, callerType(module));
    const [call, layout, row, share, shares] = fiveParams(fn);
    const build = module.builder(fn.block('entry'));
    const frame = this.#frame(build, call);
    const word = (at: number): LlvmValue => build.load(this.#word, build.gep(this.#word, row, [at]));
    const memory = kernel.memory.map((_, at) =>
      build.call(this.#place, [call, layout, word(rowHead + 2 * at), word(rowHead + 2 * at + 1)]),
    );
    const args = [...memory, ...frame.dims];
    const strand = build.sext(word(2), types.i64);
    if (kernel.blocks === undefined) {
      onlyIn(build, strand, share, shares, () => build.call(kernel.fn, args));
      build.retVoid();
      return fn;
    }
    const count = frame.blocks(kernel);
    const range = rangeOf(frame, kernel, count, share, shares);
    const [shared, whole] = [build.newBlock('shared'), build.newBlock('whole')];
    build.condBr(build.icmp('slt', strand, module.i64(0)), shared, whole);
    build.at(shared);
    build.call(kernel.fn, [...args, ...range]);
    build.retVoid();
    build.at(whole);
    onlyIn(build, strand, share, shares, () => build.call(kernel.fn, [...args, module.i64(0), count]));
    build.retVoid();
    return fn;
  }

  /** void rows(const tfc_call *, const word *row, const word *end, int64_t share, int64_t shares) */
  #emitRun(): FunctionHandle {
    const module = this.#module;
    const { types } = module;
    const { i64, ptr } = types;
    const fn = this.#function('rows', types.function(types.void, [ptr, ptr, ptr, i64, i64]));
    const [call, first, end, share, shares] = fiveParams(fn);
    const entry = fn.block('entry');
    const build = module.builder(entry);
    const frame = this.#frame(build, call);
    const kinds = this.#arena.kinds.length;
    const layout = build.alloca(i64, { count: Math.max(1, 2 * kinds) });
    for (let kind = 0; kind < kinds; kind++) {
      const { offset, size } = frame.slots(kind);
      build.store(frame.math.value(offset), build.gep(i64, layout, [2 * kind]));
      build.store(frame.math.value(size), build.gep(i64, layout, [2 * kind + 1]));
    }
    const callers = [...this.#callers.values()].map((one) => one.fn);
    const type = types.array(ptr, callers.length);
    const table = module.global({
      name: `callers.${this.#name}`,
      type,
      initializer: module.arrayOf(ptr, callers),
      constant: true,
      align: 8,
    });
    const [loop, body, done] = [build.newBlock('loop'), build.newBlock('body'), build.newBlock('done')];
    build.br(loop);
    build.at(loop);
    const row = build.phi(ptr, 'row');
    row.add(first, entry);
    build.condBr(build.icmp('eq', row, end), done, body);
    build.at(body);
    const word = (at: number): LlvmValue => build.sext(build.load(this.#word, build.gep(this.#word, row, [at])), i64);
    const caller = build.load(ptr, build.gep(ptr, table, [word(1)]));
    build.callIndirect(callerType(module), caller, [call, layout, row, share, shares]);
    row.add(build.gep(this.#word, row, [word(0)]), body);
    build.br(loop);
    build.at(done);
    build.retVoid();
    return fn;
  }

  /** The free sizes of a call. */
  #frame(build: Builder, call: LlvmValue): DimFrame {
    const module = this.#module;
    const dims = (): LlvmValue => build.load(module.types.ptr, build.structGep(callType(module), call, callField.dims));
    return new DimFrame(module, this.#program, this.#arena, this.#target, build, dims);
  }

  #function(what: string, type: LlvmType): FunctionHandle {
    return this.#module.function({ name: `${what}.${this.#name}`, type, linkage: 'internal', attributes: commonAttributes(this.#target) });
  }
}

const fiveParams = (fn: FunctionHandle): [LlvmValue, LlvmValue, LlvmValue, LlvmValue, LlvmValue] => [
  fn.param(0),
  fn.param(1),
  fn.param(2),
  fn.param(3),
  fn.param(4),
];

/** Tables of a call: feeds, outputs, variables. */
const tables = 3;

function callerType({ types }: ModuleBuilder): LlvmType {
  return types.function(types.void, [types.ptr, types.ptr, types.ptr, types.i64, types.i64]);
}

/* Note: calls or rows.
   A call of a kernel is some ten instructions that find its memory and its share, and LLVM takes as long for a hundred of them as for a
   kernel. Written out, the entry of a model of 64 like layers was most of its code and of its compile time. A row is a few numbers; finding
   memory by them takes some nanoseconds more for each kernel, which a kernel of a layer does not notice. Entries of few kernels are
   written out: small steps would notice. */
