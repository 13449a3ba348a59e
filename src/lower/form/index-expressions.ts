// Questions about kernel expressions. In: expressions. Out: the names they depend on, and how an address moves with a loop. Holds:
// nothing is said of an address that does not move evenly.

import { Dim } from '../../base/index.js';
import { build, type Buffer, type Expr, visitExpr } from '../../kernel/index.js';

/** Names of loops, lets and accumulators that the values depend on. */
export function freeNames(exprs: readonly Expr[]): Set<string> {
  const names = new Set<string>();
  const seen = new Set<Expr>();
  const see = (part: Expr): void => {
    if (part.kind === 'index' || part.kind === 'name') names.add(part.name);
    else if (part.kind === 'read') names.add(part.accumulator.name);
  };
  for (const expr of exprs) visitExpr(expr, see, seen);
  return names;
}

/** d expr / d `loop` when `expr` is linear in it, else undefined. */
export function coefficient(expr: Expr, loop: string): Dim | undefined {
  switch (expr.kind) {
    case 'const':
    case 'size':
      return Dim.zero;
    case 'index':
      return expr.name === loop ? Dim.one : Dim.zero;
    case 'apply': {
      if (!freeNames(expr.args).has(loop)) return Dim.zero;
      const [a, b] = expr.args;
      if (a === undefined || b === undefined) return undefined;
      const x = coefficient(a, loop);
      const y = coefficient(b, loop);
      if (x === undefined || y === undefined) return undefined;
      if (expr.fn === 'add') return x.add(y);
      if (expr.fn === 'sub') return x.sub(y);
      if (expr.fn !== 'mul') return undefined;
      const [left, right] = [build.dimOf(a), build.dimOf(b)];
      return right !== undefined ? x.mul(right) : left !== undefined ? y.mul(left) : undefined;
    }
    case 'name':
    case 'load':
    case 'read':
      return freeNames([expr]).has(loop) ? undefined : Dim.zero;
  }
}

/** Elements between the addresses of two consecutive iterations of `loop`, or undefined when that differs along the loop. */
export function addressStride(buffer: Buffer, index: readonly Expr[], loop: string): Dim | undefined {
  let stride = Dim.zero;
  for (const [axis, expr] of index.entries()) {
    const step = coefficient(expr, loop);
    if (step === undefined) return undefined;
    stride = stride.add(step.mul(buffer.strides[axis] as Dim));
  }
  return stride;
}
