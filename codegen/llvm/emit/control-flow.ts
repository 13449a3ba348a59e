// Branches and counted loops. In: what they hold, and the registers that it may change. Out: blocks, and phis where control flow joins.
// Holds: behind a join, as on every way to it, each register has its value.

import { changedBy, type Stmt } from '../../../src/kernel/index.js';
import type { AccumulatorFile } from './accumulators.js';
import type { SsaRegisters } from './register-cells.js';
import type { Expressions } from './expressions.js';
import type { BasicBlock, Builder, LlvmValue, Phi } from '../builder/index.js';
import type { KernelPlan } from '../../analysis/plan.js';
import { Multiples } from './multiples.js';
import type { Scalar, Scope } from './scope.js';

export class Flow {
  readonly #expressions: Expressions;
  readonly #accumulators: Pick<AccumulatorFile, 'values'>;
  readonly #plan: KernelPlan;

  constructor(expressions: Expressions, accumulators: Pick<AccumulatorFile, 'values'>, plan: KernelPlan) {
    this.#expressions = expressions;
    this.#accumulators = accumulators;
    this.#plan = plan;
  }

  /** Registers from outside that the statements may change. */
  changed(stmts: readonly Stmt[], scope: Scope): readonly SsaRegisters[] {
    const names = new Set<string>();
    for (const stmt of stmts) {
      const accumulator = changedBy(stmt);
      if (accumulator !== undefined) names.add(accumulator.name);
      for (const name of this.#plan.use.changes.get(stmt) ?? []) names.add(name);
    }
    return this.#accumulators.values(names, scope);
  }

  /** `cells`: what `then` and `otherwise` may change. */
  choose(condition: LlvmValue, cells: readonly SsaRegisters[], then: () => void, otherwise?: () => void): void {
    const build = this.#expressions.ops.builder;
    const yes = build.newBlock('then');
    const no = otherwise === undefined ? undefined : build.newBlock('else');
    const end = build.newBlock('end');
    const [before, values] = [build.block, snapshot(cells)];
    build.condBr(condition, yes, no ?? end);
    build.at(yes);
    then();
    const [after, chosen] = [build.block, snapshot(cells)];
    build.br(end);
    restore(cells, values);
    if (no !== undefined) {
      build.at(no);
      otherwise?.();
      build.br(end);
    }
    const other = no === undefined ? before : build.block;
    build.at(end);
    join(build, cells, other, chosen, after);
  }

  /** A counted loop: start, start + step, … below `end`, as long as what `asked` gives is true. `cells`: what it may change. */
  count(
    start: Scalar,
    end: Scalar,
    step: number,
    name: string,
    cells: readonly SsaRegisters[],
    body: (index: Scalar, multiples?: Multiples) => void,
    asked?: () => LlvmValue,
  ): void {
    const { ops, math } = this.#expressions;
    const build = ops.builder;
    if (typeof start === 'number' && typeof end === 'number') {
      if (start >= end) return;
      if (asked !== undefined && start + step >= end) {
        this.choose(asked(), cells, () => body(start));
        return;
      }
      if (start + step >= end) {
        body(start);
        return;
      }
    }
    const [first, last] = [math.value(start), math.value(end)];
    const head = build.newBlock(name);
    const exit = build.newBlock(`${name}.end`);
    const [before, values] = [build.block, snapshot(cells)];
    const always = asked === undefined && typeof start === 'number' && typeof end === 'number';
    const goesOn = (at: LlvmValue): LlvmValue => {
      const below = build.icmp('slt', at, last);
      return asked === undefined ? below : build.and(below, asked());
    };
    if (always) build.br(head);
    else {
      const enters = goesOn(first);
      build.condBr(enters, head, exit);
    }
    build.at(head);
    const index = build.phi(ops.module.types.i64, name).add(first, before);
    const phis = enterLoop(build, cells, before);
    const multiples = typeof start === 'number' ? new Multiples(build, math, index.type, { start, step, head, before }) : undefined;
    body(index, multiples);
    multiples?.close();
    const next = build.add(index, math.value(step), { nuw: true, nsw: true });
    const again = goesOn(next);
    index.add(next, build.block);
    closeLoop(build, cells, phis);
    const latch = build.block;
    build.condBr(again, head, exit);
    build.at(exit);
    if (!always) join(build, cells, latch, values, before);
  }
}

type Snapshot = readonly (readonly LlvmValue[])[];

const snapshot = (cells: readonly SsaRegisters[]): Snapshot => cells.map((one) => [...one.values]);

function restore(cells: readonly SsaRegisters[], to: Snapshot): void {
  cells.forEach((one, at) => (one.values = [...(to[at] ?? [])]));
}

/** The builder stands at the head of a loop that was entered from `before`: the values of one round. */
function enterLoop(build: Builder, cells: readonly SsaRegisters[], before: BasicBlock): readonly (readonly Phi[])[] {
  return cells.map((one) => {
    const phis = one.values.map((value) => build.phi(value.type).add(value, before));
    one.values = [...phis];
    return phis;
  });
}

/** The values of the next round, from where the builder stands. */
function closeLoop(build: Builder, cells: readonly SsaRegisters[], phis: readonly (readonly Phi[])[]): void {
  cells.forEach((one, at) => phis[at]?.forEach((phi, register) => phi.add(one.values[register] as LlvmValue, build.block)));
}

/** The builder stands where `others`, which came from `from`, meet the present values, which came from `here`. */
function join(build: Builder, cells: readonly SsaRegisters[], here: BasicBlock, others: Snapshot, from: BasicBlock): void {
  cells.forEach((one, at) => {
    one.values = one.values.map((value, register) => {
      const other = others[at]?.[register] ?? value;
      return other === value ? value : build.phi(value.type).add(other, from).add(value, here);
    });
  });
}
