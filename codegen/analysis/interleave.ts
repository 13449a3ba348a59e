// Several vectors in one turn, operation by operation (see the note at the end). In: a statement. Out: the operations of its value in the
// order in which they are emitted, each for all vectors.
// Holds: arguments come before what takes them; neither addresses nor what stands behind a branch are among them.

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

/* Note: the order of a jammed loop.
   What is emitted of a loop without and with `interleave 2 jam`, where a and b are its vectors:

     vector 16 for i in 0..N { y[i] = sqrt(sqrt(x[i])) }
     load a, sqrt a, sqrt a, store a, load b, sqrt b, sqrt b, store b

     vector 16 interleave 2 jam for i in 0..N { y[i] = sqrt(sqrt(x[i])) }
     load a, load b, sqrt a, sqrt b, sqrt a, store a, sqrt b, store b

   The second root of a vector needs the first; another vector's operations take the time between them. Why four vectors, and when:
   `src/lower/schedule/cpu/vectorize/interleave.ts`. Shown by "computes several vectors at once where a loop says so" in
   test/codegen/obedience.test.ts. */
