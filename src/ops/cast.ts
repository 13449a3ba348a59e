// Change of element type. In: a tensor. Out: the same shape in another dtype. Holds: float → integer goes towards zero, saturates, and maps
// NaN to 0; integers wrap; bool is ≠ 0.

import { bigintToDouble, bytesOf, type DType, dtypes, isFloat, isInteger, roundTo } from '../base/index.js';
import { type GraphBuilder, type Node, isTensorNode, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { build as loop } from '../kernel/index.js';
import { applyTensor, isNodeOf } from './apply.js';
import { defineOp, type Op } from './define.js';
import { isProblem, oneTensor } from './problem.js';
import { dimension } from './sources.js';
import { applied, named } from './tdsl.js';
import { emptyValue, get, put, tensorAt, wrap } from './value.js';
import { written } from './writing.js';

export type CastAttrs = { readonly dtype: DType };

/** Only between floats anything flows. */
function castBetweenFloats(build: GraphBuilder, from: TensorNode | undefined, node: Node, dtype: DType): TensorNode | undefined {
  if (from === undefined || !isTensorNode(node) || !isFloat(node.type.dtype) || !isFloat(dtype)) return undefined;
  return from.type.dtype === dtype ? from : applyTensor(build, cast, [from], { dtype });
}

/** One element; floats are not rounded, as everywhere in reference evaluation, and whoever rounds them rounds only then. */
export function convertValue(from: DType, to: DType, value: number | bigint): number | bigint {
  if (isFloat(to)) return typeof value === 'bigint' && to !== 'f64' ? bigintToDouble(value) : Number(value);
  if (to === 'bool') return Number(Number(value) !== 0);
  const greatest = dtypes[to].bounds[1];
  if (isFloat(from) && typeof greatest === 'bigint' && Number(value) >= Number(greatest)) return greatest;
  return isFloat(from) ? wrap(to, BigInt(roundTo(to, Number(value)))) : wrap(to, BigInt(value));
}

export const cast: Op<CastAttrs> = defineOp<CastAttrs>({
  name: 'cast',
  doc: 'Converts the elements to another type.',
  type(args, { dtype }) {
    const arg = oneTensor('cast', args);
    return isProblem(arg) ? arg : tensor(dtype, arg.shape);
  },
  derivative: {
    kind: 'rules',
    reach: { kind: 'moves' },
    vjp: (node, [cotangent], build) => {
      const [arg] = node.args;
      return [arg === undefined || !isTensorNode(arg) ? undefined : castBetweenFloats(build, cotangent, node, arg.type.dtype)];
    },
    jvp: (node, [tangent], build) => [castBetweenFloats(build, tangent, node, node.attrs.dtype)],
  },
  evaluate(args, { attrs }) {
    const arg = tensorAt(args, 0);
    const result = emptyValue(attrs.dtype, arg.shape);
    for (let at = 0; at < result.data.length; at++) put(result, at, convertValue(arg.dtype, attrs.dtype, get(arg, at)));
    return result;
  },
  batched: (attrs) => attrs,
  lowering: {
    kind: 'element',
    at(node, index, arg) {
      const value = arg(0, index);
      return loop.dtypeOf(value) === node.attrs.dtype ? value : loop.apply('convert', node.attrs.dtype, value);
    },
    cost: 1,
  },
  // Every integer fits the range of f32, f64 and bf16; f16 ends at 65504. Between floats, what is too large becomes infinite.
  bounds({ args, attrs: { dtype } }, of) {
    const from = (args[0]?.type as TensorType).dtype;
    // What is narrowed may wrap.
    return isInteger(from) && bytesOf(from) <= bytesOf(dtype) ? of(0) : undefined;
  },
  keepsFinite(node) {
    const [arg] = node.args;
    if (arg === undefined || !isTensorNode(arg) || isFloat(arg.type.dtype)) return false;
    return node.attrs.dtype !== 'f16' || arg.type.dtype === 'bool';
  },
  write({ args, attrs: { dtype } }, writer) {
    const arg = args[0] as Node;
    const { expression, shape } = writer.written(arg);
    if (!isNodeOf(arg, dimension) || dtype === 'bool') return written(applied(named(dtype), [expression]), shape);
    // A size is a number of the dtype that it meets.
    const literal = writer.size(arg.attrs.dim);
    return written(applied(named(dtype), [literal]), [], { literal, isPlain: true });
  },
  samples: () => [
    { args: [{ dtype: 'f64', shape: [2, 3] }], attrs: { dtype: 'f32' } },
    { args: [{ dtype: 'f64', shape: [5], values: [-2.7, 2.7, NaN, Infinity, -1e30] }], attrs: { dtype: 'i32' } },
    { args: [{ dtype: 'f64', shape: [3], values: [-0, 0.5, NaN] }], attrs: { dtype: 'bool' } },
    { args: [{ dtype: 'i64', shape: [4], values: [-1, 4294967296, 2147483648, 7] }], attrs: { dtype: 'i32' } },
    { args: [{ dtype: 'bool', shape: [2], values: [0, 1] }], attrs: { dtype: 'f64' } },
    { args: [{ dtype: 'i32', shape: [0] }], attrs: { dtype: 'f64' } },
  ],
});
