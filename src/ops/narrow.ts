// Operands of products in less precision. In: floats. Out: the same dtype. Holds: a product of narrowed operands, widened, has derivatives
// that are such products again, however often it is differentiated and in either mode (note at the end).

import { type DType, isFloat } from '../base/index.js';
import { type Node, typeToString, type TensorType, type Type } from '../graph/index.js';
import { build as loop } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type Op, type Sample, type TypeProblem } from './define.js';
import { isProblem, oneTensor, problem } from './problem.js';
import { applied, named } from './tdsl.js';
import { tensorAt } from './value.js';
import { written } from './writing.js';

/** What elements are rounded to. */
export type NarrowAttrs = { readonly dtype: DType };

function floatsAs(name: string, args: readonly Type[], { dtype }: NarrowAttrs): Type | TypeProblem {
  const arg = oneTensor(name, args);
  if (isProblem(arg)) return arg;
  if (!isFloat(dtype)) return problem('dtype-mismatch', `${name} rounds to floats, not to ${dtype}`);
  return isFloat(arg.dtype) ? arg : problem('dtype-mismatch', `${name} is defined for floats, not for ${typeToString(arg)}`, [0]);
}

/** Numbers that bf16 and f16 hold. */
const samples = (): readonly Sample<NarrowAttrs>[] => [
  { args: [{ dtype: 'f64', shape: [2, 3], values: [1, -0.5, 2.25, 0, 1.5, -1.75] }], attrs: { dtype: 'bf16' } },
  { args: [{ dtype: 'f64', shape: [], values: [-3.5] }], attrs: { dtype: 'f16' } },
  { args: [{ dtype: 'f32', shape: [5], values: [1, -0.5, 2.25, 0.125, 96] }], attrs: { dtype: 'bf16' } },
  { args: [{ dtype: 'f64', shape: [0, 2] }], attrs: { dtype: 'bf16' } },
];

export const narrow: Op<NarrowAttrs> = defineOp<NarrowAttrs>({
  name: 'narrow',
  doc: 'Rounds elements as another dtype would hold them, and keeps their own.',
  type: (args, attrs) => floatsAs('narrow', args, attrs),
  derivative: {
    kind: 'rules',
    vjp: ({ attrs }, [cotangent], build) => [cotangent === undefined ? undefined : applyTensor(build, widen, [cotangent], attrs)],
    jvp: ({ attrs }, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, narrow, [tangent], attrs)],
  },
  // Floats are not rounded in reference evaluation.
  evaluate: (args) => tensorAt(args, 0),
  batched: (attrs) => attrs,
  lowering: {
    kind: 'element',
    at(node, index, arg) {
      const value = arg(0, index);
      const own = loop.dtypeOf(value);
      return own === node.attrs.dtype ? value : loop.apply('convert', own, loop.apply('convert', node.attrs.dtype, value));
    },
    cost: 2,
    holds: ({ attrs }) => attrs.dtype,
  },
  write({ args, attrs, type }, writer) {
    const { expression, shape } = writer.written(args[0] as Node);
    return written(applied(named((type as TensorType).dtype), [applied(named(attrs.dtype), [expression])]), shape);
  },
  samples,
});

export const widen: Op<NarrowAttrs> = defineOp<NarrowAttrs>({
  name: 'widen',
  doc: 'The value itself; what its derivatives bring back is rounded as another dtype would hold it.',
  type: (args, attrs) => floatsAs('widen', args, attrs),
  derivative: {
    kind: 'rules',
    vjp: ({ attrs }, [cotangent], build) => [cotangent === undefined ? undefined : applyTensor(build, narrow, [cotangent], attrs)],
    jvp: ({ attrs }, [tangent], build) => [tangent === undefined ? undefined : applyTensor(build, widen, [tangent], attrs)],
  },
  evaluate: (args) => tensorAt(args, 0),
  batched: (attrs) => attrs,
  lowering: { kind: 'removed', by: 'strip' },
  samples,
});

/* Derivatives of products.

c = widen(narrow(a) · narrow(b)). Backwards: widen hands narrow(ċ) to the product, which gives narrow(ċ) · narrow(b)ᵀ, and narrow makes
widen of it: the same form with operands ċ and b. Forwards: narrow(ȧ) · narrow(b) + narrow(a) · narrow(ḃ), widened. So every product that a
derivative of any order adds has rounded operands, while sums, results and variables keep their dtype. */
