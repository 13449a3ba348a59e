// Bits read as another element type. In: a tensor. Out: the same shape; each element is what the bits of the argument's element mean in
// another dtype of the same width. Holds: no bit changes, but those of NaNs of narrow floats, which are all the same NaN.

import { bytesOf, type DType, isInteger, isSigned, isWide, patterns } from '../base/index.js';
import { type Node, tensor } from '../graph/index.js';
import { build as loop } from '../kernel/index.js';
import type { CastAttrs } from './cast.js';
import { defineOp, type Op } from './define.js';
import { isProblem, oneTensor, problem } from './problem.js';
import { called, named } from './tdsl.js';
import { emptyValue, get, put, tensorAt, wrap } from './value.js';
import { written } from './writing.js';

const view = new DataView(new ArrayBuffer(8));

/** The bits of one element, as an integer that is not negative. */
function bitsOf(dtype: DType, value: number | bigint): bigint {
  if (isInteger(dtype)) return BigInt.asUintN(8 * bytesOf(dtype), BigInt(value));
  if (dtype === 'f64') view.setFloat64(0, Number(value));
  if (dtype === 'f64') return view.getBigUint64(0);
  if (dtype === 'f32') view.setFloat32(0, Number(value));
  return BigInt(dtype in patterns ? patterns[dtype as keyof typeof patterns].fromNumber(Number(value)) : view.getUint32(0));
}

/** The element of these bits. */
function elementOf(dtype: DType, bits: bigint): number | bigint {
  if (isInteger(dtype)) return isSigned(dtype) || isWide(dtype) ? wrap(dtype, bits) : Number(bits);
  if (dtype === 'f64') view.setBigUint64(0, bits);
  if (dtype === 'f64') return view.getFloat64(0);
  if (dtype in patterns) return patterns[dtype as keyof typeof patterns].toNumber(Number(bits));
  view.setUint32(0, Number(bits));
  return view.getFloat32(0);
}

/** Bits of one dtype seen as another of the same width; bool has no bits of its own. */
export const bitsAs = (from: DType, to: DType, value: number | bigint): number | bigint =>
  from === to || from === 'bool' ? value : elementOf(to, bitsOf(from, value));

export const bitcast: Op<CastAttrs> = defineOp<CastAttrs>({
  name: 'bitcast',
  doc: 'Reads the bits of the elements as another type of the same width.',
  type(args, { dtype }) {
    const arg = oneTensor('bitcast', args);
    if (isProblem(arg)) return arg;
    if (arg.dtype === 'bool' || dtype === 'bool') return problem('dtype-mismatch', 'a bool has no bits to be read as something else', [0]);
    if (bytesOf(arg.dtype) !== bytesOf(dtype))
      return problem(
        'dtype-mismatch',
        `elements of ${arg.dtype} have ${8 * bytesOf(arg.dtype)} bits, those of ${dtype} have ${8 * bytesOf(dtype)}`,
        [0],
        `\`${dtype}(…)\` converts values`,
      );
    return tensor(dtype, arg.shape);
  },
  derivative: { kind: 'none', reason: 'it reads bits, which have no slope' },
  evaluate(args, { attrs }) {
    const arg = tensorAt(args, 0);
    const result = emptyValue(attrs.dtype, arg.shape);
    for (let at = 0; at < result.data.length; at++) put(result, at, bitsAs(arg.dtype, attrs.dtype, get(arg, at)));
    return result;
  },
  lowering: {
    kind: 'element',
    at(node, index, arg) {
      const value = arg(0, index);
      return loop.dtypeOf(value) === node.attrs.dtype ? value : loop.apply('bitcast', node.attrs.dtype, value);
    },
    cost: 1,
  },
  // Any bits may be those of a NaN.
  keepsFinite: (node) => isInteger(node.attrs.dtype),
  write({ args, attrs }, writer) {
    const { expression, shape } = writer.written(args[0] as Node);
    return written(called('bitcast', [expression, named(attrs.dtype)]), shape);
  },
  samples: () => [
    { args: [{ dtype: 'f32', shape: [5], values: [0, -0, 1, -1.5, 1e30] }], attrs: { dtype: 'i32' } },
    { args: [{ dtype: 'f64', shape: [3], values: [0.1, -2, 1e-300] }], attrs: { dtype: 'u64' } },
    { args: [{ dtype: 'i32', shape: [2, 2], values: [0, 1065353216, -1082130432, 2139095040] }], attrs: { dtype: 'f32' } },
    { args: [{ dtype: 'f16', shape: [3], values: [1, -0.5, 65504] }], attrs: { dtype: 'u16' } },
    { args: [{ dtype: 'u8', shape: [4], values: [0, 1, 120, 255] }], attrs: { dtype: 'f8e4m3' } },
    { args: [{ dtype: 'u8', shape: [3], values: [200, 100, 0] }], attrs: { dtype: 'i8' } },
  ],
});
