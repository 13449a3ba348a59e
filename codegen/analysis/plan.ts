// What must be known of a kernel before its first instruction, gathered in one walk (see the note at the end). In: a kernel whose loops say
// how they run. Out: its vector loops, the layout of its accumulators, the memory it touches.
// Holds: nothing is decided here that a loop could say.

import { bytesOf, InternalError } from '../../src/base/index.js';
import {
  type ArenaPlan,
  type Buffer,
  type Definitions,
  type Expr,
  type For,
  forEachStatement,
  indexedBy,
  type KernelCode,
  type Stmt,
  bodiesOf,
  ExpressionCache,
} from '../../src/kernel/index.js';
import { findRegisterUse, type RegisterUse } from './register-use.js';

/** Memory of a call: equal keys mean the same memory. */
export interface MemoryPlace {
  readonly key: string;
  readonly kind: 'feed' | 'output' | 'variable' | 'slot';
  readonly index: number;
}

export interface KernelPlan {
  readonly vectors: readonly For[];
  /** Counted loops that have none inside. */
  readonly innermost: ReadonlySet<For>;
  /** Accumulators whose last axis a vector loop walks: lanes of one register. */
  readonly vectorized: ReadonlyMap<string, number>;
  /** Names of the parameters that it stores to. */
  readonly written: ReadonlySet<string>;
  readonly definitions: Definitions;
  readonly use: RegisterUse;
  readonly cache: ExpressionCache;
}

export function planKernel({ body }: KernelCode): KernelPlan {
  const cache = new ExpressionCache();
  const vectorized = new Map<string, number>();
  const vectors: For[] = [];
  forEachStatement(body, (stmt) => {
    if (stmt.kind !== 'for' || stmt.axis !== 'vector') return;
    const { index, lanes } = stmt;
    if (lanes === undefined) throw new InternalError('codegen', `the vector loop ${index} has no lanes`);
    vectors.push(stmt);
    if (stmt.limit !== undefined) for (const name of indexedBy(stmt, cache)) vectorized.set(name, lanes);
  });
  return {
    vectors,
    innermost: innermostOf(body),
    vectorized,
    written: storedIn(body),
    definitions: findDefinitions(body, cache),
    use: findRegisterUse(body, vectorized, cache),
    cache,
  };
}

function innermostOf(body: readonly Stmt[]): ReadonlySet<For> {
  const found = new Set<For>();
  /** Whether there are counted loops among the statements. */
  const visit = (stmts: readonly Stmt[]): boolean =>
    stmts.reduce((counts, stmt) => {
      const inside = bodiesOf(stmt).reduce((some, one) => visit(one) || some, false);
      if (stmt.kind !== 'for') return counts || inside;
      const isWritten = (stmt.axis === 'unroll' && stmt.rolled !== true) || (stmt.axis === 'vector' && stmt.limit !== undefined);
      if (!isWritten && !inside) found.add(stmt);
      return counts || inside || !isWritten;
    }, false);
  visit(body);
  return found;
}

/** Lets that follow the lanes of a vector loop by index arithmetic alone; an address sees through them. Their names are declared once. */
function findDefinitions(body: readonly Stmt[], cache: ExpressionCache): Definitions {
  const found = new Map<string, Expr>();
  const declared = new Set<string>();
  const twice = new Set<string>();
  const vectors = new Set<string>();
  forEachStatement(body, (stmt) => {
    if (stmt.kind === 'for' && stmt.axis === 'vector') vectors.add(stmt.index);
    if (stmt.kind !== 'let') return;
    if (declared.has(stmt.name)) twice.add(stmt.name);
    declared.add(stmt.name);
    let [arithmetic, follows] = [true, false];
    for (const part of cache.of(stmt)) {
      if (part.kind === 'load' || part.kind === 'read' || (part.kind === 'name' && !found.has(part.name))) arithmetic = false;
      if (part.kind === 'apply' && part.dtype !== 'i64') arithmetic = false;
      if (part.kind === 'name' || (part.kind === 'index' && vectors.has(part.name))) follows = true;
    }
    if (arithmetic && follows) found.set(stmt.name, stmt.value);
  });
  for (const name of twice) found.delete(name);
  return found;
}

/** Where a kernel finds one of its buffers. */
export function memoryOf(buffer: Buffer, arena: ArenaPlan): MemoryPlace {
  const { role } = buffer;
  if ('index' in role) return { key: `${role.kind}${role.index}`, kind: role.kind, index: role.index };
  const slot = arena.slotOf.get(buffer.name);
  if (slot === undefined) throw new InternalError('codegen', `the temporary ${buffer.name} has no place in the arena`);
  return { key: `slot${slot}`, kind: 'slot', index: slot };
}

/** Bytes that the start of a buffer is a multiple of. */
export const alignOf = ({ role, dtype }: Buffer): number => (role.kind === 'feed' || role.kind === 'output' ? bytesOf(dtype) : 64);

function storedIn(body: readonly Stmt[]): ReadonlySet<string> {
  const stored = new Set<string>();
  forEachStatement(body, (stmt) => stmt.kind === 'store' && stored.add(stmt.buffer.name));
  return stored;
}

/* Note: what a plan says.
   A kernel, and its plan:

     acc acc1: f32[64] = f32(0)                                          vectors      the loops j3 and j5
     for r2 in 0..B {                                                    vectorized   acc1 in 16 lanes
       vector 16 for j3 in 0..64 limit 64 { acc1[j3] += x[r2, j3] }      written      y
     }                                                                   definitions  at, which addresses see through
     vector 16 for j5 in 0..64 limit 64 { let at = j5 + 1  y[at] = acc1[j5] }

   An accumulator is laid out where it is declared, before the loops that say how its lanes lie; and an address that looks through `at`
   is seen to move by one element per lane, so the store is one of vectors. Shown by "asks for the lanes of a vector loop" in
   test/codegen/obedience.test.ts and "sums columns and rows, keeping partial results across the outer loop" in
   test/codegen/tiles.test.ts. */
