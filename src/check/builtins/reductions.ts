// Reductions: sum, product, max, min, any, all; sizes; inverses. In: a tensor, axes, keepDims. Out: the tensor without these axes, or with
// size 1 in their place.
// Holds: `max(a, b)` and `min(a, b)` are elementwise; `max(x, axis: 0)` reduces.

import { Dim } from '../../base/index.js';
import * as ops from '../../ops/index.js';
import type { Op } from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { presumeNatural } from '../preconditions.js';
import { fail } from '../report.js';
import { bindingLabel } from '../tensors.js';
import { describe, sizeValue } from '../values.js';
import { elementCount } from '../../base/index.js';
import { ERROR, type Value } from '../values.js';
import { flag, oneAxis, someAxes } from './axes.js';
import { optional, required, result, type Builtin, type BuiltinCall } from './builtin.js';
import { applyElementwise } from './elementwise.js';
import { typeToString } from '../../graph/index.js';

type Reduction = Op<{ readonly axes: readonly number[] }>;

function reduce(call: BuiltinCall, op: Reduction): Value {
  const { context, site } = call;
  const node = call.elements('x');
  if (node === undefined) return ERROR;
  const { value, span } = call.given('x');
  if (node.type.dtype === 'bool' && op !== ops.reduceAny && op !== ops.reduceAll)
    return fail(context, 'dtype-mismatch', span, `\`${call.builtin.name}\` takes numbers, and this is ${describe(value)}`, {
      labels: bindingLabel(value),
      hint: 'convert it: `i32(…)` counts, `f32(…)` makes floats; of bools there are `any` and `all`',
    });
  const axes = someAxes(call, call.optional('axis'), node.type);
  const keep = flag(call, 'keepDims', false);
  if (axes === undefined || keep === undefined) return ERROR;
  if (axes.length === 0) return result(node);
  const reduced = applyTensor(context, op, [node], { axes }, site);
  if (reduced === undefined || !keep) return result(reduced);
  return result(
    applyTensor(
      context,
      ops.reshape,
      [reduced],
      { shape: node.type.shape.map((dim, axis) => (axes.includes(axis) ? Dim.one : dim)) },
      site,
    ),
  );
}

const reduction = (name: string, doc: string, generics: string, x: string, op: Reduction): Builtin => ({
  name,
  doc,
  signatures: [`${name}<${generics}>(x: ${x}, axis: axes = "all", keepDims: bool = false)`],
  parameters: [...required('x'), ...optional('axis', 'keepDims')],
  run: (call) => reduce(call, op),
});

/** A largest or smallest element there is only where there is one at all. */
function ofSome(call: BuiltinCall, name: string, op: Reduction): Value {
  const value = call.elements('x');
  const axes = value === undefined ? undefined : someAxes(call, call.optional('axis'), value.type);
  if (value === undefined || axes === undefined) return ERROR;
  for (const axis of axes) {
    const size = value.type.shape[axis] as Dim;
    if (!presumeNatural(call.context, size.sub(1), call.site))
      return fail(
        call.context,
        'invalid-value',
        call.site,
        `\`${name}\` of ${typeToString(value.type)}: an axis of size ${size} has no element`,
        { labels: bindingLabel(call.given('x').value), hint: 'only `sum`, `product`, `any` and `all` of no element have a value' },
      );
  }
  return reduce(call, op);
}

const extreme = (name: 'max' | 'min', op: Reduction): Builtin => ({
  name,
  doc: `The ${name === 'max' ? 'larger' : 'smaller'} of two values per element, or the ${name === 'max' ? 'largest' : 'smallest'} element along axes, where there must be one. NaN when any is NaN. At a tie all of them get equal parts of the slope.`,
  signatures: [
    `${name}<T: number, ...S>(x: T[...S], y: T[...S]): T[...S]`,
    `${name}<T: number, ...S>(x: T[...S], axis: axes = "all", keepDims: bool = false)`,
  ],
  parameters: [...required('x'), ...optional('y', 'axis', 'keepDims')],
  run(call) {
    if (!call.has('y')) return ofSome(call, name, op);
    if (call.has('axis') || call.has('keepDims'))
      return fail(call.context, 'too-many-arguments', call.site, `\`${name}\` takes two values, or one and \`axis\``, {
        hint: `the axis is named: \`${name}(x, axis: 0)\``,
      });
    return applyElementwise(call, name, ['x', 'y']);
  },
});

/** How many elements lie along axes: what a mean divides by. */
const count: Builtin = {
  name: 'count',
  doc: 'The number of elements along axes, as a size: what a mean divides by.',
  signatures: ['count<T: any, ...S>(x: T[...S], axis: axes = "all"): int'],
  parameters: [...required('x'), ...optional('axis')],
  run(call) {
    const node = call.tensor('x');
    const axes = node === undefined ? undefined : someAxes(call, call.optional('axis'), node.type);
    if (node === undefined || axes === undefined) return ERROR;
    return sizeValue(elementCount(node.type.shape.filter((_, axis) => axes.includes(axis))));
  },
};

const size: Builtin = {
  name: 'size',
  doc: 'The size of one axis.',
  signatures: ['size<T: any, ...S>(x: T[...S], axis: int): int'],
  parameters: required('x', 'axis'),
  run(call) {
    const node = call.tensor('x');
    const axis = node === undefined ? undefined : oneAxis(call, call.given('axis'), node.type);
    const dim = axis === undefined ? undefined : node?.type.shape[axis];
    return dim === undefined ? ERROR : sizeValue(dim);
  },
};

const inverse: Builtin = {
  name: 'inverse',
  doc: 'The inverse of a square matrix, or of each in the last two axes, by elimination with row exchanges; not finite when it is singular.',
  signatures: ['inverse<T: float, N, ...B>(x: T[...B, N, N]): T[...B, N, N]'],
  parameters: required('x'),
  run(call) {
    const node = call.elements('x');
    if (node === undefined) return ERROR;
    const [rows, columns] = node.type.shape.slice(-2);
    if (rows === undefined || columns === undefined || !rows.equals(columns)) {
      return fail(
        call.context,
        'shape-mismatch',
        call.given('x').span,
        `\`inverse\` takes square matrices in the last two axes, and this is ${typeToString(node.type)}`,
        {
          labels: bindingLabel(call.given('x').value),
          hint: 'of a matrix that is taller than wide: `inverse(transpose(x) @ x) @ transpose(x)` solves least squares',
        },
      );
    }
    return result(applyTensor(call.context, ops.inverse, [node], {}, call.site));
  },
};

export const reductionBuiltins: readonly Builtin[] = [
  reduction(
    'sum',
    'The sum of the elements along axes, 0 of none. Floats of 16 and 8 bits are added in f32 and rounded once.',
    'T: number, ...S',
    'T[...S]',
    ops.reduceSum,
  ),
  reduction('product', 'The product of the elements along axes, 1 of none.', 'T: number, ...S', 'T[...S]', ops.reduceProduct),
  reduction('any', 'Whether any element along axes is true; false of none.', '...S', 'bool[...S]', ops.reduceAny),
  reduction('all', 'Whether all elements along axes are true; true of none.', '...S', 'bool[...S]', ops.reduceAll),
  extreme('max', ops.reduceMax),
  extreme('min', ops.reduceMin),
];

export const sizeBuiltins: readonly Builtin[] = [size, count];

export const matrixBuiltins: readonly Builtin[] = [inverse];
