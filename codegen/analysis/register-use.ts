// How a kernel uses its accumulators: which have to lie in memory, because only the running code knows which element it wants (see the note
// at the end). In: its statements. Out: which accumulators are indexed by what is only known when the code runs, and which of them a
// statement may change.
// Holds: whatever is not plain counts as not known.

import { bodiesOf, changedBy, type Expr, type For, forEachStatement, type Stmt, type ExpressionCache } from '../../src/kernel/index.js';

export interface RegisterUse {
  readonly demoted: ReadonlySet<string>;
  /** Names of the accumulators that statements with others inside change. */
  readonly changes: ReadonlyMap<Stmt, ReadonlySet<string>>;
}

interface Around {
  /** Loop variables whose values are known while emitting. */
  readonly known: readonly string[];
  /** The one of a tile that lies across the lanes. */
  readonly across: string | undefined;
  /** Variables of rolled loops, with the accumulators declared inside: the others are copied to memory for the loop. */
  readonly rolled: readonly { readonly index: string; readonly own: ReadonlySet<string> }[];
}

export function findRegisterUse(body: readonly Stmt[], vectorized: ReadonlyMap<string, number>, cache: ExpressionCache): RegisterUse {
  const demoted = new Set<string>();
  const changes = new Map<Stmt, ReadonlySet<string>>();

  const changed = (stmts: readonly Stmt[]): Set<string> => {
    const names = new Set<string>();
    for (const stmt of stmts) {
      const accumulator = changedBy(stmt);
      if (accumulator !== undefined) names.add(accumulator.name);
      if (stmt.kind !== 'for' && stmt.kind !== 'if') continue;
      const inside = new Set(bodiesOf(stmt).flatMap((one) => [...changed(one)]));
      changes.set(stmt, inside);
      for (const name of inside) names.add(name);
    }
    return names;
  };

  const see = (name: string, index: readonly Expr[], around: Around): void => {
    const known = new Set(around.known);
    for (const loop of around.rolled) if (!loop.own.has(name)) known.add(loop.index);
    index.forEach((at, axis) => {
      if (axis === index.length - 1 && around.across !== undefined && vectorized.has(name)) known.add(around.across);
      if (!isKnown(at, known)) demoted.add(name);
    });
  };

  const visit = (stmts: readonly Stmt[], around: Around): void => {
    for (const stmt of stmts) {
      if (stmt.kind === 'accumulate' || stmt.kind === 'assign') see(stmt.accumulator.name, stmt.index, around);
      for (const part of cache.of(stmt)) if (part.kind === 'read') see(part.accumulator.name, part.index, around);
      if (stmt.kind !== 'for') for (const inner of bodiesOf(stmt)) visit(inner, around);
      else if (stmt.axis === 'vector') visit(stmt.body, { ...around, across: stmt.index });
      else if (stmt.axis !== 'unroll') visit(stmt.body, around);
      else {
        const own = stmt.rolled === true ? declaredIn(stmt) : undefined;
        visit(
          stmt.body,
          own === undefined
            ? { ...around, known: [...around.known, stmt.index] }
            : { ...around, rolled: [...around.rolled, { index: stmt.index, own }] },
        );
      }
    }
  };

  changed(body);
  visit(body, { known: [], across: undefined, rolled: [] });
  return { demoted, changes };
}

function declaredIn(loop: For): ReadonlySet<string> {
  const own = new Set<string>();
  forEachStatement(loop.body, (stmt) => stmt.kind === 'declare' && own.add(stmt.accumulator.name));
  return own;
}

/** The accumulators from outside that the loop reads. */
export function readIn(loop: For, cache: ExpressionCache): ReadonlySet<string> {
  const read = new Set<string>();
  forEachStatement(loop.body, (stmt) => {
    for (const part of cache.of(stmt)) if (part.kind === 'read') read.add(part.accumulator.name);
  });
  return read;
}

const plainOps: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'neg']);

const isKnown = (expr: Expr, known: ReadonlySet<string>): boolean =>
  expr.kind === 'const' ||
  (expr.kind === 'index' && known.has(expr.name)) ||
  (expr.kind === 'apply' && plainOps.has(expr.fn) && expr.args.every((arg) => isKnown(arg, known)));

/* Note: demoted accumulators.
   Of two kernels the first keeps acc in registers, and the second keeps it on the stack:

     unroll for i in 0..4 { acc[i] += x[i, k] * weight }  unroll for o in 0..4 { z[o] = acc[o] }

     unroll for i in 0..4 { acc[i] += x[i, k] * weight }  for o in 0..4 { z[o] = acc[o] }

   Registers have no addresses: which one is meant must be known while code is emitted, as the index of an unrolled loop is. What a
   statement may change tells which registers go around a loop as phis. Shown by "reduces several rows at once, and small arrays of
   registers" in test/codegen/tiles.test.ts. */
