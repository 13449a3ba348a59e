// Scalar functions → machine ops. In: a program whose expressions apply functions of the scalar table. Out: the same program over machine
// ops alone.
// Holds: shared expressions stay shared; a name that is a machine op and a function of the table means the same, so expanding twice changes
// nothing; f16 and bf16 are computed in f32 and rounded once.

import { type DType, InternalError, isNarrowFloat } from '../../base/index.js';
import { build, type Expr, isMachineOp, mapCode, type Program, rewriteStatement } from '../../kernel/index.js';
import { expansions, scalarNames, scalarTable, type Expansion } from '../../ops/index.js';

const byKernelName: ReadonlyMap<string, Expansion> = new Map(scalarNames.map((name) => [scalarTable[name].kernel, expansions[name]]));

/** Rewrites every `apply` in the kernels of programs. */
export const scalarExpander = (): ((program: Program) => Program) =>
  mapCode(({ params, body }) => {
    const expand = expander();
    return { params, body: body.map((stmt) => rewriteStatement(stmt, expand)) };
  });

export const expandScalars = (program: Program): Program => scalarExpander()(program);

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

/** `original` with its arguments expanded to `args`. */
function applied(fn: string, dtype: DType, original: Expr, args: readonly Expr[]): Expr {
  const last = args[args.length - 1];
  if (last === undefined) throw new InternalError('expand-scalars', `${fn} without arguments`);
  const from = build.dtypeOf(last);
  const rewrite = expansionOf(fn);
  // Moving bits needs no arithmetic, so narrow floats are chosen among and converted as they are.
  if (isNarrowFloat(from) && fn !== 'convert' && fn !== 'bitcast' && fn !== 'select') {
    const wide = args.map((arg) => (isNarrowFloat(build.dtypeOf(arg)) ? build.apply('convert', 'f32', arg) : arg));
    const value = rewrite === undefined ? build.apply(fn, isNarrowFloat(dtype) ? 'f32' : dtype, ...wide) : rewrite('f32', ...wide);
    return isNarrowFloat(dtype) ? build.apply('convert', dtype, value) : value;
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
