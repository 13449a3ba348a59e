// The memory plan. In: kernels in order. Out: one arena whose slots temporaries share. Holds: temporaries in one slot are never alive at
// the same time.

import type { Dim } from '../base/index.js';
import {
  type ArenaPlan,
  type ArenaSlot,
  type Buffer,
  type Expr,
  expressionsOf,
  forEachStatement,
  type Kernel,
  type Stmt,
  visitExpr,
} from '../loop/index.js';
import { assumed } from './cost-model.js';
import { bytesOfRows } from './layout.js';

interface Lifetime {
  readonly buffer: Buffer;
  first: number;
  last: number;
}

interface OpenSlot {
  readonly bytes: Dim[];
  readonly taken: { readonly first: number; readonly last: number }[];
}

/**
 * Temporaries, the largest first, take the slot that is free all their life and has to grow least, of those the smallest; a new one only
 * where none is free.
 */
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
  const all = [...lifetimes.values()].map((lifetime) => ({ ...lifetime, bytes: bytesOfRows(lifetime.buffer) }));
  for (const { buffer, first, last, bytes } of all.sort(
    (a, b) => assumed(b.bytes) - assumed(a.bytes) || a.first - b.first || (a.buffer.name < b.buffer.name ? -1 : 1),
  )) {
    const slot =
      best(
        slots.filter(({ taken }) => taken.every((other) => other.last < first || last < other.first)),
        bytes,
      ) ?? open(slots);
    if (!slot.bytes.some((one) => atLeast(one, bytes))) slot.bytes.push(bytes);
    slot.taken.push({ first, last });
    slotOf.set(buffer.name, slots.indexOf(slot));
  }
  return { slots: slots.map((slot): ArenaSlot => ({ bytes: largest(slot.bytes) })), slotOf };
}

function open(slots: OpenSlot[]): OpenSlot {
  const slot: OpenSlot = { bytes: [], taken: [] };
  slots.push(slot);
  return slot;
}

/** Every value of the names (at least 0) makes `a` at least `b`: no term of the difference is negative. */
const atLeast = (a: Dim, b: Dim): boolean => a.sub(b).isNatural;

/** Growing a slot is never more than opening one, whatever the sizes turn out to be: a slot is as large as the largest of what it holds. */
function best(free: readonly OpenSlot[], bytes: Dim): OpenSlot | undefined {
  const wanted = assumed(bytes);
  const sized = free.map((slot) => ({ slot, room: Math.max(...slot.bytes.map(assumed)) }));
  sized.sort((a, b) => Math.max(0, wanted - a.room) - Math.max(0, wanted - b.room) || a.room - b.room);
  return sized[0]?.slot;
}

const largest = (sizes: readonly Dim[]): Dim[] =>
  sizes.filter((one, at) => !sizes.some((other, where) => where !== at && atLeast(other, one) && (!atLeast(one, other) || where < at)));

/** Every buffer that statements touch, each once. */
export function buffersOf(statements: readonly Stmt[]): ReadonlySet<Buffer> {
  const found = new Map<string, Buffer>();
  const seen = new Set<Expr>();
  forEachStatement(statements, (statement) => {
    if (statement.kind === 'store') found.set(statement.buffer.name, statement.buffer);
    for (const root of expressionsOf(statement))
      visitExpr(root, (expr) => expr.kind === 'load' && found.set(expr.buffer.name, expr.buffer), seen);
  });
  return new Set(found.values());
}

/* Note: what the plan holds.
   Lifetimes are intervals of kernels, packed by size. Unknown sizes are only partly ordered (12·M and 3072): they are compared at the size
   that the cost model assumes, and a slot is as large as the largest of what it may hold, so a plan that guessed wrong is still right, and
   never more than one slot for each. On every program and example the arena is within a tenth of the most that is alive in one kernel (or
   two kilobytes, where that is little), at sizes from 1 to 20640. An operand that dies in a kernel does not give its place to a result of
   the same kernel: generated code relies on the buffers of a kernel lying apart. */
