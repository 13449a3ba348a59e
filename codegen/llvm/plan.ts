// What must be known of a kernel before its first instruction. In: a kernel and a target. Out: lanes of its vector loops, layout of its
// accumulators, the memory it touches. Holds: loops that index one accumulator have the same number of lanes.

import { bytesOf, type DType, InternalError } from '../../src/base/index.js';
import {
  type ArenaPlan,
  type Buffer,
  type Expr,
  type For,
  forEachStatement,
  type KernelCode,
  someExpr,
  type Stmt,
} from '../../src/loop/index.js';
import type { Definitions } from './linear.js';
import { findRegisterUse, type RegisterUse } from './register-use.js';
import { Walked } from './walked.js';

/** Memory of a call: equal keys mean the same memory. */
export interface MemoryPlace {
  readonly key: string;
  readonly kind: 'feed' | 'output' | 'variable' | 'slot';
  readonly index: number;
}

export interface KernelPlan {
  /** Lanes of every vector loop that is not inside another one. */
  readonly lanes: ReadonlyMap<For, number>;
  /** Accumulators whose last axis a vector loop walks: lanes of one register. */
  readonly laned: ReadonlyMap<string, number>;
  /** Names of the parameters that it stores to. */
  readonly written: ReadonlySet<string>;
  readonly definitions: Definitions;
  readonly use: RegisterUse;
  readonly walked: Walked;
}

export function planKernel({ body }: KernelCode, vectorBytes: number): KernelPlan {
  const walked = new Walked();
  const definitions = findDefinitions(body, walked);
  const lanes = new Map<For, number>();
  const tiles: { readonly loop: For; readonly indexed: ReadonlySet<string> }[] = [];
  const visit = (stmts: readonly Stmt[]): void => {
    for (const stmt of stmts) {
      if (stmt.kind === 'for' && stmt.axis === 'vector') {
        lanes.set(stmt, lanesOf(stmt.body, vectorBytes, walked));
        const indexed = accumulatorsIndexedBy(stmt, walked);
        if (indexed.size > 0) tiles.push({ loop: stmt, indexed });
      } else if (stmt.kind === 'for') visit(stmt.body);
      else if (stmt.kind === 'if') {
        visit(stmt.then);
        visit(stmt.otherwise ?? []);
      }
    }
  };
  visit(body);
  // One register layout serves all loops over a tile.
  const narrowest = Math.min(...tiles.map(({ loop }) => lanes.get(loop) ?? 1));
  const laned = new Map<string, number>();
  for (const { loop, indexed } of tiles) {
    lanes.set(loop, narrowest);
    for (const name of indexed) laned.set(name, narrowest);
  }
  return {
    lanes,
    laned,
    written: storedIn(body),
    definitions,
    use: findRegisterUse(body, lanes, laned, walked),
    walked,
  };
}

/** Lets that follow the lanes of a vector loop by index arithmetic alone; an address sees through them. Their names are declared once. */
function findDefinitions(body: readonly Stmt[], walked: Walked): Definitions {
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
    for (const part of walked.of(stmt)) {
      if (part.kind === 'load' || part.kind === 'read' || (part.kind === 'name' && !found.has(part.name))) arithmetic = false;
      if (part.kind === 'apply' && part.dtype !== 'i64') arithmetic = false;
      if (part.kind === 'name' || (part.kind === 'index' && vectors.has(part.name))) follows = true;
    }
    if (arithmetic && follows) found.set(stmt.name, stmt.value);
  });
  for (const name of twice) found.delete(name);
  return found;
}

/** Elements of the widest data in one vector. Indices (i64 arithmetic) do not count, and 16-bit floats are computed in 32 bits. */
function lanesOf(body: readonly Stmt[], vectorBytes: number, walked: Walked): number {
  let widest = 1;
  const see = (dtype: DType): void => {
    widest = Math.max(widest, dtype === 'f16' || dtype === 'bf16' ? 4 : bytesOf(dtype));
  };
  forEachStatement(body, (stmt) => {
    if (stmt.kind === 'store' || stmt.kind === 'fetch') see(stmt.buffer.dtype);
    if (stmt.kind === 'accumulate' || stmt.kind === 'assign' || stmt.kind === 'declare') see(stmt.accumulator.dtype);
    for (const part of walked.of(stmt)) {
      if (part.kind === 'load') see(part.buffer.dtype);
      else if (part.kind === 'read') see(part.accumulator.dtype);
      else if (part.kind === 'apply' && part.dtype !== 'i64' && part.dtype !== 'f64') see(part.dtype);
    }
  });
  return vectorBytes / widest;
}

/** Accumulators declared outside of `loop` whose index uses its variable. */
function accumulatorsIndexedBy(loop: For, walked: Walked): ReadonlySet<string> {
  const inner = new Set<string>();
  const used = new Set<string>();
  forEachStatement(loop.body, (stmt) => {
    if (stmt.kind === 'declare') inner.add(stmt.accumulator.name);
    const see = (name: string, index: readonly Expr[]): void => {
      if (index.some((at) => mentions(at, loop.index))) used.add(name);
    };
    if (stmt.kind === 'accumulate' || stmt.kind === 'assign') see(stmt.accumulator.name, stmt.index);
    for (const part of walked.of(stmt)) if (part.kind === 'read') see(part.accumulator.name, part.index);
  });
  for (const name of inner) used.delete(name);
  return used;
}

export const mentions = (expr: Expr, index: string): boolean => someExpr(expr, (part) => part.kind === 'index' && part.name === index);

/** Where a kernel finds one of its buffers. */
export function memoryOf(buffer: Buffer, arena: ArenaPlan): MemoryPlace {
  const { role } = buffer;
  if (role.kind !== 'temporary') return { key: `${role.kind}${role.index}`, kind: role.kind, index: role.index };
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
