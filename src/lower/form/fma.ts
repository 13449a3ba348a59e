// Products that become part of a sum: a · b + c with one rounding. In: what a block must deliver; a sum whose products are expressions.
// Out: which products are added nowhere but in one sum; `muladd`.
// Holds: which products they are is a property of the graph, so a sum that several kernels compute has the same bits in each; see the note
// at the end.

import type { Node, TensorNode } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { opOf, tensorOf } from '../../ops/index.js';

const isProduct = (node: Node): boolean => opOf(node).fma === 'product';
const isFused = (node: Node): boolean => node.type.kind === 'tensor' && (node.type.dtype === 'f32' || node.type.dtype === 'f64');

/**
 * Products of a block, whose nodes are `order`, that nothing but one sum or difference takes; of two in one sum the second, of two in a
 * difference none.
 */
export function productsOfSums(required: readonly TensorNode[], order: readonly Node[]): Map<Node, boolean> {
  const users = new Map<Node, Node[]>();
  for (const node of order) {
    for (const arg of node.args) {
      const known = users.get(arg);
      if (known === undefined) users.set(arg, [node]);
      else known.push(node);
    }
  }
  const asked = new Set<Node>(required);
  const isAlone = (node: Node): boolean => isProduct(node) && isFused(node) && !asked.has(node) && users.get(node)?.length === 1;
  return new Map(
    order.filter(isProduct).map((node): [Node, boolean] => {
      const [user] = users.get(node) ?? [];
      if (user === undefined || !isAlone(node)) return [node, false];
      const [left, right] = user.args as [Node, Node | undefined];
      const { fma, lowering } = opOf(user);
      if (lowering.kind === 'reduce') return [node, lowering.combine(tensorOf(user)) === 'sum'];
      if (fma === 'difference') return [node, !isProduct(left) || right === undefined || !isProduct(right)];
      return [node, fma === 'sum' && (node === right || (right !== undefined && !isAlone(right)))];
    }),
  );
}

/** The expression itself, or one rounding less: products that stand in it without a name are those above. */
export function contracted(value: Expr): Expr {
  if (value.kind !== 'apply' || (value.fn !== 'add' && value.fn !== 'sub') || (value.dtype !== 'f32' && value.dtype !== 'f64'))
    return value;
  const [left, right] = value.args as [Expr, Expr];
  const { dtype, fn } = value;
  const minus = (expr: Expr): Expr => (fn === 'sub' ? build.apply('neg', dtype, expr) : expr);
  const [a, b] = factorsOf(right) ?? [];
  if (a !== undefined && b !== undefined) return build.apply('muladd', dtype, minus(a), b, left);
  const [c, d] = factorsOf(left) ?? [];
  return c === undefined || d === undefined ? value : build.apply('muladd', dtype, c, d, minus(right));
}

function factorsOf(value: Expr): readonly [Expr, Expr] | undefined {
  if (value.kind !== 'apply') return undefined;
  const [a, b] = value.args;
  if (value.fn === 'square' && a !== undefined) return [a, a];
  return value.fn === 'mul' && a !== undefined && b !== undefined ? [a, b] : undefined;
}

/* Note: one rounding.
   A fused multiply-add is one instruction where a product and a sum are two, and rounds once. What must not happen is that one place
   computes a sum so and another place differently: the largest of a row, found in one kernel, would not be found again by another one that
   compares for equality. So the choice is made for nodes, before any kernel: a product that anything else takes, or that is a result, is
   computed on its own everywhere. A product of this kind is stored only if the sum is stored as well, which is as costly and read by the
   same kernels; then only the kernel that stores both computes the sum. a · a − b · b is exactly 0 where a = b, and its root no NaN:
   neither product is fused there. */
