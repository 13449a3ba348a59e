// Rules that compute now what is known now. In: nodes over constants. Out: constants. Holds: results are rounded to their dtype, as running code would.

import { type DType, Dim, bytesOf, isFloat, isInteger } from '../../base/index.js';
import type { GraphBuilder, Node } from '../../graph/index.js';
import { isTensorNode } from '../../graph/index.js';
import { type TensorValue, apply, cast, constant, elementwise, fill, opOf } from '../../ops/index.js';
import { arg, dimsOf, isOp, isUnit, numbersOf, splat } from './match.js';
import type { Rule } from './rule.js';

/** Ops that compute each element of the result from the same element of the arguments. */
export const elementwiseNames: readonly string[] = [...Object.values(elementwise).map((op) => op.name), cast.name];

export const constantRules: readonly Rule[] = [
  {
    name: 'fold-constants',
    doc: 'f(1, 2) → its value, rounded to the dtype',
    at: elementwiseNames,
    apply: (node, { build }) => fold(node, build),
  },
  {
    name: 'known-size',
    doc: 'a size that is a number → that number',
    at: ['dimension'],
    apply: (node, { build }) => {
      const dim = node.attrs['dim'];
      const size = dim instanceof Dim ? dim.constant : undefined;
      return size === undefined || !isTensorNode(node) ? undefined : fill(build, node.type, size);
    },
  },
  {
    name: 'single-count',
    doc: 'iota along an axis of size 1 → 0',
    at: ['iota'],
    apply: (node, { build }) => {
      if (!isTensorNode(node)) return undefined;
      const size = node.type.shape[node.attrs['axis'] as number];
      return size !== undefined && isUnit(size) ? fill(build, node.type, 0) : undefined;
    },
  },
  {
    name: 'move-constant',
    doc: 'transpose or slice of a tensor of one value → that value',
    at: ['transpose', 'slice'],
    apply: (node, { build }) => {
      const value = splat(arg(node));
      return value === undefined || !isTensorNode(node) ? undefined : fill(build, node.type, value);
    },
  },
  {
    name: 'pad-zero-with-zeros',
    doc: 'pad(0) → 0',
    at: ['pad'],
    apply: (node, { build }) => {
      const value = splat(arg(node));
      return value !== undefined && Number(value) === 0 && !Object.is(value, -0) && isTensorNode(node) ? fill(build, node.type, value) : undefined;
    },
  },
  {
    name: 'join-equal-constants',
    doc: 'concat of tensors of one and the same value → that value',
    at: ['concat'],
    apply: (node, { build }) => {
      const values = node.args.map(splat);
      const value = values[0];
      if (value === undefined || !isTensorNode(node)) return undefined;
      return values.every((one) => Object.is(one, value)) ? fill(build, node.type, value) : undefined;
    },
  },
  {
    name: 'extreme-of-constant',
    doc: 'reduceMax, reduceMin, reduceAny or reduceAll of one value over axes that are not empty → that value',
    at: ['reduceMax', 'reduceMin', 'reduceAny', 'reduceAll'],
    apply: (node, { build }) => {
      const value = splat(arg(node));
      const shape = arg(node).type.shape;
      const filled = numbersOf(node, 'axes').every((axis) => ((shape[axis] as Dim).constant ?? 0) > 0);
      return value !== undefined && filled && isTensorNode(node) ? fill(build, node.type, value) : undefined;
    },
  },
  {
    name: 'slice-of-count',
    doc: 'a slice of iota that leaves the counted axis whole → a smaller iota',
    at: ['slice'],
    apply: (node, { build }) => {
      const from = arg(node);
      if (!isOp(from, 'iota') || !isTensorNode(node)) return undefined;
      const axis = from.attrs['axis'] as number;
      const whole = dimsOf(node, 'starts')[axis]?.constant === 0 && numbersOf(node, 'steps')[axis] === 1 && (node.type.shape[axis] as Dim).equals(from.type.shape[axis] as Dim);
      return whole ? apply(build, opOf(from), [], { ...from.attrs, shape: node.type.shape }) : undefined;
    },
  },
];

function fold(node: Node, build: GraphBuilder): Node | undefined {
  if (!isTensorNode(node) || node.type.shape.length > 0 || !node.args.every((one) => isOp(one, 'constant'))) return undefined;
  const values = node.args.map((one) => scalarValue(arg({ ...node, args: [one] }).type.dtype, splat(one) as number | bigint));
  const { dtype } = node.type;
  // What a machine does with a division by zero, or with a float that no integer stands for, is not known here.
  if (isInteger(dtype) && isOp(node, 'div', 'rem') && Number(values[1]?.data[0]) === 0) return undefined;
  const result = opOf(node).evaluate(values, {
    attrs: node.attrs,
    type: node.type,
    size: (dim) => dim.constant ?? Number.NaN,
    shape: () => [],
    region: () => [],
  });
  const element = 'dtype' in result ? result.data[0] : undefined;
  const rounded = element === undefined ? undefined : roundTo(dtype, element);
  return rounded === undefined ? undefined : apply(build, constant, [], { value: rounded, dtype });
}

function scalarValue(dtype: DType, value: number | bigint): TensorValue {
  const rounded = roundTo(dtype, value) ?? value;
  return { dtype, shape: [], data: dtype === 'i64' ? BigInt64Array.of(BigInt(rounded)) : Float64Array.of(Number(rounded)) };
}

/** The value as the dtype holds it: floats to nearest, ties to even; integers within range; undefined where no value is meant. */
export function roundTo(dtype: DType, value: number | bigint): number | bigint | undefined {
  if (isFloat(dtype)) {
    const x = Number(value);
    switch (dtype) {
      case 'f64':
        return x;
      case 'f32':
        return Math.fround(x);
      case 'f16':
        return quantize(x, 11, -14, 65504);
      default:
        return quantize(x, 8, -126, (2 - 2 ** -7) * 2 ** 127);
    }
  }
  if (dtype === 'i64') return typeof value === 'bigint' ? BigInt.asIntN(64, value) : Number.isSafeInteger(value) ? BigInt(value) : undefined;
  const integer = Number(value);
  if (dtype === 'bool') return integer === 0 ? 0 : 1;
  const bits = bytesOf(dtype) * 8;
  const [low, high] = dtype === 'u8' ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return Number.isInteger(integer) && integer >= low && integer <= high ? integer + 0 : undefined;
}

/** Rounds to `digits` binary digits, subnormal below 2^`lowest`, infinite from halfway beyond `largest` on. */
function quantize(x: number, digits: number, lowest: number, largest: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  let exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), lowest);
  // log2 may be off by one next to a power of two.
  if (2 ** exponent > Math.abs(x) && exponent > lowest) exponent -= 1;
  const unit = 2 ** (exponent - digits + 1);
  const scaled = x / unit;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const rounded = (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below) * unit;
  return Math.abs(rounded) > largest ? Math.sign(x) * Number.POSITIVE_INFINITY : rounded === 0 ? Math.sign(x) * 0 : rounded;
}
