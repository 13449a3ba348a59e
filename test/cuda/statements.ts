// Kernels that lack a statement. In: code. Out: its statements; the same without one of them. Holds: what is left out is told by its kind
// and its number.

import { forEachStatement, type Kernel, type KernelCode, type Stmt } from '../../src/kernel/index.js';

export function statementsOf({ code }: Kernel): readonly Stmt[] {
  const found: Stmt[] = [];
  forEachStatement(code.body, (stmt) => found.push(stmt));
  return found;
}

/** Code that lacks the statement of this kind and number. */
export function withoutNth({ params, body }: KernelCode, kind: Stmt['kind'], which: number): KernelCode {
  let seen = 0;
  const kept = (stmts: readonly Stmt[]): Stmt[] =>
    stmts.flatMap((stmt) => {
      if (stmt.kind === kind && seen++ === which) return [];
      return [stmt.kind === 'for' ? { ...stmt, body: kept(stmt.body) } : stmt];
    });
  return { params, body: kept(body) };
}
