// The expressions of statements, walked once for all who ask. In: a statement. Out: every part of the expressions that it computes itself,
// once.

import type { Expr, For, Stmt } from './ir.js';
import { expressionsOf, forEachStatement, someExpr, visitExpr } from './walk.js';

export class ExpressionCache {
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

/** What a kernel names, and which buffers it loads. */
export interface Sources {
  readonly lets: ReadonlyMap<string, Expr>;
  readonly loaded: ReadonlySet<string>;
}

export function sourcesOf(body: readonly Stmt[], cache: ExpressionCache): Sources {
  const loaded = new Set<string>();
  const lets = new Map<string, Expr>();
  forEachStatement(body, (stmt) => {
    if (stmt.kind === 'let') lets.set(stmt.name, stmt.value);
    for (const part of cache.of(stmt)) if (part.kind === 'load') loaded.add(part.buffer.name);
  });
  return { lets, loaded };
}

/** Accumulators declared outside of `loop` whose index uses its variable. */
export function indexedBy(loop: For, cache: ExpressionCache): ReadonlySet<string> {
  const inner = new Set<string>();
  const used = new Set<string>();
  forEachStatement(loop.body, (stmt) => {
    if (stmt.kind === 'declare') inner.add(stmt.accumulator.name);
    const see = (name: string, index: readonly Expr[]): void => {
      if (index.some((at) => mentions(at, loop.index))) used.add(name);
    };
    if (stmt.kind === 'accumulate' || stmt.kind === 'assign') see(stmt.accumulator.name, stmt.index);
    for (const part of cache.of(stmt)) if (part.kind === 'read') see(part.accumulator.name, part.index);
  });
  for (const name of inner) used.delete(name);
  return used;
}

/** Whether the variable of a loop occurs in the expression. */
export const mentions = (expr: Expr, index: string): boolean => someExpr(expr, (part) => part.kind === 'index' && part.name === index);
