// Whether two links computed the same, and how native code is fed. In: tensor values. Out: the first difference as text; runtime tensors
// and back.
// Holds: integers and bools agree exactly; floats exactly where the tolerance is 0, but for the sign of zero; otherwise relative to the
// largest element, since sums cancel.

import { type DType, isFloat, roundTo } from '../../src/base/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { Tensor, tensor } from '../../runtime/index.js';
import { allocate, elements } from '../../runtime/element.js';

/** Named tensors: the outputs and the new values of variables of one step. */
export type Results = ReadonlyMap<string, TensorValue>;

/** Undefined when all of `expected` is found. `tolerance` is relative; below one, elements are compared as if the largest were 1. */
export function difference(found: Results, expected: Results, tolerance: (name: string, dtype: DType) => number): string | undefined {
  for (const [name, value] of expected) {
    const text = tensorDifference(found.get(name), value, tolerance(name, value.dtype));
    if (text !== undefined) return `${name}${text}`;
  }
  return undefined;
}

function tensorDifference(found: TensorValue | undefined, expected: TensorValue, tolerance: number): string | undefined {
  if (found === undefined) return ' is missing';
  if (found.dtype !== expected.dtype || found.shape.join() !== expected.shape.join())
    return ` is ${found.dtype}[${found.shape}], expected ${expected.dtype}[${expected.shape}]`;
  const float = isFloat(expected.dtype);
  let scale = 1;
  if (float) for (const one of expected.data as Float64Array) if (Number.isFinite(one)) scale = Math.max(scale, Math.abs(one));
  for (let at = 0; at < expected.data.length; at++) {
    const a = found.data[at] as number | bigint;
    const b = float ? roundTo(expected.dtype, expected.data[at] as number) : (expected.data[at] as number | bigint);
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (float && Math.abs(Number(a) - Number(b)) <= tolerance * scale) continue;
    return `[${at}] of [${expected.shape}] is ${a}, expected ${b}`;
  }
  return undefined;
}

/** A tensor of the runtime with these elements. */
export function toRuntime({ dtype, shape, data }: TensorValue): Tensor {
  return tensor(elementsOf(dtype, data), shape, dtype);
}

function elementsOf(dtype: DType, data: TensorValue['data']): ConstructorParameters<typeof Tensor>[2] {
  const { patterns } = elements[dtype];
  const into = allocate(dtype, data.length);
  for (let at = 0; at < data.length; at++) into[at] = (patterns?.fromNumber(Number(data[at])) ?? data[at]) as never;
  return into;
}

export function fromRuntime(value: unknown, dtype: DType): TensorValue {
  if (!(value instanceof Tensor)) return tensorValue(dtype, [], [typeof value === 'boolean' ? Number(value) : (value as number | bigint)]);
  const decode = elements[dtype].patterns?.toNumber;
  const data = value.data as Iterable<number | bigint>;
  return tensorValue(dtype, value.shape, decode === undefined ? data : Array.from(data, (bits) => decode(Number(bits))));
}
