// The expressions of statements, walked once for all who ask. In: a statement. Out: every part of the expressions that it computes itself, once.

import { type Expr, expressionsOf, type Stmt, visitExpr } from '../../src/loop/index.js';

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
}
