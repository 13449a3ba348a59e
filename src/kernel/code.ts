// Code that kernels share. In: statements, or a kernel. Out: the code with the buffers that it touches; what a kernel does to its own.
// Holds: `params` are the buffers of the body, each once, in the order of the text.

import { apply, int } from './build.js';
import type { Buffer, Expr, For, Kernel, KernelCode, Stmt } from './ir.js';
import { rewriteStatement } from './rewrite.js';
import { expressionsOf, forEachStatement, visitExpr } from './walk.js';

/** Every buffer that statements load, store or ask for, each once, in the order of the text; shared memory is their own. */
export function buffersOf(statements: readonly Stmt[]): Buffer[] {
  const found = new Map<string, Buffer>();
  const see = (buffer: Buffer): void => {
    if (buffer.role.kind !== 'shared' && !found.has(buffer.name)) found.set(buffer.name, buffer);
  };
  const seen = new Set<Expr>();
  forEachStatement(statements, (statement) => {
    for (const root of expressionsOf(statement)) visitExpr(root, (expr) => expr.kind === 'load' && see(expr.buffer), seen);
    if (statement.kind === 'store' || statement.kind === 'fetch') see(statement.buffer);
    else if (statement.kind === 'copy') see(statement.from);
  });
  return [...found.values()];
}

export const codeOf = (body: readonly Stmt[]): KernelCode => ({ params: buffersOf(body), body });

/** The loop whose iterations are the blocks of a kernel, where those can be shared out. */
export function parallelLoop({ body }: KernelCode): For | undefined {
  const only = body.length === 1 ? body[0] : undefined;
  return only?.kind === 'for' && only.axis === 'parallel' ? only : undefined;
}

/** How often a loop runs that nothing ends. */
export const iterationsOf = ({ extent, when }: For): Expr => (when === undefined ? extent : apply('select', 'i64', when, extent, int(0)));

/** Code that stands for itself: its parameters are the kernel's buffers. */
export function ownCode(body: readonly Stmt[]): Pick<Kernel, 'code' | 'buffers'> {
  const code = codeOf(body);
  return { code, buffers: code.params };
}

/** What the kernel calls each buffer of its code. */
export const boundBuffers = ({ code, buffers }: Kernel): ReadonlyMap<string, Buffer> =>
  new Map(code.params.map(({ name }, at) => [name, buffers[at] as Buffer]));

/** The kernel's statements over its own buffers. */
export function bodyOf(kernel: Kernel): readonly Stmt[] {
  const { code, buffers } = kernel;
  if (code.params.every((param, at) => param === buffers[at])) return code.body;
  const bound = boundBuffers(kernel);
  const own = (buffer: Buffer): Buffer => bound.get(buffer.name) ?? buffer;
  const done = new Map<Expr, Expr>();
  const expr = (from: Expr): Expr => {
    let to = done.get(from);
    if (to === undefined) done.set(from, (to = bind(from)));
    return to;
  };
  const bind = (from: Expr): Expr => {
    if (from.kind === 'load') return { ...from, buffer: own(from.buffer), index: from.index.map(expr) };
    if (from.kind === 'read') return { ...from, index: from.index.map(expr) };
    return from.kind === 'apply' ? { ...from, args: from.args.map(expr) } : from;
  };
  return code.body.map((stmt) => rewriteStatement(stmt, expr, own));
}
