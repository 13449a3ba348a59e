// Results that should pass the caches by: stores of whole vectors to what no cache would hold until it is read (see the note at the end).
// In: the body of a kernel, lanes of its vector loops, a target. Out: the stores that may, and what its loops then load ahead.
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
import { cachedBytes, fetchedAhead, nontemporalBytes, type CpuTarget } from '../../../../target/index.js';

/** None where nothing can be large. */
export function nontemporalStores(
  body: readonly Stmt[],
  lanesOf: (loop: For) => number,
  target: CpuTarget,
  cache: ExpressionCache,
): ReadonlySet<Stmt> {
  const stores = new Set<Stmt>();
  const buffers = new Set<Buffer>();
  const { lets, loaded } = sourcesOf(body, cache);
  forEachStatement(body, (loop) => {
    if (loop.kind !== 'for' || loop.axis !== 'vector' || loop.limit !== undefined || lanesOf(loop) === 1) return;
    forEachStatement(loop.body, (stmt) => {
      if (stmt.kind !== 'store' || loaded.has(stmt.buffer.name) || !isLarge(stmt.buffer, target)) return;
      if (!isWhole(stmt, loop, lanesOf(loop), lets)) return;
      stores.add(stmt);
      buffers.add(stmt.buffer);
    });
  });
  const all = Dim.sum([...buffers].map(bytesOfBuffer)).constant ?? Infinity;
  return all >= nontemporalBytes(target) ? stores : new Set();
}

/**
 * Where results pass the caches by, large operands come from memory as well, and often from small pages, at whose ends the processor stops
 * to load ahead by itself.
 */
export function loadedAhead(loop: For, lanesOf: (loop: For) => number, target: CpuTarget, cache: ExpressionCache): Pick<For, 'ahead'> {
  if (loop.axis !== 'vector' || loop.limit !== undefined || lanesOf(loop) === 1) return {};
  const buffers = new Set<Buffer>();
  forEachStatement(loop.body, (stmt) => {
    for (const part of cache.of(stmt)) if (part.kind === 'load' && isLarge(part.buffer, target)) buffers.add(part.buffer);
  });
  return buffers.size === 0 ? {} : { ahead: { bytes: fetchedAhead, buffers: [...buffers] } };
}

/** Whether memory is likely to hold a buffer, and no cache: sizes that are not known may be large. */
const isLarge = (buffer: Buffer, target: CpuTarget): boolean => (bytesOfBuffer(buffer).constant ?? Infinity) >= cachedBytes(target);

/* Note: past the caches.
   tanh(x) of x: f32[N], before and after:

     out_result[p0 * 4096 + i1] = tanh3

     nontemporal out_result[p0 * 4096 + i1] = tanh3

   under a loop that says `ahead 1024 of x`.

   A usual store brings its line from memory before it writes it, and drives out of the caches what is read again: of three lines that go
   back and forth for one result, one is spared (U. Drepper, "What Every Programmer Should Know About Memory", 2007, section 6.1). Shown
   by "pass the caches by" in test/lower/vectorize.test.ts. */
