// Results that should pass the caches by: stores of whole vectors to what no cache would hold until it is read (see the note at the end).
// In: the body of a kernel, lanes of its vector loops, a target. Out: the stores that may.
// Holds: such a store writes whole vectors, and the kernel does not read what it writes; whether sizes and addresses let it is asked when
// the code runs (`codegen/analysis/nontemporal.ts`); the choice changes time, never results.

import { Dim } from '../../../../base/index.js';
import {
  bytesOfBuffer,
  type Buffer,
  type For,
  forEachStatement,
  isWhole,
  sourcesOf,
  type Stmt,
  type ExpressionCache,
} from '../../../../kernel/index.js';
import { cachedBytes, nontemporalBytes, type Target } from '../../../../target/index.js';

/** None where nothing can be large. */
export function nontemporalStores(
  body: readonly Stmt[],
  lanesOf: (loop: For) => number,
  target: Target,
  cache: ExpressionCache,
): ReadonlySet<Stmt> {
  const stores = new Set<Stmt>();
  const buffers = new Set<Buffer>();
  const { lets, loaded } = sourcesOf(body, cache);
  // Sizes that are not known may be large.
  const atLeast = (size: Dim, bytes: number): boolean => (size.constant ?? Infinity) >= bytes;
  forEachStatement(body, (loop) => {
    if (loop.kind !== 'for' || loop.axis !== 'vector' || loop.limit !== undefined || lanesOf(loop) === 1) return;
    forEachStatement(loop.body, (stmt) => {
      if (stmt.kind !== 'store' || loaded.has(stmt.buffer.name) || !atLeast(bytesOfBuffer(stmt.buffer), cachedBytes(target))) return;
      if (!isWhole(stmt, loop, lanesOf(loop), lets)) return;
      stores.add(stmt);
      buffers.add(stmt.buffer);
    });
  });
  return atLeast(Dim.sum([...buffers].map(bytesOfBuffer)), nontemporalBytes(target)) ? stores : new Set();
}

/* Note: past the caches.
   tanh(x) of x: f32[N], before and after:

     out_result[p0 * 4096 + i1] = tanh3

     nontemporal out_result[p0 * 4096 + i1] = tanh3

   A usual store brings its line from memory before it writes it, and drives out of the caches what is read again: of three lines that go
   back and forth for one result, one is spared (U. Drepper, "What Every Programmer Should Know About Memory", 2007, section 6.1). Shown
   by "pass the caches by" in test/lower/vectorize.test.ts. */
