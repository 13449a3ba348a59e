// What an op over known numbers is. In: a node of an elementwise op, and one number for each argument. Out: its number, rounded to the
// dtype, as running code would.

import { type DType, InternalError, isFloat, roundTo } from '../base/index.js';
import { isTensorNode, type Node, type OpTag } from '../graph/index.js';
import { opOf, tensorOf } from './apply.js';
import { cast } from './cast.js';
import type { TensorValue } from './define.js';
import { elementwise } from './elementwise.js';
import { isTensorValue, tensorValue } from './value.js';

/** Ops that compute each element of the result from the same element of the arguments. */
export const elementByElement: readonly OpTag[] = [...Object.values(elementwise), cast];

/** One element of what such an op gives for one element of each argument. */
export function knownElement(node: Node, args: readonly (number | bigint)[]): number | bigint | undefined {
  if (!isTensorNode(node)) return undefined;
  const result = opOf(node).evaluate(
    args.map((value, at) => scalarValue(tensorOf(node.args[at] as Node).type.dtype, value)),
    {
      attrs: node.attrs,
      type: { ...node.type, shape: [] },
      size: (dim) => dim.constant ?? Number.NaN,
      shape: () => [],
      region: () => [],
      fails: ({ code }) => {
        throw new InternalError('knownElement', `a check (${code}) stands among constants`);
      },
    },
  );
  return isTensorValue(result) ? result.data[0] : undefined;
}

/** A constant's value as running code has it: 0.1 is not the same in f32. */
const scalarValue = (dtype: DType, value: number | bigint): TensorValue =>
  tensorValue(dtype, [], [isFloat(dtype) ? roundTo(dtype, Number(value)) : value]);
