// Writes on loops how a target runs them. In: a program of machine ops, and a target. Out: the same statements, each loop with what was
// decided about it. Holds: code generators read it and decide none of it again; nothing here changes what a kernel computes, but the order
// in which lanes are combined.

import { type For, type Kernel, type KernelCode, type Program, type Stmt, Walked } from '../../loop/index.js';
import type { Target } from '../../target/index.js';
import { lanesOfLoops } from './lanes.js';

/** Decides for the kernels of programs. Code that kernels share, also of several programs, is decided about once. */
export function vectorizer(target: Target): (program: Program) => Program {
  const done = new Map<KernelCode, KernelCode>();
  const codeOf = (code: KernelCode): KernelCode => {
    let vectorized = done.get(code);
    if (vectorized === undefined) done.set(code, (vectorized = vectorizeCode(code, target)));
    return vectorized;
  };
  return (program) => ({ ...program, kernels: program.kernels.map((kernel): Kernel => ({ ...kernel, code: codeOf(kernel.code) })) });
}

export const vectorize = (program: Program, target: Target): Program => vectorizer(target)(program);

function vectorizeCode({ params, body }: KernelCode, target: Target): KernelCode {
  const lanes = lanesOfLoops(body, target.vectorBytes, new Walked());
  const decided = (loop: For): Pick<For, 'lanes'> => {
    const own = lanes.get(loop);
    return own === undefined ? {} : { lanes: own };
  };
  const rewrite = (stmt: Stmt): Stmt => {
    if (stmt.kind === 'for') return { ...stmt, ...decided(stmt), body: stmt.body.map(rewrite) };
    if (stmt.kind !== 'if') return stmt;
    const { then, otherwise } = stmt;
    return { ...stmt, then: then.map(rewrite), ...(otherwise === undefined ? {} : { otherwise: otherwise.map(rewrite) }) };
  };
  return { params, body: body.map(rewrite) };
}
