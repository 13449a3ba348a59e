// Values of registers where control flow joins. In: the registers that a piece of code may change, and its blocks. Out: phis. Holds: behind the join, as on every way to it, each register has its value.

import type { BasicBlock, Builder, LlvmValue, Phi } from './llvm/index.js';
import type { ValueCells } from './cells.js';

export type Snapshot = readonly (readonly LlvmValue[])[];

export const snapshot = (cells: readonly ValueCells[]): Snapshot => cells.map((one) => [...one.values]);

export function restore(cells: readonly ValueCells[], to: Snapshot): void {
  cells.forEach((one, at) => (one.values = [...(to[at] ?? [])]));
}

/** The builder stands at the head of a loop that was entered from `before`: the values of one round. */
export function enterLoop(build: Builder, cells: readonly ValueCells[], before: BasicBlock): readonly (readonly Phi[])[] {
  return cells.map((one) => {
    const phis = one.values.map((value) => build.phi(value.type).add(value, before));
    one.values = [...phis];
    return phis;
  });
}

/** The values of the next round, from where the builder stands. */
export function closeLoop(build: Builder, cells: readonly ValueCells[], phis: readonly (readonly Phi[])[]): void {
  cells.forEach((one, at) => phis[at]?.forEach((phi, register) => phi.add(one.values[register] as LlvmValue, build.block)));
}

/** The builder stands where `others`, which came from `from`, meet the present values, which came from `here`. */
export function join(build: Builder, cells: readonly ValueCells[], here: BasicBlock, others: Snapshot, from: BasicBlock): void {
  cells.forEach((one, at) => {
    one.values = one.values.map((value, register) => {
      const other = others[at]?.[register] ?? value;
      return other === value ? value : build.phi(value.type).add(other, from).add(value, here);
    });
  });
}
