// Makes graph nodes for expressions. In: an op, its arguments, the place in the program. Out: a node, or a diagnostic made of the op's own
// refusal.
// Holds: every node knows the innermost place in the user's files that it computes, and the scope path there.

import type { Span } from '../../grammar/index.js';
import type { Attrs, Node, TensorNode } from '../graph/index.js';
import { isTensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import type { Op } from '../ops/index.js';
import type { Context } from './context.js';
import { fail } from './report.js';
import { exactly } from './sizes.js';

/** The node; undefined after a diagnostic at `span`. */
export function applyOp<A extends Attrs>(
  context: Context,
  op: Op<A>,
  args: readonly Node[],
  attrs: NoInfer<A>,
  span: Span,
): Node<A> | undefined {
  const { build } = context.checker;
  return exactly(context, span, () => {
    const type = op.type(
      args.map((arg) => arg.type),
      attrs,
    );
    if (type.kind === 'problem') {
      fail(context, type.code, span, type.message, type.hint === undefined ? {} : { hint: type.hint });
      return undefined;
    }
    return build.at(
      { span: context.module.std ? (context.site ?? span) : span, scope: context.path, backward: false, entry: context.entry.name },
      () => ops.applyAs(build, op, args, attrs, type),
    ) as Node<A>;
  });
}

/** The same for ops whose result is one tensor. */
export function applyTensor<A extends Attrs>(
  context: Context,
  op: Op<A>,
  args: readonly Node[],
  attrs: NoInfer<A>,
  span: Span,
): TensorNode | undefined {
  const node = applyOp(context, op, args, attrs, span);
  return node !== undefined && isTensorNode(node) ? node : undefined;
}
