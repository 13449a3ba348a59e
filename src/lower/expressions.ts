// Questions about kernel expressions. In: expressions. Out: a canonical key, the names they depend on, and how an address moves with a
// loop.
// Holds: equal keys mean equal values at the same place.

import { Dim } from '../base/index.js';
import type { Buffer, Expr } from '../loop/index.js';

export function exprKey(expr: Expr): string {
  switch (expr.kind) {
    case 'const':
      return `${expr.dtype}:${Object.is(expr.value, -0) ? '-0' : expr.value}`;
    case 'index':
      return expr.name;
    case 'size':
      return `<${expr.dim.key}>`;
    case 'name':
      return expr.name;
    case 'load':
      return `${expr.buffer.name}[${expr.index.map(exprKey).join(',')}]`;
    case 'read':
      return `${expr.accumulator.name}[${expr.index.map(exprKey).join(',')}]`;
    case 'apply':
      return `${expr.fn}:${expr.dtype}(${expr.args.map(exprKey).join(',')})`;
  }
}

/** Names of loops and lets that the value depends on. */
export function freeNames(exprs: readonly Expr[], into = new Set<string>()): Set<string> {
  for (const expr of exprs) {
    switch (expr.kind) {
      case 'index':
      case 'name':
        into.add(expr.name);
        break;
      case 'load':
        freeNames(expr.index, into);
        break;
      case 'read':
        into.add(expr.accumulator.name);
        freeNames(expr.index, into);
        break;
      case 'apply':
        freeNames(expr.args, into);
        break;
      case 'const':
      case 'size':
        break;
    }
  }
  return into;
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
      const factor = (of: Expr): Dim | undefined =>
        of.kind === 'size' ? of.dim : of.kind === 'const' ? Dim.of(Number(of.value)) : undefined;
      const [left, right] = [factor(a), factor(b)];
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
