// `split`: a tensor cut into equal parts. In: a tensor, a number of parts and an axis, known when compiling. Out: a tuple of slices.
// Holds: the parts together are the tensor, so their number divides the axis for every value of its sizes.

import { Dim, limits } from '../../base/index.js';
import { typeToString } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { fail } from '../report.js';
import { multiplesNear } from '../sizes.js';
import { bindingLabel } from '../tensors.js';
import { describe, ERROR, number, tuple } from '../values.js';
import { oneAxis } from './axes.js';
import { optional, required, result, type Builtin } from './builtin.js';

const split: Builtin = {
  name: 'split',
  doc: 'A tuple of `parts` equal parts of `x`, one behind the other along `axis`, whose size is a multiple of their number.',
  signatures: ['split<T: any, ...S>(x: T[...S], parts: int, axis: int = 0)'],
  parameters: [...required('x', 'parts'), ...optional('axis')],
  run(call) {
    const { context, site } = call;
    const node = call.tensor('x');
    const given = call.given('parts');
    if (node === undefined || given.value.kind === 'error') return ERROR;
    const axis = oneAxis(call, call.optional('axis') ?? { value: number(0, true), span: site }, node.type);
    if (axis === undefined) return ERROR;
    const parts = given.value.kind === 'number' && given.value.integer ? given.value.value : undefined;
    if (parts === undefined)
      return fail(
        context,
        'not-constant',
        given.span,
        `the number of parts is an integer known when compiling, and this is ${describe(given.value)}`,
        {
          labels: bindingLabel(given.value),
          hint: given.value.kind === 'list' ? 'parts of sizes of their own are slices: `x[:3]`, `x[3:]`' : 'use a literal or a `const`',
        },
      );
    if (parts < 1 || parts > limits.leaves)
      return fail(context, 'invalid-value', given.span, `\`split\` makes 1 to ${limits.leaves} parts, not ${parts}`, {
        hint: 'e.g. `split(x, 2)`',
      });
    const size = node.type.shape[axis] ?? Dim.one;
    const each = size.divideExact(parts);
    if (each === undefined)
      return fail(
        context,
        size.constant === undefined ? 'ambiguous-size' : 'shape-mismatch',
        given.span,
        `axis ${axis} of ${typeToString(node.type)} has size ${size}, which ${size.constant === undefined ? 'may not be' : 'is not'} a multiple of ${parts}`,
        {
          labels: bindingLabel(call.given('x').value),
          hint:
            size.constant === undefined
              ? `declare it as one: \`${parts} * N\`, or behind the result type \`where ${size} % ${parts} == 0\``
              : multiplesNear(parts, size.constant),
        },
      );
    const { shape } = node.type;
    const along = (at: number): Dim => each.mul(at);
    return tuple(
      Array.from({ length: parts }, (_, part) =>
        result(
          applyTensor(
            context,
            ops.slice,
            [node],
            {
              starts: shape.map((_, one) => (one === axis ? along(part) : Dim.zero)),
              stops: shape.map((dim, one) => (one === axis ? along(part + 1) : dim)),
              steps: shape.map(() => 1),
            },
            site,
          ),
        ),
      ),
    );
  },
};

export const splitBuiltins: readonly Builtin[] = [split];
