// What the registers of accumulators hold, and which one an index means. In: an accumulator in scope, values as they are computed. Out:
// registers, values as they are kept. Holds: a bool is kept in a byte; elements lie row-major.

import { type DType, InternalError } from '../../../src/base/index.js';
import type { Accumulator, Expr } from '../../../src/kernel/index.js';
import type { LlvmValue } from '../builder/index.js';
import type { Expressions } from './expressions.js';
import type { MachineOps, Value } from './machine.js';
import type { Registers, Scalar, Scope } from './scope.js';

export function registersOf(accumulator: Accumulator, scope: Scope): Registers {
  const found = scope.registers.get(accumulator.name);
  if (found === undefined) throw new InternalError('codegen', `the accumulator ${accumulator.name} is not in scope`);
  return found;
}

/** Row-major number of the element that indices shared by all lanes mean. */
export function positionOf(expressions: Expressions, shape: readonly number[], index: readonly Expr[], scope: Scope): Scalar {
  const { math } = expressions;
  let position: Scalar = 0;
  index.forEach((at, axis) => {
    position = math.add(math.mul(position, shape[axis] ?? 1), expressions.scalar(at, scope));
  });
  return position;
}

export const kept = (ops: MachineOps, of: Value): LlvmValue =>
  of.dtype === 'bool' ? ops.builder.zext(of.value, ops.wide(ops.module.types.i8, of.lanes)) : of.value;

export const released = (ops: MachineOps, value: LlvmValue, dtype: DType, lanes: number): Value => ({
  value: dtype === 'bool' ? ops.builder.icmp('ne', value, ops.module.zero(value.type)) : value,
  lanes,
  dtype,
});
