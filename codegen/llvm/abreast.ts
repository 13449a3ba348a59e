// Vector loops whose operations wait for each other. In: a loop. Out: whether several vectors are computed abreast, and a statement's
// operations in the order in which they are then emitted.
// Holds: iterations of a vector loop are independent, so the order changes time alone; see the note at the end.

import type { Expr, For, Stmt, Walked } from '../../src/loop/index.js';
import { abreastFrom, abreastTo } from '../../src/target/index.js';

const computes = (stmt: Stmt): stmt is Stmt & { readonly kind: 'let' | 'accumulate' | 'store' } =>
  stmt.kind === 'let' || stmt.kind === 'accumulate' || stmt.kind === 'store';

export function isLong(loop: For, walked: Walked): boolean {
  if (!loop.body.every(computes)) return false;
  const operations = walked.operations(loop.body);
  return operations >= abreastFrom && operations <= abreastTo;
}

/**
 * What the value of a statement is computed from, arguments first; neither addresses nor what stands behind a branch, nor the value itself.
 */
export function partsOf(stmt: Stmt): readonly Expr[] {
  if (!computes(stmt)) return [];
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr) || (expr.kind === 'apply' ? expr.dtype === 'i64' : expr.kind !== 'load')) return;
    if (expr.kind === 'apply' && expr.fn !== 'rarely') expr.args.forEach(visit);
    seen.add(expr);
  };
  if (stmt.value.kind === 'apply' && stmt.value.fn !== 'rarely') stmt.value.args.forEach(visit);
  return [...seen];
}

/* Note: abreast.
   An elementwise function is one long chain: its some fifty operations take four cycles each after the other, while two could start in
   every cycle. A processor overlaps iterations by itself, but only as many operations as its scheduler holds (about a hundred), which is
   two such chains, and then waits. Four vectors in turns fill the same scheduler with work of which four times as much is ready, and share
   constants that come from memory. Where there are sixteen registers only, some values are kept in memory meanwhile; that costs less than
   the waiting. Results are written as bursts of four lines. */
