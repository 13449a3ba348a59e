// Results that may pass the caches by. In: a kernel whose stores say so, its plan, a target. Out: under which conditions they do. Holds:
// whole aligned vectors alone are written so; the choice changes time, never results.

import { bytesOf, Dim } from '../../src/base/index.js';
import { type Buffer, bytesOfBuffer, forEachStatement } from '../../src/kernel/index.js';
import { cachedBytes, type Target } from '../../src/target/index.js';
import type { KernelPlan } from './plan.js';

export interface Nontemporal {
  readonly buffers: readonly Buffer[];
  /** Bytes of all these buffers together. */
  readonly bytes: Dim;
  /** Bytes that their addresses must be a multiple of. */
  readonly align: number;
  /** Whether memory is likely to hold a buffer, and no cache. */
  isLarge(buffer: Buffer): boolean;
}

/** Undefined where no store asks for it. */
export function findNontemporal({ vectors }: KernelPlan, target: Target): Nontemporal | undefined {
  const buffers = new Set<Buffer>();
  let align = 1;
  for (const { body, lanes = 1 } of vectors) {
    forEachStatement(body, (stmt) => {
      if (stmt.kind !== 'store' || stmt.nontemporal !== true) return;
      buffers.add(stmt.buffer);
      align = Math.max(align, lanes * bytesOf(stmt.buffer.dtype));
    });
  }
  if (buffers.size === 0) return undefined;
  return {
    buffers: [...buffers],
    bytes: Dim.sum([...buffers].map(bytesOfBuffer)),
    align,
    isLarge: (buffer) => (bytesOfBuffer(buffer).constant ?? Infinity) >= cachedBytes(target),
  };
}
