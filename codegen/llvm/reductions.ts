// Which accumulators a loop reduces over lanes. In: a loop and the accumulators declared around it. Out: how to keep per-lane partial
// results for it.
// Holds: an accumulator is taken only if every use of it inside the loop is such a reduction, by one combiner and with one number of lanes;
// so the partial results may live across the whole loop and are combined once behind it.

import {
  type Accumulator,
  bodiesOf,
  type Combiner,
  type Expr,
  type For,
  forEachStatement,
  mentions,
  type Stmt,
  type Walked,
} from '../../src/loop/index.js';
import { copiesOfSums, simpleOperations } from '../../src/target/index.js';
import type { KernelPlan } from './plan.js';

export interface Reduction {
  readonly accumulator: Accumulator;
  readonly combine: Combiner;
  readonly lanes: number;
  /** Interleaved copies, so that one addition need not wait for the one before. */
  readonly copies: number;
}

interface Uses {
  accumulator: Accumulator;
  combine: Combiner | undefined;
  lanes: number;
  sole: boolean;
  /** Chunks of the longest vector loop, or infinity when its extent is not known. */
  chunks: number;
  simple: boolean;
}

export function findReductions(loop: For, plan: KernelPlan): readonly Reduction[] {
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
    for (const part of plan.walked.of(stmt)) if (part.kind === 'read') seen(part.accumulator).sole = false;
    if (stmt.kind === 'declare') declared.add(stmt.accumulator.name);
    if (stmt.kind === 'assign') seen(stmt.accumulator).sole = false;
    if (stmt.kind === 'accumulate') {
      const entry = seen(stmt.accumulator);
      const lanes = vector === undefined ? 1 : (vector.lanes ?? 1);
      const overLanes =
        vector !== undefined && lanes > 1 && !stmt.index.some((at) => mentions(at, vector.index)) && !plan.laned.has(stmt.accumulator.name);
      if (!overLanes || (entry.combine !== undefined && (entry.combine !== stmt.combine || entry.lanes !== lanes))) entry.sole = false;
      else {
        entry.combine = stmt.combine;
        entry.lanes = lanes;
        entry.chunks = Math.max(entry.chunks, chunksOf(vector, lanes));
        entry.simple &&= isSimple(vector, plan.walked);
      }
    }
    const within = vector ?? (stmt.kind === 'for' && stmt.axis === 'vector' ? stmt : undefined);
    for (const body of bodiesOf(stmt)) for (const child of body) visit(child, within);
  };
  visit(loop, undefined);
  const found: Reduction[] = [];
  for (const [name, entry] of uses) {
    if (declared.has(name) || !entry.sole || entry.combine === undefined) continue;
    found.push({ accumulator: entry.accumulator, combine: entry.combine, lanes: entry.lanes, copies: copiesOf(entry) });
  }
  return found;
}

function copiesOf(entry: Uses): number {
  const count = entry.accumulator.shape.reduce((product, size) => product * size, 1);
  const wanted = entry.simple ? copiesOfSums(count) : 1;
  return entry.chunks >= 2 * wanted ? wanted : 1;
}

function chunksOf(loop: For, lanes: number): number {
  const extent: Expr = loop.extent;
  return extent.kind === 'const' ? Number(extent.value) / lanes : loop.limit === undefined ? Infinity : loop.limit / lanes;
}

/** Without loops inside and with little arithmetic: copies of the body cost little, and one alone would wait for its own results. */
export function isSimple(loop: For, walked: Walked): boolean {
  let simple = true;
  forEachStatement(loop.body, (stmt) => {
    if (stmt.kind === 'for' && stmt.axis !== 'unroll') simple = false;
  });
  return simple && walked.operations(loop.body) <= simpleOperations;
}

/** Tiles in a statement whose extents are not known before the code is emitted, outermost first. */
export function openTiles(stmt: Stmt): readonly For[] {
  const found: For[] = [];
  forEachStatement([stmt], (one) => {
    if (one.kind === 'for' && one.axis === 'vector' && one.limit !== undefined && one.extent.kind !== 'const') found.push(one);
  });
  return found;
}
