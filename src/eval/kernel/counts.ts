// What a kernel did. In: what each statement does once, and how often it ran. Out: loads, stores, FLOPs, calls by function name.
// Holds: a shared expression counts once per run of its statement; index arithmetic (i64) is not counted.

import { isFloat } from '../../base/index.js';
import { expressionOrder, expressionsOf, type Stmt } from '../../kernel/index.js';
import { flopsOf, flopsOfMultiply } from '../../ops/index.js';

export interface KernelCounts {
  readonly loads: number;
  readonly stores: number;
  readonly flops: number;
  /** Applications by function, i64 arithmetic left out. */
  readonly calls: ReadonlyMap<string, number>;
}

export function statementCounts(stmt: Stmt): KernelCounts {
  const calls = new Map<string, number>();
  let loads = 0;
  let flops = stmt.kind === 'multiply' ? flopsOfMultiply(stmt) : stmt.kind === 'accumulate' && isFloat(stmt.accumulator.dtype) ? 1 : 0;
  for (const expr of expressionOrder(expressionsOf(stmt))) {
    if (expr.kind === 'load') loads += 1;
    if (expr.kind !== 'apply' || expr.dtype === 'i64') continue;
    calls.set(expr.fn, (calls.get(expr.fn) ?? 0) + 1);
    flops += flopsOf(expr);
  }
  return { loads, stores: stmt.kind === 'store' ? 1 : 0, flops, calls };
}

/** What a whole kernel did. */
export interface KernelTotals extends KernelCounts {
  /** Bytes of the elements that it touched, each element once. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Sum of statements, each as often as it ran. */
export function totalCounts(parts: readonly KernelCounts[], times: readonly number[]): KernelCounts {
  const calls = new Map<string, number>();
  let [loads, stores, flops] = [0, 0, 0];
  parts.forEach((part, at) => {
    const often = times[at] ?? 0;
    loads += part.loads * often;
    stores += part.stores * often;
    flops += part.flops * often;
    for (const [fn, count] of part.calls) calls.set(fn, (calls.get(fn) ?? 0) + count * often);
  });
  return { loads, stores, flops, calls };
}
