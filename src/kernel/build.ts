// Short constructors of kernel IR. In: parts. Out: expressions with trivial arithmetic folded (x + 0, x * 1, sizes), so that printed
// kernels stay readable.

import { Dim, type DType, type Shape } from '../base/index.js';
import type { Accumulator, Buffer, BufferRole, Expr } from './ir.js';

export const constant = (dtype: DType, value: number | bigint): Expr => ({ kind: 'const', dtype, value });
export const int = (value: number): Expr => constant('i64', value);
export const index = (name: string): Expr => ({ kind: 'index', name });
export const apply = (fn: string, dtype: DType, ...args: Expr[]): Expr => ({ kind: 'apply', fn, args, dtype });
export const load = (buffer: Buffer, at: readonly Expr[]): Expr => ({ kind: 'load', buffer, index: at });
export const name = (text: string, dtype: DType): Expr => ({ kind: 'name', name: text, dtype });
export const read = (accumulator: Accumulator, at: readonly Expr[] = []): Expr => ({ kind: 'read', accumulator, index: at });

export function size(dim: Dim | number): Expr {
  const of = Dim.of(dim);
  return of.constant === undefined ? { kind: 'size', dim: of } : int(of.constant);
}

/** The integer value when it is known, as a number. */
export function intValue(expr: Expr): number | undefined {
  return expr.kind === 'const' ? Number(expr.value) : undefined;
}

/** The size polynomial that an index expression equals, if it is one. */
export function dimOf(expr: Expr): Dim | undefined {
  if (expr.kind === 'size') return expr.dim;
  return expr.kind === 'const' && expr.dtype === 'i64' ? Dim.of(Number(expr.value)) : undefined;
}

/** i64 arithmetic on indices and sizes. */
export function plus(a: Expr, b: Expr): Expr {
  const [x, y] = [dimOf(a), dimOf(b)];
  if (x !== undefined && y !== undefined) return size(x.add(y));
  if (x?.constant === 0) return b;
  if (y?.constant === 0) return a;
  return apply('add', 'i64', a, b);
}

export function minus(a: Expr, b: Expr): Expr {
  const [x, y] = [dimOf(a), dimOf(b)];
  if (x !== undefined && y !== undefined) return size(x.sub(y));
  if (y?.constant === 0) return a;
  return apply('sub', 'i64', a, b);
}

export function times(a: Expr, b: Expr): Expr {
  const [x, y] = [dimOf(a), dimOf(b)];
  if (x !== undefined && y !== undefined) return size(x.mul(y));
  if (x?.constant === 0 || y?.constant === 0) return int(0);
  if (x?.constant === 1) return b;
  if (y?.constant === 1) return a;
  return apply('mul', 'i64', a, b);
}

/** Quotient and remainder of non-negative indices. */
export function over(a: Expr, b: Expr): Expr {
  const [x, y] = [dimOf(a), dimOf(b)];
  if (y?.constant === 1) return a;
  if (x?.constant === 0) return a;
  if (x?.constant !== undefined && y?.constant !== undefined && y.constant > 0) return int(Math.floor(x.constant / y.constant));
  const exact = x !== undefined && y !== undefined ? x.divideExact(y) : undefined;
  return exact === undefined ? apply('div', 'i64', a, b) : size(exact);
}

/** The number of parts of size `b` that cover `a`: ⌈a / b⌉ of non-negative numbers. */
export const ceilDiv = (a: Expr, b: Expr): Expr => over(plus(a, minus(b, int(1))), b);

export function modulo(a: Expr, b: Expr): Expr {
  const [x, y] = [dimOf(a), dimOf(b)];
  if (y?.constant === 1) return int(0);
  if (x?.constant === 0) return a;
  if (x?.constant !== undefined && y?.constant !== undefined && y.constant > 0) return int(x.constant % y.constant);
  if (x !== undefined && y !== undefined && x.divideExact(y) !== undefined) return int(0);
  return apply('rem', 'i64', a, b);
}

export const smaller = (a: Expr, b: Expr): Expr => {
  const [x, y] = [intValue(a), intValue(b)];
  return x !== undefined && y !== undefined ? int(Math.min(x, y)) : apply('min', 'i64', a, b);
};

export const larger = (a: Expr, b: Expr): Expr => {
  const [x, y] = [intValue(a), intValue(b)];
  return x !== undefined && y !== undefined ? int(Math.max(x, y)) : apply('max', 'i64', a, b);
};

export function dtypeOf(expr: Expr): DType {
  switch (expr.kind) {
    case 'index':
    case 'size':
      return 'i64';
    case 'load':
      return expr.buffer.dtype;
    case 'read':
      return expr.accumulator.dtype;
    case 'const':
    case 'name':
    case 'apply':
      return expr.dtype;
  }
}

export function rowMajor(shape: Shape): Shape {
  const strides: Dim[] = [];
  let stride = Dim.one;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride = stride.mul(shape[axis] as Dim);
  }
  return strides;
}

export const buffer = (text: string, dtype: DType, shape: Shape, role: BufferRole): Buffer => ({
  name: text,
  dtype,
  shape,
  strides: rowMajor(shape),
  role,
});
