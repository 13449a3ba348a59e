// Visitors of kernel IR. In: statements or expressions. Out: each node to a callback, outside in. Holds: nothing is changed.

import type { Expr, Stmt } from '../../src/loop/index.js';

/** Every part once, however often it is shared: expressions are graphs, and as trees they may be exponentially large. */
export function visitExpr(expr: Expr, see: (expr: Expr) => void, seen = new Set<Expr>()): void {
  if (seen.has(expr)) return;
  seen.add(expr);
  see(expr);
  for (const part of partsOf(expr)) visitExpr(part, see, seen);
}

/** Whether a part of the expression fulfils `test`. */
export function someExpr(expr: Expr, test: (expr: Expr) => boolean, seen = new Set<Expr>()): boolean {
  if (seen.has(expr)) return false;
  seen.add(expr);
  return test(expr) || partsOf(expr).some((part) => someExpr(part, test, seen));
}

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'load':
    case 'read':
      return expr.index;
    case 'apply':
      return expr.args;
    case 'const':
    case 'index':
    case 'size':
    case 'name':
      return [];
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
