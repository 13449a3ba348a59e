// How much code statements become. In: statements and the lanes of vector loops. Out: a number of statements.

import { bodiesOf, type For, type Stmt } from '../../src/loop/index.js';

/** Statements after unrolling and writing out tiles. */
export function emittedStatements(stmts: readonly Stmt[], lanes: ReadonlyMap<For, number>): number {
  let count = 0;
  for (const stmt of stmts) {
    let copies = 1;
    if (stmt.kind === 'for') {
      if (stmt.axis === 'unroll' && stmt.extent.kind === 'const') copies = Number(stmt.extent.value);
      else if (stmt.axis === 'vector') copies = stmt.limit === undefined ? 2 : Math.ceil(stmt.limit / (lanes.get(stmt) ?? 1));
    }
    count += 1 + copies * bodiesOf(stmt).reduce((sum, body) => sum + emittedStatements(body, lanes), 0);
  }
  return count;
}
