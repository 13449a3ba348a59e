// Results that may pass the caches by: under which conditions a kernel has a second body for it (see the note at the end). In: the plan
// of a kernel whose stores say so. Out: these conditions.
// Holds: whole aligned vectors alone are written so; the choice changes time, never results.

import { bytesOf, Dim } from '../../src/base/index.js';
import { type Buffer, bytesOfBuffer, forEachStatement } from '../../src/kernel/index.js';
import type { KernelPlan } from './plan.js';

export interface Nontemporal {
  readonly buffers: readonly Buffer[];
  /** Bytes of all these buffers together. */
  readonly bytes: Dim;
  /** Bytes that their addresses must be a multiple of. */
  readonly align: number;
}

/** Undefined where no store asks for it. */
export function findNontemporal({ vectors }: KernelPlan): Nontemporal | undefined {
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
  };
}

/* Note: two bodies.
   A statement, and what is emitted for it, with sixteen lanes of f32:

     nontemporal out_result[p0 * 4096 + i1] = tanh3

     if 4 * N >= nontemporalBytes and address of out_result % 64 == 0: the loop with stores past the caches, then a fence
     else: the loop with usual stores

   An instruction that passes the caches faults on an address that is not aligned, and a result that a cache would hold is read from
   there sooner than from memory; sizes and addresses are known when the code runs. Shown by "writes large results past the caches, where
   their vectors are whole and aligned" in test/codegen/vector-loops.test.ts. */
