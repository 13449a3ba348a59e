// `/` between integers, which is refused. In: both sides and their dtype. Out: the diagnostic, with the way out that fits.
// Holds: what is computed of sizes alone was meant as a size: then what it is a multiple of has to be declared.

import type { Span } from '../../../grammar/index.js';
import { type DType, isFloat } from '../../base/index.js';
import { type Node, topological } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import type { Context } from '../context.js';
import { fail } from '../report.js';
import { bindingLabel, ownDType } from '../tensors.js';
import { dimOf, type ERROR, type Value } from '../values.js';

/** `expected`: the dtype that stands beside the quotient, if any. */
export function failIntegerQuotient(
  context: Context,
  what: string,
  span: Span,
  [left, right]: readonly [Value, Value],
  dtype: DType,
  expected: DType | undefined,
): typeof ERROR {
  const float = expected !== undefined && isFloat(expected) ? expected : 'f32';
  const number = `round down: \`floorDiv(a, b)\`, or convert both sides: \`${float}(…)\``;
  const [name] = left.kind === 'tensor' && ownDType(left) === undefined ? sizesIn(left.node) : [];
  const by = dimOf(right);
  return fail(context, 'dtype-mismatch', span, `${what}: \`/\` divides floats, and this is ${dtype}`, {
    labels: [...bindingLabel(left), ...bindingLabel(right)],
    hint: name === undefined || by === undefined ? number : `for a size, declare its rest: \`where ${name} % ${by} == 0\`; else ${number}`,
  });
}

/** The names of sizes that a value is computed of. */
const sizesIn = (node: Node): readonly string[] =>
  topological([node]).flatMap((one) => (ops.isNodeOf(one, ops.dimension) ? [...one.attrs.dim.names] : []));
