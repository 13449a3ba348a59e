// What an accumulator becomes. In: what it was, and a value. Out: both combined. Holds: lane by lane; as the kernel interpreter combines.

import { isFloat } from '../../../src/base/index.js';
import type { Combiner } from '../../../src/kernel/index.js';
import type { MachineOps, Value } from './machine.js';

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
