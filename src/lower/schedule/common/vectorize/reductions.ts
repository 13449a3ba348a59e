// Which accumulators a loop reduces over lanes: each lane keeps a partial result of its own, in one or several chains, and they are
// combined once behind the loop (see the note at the end). In: a loop, its accumulators, lanes of vector loops. Out: the results that each
// lane keeps for itself across the loop.
// Holds: an accumulator is taken only if every use of it inside the loop is such a reduction, by one combiner and with one number of lanes;
// so the partial results may live across the whole loop and are combined once behind it.

import {
  type Accumulator,
  bodiesOf,
  changedBy,
  type Combiner,
  type For,
  forEachStatement,
  mentions,
  type PartialResult,
  type Stmt,
  type ExpressionCache,
} from '../../../../kernel/index.js';
import { chainsOfSums, simpleOperations } from '../../../../target/index.js';
import type { LoopLanes } from './lanes.js';

interface Uses {
  accumulator: Accumulator;
  combine: Combiner | undefined;
  lanes: number;
  sole: boolean;
  /** Chunks of the longest vector loop, or infinity when its extent is not known. */
  chunks: number;
  simple: boolean;
}

export function findReductions(loop: For, { lanesOf, vectorized }: LoopLanes, cache: ExpressionCache): readonly PartialResult[] {
  const uses = new Map<string, Uses>();
  const declared = new Set<string>();
  const seen = (accumulator: Accumulator): Uses => {
    let entry = uses.get(accumulator.name);
    if (entry === undefined) {
      entry = { accumulator, combine: undefined, lanes: 0, sole: true, chunks: 0, simple: true };
      uses.set(accumulator.name, entry);
    }
    return entry;
  };
  const visit = (stmt: Stmt, vector: For | undefined): void => {
    for (const part of cache.of(stmt)) if (part.kind === 'read') seen(part.accumulator).sole = false;
    if (stmt.kind === 'declare') declared.add(stmt.accumulator.name);
    const changed = stmt.kind === 'accumulate' ? undefined : changedBy(stmt);
    if (changed !== undefined) seen(changed).sole = false;
    if (stmt.kind === 'accumulate') {
      const entry = seen(stmt.accumulator);
      const lanes = vector === undefined ? 1 : lanesOf(vector);
      const overLanes =
        vector !== undefined && lanes > 1 && !stmt.index.some((at) => mentions(at, vector.index)) && !vectorized.has(stmt.accumulator.name);
      if (!overLanes || (entry.combine !== undefined && (entry.combine !== stmt.combine || entry.lanes !== lanes))) entry.sole = false;
      else {
        entry.combine = stmt.combine;
        entry.lanes = lanes;
        entry.chunks = Math.max(entry.chunks, chunksOf(vector, lanes));
        entry.simple &&= isSimple(vector, cache);
      }
    }
    const within = vector ?? (stmt.kind === 'for' && stmt.axis === 'vector' ? stmt : undefined);
    for (const body of bodiesOf(stmt)) for (const child of body) visit(child, within);
  };
  visit(loop, undefined);
  const found: PartialResult[] = [];
  for (const [name, entry] of uses) {
    const { accumulator, combine, lanes, sole } = entry;
    if (!declared.has(name) && sole && combine !== undefined) found.push({ accumulator, combine, lanes, chains: chainsOf(entry) });
  }
  return found;
}

function chainsOf({ accumulator, simple, chunks }: Uses): number {
  const count = accumulator.shape.reduce((product, size) => product * size, 1);
  const wanted = simple ? chainsOfSums(count) : 1;
  return chunks >= 2 * wanted ? wanted : 1;
}

function chunksOf({ extent, limit }: For, lanes: number): number {
  return extent.kind === 'const' ? Number(extent.value) / lanes : limit === undefined ? Infinity : limit / lanes;
}

/** Without loops inside and with little arithmetic: copies of the body cost little, and one alone would wait for its own results. */
export function isSimple(loop: For, cache: ExpressionCache): boolean {
  let simple = true;
  forEachStatement(loop.body, (stmt) => {
    if (stmt.kind === 'for' && stmt.axis !== 'unroll') simple = false;
  });
  return simple && cache.operations(loop.body) <= simpleOperations;
}

/* Note: chains.
   The partial results of sum(x) of x: f32[4096], before and after:

     vector for i3 in 0..min(1024, 4096 - start1) part p0 { acc2[0] += in_x[start1 + i3] }

     vector 16 interleave 4 for i3 in 0..min(1024, 4096 - start1) part p0 partial acc2 += 4 of 16 { acc2[0] += in_x[start1 + i3] }

   Combining lanes in every turn would take longer than the turn. An addition takes four cycles, and two may start in each: one chain
   would wait seven of eight times. Several accumulators are R. E. Bryant and D. R. O'Hallaron, "Computer Systems: A Programmer's
   Perspective", chapter 5. Shown by "partial results" in test/lower/vectorize.test.ts. */
