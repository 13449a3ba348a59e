// Scalar functions → machine ops. In: a program whose expressions apply functions of the scalar table. Out: the same program over machine
// ops alone.
// Holds: shared expressions stay shared; a name that is a machine op and a function of the table means the same, so expanding twice changes
// nothing; f16 and bf16 are computed in f32 and rounded once.

import { type DType, InternalError } from '../base/index.js';
import { build, type Expr, isMachineOp, type Kernel, type KernelCode, type Program, type Stmt } from '../loop/index.js';
import { expansions, scalarNames, scalarTable, type Expansion } from '../ops/index.js';

const byKernelName: ReadonlyMap<string, Expansion> = new Map(scalarNames.map((name) => [scalarTable[name].kernel, expansions[name]]));

/** Rewrites every `apply` in the kernels of programs. Code that kernels share, also of several programs, is expanded once. */
export function scalarExpander(): (program: Program) => Program {
  const done = new Map<KernelCode, KernelCode>();
  const codeOf = (code: KernelCode): KernelCode => {
    let expanded = done.get(code);
    if (expanded === undefined) done.set(code, (expanded = expandCode(code)));
    return expanded;
  };
  return (program) => ({ ...program, kernels: program.kernels.map((kernel): Kernel => ({ ...kernel, code: codeOf(kernel.code) })) });
}

export const expandScalars = (program: Program): Program => scalarExpander()(program);

function expandCode({ params, body }: KernelCode): KernelCode {
  const expand = expander();
  const expandStatement = (stmt: Stmt): Stmt => {
    switch (stmt.kind) {
      case 'for':
        return { ...stmt, extent: expand(stmt.extent), body: stmt.body.map(expandStatement) };
      case 'let':
        return { ...stmt, value: expand(stmt.value) };
      case 'declare':
        return { ...stmt, initial: expand(stmt.initial) };
      case 'accumulate':
      case 'assign':
      case 'store':
        return { ...stmt, index: stmt.index.map(expand), value: expand(stmt.value) };
      case 'fetch':
        return { ...stmt, index: stmt.index.map(expand) };
      case 'if':
        return {
          ...stmt,
          condition: expand(stmt.condition),
          then: stmt.then.map(expandStatement),
          ...(stmt.otherwise === undefined ? {} : { otherwise: stmt.otherwise.map(expandStatement) }),
        };
    }
  };
  return { params, body: body.map(expandStatement) };
}

/** Expands expressions; an object that occurs twice is expanded once. */
function expander(): (expr: Expr) => Expr {
  const done = new Map<Expr, Expr>();
  const expand = (expr: Expr): Expr => {
    let result = done.get(expr);
    if (result === undefined) {
      result = expandOnce(expr, expand);
      done.set(expr, result);
    }
    return result;
  };
  return expand;
}

function expandOnce(expr: Expr, expand: (expr: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'const':
    case 'index':
    case 'size':
    case 'name':
      return expr;
    case 'load':
    case 'read': {
      const index = expr.index.map(expand);
      return index.every((at, axis) => at === expr.index[axis]) ? expr : { ...expr, index };
    }
    case 'apply':
      return applied(expr.fn, expr.dtype, expr, expr.args.map(expand));
  }
}

const isHalf = (dtype: DType): boolean => dtype === 'f16' || dtype === 'bf16';

/** `original` with its arguments expanded to `args`. */
function applied(fn: string, dtype: DType, original: Expr, args: readonly Expr[]): Expr {
  const last = args[args.length - 1];
  if (last === undefined) throw new InternalError('expand-scalars', `${fn} without arguments`);
  const from = build.dtypeOf(last);
  const rewrite = expansionOf(fn);
  // Moving bits needs no arithmetic, so half-width floats are chosen among and converted as they are.
  if (isHalf(from) && fn !== 'convert' && fn !== 'bitcast' && fn !== 'select') {
    const wide = args.map((arg) => (isHalf(build.dtypeOf(arg)) ? build.apply('convert', 'f32', arg) : arg));
    const value = rewrite === undefined ? build.apply(fn, isHalf(dtype) ? 'f32' : dtype, ...wide) : rewrite('f32', ...wide);
    return isHalf(dtype) ? build.apply('convert', dtype, value) : value;
  }
  const result = rewrite === undefined ? build.apply(fn, dtype, ...args) : rewrite(from, ...args);
  const same =
    original.kind === 'apply' && result.kind === 'apply' && result.fn === fn && args.every((arg, at) => arg === original.args[at]);
  return same ? original : result;
}

/** Undefined for what is a machine op and no function of the table. */
function expansionOf(fn: string): Expansion | undefined {
  const expansion = byKernelName.get(fn);
  if (expansion === undefined && !isMachineOp(fn)) throw new InternalError('expand-scalars', `${fn} is no scalar function`);
  return expansion;
}
