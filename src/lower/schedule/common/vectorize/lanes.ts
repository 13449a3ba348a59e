// How many iterations of a vector loop one vector computes: as many elements as fit of the widest data (see the note at the end). In: the
// body of a kernel, and a target's vectors. Out: lanes of its vector loops.
// Holds: a vector holds as many elements as fit of the widest data that the loop computes with; loops that index one accumulator have the
// same lanes.

import { bytesOf, type DType, isNarrowFloat } from '../../../../base/index.js';
import { type For, forEachStatement, indexedBy, type Stmt, type ExpressionCache } from '../../../../kernel/index.js';

export interface LoopLanes {
  lanesOf(loop: For): number;
  /** Accumulators that a vector loop indexes by its variable: their last axis lies across the lanes. */
  readonly vectorized: ReadonlySet<string>;
}

export function lanesOfLoops(body: readonly Stmt[], vectorBytes: number, cache: ExpressionCache): LoopLanes {
  const lanes = new Map<For, number>();
  const vectorized = new Set<string>();
  const tiles: For[] = [];
  forEachStatement(body, (stmt) => {
    if (stmt.kind !== 'for' || stmt.axis !== 'vector') return;
    lanes.set(stmt, vectorBytes / widestIn(stmt.body, cache));
    // Others index no accumulators.
    if (stmt.limit === undefined) return;
    const indexed = indexedBy(stmt, cache);
    for (const name of indexed) vectorized.add(name);
    if (indexed.size > 0) tiles.push(stmt);
  });
  // One register layout serves all loops over a tile.
  const narrowest = Math.min(...tiles.map((loop) => lanes.get(loop) as number));
  for (const loop of tiles) lanes.set(loop, narrowest);
  return { lanesOf: (loop) => lanes.get(loop) ?? 1, vectorized };
}

/** Bytes of the widest data. Indices (i64 arithmetic) do not count, and narrow floats are computed in 32 bits. */
function widestIn(body: readonly Stmt[], cache: ExpressionCache): number {
  let widest = 1;
  const see = (dtype: DType): void => {
    widest = Math.max(widest, isNarrowFloat(dtype) ? 4 : bytesOf(dtype));
  };
  forEachStatement(body, (stmt) => {
    if (stmt.kind === 'store' || stmt.kind === 'fetch') see(stmt.buffer.dtype);
    if (stmt.kind === 'accumulate' || stmt.kind === 'assign' || stmt.kind === 'declare') see(stmt.accumulator.dtype);
    for (const part of cache.of(stmt)) {
      if (part.kind === 'load') see(part.buffer.dtype);
      else if (part.kind === 'read') see(part.accumulator.dtype);
      else if (part.kind === 'apply' && part.dtype !== 'i64' && part.dtype !== 'f64') see(part.dtype);
    }
  });
  return widest;
}

/* Note: lanes.
   With vectors of 64 bytes, before and after (`--emit scheduled`, `--dump-after vectorize`):

     vector for i in 0..N { y[i] = x[i] }                        vector 16 for i in 0..N { y[i] = x[i] }
     vector for i in 0..N { z[i] = convert<f64>(x[i]) }          vector 8 for i in 0..N { z[i] = convert<f64>(x[i]) }

   With fewer lanes vectors would be filled in part; with more, a value would take several registers, and a loop over a tile could not
   tell which of them its accumulators lie in. Shown by "lanes" in test/lower/vectorize.test.ts. */
