// Scalar functions → machine ops. In: a program whose expressions apply functions of the scalar table. Out: the same program over machine
// ops alone.
// Holds: shared expressions stay shared; a name that is a machine op and a function of the table means the same, so expanding twice changes
// nothing; f16 and bf16 are computed in f32 and rounded once; where the target has no libm, nothing calls it.

import { type DType, InternalError, isNarrowFloat } from '../../base/index.js';
import { build, type Expr, isMachineOp, mapCode, type Program, rewriteStatement } from '../../kernel/index.js';
import { expansions, libmExpansions, type LibmName, scalarNames, scalarTable, type Expansion } from '../../ops/index.js';
import type { Target } from '../../target/index.js';

const byKernelName: ReadonlyMap<string, Expansion> = new Map(scalarNames.map((name) => [scalarTable[name].kernel, expansions[name]]));

/** What expansions depend on. */
type Needs = Pick<Target, 'libm'>;

/** Rewrites every `apply` in the kernels of programs. */
export const scalarExpander = ({ libm }: Needs): ((program: Program) => Program) =>
  mapCode(({ params, body }) => {
    const toMachine = rewriter(applied);
    const toOwn = rewriter(withoutLibm);
    const expand = libm ? toMachine : (expr: Expr): Expr => toOwn(toMachine(expr));
    return { params, body: body.map((stmt) => rewriteStatement(stmt, expand)) };
  });

export const expandScalars = (program: Program, target: Needs): Program => scalarExpander(target)(program);

/** What becomes of an `apply`, from its arguments as they have become. */
type Rewrite = (fn: string, dtype: DType, original: Expr, args: readonly Expr[]) => Expr;

/** Rewrites expressions from the inside; an object that occurs twice is rewritten once. */
function rewriter(apply: Rewrite): (expr: Expr) => Expr {
  const done = new Map<Expr, Expr>();
  const rewrite = (expr: Expr): Expr => {
    let result = done.get(expr);
    if (result === undefined) {
      result = rewriteOnce(expr, rewrite, apply);
      done.set(expr, result);
    }
    return result;
  };
  return rewrite;
}

function rewriteOnce(expr: Expr, rewrite: (expr: Expr) => Expr, apply: Rewrite): Expr {
  switch (expr.kind) {
    case 'const':
    case 'index':
    case 'size':
    case 'name':
      return expr;
    case 'load':
    case 'read': {
      const index = expr.index.map(rewrite);
      return index.every((at, axis) => at === expr.index[axis]) ? expr : { ...expr, index };
    }
    case 'apply':
      return apply(expr.fn, expr.dtype, expr, expr.args.map(rewrite));
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
  return result.kind === 'apply' && result.fn === fn && isSame(original, args) ? original : result;
}

const isSame = (original: Expr, args: readonly Expr[]): boolean =>
  original.kind === 'apply' && args.every((arg, at) => arg === original.args[at]);

const isLibm = (fn: string): fn is LibmName => Object.hasOwn(libmExpansions, fn);

function withoutLibm(fn: string, dtype: DType, original: Expr, args: readonly Expr[]): Expr {
  if (isLibm(fn)) return libmExpansions[fn](...args);
  return isSame(original, args) ? original : build.apply(fn, dtype, ...args);
}

/** Undefined for what is a machine op and no function of the table. */
function expansionOf(fn: string): Expansion | undefined {
  const expansion = byKernelName.get(fn);
  if (expansion === undefined && !isMachineOp(fn)) throw new InternalError('expand-scalars', `${fn} is no scalar function`);
  return expansion;
}
