// The expressions of statements, walked once for all who ask. In: a statement. Out: every part of the expressions that it computes itself,
// once.

import { type Expr, expressionsOf, forEachStatement, type Stmt, visitExpr } from '../../src/loop/index.js';

export class Walked {
  readonly #parts = new Map<Stmt, readonly Expr[]>();

  of(stmt: Stmt): readonly Expr[] {
    let parts = this.#parts.get(stmt);
    if (parts === undefined) {
      const seen = new Set<Expr>();
      for (const expr of expressionsOf(stmt)) visitExpr(expr, () => undefined, seen);
      this.#parts.set(stmt, (parts = [...seen]));
    }
    return parts;
  }

  /** How many operations the statements and those inside of them hold, each once; sums of addresses do not count. */
  operations(stmts: readonly Stmt[]): number {
    const found = new Set<Expr>();
    forEachStatement(stmts, (stmt) => {
      for (const part of this.of(stmt)) if (part.kind === 'apply' && part.dtype !== 'i64') found.add(part);
    });
    return found.size;
  }
}
