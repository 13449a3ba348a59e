// Accumulators in the registers of threads. In: declarations, updates and reads. Out: what the registers hold behind them.
// Holds: an accumulator whose last axis a tile's loop walks has that axis across the threads of the block, so many elements apart; any
// other is a value that all threads have alike, or, inside of a vector loop, one of each thread. What lanes combine each thread keeps for
// itself, until the block combines it behind the loop.

import { InternalError } from '../../src/base/index.js';
import { type Accumulator, type Combiner, type CombineStmt, type Expr, neutral, type PartialResult } from '../../src/kernel/index.js';
import type { KernelPlan } from '../analysis/plan.js';
import type { LlvmType, LlvmValue } from '../llvm/builder/index.js';
import { combined, updated } from '../llvm/emit/combined.js';
import type { Expressions, Memo } from '../llvm/emit/expressions.js';
import type { Value } from '../llvm/emit/machine.js';
import { kept, positionOf, registersOf, released } from '../llvm/emit/registers.js';
import { type RegisterCells, SsaRegisters, StackRegisters } from '../llvm/emit/register-cells.js';
import type { Partials, Scalar, Scope } from '../llvm/emit/scope.js';
import type { Team, Warp } from './block.js';

/** Which of a tile's elements each thread computes: those of this chunk of the loop of this index. */
export interface Chunk {
  readonly index: string;
  readonly number: number;
}

export class ThreadAccumulators {
  readonly #expressions: Expressions;
  readonly #plan: KernelPlan;
  /** Whose lanes combine. */
  team: Team;
  /** In a vector loop: each thread computes points of its own. `chunk`: of a tile. */
  within: { readonly chunk: Chunk | undefined } | undefined;

  constructor(expressions: Expressions, plan: KernelPlan, team: Team) {
    this.#expressions = expressions;
    this.#plan = plan;
    this.team = team;
  }

  declare(accumulator: Accumulator, initial: Expr, scope: Scope): void {
    const { ops } = this.#expressions;
    const { shape, dtype, name } = accumulator;
    const across = this.within === undefined && this.#plan.vectorized.has(name);
    const rows = shape.slice(0, across ? -1 : shape.length).reduce((product, size) => product * size, 1);
    const count = across ? rows * this.#perRow(shape) : rows;
    const element = dtype === 'bool' ? ops.module.types.i8 : ops.scalarType(dtype);
    const cells = this.#cells(name, element, count, kept(this.#expressions.ops, this.#expressions.emit(initial, scope)));
    scope.registers.set(name, { cells, shape, lanes: 1, across, element, count });
  }

  /** Copies the registers of `name` to memory for the code in `scope`, which may then index them by values not known yet. */
  spill(name: string, scope: Scope): void {
    const registers = scope.registers.get(name);
    if (registers === undefined || !(registers.cells instanceof SsaRegisters)) return;
    const { ops, math } = this.#expressions;
    const { element } = registers;
    scope.registers.set(name, { ...registers, cells: new StackRegisters(ops.builder, math, element, element, registers.cells.values) });
  }

  /** The registers, and partial results in their place, that hold values which `names` say may change. */
  values(names: Iterable<string>, scope: Scope): readonly SsaRegisters[] {
    return [...names]
      .flatMap((name) => [scope.registers.get(name)?.cells, scope.partials.get(name)?.cells])
      .filter((cells) => cells instanceof SsaRegisters);
  }

  read(accumulator: Accumulator, index: readonly Expr[], scope: Scope): Value {
    const { cells, at } = this.#locate(accumulator, index, scope);
    return released(this.#expressions.ops, cells.get(at), accumulator.dtype, 1);
  }

  assign(accumulator: Accumulator, index: readonly Expr[], value: Expr, scope: Scope, memo: Memo): void {
    const { cells, at } = this.#locate(accumulator, index, scope);
    cells.set(at, kept(this.#expressions.ops, this.#expressions.emit(value, scope, memo)));
  }

  accumulate(accumulator: Accumulator, index: readonly Expr[], combine: Combiner, value: Expr, scope: Scope, memo: Memo): void {
    const partials = this.within === undefined ? undefined : scope.partials.get(accumulator.name);
    const { cells, at } =
      partials === undefined
        ? this.#locate(accumulator, index, scope)
        : { cells: partials.cells, at: positionOf(this.#expressions, registersOf(accumulator, scope).shape, index, scope) };
    const before = released(this.#expressions.ops, cells.get(at), accumulator.dtype, 1);
    cells.set(at, kept(this.#expressions.ops, updated(this.#expressions, combine, before, value, scope, memo)));
  }

  /** Each thread's own results, from the combiner's identity. */
  beginPartials({ accumulator, combine }: PartialResult, scope: Scope): Partials {
    const { element, count } = registersOf(accumulator, scope);
    const start = kept(this.#expressions.ops, this.#expressions.ops.constant(accumulator.dtype, neutral(combine, accumulator.dtype)));
    return { cells: this.#cells(accumulator.name, element, count, start), lanes: 1, chains: 1, combine };
  }

  /** The accumulator's own value with what the block combines. */
  endPartials(accumulator: Accumulator, partials: Partials, scope: Scope): void {
    const { ops } = this.#expressions;
    const { cells, count } = registersOf(accumulator, scope);
    for (let at = 0; at < count; at++) {
      const total = this.team.combine(partials.combine, released(this.#expressions.ops, partials.cells.get(at), accumulator.dtype, 1));
      cells.set(
        at,
        kept(
          this.#expressions.ops,
          combined(ops, partials.combine, released(this.#expressions.ops, cells.get(at), accumulator.dtype, 1), total),
        ),
      );
    }
  }

  /** What the threads of `warp` side by side have, each with each. */
  combine({ accumulator, combine, lanes }: CombineStmt, scope: Scope, warp: Warp): void {
    const { ops } = this.#expressions;
    const { cells, count } = registersOf(accumulator, scope);
    for (let at = 0; at < count; at++) {
      const value = warp.exchanged(combine, released(ops, cells.get(at), accumulator.dtype, 1), lanes);
      cells.set(at, kept(ops, value));
    }
  }

  #cells(name: string, element: LlvmType, count: number, start: LlvmValue): RegisterCells {
    const { ops, math } = this.#expressions;
    if (!this.#plan.use.demoted.has(name)) return new SsaRegisters(ops.builder, count, 1, start);
    return new StackRegisters(ops.builder, math, element, element, Array<LlvmValue>(count).fill(start));
  }

  /** The register that an index means. */
  #locate(accumulator: Accumulator, index: readonly Expr[], scope: Scope): { readonly cells: RegisterCells; readonly at: Scalar } {
    const { math } = this.#expressions;
    const { cells, shape, across } = registersOf(accumulator, scope);
    if (!across) return { cells, at: positionOf(this.#expressions, shape, index, scope) };
    const rows = positionOf(this.#expressions, shape.slice(0, -1), index.slice(0, -1), scope);
    return { cells, at: math.add(math.mul(rows, this.#perRow(shape)), this.#chunkOf(accumulator, index.at(-1))) };
  }

  /** The chunk of a tile in which this last index lies. */
  #chunkOf(accumulator: Accumulator, last: Expr | undefined): number {
    const chunk = this.within?.chunk;
    if (last !== undefined && chunk !== undefined) {
      const { terms, constant } = this.#expressions.forms.of(last);
      const [term] = terms;
      const apart = (constant.constant ?? NaN) / this.team.threads;
      const follows =
        terms.length === 1 && term?.atom.kind === 'index' && term.atom.name === chunk.index && term.coefficient.constant === 1;
      if (follows && Number.isInteger(apart)) return chunk.number + apart;
    }
    throw new InternalError('codegen', `${accumulator.name} is not indexed by the loop over its threads`);
  }

  readonly #perRow = (shape: readonly number[]): number => Math.ceil((shape.at(-1) ?? 1) / this.team.threads);
}
