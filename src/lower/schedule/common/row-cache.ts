// What a kernel of rows keeps of each row: costly values that a later pass needs again are stored in a row of the block instead of computed
// twice (see the note at the end). In: the passes over a row, and what each computes. Out: such values, and in which pass they come first.
// Holds: a value that is kept was computed at the same point; everything else is computed again in each pass.

import { type Shape, shapeEquals } from '../../../base/index.js';
import type { Node, TensorNode } from '../../../graph/index.js';
import { keptFlops } from '../../../target/index.js';
import { space } from '../../form/forms.js';
import type { Forms } from '../../form/materialize.js';

export interface PassNodes {
  readonly columns: Shape;
  /** What the pass needs at each of its points. */
  readonly needs: readonly Node[];
}

export interface Kept {
  readonly node: TensorNode;
  /** Passes, by number: the one that computes it, and those that read it back. */
  readonly first: number;
  readonly again: readonly number[];
}

/** `isInline`: the group computes the node where it needs it. */
export function keptValues(passes: readonly PassNodes[], points: Shape, forms: Forms, isInline: (node: Node) => boolean): Kept[] {
  const firstIn = new Map<Node, number>();
  const kept = new Map<Node, { readonly node: TensorNode; readonly first: number; readonly again: Set<number> }>();
  for (const [at, { columns, needs }] of passes.entries()) {
    const here = [...points, ...columns];
    const seen = new Set<Node>();
    const waiting = needs.toReversed();
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (seen.has(node) || !isInline(node)) continue;
      seen.add(node);
      const first = firstIn.get(node);
      const full = isFull(node, here);
      if (
        full &&
        first !== undefined &&
        shapeEquals((passes[first] as PassNodes).columns, columns) &&
        costOf(node, here, kept, forms, isInline) > keptFlops
      ) {
        const known = kept.get(node) ?? { node: node as TensorNode, first, again: new Set<number>() };
        known.again.add(at);
        kept.set(node, known);
        continue;
      }
      // Last pushed, first visited.
      for (const argument of forms.argsOf(node).toReversed()) waiting.push(argument);
    }
    for (const node of seen) if (!firstIn.has(node)) firstIn.set(node, at);
  }
  return [...kept.values()].map(({ node, first, again }) => ({ node, first, again: [...again] }));
}

const isFull = (node: Node, here: Shape): boolean => node.type.kind === 'tensor' && shapeEquals(space(node.type.shape), here);

/** FLOPs per element of computing the node from what is stored or kept; what does not differ along the columns is computed once per row. */
function costOf(node: Node, here: Shape, kept: ReadonlyMap<Node, unknown>, forms: Forms, isInline: (node: Node) => boolean): number {
  const seen = new Set<Node>();
  const waiting = [node];
  let cost = 0;
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (seen.has(one) || !isInline(one) || !isFull(one, here) || (one !== node && kept.has(one))) continue;
    seen.add(one);
    const form = forms.of(one);
    cost += form.kind === 'element' ? form.cost : 0;
    for (const argument of forms.argsOf(one)) waiting.push(argument);
  }
  return cost;
}

/* Note: a row that is kept.
   The last two passes of softmax(x), of which the sum over all rows is wanted as well, without and with the row t1 (shortened):

     vector for i10 in 0..100 { acc9 += exp(in_x[o4, i10] - r8) }
     vector for i15 in 0..100 { out_0[o4, i15] = exp(in_x[o4, i15] - r8) / r14 }

     vector for i10 in 0..100 { let exp13 = exp(in_x[o4, i10] - r8)  acc9 += exp13  t1[p0, i10] = exp13 }
     vector for i15 in 0..100 { let x16 = t1[p0, i15]  out_0[o4, i15] = x16 / r14 }

   A store and a load in the nearest cache take less time than an exponential of some twenty operations, but more than a subtraction:
   `keptFlops` is the limit. Shown by "a costly value of a row that a later pass needs is kept, a cheap one is computed again" in
   test/lower/facts.test.ts. */
