// Sums over many points by partial results: each block of points leaves its partial result, and the partial results are combined in order.
// In: a reduction, and which of its axes are the points. Out: the two forms it falls into.
// Holds: blocks depend on sizes alone, so the order of summation does not depend on threads.

import { Dim, elementCount, type Shape } from '../../base/index.js';
import type { TensorNode } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { leastBlockPoints, mostPointBlocks } from '../../target/index.js';
import { combinedAs, type PartialForm, type ReduceForm, space, widthAs } from './forms.js';

export interface Blocks {
  readonly count: Expr;
  /** Points of every block but the last. */
  readonly points: Expr;
  /** The most blocks that there can be, where their number is not known. */
  readonly most?: number;
}

export function blocksOf(points: Shape): Blocks {
  const total = elementCount(points);
  if (total.constant !== undefined) {
    const each = Math.max(leastBlockPoints, Math.ceil(total.constant / mostPointBlocks));
    return { count: build.int(Math.ceil(total.constant / each)), points: build.int(each) };
  }
  const size = build.size(total);
  const each = build.apply('max', 'i64', build.int(leastBlockPoints), build.ceilDiv(size, build.int(mostPointBlocks)));
  return { count: build.ceilDiv(size, each), points: each, most: mostPointBlocks };
}

export interface SplitReduction {
  readonly partial: PartialForm;
  /** The reduction as one over the partial results. */
  readonly combine: ReduceForm;
}

/** `form` in blocks over `points`, the leading axes of what it reduces. */
export function splitReduction(form: ReduceForm, points: Shape): SplitReduction {
  const { node } = form;
  const { count } = blocksOf(points);
  const known = build.intValue(count);
  const blocks = Dim.of(known ?? mostPointBlocks);
  const dtype = combinedAs(node.type.dtype);
  const partial: TensorNode = {
    id: -1 - node.id,
    op: node.op,
    args: node.args,
    attrs: node.attrs,
    type: { kind: 'tensor', dtype, shape: [blocks, ...node.type.shape] },
  };
  return {
    partial: { kind: 'partial', node: partial, of: form, points, within: space(form.reduced).slice(points.length) },
    combine: {
      kind: 'reduce',
      node,
      combine: form.combine,
      reduced: [blocks],
      ...(known === undefined ? { filled: count } : {}),
      innermostReduced: false,
      term: (kept, [block], read) => widthAs(dtype, read(partial, [block as Expr, ...kept])),
    },
  };
}
