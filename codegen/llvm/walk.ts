// Visitors of kernel IR. In: statements or expressions. Out: each node to a callback, outside in. Holds: nothing is changed.

import type { Expr, Stmt } from '../../src/loop/index.js';

export function visitExpr(expr: Expr, see: (expr: Expr) => void): void {
  see(expr);
  switch (expr.kind) {
    case 'load':
    case 'read':
      for (const at of expr.index) visitExpr(at, see);
      return;
    case 'apply':
      for (const arg of expr.args) visitExpr(arg, see);
      return;
    case 'const':
    case 'index':
    case 'size':
    case 'name':
      return;
  }
}

/** The expressions that stand in the statement itself, not in statements within it. */
export function expressionsOf(stmt: Stmt): readonly Expr[] {
  switch (stmt.kind) {
    case 'for':
      return [stmt.extent];
    case 'let':
      return [stmt.value];
    case 'declare':
      return [stmt.initial];
    case 'accumulate':
    case 'assign':
    case 'store':
      return [...stmt.index, stmt.value];
    case 'if':
      return [stmt.condition];
  }
}

export function bodiesOf(stmt: Stmt): readonly (readonly Stmt[])[] {
  if (stmt.kind === 'for') return [stmt.body];
  if (stmt.kind === 'if') return stmt.otherwise === undefined ? [stmt.then] : [stmt.then, stmt.otherwise];
  return [];
}

export function visitStmts(stmts: readonly Stmt[], see: (stmt: Stmt) => void): void {
  for (const stmt of stmts) {
    see(stmt);
    for (const body of bodiesOf(stmt)) visitStmts(body, see);
  }
}
