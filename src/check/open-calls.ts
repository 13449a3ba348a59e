// Calls of which nothing but literals says in which dtype they compute: `let a = softened(1.0)`. In: such a call. Out: its value, which
// has no dtype before it meets one, like the literals that were passed.
// Holds: arguments are evaluated once; what the same call gives in another dtype is computed when it is asked for, once for each. What
// draws random numbers keeps its dtype, for it would draw others.

import type { DType } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import type { Call, Passed } from './calls.js';
import { ownDType } from './tensors.js';
import { mapLeaves, sameTree } from './trees.js';
import { number, type Value } from './values.js';

/** What a call gives. Where a generic dtype became what it is because nothing said otherwise: another one that it might have become. */
export interface Called {
  readonly value: Value;
  readonly other: DType | undefined;
}

/** An argument that is evaluated when it is asked for, and once. */
function once(passed: Passed): Passed {
  let known: Value | undefined;
  return { ...passed, value: (expected, instancePath) => (known ??= passed.value(expected, instancePath)) };
}

function leavesIn(value: Value): Value[] {
  const leaves: Value[] = [];
  mapLeaves(value, (leaf) => {
    leaves.push(leaf);
    return leaf;
  });
  return leaves;
}

/** The value of a call in any dtype, where it may be; `compute` takes the dtype that generics are which nothing determines. */
export function inAnyCall(given: Call, compute: (call: Call, usual?: DType) => Called): Value {
  const call: Call = { ...given, passed: given.passed.map(once) };
  const { entry, checker, body } = call.context;
  const { drawn } = entry;
  const { value, other } = compute(call);
  if (other === undefined || entry.drawn !== drawn || body !== undefined || entry.isGuessing) return value;
  const own = leavesIn(value);
  const tried = checker.reporter.silently(() => entry.guessing(() => compute(call, other).value));
  if (tried.failed || !sameTree(value, tried.value)) return value;
  const others = leavesIn(tried.value);
  const made = new Map<DType, readonly Value[]>();
  const inDType = (dtype: DType): readonly Value[] => {
    const leaves = made.get(dtype) ?? leavesIn(compute(call, dtype).value);
    // An attempt keeps nothing.
    if (!entry.isTentative) made.set(dtype, leaves);
    return leaves;
  };
  let at = 0;
  return mapLeaves(value, (leaf) => {
    const place = at++;
    if (ownDType(others[place] as Value) !== other || ownDType(own[place] as Value) === other) return leaf;
    if (leaf.kind === 'number') return number(leaf.value, leaf.integer, undefined, leaf.exact);
    if (leaf.kind !== 'tensor') return leaf;
    const again = (dtype: DType): TensorNode | undefined => {
      const found = inDType(dtype)[place];
      return found?.kind === 'tensor' ? found.node : undefined;
    };
    return { ...leaf, again };
  });
}
