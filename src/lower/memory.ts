// The memory plan. In: kernels in order. Out: one arena whose slots temporaries share. Holds: temporaries in one slot are never alive at the same time.

import { bytesOf, type Dim, elementCount } from '../base/index.js';
import { type ArenaPlan, type ArenaSlot, type Buffer, type Expr, expressionsOf, forEachStatement, type Kernel, type Stmt, visitExpr } from '../loop/index.js';

interface Lifetime {
  readonly buffer: Buffer;
  first: number;
  last: number;
}

interface OpenSlot {
  readonly bytes: Dim[];
  freeAfter: number;
}

/** Temporaries in the order of their first kernel take the free slot that fits best, or a new one. */
export function planMemory(kernels: readonly Kernel[]): ArenaPlan {
  const lifetimes = new Map<string, Lifetime>();
  for (const [at, kernel] of kernels.entries()) {
    for (const buffer of buffersOf(kernel.body)) {
      if (buffer.role.kind !== 'temporary') continue;
      const known = lifetimes.get(buffer.name);
      if (known === undefined) lifetimes.set(buffer.name, { buffer, first: at, last: at });
      else known.last = at;
    }
  }
  const slots: OpenSlot[] = [];
  const slotOf = new Map<string, number>();
  for (const lifetime of [...lifetimes.values()].sort((a, b) => a.first - b.first || (a.buffer.name < b.buffer.name ? -1 : 1))) {
    const bytes = elementCount(lifetime.buffer.shape).mul(bytesOf(lifetime.buffer.dtype));
    const free = slots.filter((slot) => slot.freeAfter < lifetime.first);
    const slot = free.find((one) => covers(one, bytes)) ?? closest(free, bytes) ?? open(slots);
    if (!covers(slot, bytes)) slot.bytes.push(bytes);
    slot.freeAfter = lifetime.last;
    slotOf.set(lifetime.buffer.name, slots.indexOf(slot));
  }
  return { slots: slots.map((slot): ArenaSlot => ({ bytes: largest(slot.bytes) })), slotOf };
}

function open(slots: OpenSlot[]): OpenSlot {
  const slot: OpenSlot = { bytes: [], freeAfter: -1 };
  slots.push(slot);
  return slot;
}

const covers = (slot: OpenSlot, bytes: Dim): boolean => slot.bytes.some((one) => atLeast(one, bytes));

/** Every value of the names (at least 0) makes `a` at least `b`: no term of the difference is negative. */
const atLeast = (a: Dim, b: Dim): boolean => a.sub(b).terms.every((term) => term.coefficient > 0);

/** A slot that can grow into `bytes` without being more than what it holds now: the largest that `bytes` covers. */
function closest(free: readonly OpenSlot[], bytes: Dim): OpenSlot | undefined {
  return free.find((slot) => slot.bytes.every((one) => atLeast(bytes, one)));
}

const largest = (sizes: readonly Dim[]): Dim[] => sizes.filter((one, at) => !sizes.some((other, where) => where !== at && atLeast(other, one) && (!atLeast(one, other) || where < at)));

/** Every buffer that statements touch, each once. */
export function buffersOf(statements: readonly Stmt[]): ReadonlySet<Buffer> {
  const found = new Map<string, Buffer>();
  const seen = new Set<Expr>();
  forEachStatement(statements, (statement) => {
    if (statement.kind === 'store') found.set(statement.buffer.name, statement.buffer);
    for (const root of expressionsOf(statement)) visitExpr(root, (expr) => expr.kind === 'load' && found.set(expr.buffer.name, expr.buffer), seen);
  });
  return new Set(found.values());
}
