// What an accumulator becomes. In: what it was, and a value. Out: both combined. Holds: lane by lane; as the kernel interpreter combines.

import { InternalError, isFloat } from '../../../src/base/index.js';
import type { Combiner, Expr } from '../../../src/kernel/index.js';
import type { Expressions, Memo } from './expressions.js';
import type { MachineOps, Value } from './machine.js';
import type { Scope } from './scope.js';

/** before ∘ value; max and min hand NaN on. */
export function combined(ops: MachineOps, how: Combiner, before: Value, value: Value): Value {
  const { dtype } = before;
  switch (how) {
    case 'sum':
      return ops.apply('add', dtype, [before, value]);
    case 'product':
      return ops.apply('mul', dtype, [before, value]);
    case 'any':
      return ops.apply('or', dtype, [before, value]);
    case 'all':
      return ops.apply('and', dtype, [before, value]);
    case 'max':
    case 'min': {
      // With a NaN on either side the comparison is false and `before` stays; a NaN in `value` is then put in its place.
      const chosen =
        dtype === 'bool' ? ops.apply(how === 'max' ? 'or' : 'and', dtype, [before, value]) : ops.apply(how, dtype, [value, before]);
      if (!isFloat(dtype)) return chosen;
      return { ...chosen, value: ops.builder.select(ops.builder.fcmp('uno', value.value, value.value), value.value, chosen.value) };
    }
  }
}

/** before ∘ an expression; a product that is added is contracted, where that may be. */
export function updated(expressions: Expressions, combine: Combiner, before: Value, value: Expr, scope: Scope, memo: Memo): Value {
  const { ops } = expressions;
  const factors = value.kind === 'apply' && value.fn === 'mul' ? value.args : undefined;
  if (combine === 'sum' && factors !== undefined && (before.dtype === 'f32' || before.dtype === 'f64')) {
    const [a, b] = factors.map((factor) => ops.widen(expressions.emit(factor, scope, memo), before.lanes)) as [Value, Value];
    return { ...before, value: ops.contract(a.value, b.value, before.value) };
  }
  const given = expressions.emit(value, scope, memo);
  if (given.lanes > before.lanes) throw new InternalError('codegen', 'a value per lane is combined into a scalar');
  return combined(ops, combine, before, ops.widen(given, before.lanes));
}
