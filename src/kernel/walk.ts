// Ways through kernel IR. In: statements, expressions. Out: their parts, what they declare, how often a function occurs. Holds: a shared
// expression counts once per statement.

import { bytesOf, type Dim, elementCount } from '../base/index.js';
import type { Accumulator, Buffer, Expr, Kernel, Program, Stmt } from './ir.js';

/** Direct parts of an expression. */
export function operandsOf(expr: Expr): readonly Expr[] {
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

/** Expressions that a statement itself computes: not those of statements inside. */
export function expressionsOf(stmt: Stmt): readonly Expr[] {
  switch (stmt.kind) {
    case 'for':
      return stmt.when === undefined ? [stmt.extent] : [stmt.extent, stmt.when];
    case 'let':
      return [stmt.value];
    case 'declare':
      return [stmt.initial];
    case 'accumulate':
    case 'assign':
    case 'store':
      return [...stmt.index, stmt.value];
    case 'fetch':
      return stmt.index;
    case 'if':
      return [stmt.condition];
    case 'multiply':
      return [...stmt.left.index, ...stmt.right.index];
    case 'copy':
      return [...stmt.at, ...stmt.index, stmt.when];
    case 'share':
    case 'barrier':
    case 'commit':
    case 'wait':
    case 'settle':
    case 'combine':
      return [];
  }
}

/** Statements directly inside of a statement. */
export function bodiesOf(stmt: Stmt): readonly (readonly Stmt[])[] {
  if (stmt.kind === 'for') return [stmt.body];
  return stmt.kind === 'if' ? [stmt.then, stmt.otherwise ?? []] : [];
}

/** The accumulator that a statement itself changes, if it does. */
export function changedBy(stmt: Stmt): Accumulator | undefined {
  if (stmt.kind === 'accumulate' || stmt.kind === 'assign' || stmt.kind === 'combine') return stmt.accumulator;
  return stmt.kind === 'multiply' ? stmt.sums : undefined;
}

/** Whether a statement only computes: it asks for nothing early, and has no others inside. */
export const computes = (stmt: Stmt): stmt is Stmt & { readonly kind: 'let' | 'accumulate' | 'store' } =>
  stmt.kind === 'let' || stmt.kind === 'accumulate' || stmt.kind === 'store';

/** Every statement, outer before inner. */
export function forEachStatement(body: readonly Stmt[], visit: (stmt: Stmt) => void): void {
  for (const stmt of body) {
    visit(stmt);
    for (const inner of bodiesOf(stmt)) forEachStatement(inner, visit);
  }
}

/** Every expression object below the roots once, operands before users. Where `enters` is false, neither it nor what is below comes. */
export function expressionOrder(roots: readonly Expr[], enters: (expr: Expr) => boolean = () => true): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const stack: { readonly expr: Expr; next: number }[] = [];
  const enter = (expr: Expr): void => {
    if (seen.has(expr) || !enters(expr)) return;
    seen.add(expr);
    stack.push({ expr, next: 0 });
  };
  for (const root of roots) {
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const operand = operandsOf(top.expr)[top.next++];
      if (operand !== undefined) enter(operand);
      else order.push((stack.pop() as typeof top).expr);
    }
  }
  return order;
}

/** Every part once, outside in: expressions are graphs, and as trees they may be exponentially large. */
export function visitExpr(expr: Expr, see: (expr: Expr) => void, seen = new Set<Expr>()): void {
  someExpr(
    expr,
    (part) => {
      see(part);
      return false;
    },
    seen,
  );
}

/** Whether a part of the expression fulfils `test`; it is asked outside in, and once about each part. */
export function someExpr(expr: Expr, test: (expr: Expr) => boolean, seen = new Set<Expr>()): boolean {
  const stack = [expr];
  for (let part = stack.pop(); part !== undefined; part = stack.pop()) {
    if (seen.has(part)) continue;
    seen.add(part);
    if (test(part)) return true;
    // Last pushed, first asked.
    const operands = operandsOf(part);
    for (let at = operands.length - 1; at >= 0; at--) stack.push(operands[at] as Expr);
  }
  return false;
}

/** Names that loops, lets, accumulators and shared memory of a body declare. */
export function localNames(body: readonly Stmt[]): Set<string> {
  const names = new Set<string>();
  forEachStatement(body, (stmt) => {
    if (stmt.kind === 'for') names.add(stmt.index);
    else if (stmt.kind === 'let') names.add(stmt.name);
    else if (stmt.kind === 'declare') names.add(stmt.accumulator.name);
    else if (stmt.kind === 'share') names.add(stmt.buffer.name);
    else if (stmt.kind === 'multiply') names.add(stmt.warp);
  });
  return names;
}

/** How many times the kernels spell out a call of the scalar function `fn`. */
export function countCalls(program: Program | Kernel, fn: string): number {
  const kernels = 'kernels' in program ? program.kernels : [program];
  let count = 0;
  for (const kernel of kernels) {
    forEachStatement(kernel.code.body, (stmt) => {
      for (const expr of expressionOrder(expressionsOf(stmt))) if (expr.kind === 'apply' && expr.fn === fn) count += 1;
    });
  }
  return count;
}

/** Bytes of a buffer's elements, without what lies between its rows. */
export const bytesOfBuffer = ({ shape, dtype }: Buffer): Dim => elementCount(shape).mul(bytesOf(dtype));
