// Accumulators in registers. In: declarations, updates and reads. Out: what the registers hold behind them.
// Holds: an accumulator whose last axis a vector loop walks keeps that axis across lanes; a reduction over lanes goes into per-lane partial
// results, which are combined in one fixed order, so the result depends on the target's width but on nothing else.

import { InternalError } from '../../../src/base/index.js';
import { type Accumulator, type Combiner, type Expr, neutral, type PartialResult } from '../../../src/kernel/index.js';
import { kept, positionOf, registersOf, released } from './registers.js';
import { type RegisterCells, StackRegisters, SsaRegisters } from './register-cells.js';
import type { Expressions, Memo } from './expressions.js';
import type { LlvmType, LlvmValue } from '../builder/index.js';
import { combined, updated } from './combined.js';
import type { Value } from './machine.js';
import type { KernelPlan } from '../../analysis/plan.js';
import type { Partials, Scalar, Scope } from './scope.js';

/** A register, or a lane of one. */
interface Place {
  readonly cells: RegisterCells;
  readonly at: Scalar;
  readonly lanes: number;
  readonly whole: boolean;
}

export class AccumulatorFile {
  readonly #expressions: Expressions;
  readonly #plan: KernelPlan;

  constructor(expressions: Expressions, plan: KernelPlan) {
    this.#expressions = expressions;
    this.#plan = plan;
  }

  declare(accumulator: Accumulator, initial: Expr, scope: Scope): void {
    const { ops } = this.#expressions;
    const across = scope.lanes === undefined ? this.#plan.vectorized.get(accumulator.name) : undefined;
    const lanes = across ?? scope.lanes?.lanes ?? 1;
    const { shape } = accumulator;
    const rows = shape.slice(0, across === undefined ? shape.length : -1).reduce((product, size) => product * size, 1);
    const count = across === undefined ? rows : rows * Math.ceil((shape.at(-1) ?? 1) / lanes);
    const element = accumulator.dtype === 'bool' ? ops.module.types.i8 : ops.scalarType(accumulator.dtype);
    const start = kept(this.#expressions.ops, ops.widen(this.#expressions.emit(initial, scope), lanes));
    const cells = this.#cells(accumulator.name, element, lanes, count, start);
    scope.registers.set(accumulator.name, { cells, shape, lanes, across: across !== undefined, element, count });
  }

  /** Copies the registers of `name` to memory for the code in `scope`, which may then index them by values not known yet. */
  spill(name: string, scope: Scope): void {
    const registers = scope.registers.get(name);
    if (registers === undefined || !(registers.cells instanceof SsaRegisters)) return;
    const { ops, math } = this.#expressions;
    const cells = new StackRegisters(
      ops.builder,
      math,
      ops.wide(registers.element, registers.lanes),
      registers.element,
      registers.cells.values,
    );
    scope.registers.set(name, { ...registers, cells });
  }

  /** The registers, and partial results in their place, that hold values which `names` say may change. */
  values(names: Iterable<string>, scope: Scope): readonly SsaRegisters[] {
    const found: SsaRegisters[] = [];
    for (const name of names) {
      for (const { cells } of [scope.registers.get(name), scope.partials.get(name)].filter((one) => one !== undefined))
        if (cells instanceof SsaRegisters) found.push(cells);
    }
    return found;
  }

  read(accumulator: Accumulator, index: readonly Expr[], scope: Scope): Value {
    const place = this.#locate(accumulator, index, scope);
    return released(this.#expressions.ops, this.#get(place), accumulator.dtype, place.lanes);
  }

  assign(accumulator: Accumulator, index: readonly Expr[], value: Expr, scope: Scope, memo: Memo): void {
    const place = this.#locate(accumulator, index, scope);
    const given = this.#expressions.emit(value, scope, memo);
    if (given.lanes > place.lanes) throw new InternalError('codegen', `${accumulator.name} is assigned once per lane`);
    this.#set(place, kept(this.#expressions.ops, this.#expressions.ops.widen(given, place.lanes)));
  }

  accumulate(accumulator: Accumulator, index: readonly Expr[], combine: Combiner, value: Expr, scope: Scope, memo: Memo): void {
    const { dtype } = accumulator;
    const partials = scope.partials.get(accumulator.name);
    if (partials !== undefined && scope.lanes !== undefined) {
      const at = this.#partial(
        partials,
        positionOf(this.#expressions, registersOf(accumulator, scope).shape, index, scope),
        scope.lanes.copy,
      );
      const before = released(this.#expressions.ops, partials.cells.get(at), dtype, partials.lanes);
      const after = updated(this.#expressions, combine, before, value, scope, memo);
      const { mask } = scope.lanes;
      const chosen = mask === undefined ? after.value : this.#expressions.ops.builder.select(mask, after.value, before.value);
      partials.cells.set(at, kept(this.#expressions.ops, { ...after, value: chosen }));
      return;
    }
    const place = this.#locate(accumulator, index, scope);
    if (scope.lanes !== undefined && place.lanes === 1)
      throw new InternalError('codegen', `${accumulator.name} is reduced over lanes where that is not prepared`);
    const before = released(this.#expressions.ops, this.#get(place), dtype, place.lanes);
    this.#set(place, kept(this.#expressions.ops, updated(this.#expressions, combine, before, value, scope, memo)));
  }

  /** Per-lane partial results for an accumulator, each the combiner's identity. */
  beginPartials({ accumulator, combine, lanes, chains }: PartialResult, scope: Scope): Partials {
    const { ops } = this.#expressions;
    const { element, count } = registersOf(accumulator, scope);
    const start = kept(this.#expressions.ops, ops.constant(accumulator.dtype, neutral(combine, accumulator.dtype), lanes));
    return { cells: this.#cells(accumulator.name, element, lanes, count * chains, start), lanes, chains, combine };
  }

  /** Combines chains pairwise, then halves of the lanes, then the accumulator's own value with the rest. */
  endPartials(accumulator: Accumulator, partials: Partials, scope: Scope): void {
    const { ops } = this.#expressions;
    const { dtype } = accumulator;
    const registers = registersOf(accumulator, scope);
    for (let at = 0; at < registers.count; at++) {
      let values = Array.from({ length: partials.chains }, (_, copy) =>
        released(this.#expressions.ops, partials.cells.get(this.#partial(partials, at, copy)), dtype, partials.lanes),
      );
      while (values.length > 1) {
        const next: Value[] = [];
        for (let i = 0; i < values.length; i += 2) {
          const [a, b] = [values[i] as Value, values[i + 1]];
          next.push(b === undefined ? a : combined(ops, partials.combine, a, b));
        }
        values = next;
      }
      let rest = values[0] as Value;
      for (let lanes = partials.lanes / 2; lanes >= 1; lanes /= 2) {
        const half = (first: number): Value => ({ value: ops.builder.slice(rest.value, first, lanes), lanes, dtype });
        rest = combined(ops, partials.combine, half(0), half(lanes));
      }
      const total = { ...rest, value: rest.value.type.isVector ? ops.builder.extractElement(rest.value, 0) : rest.value, lanes: 1 };
      const before = released(this.#expressions.ops, registers.cells.get(at), dtype, 1);
      registers.cells.set(at, kept(this.#expressions.ops, combined(ops, partials.combine, before, total)));
    }
  }

  #cells(name: string, element: LlvmType, lanes: number, count: number, start: LlvmValue): RegisterCells {
    const { ops, math } = this.#expressions;
    if (!this.#plan.use.demoted.has(name)) return new SsaRegisters(ops.builder, count, lanes, start);
    return new StackRegisters(ops.builder, math, ops.wide(element, lanes), element, Array<LlvmValue>(count).fill(start));
  }

  /** The register, or the lane of one, that an index means. */
  #locate(accumulator: Accumulator, index: readonly Expr[], scope: Scope): Place {
    const { math, forms } = this.#expressions;
    const registers = registersOf(accumulator, scope);
    const { cells } = registers;
    if (!registers.across)
      return { cells, at: positionOf(this.#expressions, registers.shape, index, scope), lanes: registers.lanes, whole: true };
    const rows = positionOf(this.#expressions, registers.shape.slice(0, -1), index.slice(0, -1), scope);
    const last = index.at(-1);
    if (last === undefined) throw new InternalError('codegen', `${accumulator.name} has no last axis`);
    const perRow = Math.ceil((registers.shape.at(-1) ?? 1) / registers.lanes);
    const { base, constant, stride, varying } = this.#expressions.split(forms.of(last), scope);
    if (varying.length > 0) throw new InternalError('codegen', `${accumulator.name} is indexed by lanes in an order of their own`);
    if (stride === 1 && scope.lanes?.lanes === registers.lanes && base === 0 && constant % registers.lanes === 0) {
      return { cells, at: math.add(math.mul(rows, perRow), constant / registers.lanes), lanes: registers.lanes, whole: true };
    }
    if (stride !== 0) throw new InternalError('codegen', `${accumulator.name} is not indexed by the lanes of its registers`);
    return { cells, at: math.add(math.mul(rows, perRow * registers.lanes), math.add(base, constant)), lanes: 1, whole: false };
  }

  #get({ cells, at, whole }: Place): LlvmValue {
    return whole ? cells.get(at) : cells.lane(at);
  }

  #set({ cells, at, whole }: Place, value: LlvmValue): void {
    if (whole) cells.set(at, value);
    else cells.setLane(at, value);
  }

  /** Accumulators of one loop may have different numbers of chains: those with fewer take turns. */
  #partial(partials: Partials, at: Scalar, copy: number): Scalar {
    const { math } = this.#expressions;
    return math.add(math.mul(at, partials.chains), copy % partials.chains);
  }
}
