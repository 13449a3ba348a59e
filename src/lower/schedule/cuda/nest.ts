// An op's own loops on a GPU: where they go over a batch one after the other, each element of the batch has a block. In: a nest group. Out:
// statements in a scope. Holds: iterations that run side by side share no element of what the nest stores.

import { type Expr, type For, forEachStatement, type Stmt, expressionsOf, visitExpr } from '../../../kernel/index.js';
import type { Scope } from '../../form/scope.js';
import type { Group } from '../../fuse/groups.js';
import type { EmitContext } from '../common/emitter.js';
import { emitNest } from '../common/nest.js';

export function emitBatch(group: Group, scope: Scope, context: EmitContext): void {
  emitNest(group, scope, context);
  const [only] = scope.statements;
  if (!context.parallel || scope.statements.length !== 1 || only?.kind !== 'for' || only.axis !== 'serial') return;
  if (only.while === undefined && areApart(only)) scope.statements[0] = { ...only, axis: 'parallel' };
}

/** Whether whatever touches a buffer that the loop stores has the loop's index at one and the same axis. */
function areApart(loop: For): boolean {
  const stored = new Set<string>();
  forEachStatement(loop.body, (stmt) => stmt.kind === 'store' && stored.add(stmt.buffer.name));
  const axes = new Map<string, ReadonlySet<number>>();
  const see = (name: string, index: readonly Expr[]): void => {
    if (!stored.has(name)) return;
    const here = index.flatMap((at, axis) => (at.kind === 'index' && at.name === loop.index ? [axis] : []));
    axes.set(name, new Set(here.filter((axis) => axes.get(name)?.has(axis) ?? true)));
  };
  const seen = (stmt: Stmt): void => {
    if (stmt.kind === 'store') see(stmt.buffer.name, stmt.index);
    for (const root of expressionsOf(stmt)) visitExpr(root, (expr) => expr.kind === 'load' && see(expr.buffer.name, expr.index));
  };
  forEachStatement(loop.body, seen);
  return [...axes.values()].every((one) => one.size > 0);
}
