// Results that should pass the caches by. In: a kernel and its plan. Out: the stores that may, and when they should.
// Holds: such a store writes whole aligned vectors, and the kernel does not read what it writes; the choice changes time, never results.

import { bytesOf, type Dim, elementCount } from '../../src/base/index.js';
import { type Buffer, type Expr, forEachStatement, type For, type KernelCode, type Stmt, visitExpr } from '../../src/loop/index.js';
import { cachedBytes, streamedBytes, type Target } from '../../src/target/index.js';
import type { KernelPlan } from './plan.js';

export interface Streaming {
  readonly stores: ReadonlySet<Stmt>;
  readonly buffers: readonly Buffer[];
  /** Bytes of all these buffers together. */
  readonly bytes: Dim;
  /** Bytes that their addresses must be a multiple of. */
  readonly align: number;
  /** Whether memory is likely to hold a buffer, and no cache. */
  isLarge(buffer: Buffer): boolean;
}

/** Undefined where nothing can be large, or no store is fit for it. */
export function findStreaming({ body }: KernelCode, plan: KernelPlan, target: Target): Streaming | undefined {
  const loops = plan.vectors.filter(({ limit, lanes = 1 }) => limit === undefined && lanes > 1);
  if (loops.length === 0) return undefined;
  const loaded = new Set<string>();
  const lets = new Map<string, Expr>();
  forEachStatement(body, (stmt) => {
    if (stmt.kind === 'let') lets.set(stmt.name, stmt.value);
    for (const part of plan.walked.of(stmt)) if (part.kind === 'load') loaded.add(part.buffer.name);
  });
  // Sizes that are not known may be large.
  const isLarge = (buffer: Buffer): boolean => (bytesOfBuffer(buffer).constant ?? Infinity) >= cachedBytes(target);
  const stores = new Set<Stmt>();
  const buffers = new Set<Buffer>();
  let align = 1;
  for (const loop of loops) {
    const { lanes = 1 } = loop;
    forEachStatement(loop.body, (stmt) => {
      if (stmt.kind !== 'store' || loaded.has(stmt.buffer.name) || !isLarge(stmt.buffer) || !isWhole(stmt, loop, lanes, lets)) return;
      stores.add(stmt);
      buffers.add(stmt.buffer);
      align = Math.max(align, lanes * bytesOf(stmt.buffer.dtype));
    });
  }
  const sizes = [...buffers].map(bytesOfBuffer);
  const [first, ...rest] = sizes;
  if (first === undefined) return undefined;
  const bytes = rest.reduce((sum, size) => sum.add(size), first);
  return (bytes.constant ?? Infinity) < streamedBytes(target) ? undefined : { stores, buffers: [...buffers], bytes, align, isLarge };
}

const bytesOfBuffer = (buffer: Buffer): Dim => elementCount(buffer.shape).mul(bytesOf(buffer.dtype));

/** Whether lane 0 of every whole vector is a multiple of `lanes` elements from the buffer's start, and the others follow it. */
function isWhole(store: Stmt & { readonly kind: 'store' }, loop: For, lanes: number, lets: ReadonlyMap<string, Expr>): boolean {
  return store.index.every((at, axis) => {
    const stride = store.buffer.strides[axis]?.constant;
    const mentions = mentionsLanes(at, loop.index, lets);
    if (mentions) return stride === 1 && isStep(at, loop.index, lanes, lets);
    return (stride !== undefined && stride % lanes === 0) || isMultiple(at, lanes, lets);
  });
}

function mentionsLanes(expr: Expr, index: string, lets: ReadonlyMap<string, Expr>): boolean {
  let found = false;
  visitExpr(expr, (part) => {
    if (part.kind === 'index' && part.name === index) found = true;
    const value = part.kind === 'name' ? lets.get(part.name) : undefined;
    if (value !== undefined && mentionsLanes(value, index, lets)) found = true;
  });
  return found;
}

/** The loop's variable plus a multiple of `lanes`. */
function isStep(expr: Expr, index: string, lanes: number, lets: ReadonlyMap<string, Expr>): boolean {
  if (expr.kind === 'index') return expr.name === index;
  if (expr.kind !== 'apply' || expr.fn !== 'add') return false;
  const [a, b] = expr.args as readonly [Expr, Expr];
  return (isStep(a, index, lanes, lets) && isMultiple(b, lanes, lets)) || (isMultiple(a, lanes, lets) && isStep(b, index, lanes, lets));
}

function isMultiple(expr: Expr, of: number, lets: ReadonlyMap<string, Expr>): boolean {
  switch (expr.kind) {
    case 'const':
      return expr.dtype === 'i64' && Number(expr.value) % of === 0;
    case 'size':
      return expr.dim.terms.every(({ coefficient }) => coefficient % of === 0);
    case 'name': {
      const value = lets.get(expr.name);
      return value !== undefined && isMultiple(value, of, lets);
    }
    case 'apply': {
      const [a, b] = expr.args;
      if (expr.dtype !== 'i64' || a === undefined || b === undefined) return false;
      if (expr.fn === 'mul') return isMultiple(a, of, lets) || isMultiple(b, of, lets);
      return ['add', 'sub', 'min', 'max'].includes(expr.fn) && isMultiple(a, of, lets) && isMultiple(b, of, lets);
    }
    case 'index':
    case 'load':
    case 'read':
      return false;
  }
}
