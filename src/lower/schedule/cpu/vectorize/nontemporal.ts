// Results that should pass the caches by. In: the body of a kernel, lanes of its vector loops, a target. Out: the stores that may.
// Holds: such a store writes whole vectors, and the kernel does not read what it writes; whether sizes and addresses let it is asked when
// the code runs; the choice changes time, never results.

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
