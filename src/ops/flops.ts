// What counts as a FLOP. In: expressions and statements of kernels. Out: FLOPs of computing them once. Holds: a shared expression counts
// once per statement; index arithmetic counts nothing.

import { dtypes, isFloat } from '../base/index.js';
import { type Expr, expressionOrder, expressionsOf, isMachineOp, multiplyDepth, type MultiplyStmt, type Stmt } from '../kernel/index.js';
import { scalarOfKernel } from './scalar/table.js';

/** Ops over floats that only choose or move bits. */
const moves: ReadonlySet<string> = new Set(['select', 'unlikely', 'convert', 'bitcast', 'copysign', 'abs', 'neg']);

/** 1 per float operation, 2 per fma or muladd, what the scalar table says of its functions, nothing for moves, comparisons and integers. */
export function flopsOf({ fn, dtype }: Extract<Expr, { kind: 'apply' }>): number {
  if (!isMachineOp(fn)) return isFloat(dtype) ? (scalarOfKernel.get(fn)?.cost ?? 0) : 0;
  if (dtypes[dtype].family !== 'float' || moves.has(fn)) return 0;
  return fn === 'fma' || fn === 'muladd' ? 2 : 1;
}

/** Of all warps together: two for each step onto each sum. */
export const flopsOfMultiply = ({ sums, right }: MultiplyStmt): number =>
  2 * multiplyDepth(right.buffer.dtype) * sums.shape.reduce((product, size) => product * size, 1);

/** What the statement itself computes, without statements inside of it. */
export function flopsOfStatement(stmt: Stmt): number {
  if (stmt.kind === 'multiply') return flopsOfMultiply(stmt);
  const own = stmt.kind === 'accumulate' && isFloat(stmt.accumulator.dtype) ? 1 : 0;
  return expressionOrder(expressionsOf(stmt)).reduce((sum, expr) => sum + (expr.kind === 'apply' ? flopsOf(expr) : 0), own);
}
