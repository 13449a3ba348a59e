// Several vectors in one turn, operation by operation. In: a statement. Out: the operations of its value in the order in which they are
// emitted, each for all vectors.

import { computes, type Expr, type Stmt } from '../../src/kernel/index.js';

/**
 * What the value of a statement is computed from, arguments first; neither addresses nor what stands behind a branch, nor the value itself.
 */
export function partsOf(stmt: Stmt): readonly Expr[] {
  if (!computes(stmt)) return [];
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr) || (expr.kind === 'apply' ? expr.dtype === 'i64' : expr.kind !== 'load')) return;
    if (expr.kind === 'apply' && expr.fn !== 'unlikely') expr.args.forEach(visit);
    seen.add(expr);
  };
  if (stmt.value.kind === 'apply' && stmt.value.fn !== 'unlikely') stmt.value.args.forEach(visit);
  return [...seen];
}
