// Which unrolled loops are counted after all: those that would become too much code (see the note at the end). In: the body of a kernel,
// and lanes of its vector loops. Out: these loops.
// Holds: they change no registers from outside, so that a copy of these in memory, which the counter may index, will do.

import { bodiesOf, changedBy, emittedStatements, type For, forEachStatement, type Stmt } from '../../../../kernel/index.js';
import { unrolledStatements } from '../../../../target/index.js';

export function rolledLoops(body: readonly Stmt[], lanesOf: (loop: For) => number): ReadonlySet<For> {
  const rolled = new Set<For>();
  const isLarge = ({ extent, body: inner }: For): boolean =>
    extent.kind === 'const' && Number(extent.value) * emittedStatements(inner, lanesOf) > unrolledStatements;
  const visit = (stmts: readonly Stmt[]): void => {
    for (const stmt of stmts) {
      if (stmt.kind === 'for' && stmt.axis === 'vector') continue;
      if (stmt.kind === 'for' && stmt.axis === 'unroll' && isLarge(stmt) && changesOwn(stmt)) rolled.add(stmt);
      for (const inner of bodiesOf(stmt)) visit(inner);
    }
  };
  visit(body);
  return rolled;
}

/** Whether all accumulators that the loop changes are declared in it. */
function changesOwn(loop: For): boolean {
  const [own, changed] = [new Set<string>(), new Set<string>()];
  forEachStatement(loop.body, (stmt) => {
    if (stmt.kind === 'declare') own.add(stmt.accumulator.name);
    const accumulator = changedBy(stmt);
    if (accumulator !== undefined) changed.add(accumulator.name);
  });
  return [...changed].every((name) => own.has(name));
}

/* Note: rolled epilogues.
   The epilogue of max(x @ w + b, 0) in tiles of 8 × 48, before and after (shortened):

     unroll for i13 in 0..8 { vector for j14 in 0..48 limit 48 { let x15 = in_b[j14]  let add16 = acc5[i13, j14] + x15 … } }

     unroll rolled for i13 in 0..8 { vector 16 for j14 in 0..48 limit 48 { let x15 = in_b[j14]  let add16 = acc5[i13, j14] + x15 … } }

   Written out, these are twenty-four copies of the body, which run once per tile but have to be compiled, and fetched, like all other
   code; the copy of the accumulators costs a store and a load for each. Shown by "are rolled where they would be much code and change no
   registers" in test/lower/vectorize.test.ts. */
