// Changes of kernel IR that keep its form. In: what becomes of expressions, buffers or code. Out: the same statements, or program, around
// it.
// Holds: what nothing is said of stays as it is.

import type { Buffer, Expr, Kernel, KernelCode, Program, Stmt } from './ir.js';

/** The statement, and those inside of it, with every expression that it computes and every buffer that it stores or asks for changed. */
export function rewriteStatement(stmt: Stmt, expr: (expr: Expr) => Expr, buffer: (buffer: Buffer) => Buffer = (same) => same): Stmt {
  const inner = (one: Stmt): Stmt => rewriteStatement(one, expr, buffer);
  switch (stmt.kind) {
    case 'for': {
      const when = stmt.when === undefined ? {} : { when: expr(stmt.when) };
      return { ...mapBodies(stmt, inner), extent: expr(stmt.extent), ...when };
    }
    case 'if':
      return { ...mapBodies(stmt, inner), condition: expr(stmt.condition) };
    case 'let':
      return { ...stmt, value: expr(stmt.value) };
    case 'declare':
      return { ...stmt, initial: expr(stmt.initial) };
    case 'accumulate':
    case 'assign':
      return { ...stmt, index: stmt.index.map(expr), value: expr(stmt.value) };
    case 'store':
      return { ...stmt, buffer: buffer(stmt.buffer), index: stmt.index.map(expr), value: expr(stmt.value) };
    case 'fetch':
      return { ...stmt, buffer: buffer(stmt.buffer), index: stmt.index.map(expr) };
    case 'copy':
      return { ...stmt, at: stmt.at.map(expr), from: buffer(stmt.from), index: stmt.index.map(expr), when: expr(stmt.when) };
    case 'multiply': {
      const { left, right } = stmt;
      const from = 'sums' in left ? { ...left, index: [expr(left.index[0])] as const } : { ...left, index: left.index.map(expr) };
      return { ...stmt, left: from, right: { ...right, index: right.index.map(expr) } };
    }
    case 'share':
    case 'barrier':
    case 'commit':
    case 'wait':
    case 'settle':
    case 'combine':
      return stmt;
  }
}

/** The statement with each of those directly inside of it changed. */
export function mapBodies<S extends Extract<Stmt, { kind: 'for' | 'if' }>>(stmt: S, change: (stmt: Stmt) => Stmt): S {
  if (stmt.kind === 'for') return { ...stmt, body: stmt.body.map(change) };
  return { ...stmt, then: stmt.then.map(change), ...(stmt.otherwise === undefined ? {} : { otherwise: stmt.otherwise.map(change) }) };
}

/** Changes the code of programs; what kernels share, also of several programs, is changed once and stays shared. */
export function mapCode(change: (code: KernelCode) => KernelCode): (program: Program) => Program {
  const done = new Map<KernelCode, KernelCode>();
  const changed = (code: KernelCode): KernelCode => {
    let known = done.get(code);
    if (known === undefined) done.set(code, (known = change(code)));
    return known;
  };
  return (program) => ({ ...program, kernels: program.kernels.map((kernel): Kernel => ({ ...kernel, code: changed(kernel.code) })) });
}
