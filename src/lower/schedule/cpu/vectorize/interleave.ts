// How many vectors a vector loop computes in one turn: several chains of sums where it is simple, several vectors operation by operation
// where it is long (see the note at the end). In: the body of a kernel, and lanes of its vector loops. Out: on which loops partial results
// are kept, and which loops are interleaved.
// Holds: iterations of a vector loop are independent, so the choice changes time, and the order in which lanes are combined.

import { bodiesOf, computes, type For, type Stmt, type ExpressionCache } from '../../../../kernel/index.js';
import { jamFrom, jammedVectors, jamTo, fullUnrollVectors } from '../../../../target/index.js';
import type { LoopLanes } from '../../common/vectorize/lanes.js';
import { findReductions, isSimple } from '../../common/vectorize/reductions.js';

export type Interleaving = Pick<For, 'partials' | 'interleave' | 'jam' | 'straight'>;

export function interleavedLoops(body: readonly Stmt[], lanes: LoopLanes, cache: ExpressionCache): ReadonlyMap<For, Interleaving> {
  const found = new Map<For, Interleaving>();
  /** `open`: chains of the accumulators whose partial results loops around keep. */
  const visit = (stmts: readonly Stmt[], open: ReadonlyMap<string, number>): void => {
    for (const stmt of stmts) {
      if (stmt.kind !== 'for') {
        for (const inner of bodiesOf(stmt)) visit(inner, open);
        continue;
      }
      const partials = findReductions(stmt, lanes, cache).filter(({ accumulator }) => !open.has(accumulator.name));
      const within = new Map([...open, ...partials.map(({ accumulator, chains }) => [accumulator.name, chains] as const)]);
      const kept = partials.length === 0 ? {} : { partials };
      if (stmt.axis === 'vector') found.set(stmt, { ...kept, ...turnsOf(stmt, Math.max(1, ...within.values())) });
      else {
        found.set(stmt, kept);
        visit(stmt.body, within);
      }
    }
  };
  /** `chains`: the most that an accumulator has of them. */
  const turnsOf = (loop: For, chains: number): Interleaving => {
    const width = lanes.lanesOf(loop);
    if (loop.limit !== undefined || width === 1) return {};
    if (isSimple(loop, cache)) {
      const straight = loop.extent.kind === 'const' && Math.floor(Number(loop.extent.value) / width) <= fullUnrollVectors;
      return { ...(chains > 1 ? { interleave: chains } : {}), ...(straight ? { straight } : {}) };
    }
    return isLong(loop, cache) ? { interleave: jammedVectors, jam: true } : {};
  };
  visit(body, new Map());
  return found;
}

function isLong(loop: For, cache: ExpressionCache): boolean {
  if (!loop.body.every(computes)) return false;
  const operations = cache.operations(loop.body);
  return operations >= jamFrom && operations <= jamTo;
}

/* Note: jam.
   tanh(x) of x: f32[N], 28 operations most of which wait for the one before, without and with (shortened):

     vector for i1 in 0..min(4096, N - p0 * 4096) part p0 { … }

     vector 16 interleave 4 jam for i1 in 0..min(4096, N - p0 * 4096) part p0 { … }

   An elementwise function is one long chain: its some fifty operations take four cycles each after the other, while two could start in
   every cycle. A processor overlaps iterations by itself, but only as many operations as its scheduler holds (about a hundred), which is
   two such chains, and then waits. Four vectors in turns, operation by operation (unroll-and-jam: S. Carr and K. Kennedy, "Improving the
   Ratio of Memory Operations to Floating-Point Operations in Loops", ACM TOPLAS 16(6), 1994), fill the same scheduler with work of which
   four times as much is ready, and share constants that come from memory. Where there are sixteen registers only, some values are kept
   in memory meanwhile; that costs less than the waiting. Results are written as bursts of four lines. Shown by "of %i operations in a
   row" in test/lower/vectorize.test.ts. */
