// How much code statements become. In: statements whose vector loops have lanes. Out: a number of statements.

import type { For, Stmt } from './ir.js';
import { bodiesOf } from './walk.js';

/** Statements after unrolling and writing out tiles. `lanesOf`: of vector loops. */
export function emittedStatements(stmts: readonly Stmt[], lanesOf: (loop: For) => number = ({ lanes }) => lanes ?? 1): number {
  let count = 0;
  for (const stmt of stmts) {
    let copies = 1;
    if (stmt.kind === 'for') {
      if (stmt.axis === 'unroll' && stmt.extent.kind === 'const') copies = Number(stmt.extent.value);
      else if (stmt.axis === 'vector') copies = stmt.limit === undefined ? 2 : Math.ceil(stmt.limit / lanesOf(stmt));
    }
    count += 1 + copies * bodiesOf(stmt).reduce((sum, body) => sum + emittedStatements(body, lanesOf), 0);
  }
  return count;
}
