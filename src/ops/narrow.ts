// Operands of products in less precision. In: floats. Out: the same dtype. Holds: a product of narrowed operands, widened, has derivatives
// that are such products again, however often it is differentiated and in either mode (note at the end).

import type { Expression } from '../../grammar/index.js';
import { type DType, isDType, isFloat, isNarrowFloat, type Precision } from '../base/index.js';
import { type Node, typeToString, type TensorType, type Type } from '../graph/index.js';
import { build as loop, type Expr } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import { defineOp, type Op, type Sample, type TypeProblem } from './define.js';
import { isProblem, oneTensor, problem } from './problem.js';
import { applied, binary, called, digits, named } from './tdsl.js';
import { tensorAt } from './value.js';
import { written } from './writing.js';

/** What elements are rounded to. */
export type NarrowAttrs = { readonly dtype: Precision };

/** The unit of the bits of an f32 that TF32 has; adding half of it carries into the exponent where it should. */
const [unit, half] = [2 ** 13, 2 ** 12];

/** An f32 to the nearest with 11 significant bits, ties away from zero; ∞ beyond the largest. NaN is kept from carrying into the sign. */
function nearestTF32(x: Expr): Expr {
  const bits = loop.apply('add', 'i32', loop.apply('bitcast', 'i32', x), loop.constant('i32', half));
  const nearest = loop.apply('bitcast', 'f32', loop.apply('and', 'i32', bits, loop.constant('i32', -unit)));
  return loop.apply('select', 'f32', loop.apply('eq', 'bool', x, x), nearest, x);
}

/** A value of a float dtype, rounded to `precision` and given back as what it was. */
function roundedTo(precision: Precision, value: Expr): Expr {
  const own = loop.dtypeOf(value);
  if (own === precision || (precision === 'tf32' && isNarrowFloat(own))) return value;
  const as = (dtype: DType, one: Expr): Expr => (loop.dtypeOf(one) === dtype ? one : loop.apply('convert', dtype, one));
  return as(own, precision === 'tf32' ? nearestTF32(as('f32', value)) : as(precision, value));
}

/** The same in TDSL; `x` is written more than once. */
function writtenTF32(x: Expression, own: DType): Expression {
  const single = own === 'f32' ? x : applied(named('f32'), [x]);
  const bits = binary(called('bitcast', [single, named('u32')]), '+', digits(`${half}`));
  const nearest = binary(applied(named('floorDiv'), [bits, digits(`${unit}`)]), '*', digits(`${unit}`));
  const value = called('where', [applied(named('isNaN'), [x]), single, called('bitcast', [nearest, named('f32')])]);
  return own === 'f32' ? value : applied(named(own), [value]);
}

function floatsAs(name: string, args: readonly Type[], { dtype }: NarrowAttrs): Type | TypeProblem {
  const arg = oneTensor(name, args);
  if (isProblem(arg)) return arg;
  if (dtype !== 'tf32' && !(isDType(dtype) && isFloat(dtype)))
    return problem('dtype-mismatch', `${name} rounds to floats, not to ${dtype as string}`);
  return isFloat(arg.dtype) ? arg : problem('dtype-mismatch', `${name} is defined for floats, not for ${typeToString(arg)}`, [0]);
}

/** Numbers that bf16 and f16 hold. */
const samples = (): readonly Sample<NarrowAttrs>[] => [
  { args: [{ dtype: 'f64', shape: [2, 3], values: [1, -0.5, 2.25, 0, 1.5, -1.75] }], attrs: { dtype: 'bf16' } },
  { args: [{ dtype: 'f64', shape: [], values: [-3.5] }], attrs: { dtype: 'f16' } },
  { args: [{ dtype: 'f32', shape: [5], values: [1, -0.5, 2.25, 0.125, 96] }], attrs: { dtype: 'bf16' } },
  { args: [{ dtype: 'f32', shape: [4], values: [1, -0.0009765625, 2047, 0] }], attrs: { dtype: 'tf32' } },
  { args: [{ dtype: 'f64', shape: [2], values: [-1.5, 3] }], attrs: { dtype: 'tf32' } },
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
    at: (node, index, arg) => roundedTo(node.attrs.dtype, arg(0, index)),
    cost: 2,
    holds: ({ attrs }) => attrs.dtype,
  },
  write({ args, attrs, type }, writer) {
    const { dtype } = type as TensorType;
    if (attrs.dtype === 'tf32') {
      if (isNarrowFloat(dtype)) return writer.written(args[0] as Node);
      const { expression, shape } = writer.shared(args[0] as Node);
      return written(writtenTF32(expression, dtype), shape);
    }
    const { expression, shape } = writer.written(args[0] as Node);
    return written(applied(named(dtype), [applied(named(attrs.dtype), [expression])]), shape);
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
